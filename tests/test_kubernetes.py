"""docs/kubernetes/ against the image, the settings and a running server."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from service.access.caller import Scope
from service.settings import Settings, load
from tests.served_app import ServedApp

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "kubernetes"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["quoth"]


def rendered() -> list[dict[str, Any]]:
    """The objects of the base: rendered by kubectl where it is installed, else the files that it names, and its settings."""
    if shutil.which("kubectl"):
        made = subprocess.run(["kubectl", "kustomize", FOLDER], check=True, capture_output=True, text=True).stdout
        return list(yaml.safe_load_all(made))
    base = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))
    objects = [yaml.safe_load((FOLDER / name).read_text(encoding="utf-8")) for name in base["resources"]]
    literals = dict(literal.split("=", 1) for literal in base["configMapGenerator"][0]["literals"])
    return [*objects, {"kind": "ConfigMap", "data": literals}]


@pytest.fixture(scope="module")
def objects() -> dict[str, dict[str, Any]]:
    return {made["kind"]: made for made in rendered()}


@pytest.fixture
def pod(objects: dict[str, dict[str, Any]]) -> dict[str, Any]:
    spec: dict[str, Any] = objects["StatefulSet"]["spec"]["template"]["spec"]
    return spec


@pytest.fixture
def container(pod: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = pod["containers"][0]
    return made


def test_the_base_has_every_file_of_its_folder(objects: dict[str, dict[str, Any]]) -> None:
    base = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))
    assert {*base["resources"], "kustomization.yaml"} == {path.name for path in FOLDER.iterdir()}
    assert set(objects) == {"StatefulSet", "Service", "ConfigMap"}


def test_the_settings_of_the_base_are_settings_and_good_values(
    objects: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in objects["ConfigMap"]["data"].items():
        monkeypatch.setenv(name, value)
    settings = load()
    assert settings.require_keys
    assert objects["Service"]["metadata"]["name"] in settings.allowed_hosts


def test_secrets_come_from_a_secret_and_stand_in_no_file(container: dict[str, Any]) -> None:
    assert {"secretRef": {"name": "quoth-secrets", "optional": True}} in container["envFrom"]
    secret = [
        f"QUOTH_{name.upper()}" for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)
    ]
    for path in FOLDER.iterdir():
        assert not re.search(rf"({'|'.join(secret)})[=:] ?\S", path.read_text(encoding="utf-8")), path.name


def test_the_pod_runs_as_the_image_does(pod: dict[str, Any], container: dict[str, Any]) -> None:
    user = re.search(r"useradd --system --uid (\d+) --gid (\d+) .*\bquoth\b", DOCKERFILE)
    assert user
    security = pod["securityContext"]
    assert (security["runAsUser"], security["runAsGroup"]) == (int(user[1]), int(user[2]))
    assert security["fsGroup"] == int(user[2])  # the volume can be written
    assert security["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": COMPOSE["read_only"],
        "capabilities": {"drop": COMPOSE["cap_drop"]},
    }


def test_all_state_is_on_the_volume_and_the_rest_is_read_only(
    objects: dict[str, dict[str, Any]], pod: dict[str, Any], container: dict[str, Any]
) -> None:
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    home = re.search(r"\bQUOTH_HOME=(\S+)", DOCKERFILE)
    assert home
    assert f"VOLUME {home[1]}\n" in DOCKERFILE
    assert set(mounts) == {home[1], *COMPOSE["tmpfs"]}
    claims = [claim["metadata"]["name"] for claim in objects["StatefulSet"]["spec"]["volumeClaimTemplates"]]
    assert [mounts[home[1]]] == claims
    assert objects["StatefulSet"]["spec"]["replicas"] == 1  # two processes must not share the files over a network
    assert [volume["name"] for volume in pod["volumes"]] == [mounts["/tmp"]]


def test_the_service_leads_to_the_port_that_the_image_listens_on(
    objects: dict[str, dict[str, Any]], container: dict[str, Any]
) -> None:
    port = Settings.model_fields["port"].default
    assert container["ports"] == [{"name": "http", "containerPort": port}]
    assert f"EXPOSE {port}\n" in DOCKERFILE
    assert objects["Service"]["spec"]["ports"][0]["targetPort"] == "http"
    labels = objects["StatefulSet"]["spec"]["template"].get("metadata", {}).get("labels", {})
    if shutil.which("kubectl"):
        assert objects["Service"]["spec"]["selector"].items() <= labels.items()


def test_the_pod_is_given_the_time_that_a_shutdown_takes(pod: dict[str, Any]) -> None:
    assert pod["terminationGracePeriodSeconds"] == int(COMPOSE["stop_grace_period"].rstrip("s"))


def test_the_probes_pass_on_a_server_with_the_settings_of_the_base(
    objects: dict[str, dict[str, Any]], container: dict[str, Any], tmp_path: Path, loopback: Any
) -> None:
    hosts = tuple(objects["ConfigMap"]["data"]["QUOTH_ALLOWED_HOSTS"].split(","))
    with ServedApp(tmp_path, loopback, require_keys=True, allowed_hosts=hosts) as served:
        for key in (None, served.keys.create("portal", [Scope.ASK])):  # before the first key, and after
            for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
                probe = container[kind]["httpGet"]
                headers = {"Host": "10.42.0.7:8000"} | {one["name"]: one["value"] for one in probe["httpHeaders"]}
                assert httpx.get(f"{served.url}{probe['path']}", headers=headers).status_code == 200, (kind, key)
        service = {"Host": objects["Service"]["metadata"]["name"]}
        assert httpx.get(f"{served.url}/v1/collections", headers=service).status_code == 401


def test_the_commands_of_the_page_name_what_the_base_makes(objects: dict[str, dict[str, Any]]) -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").split("## In Kubernetes")[1].split("\n## ")[0]
    assert "kubectl apply -k docs/kubernetes" in page
    assert f"{objects['StatefulSet']['metadata']['name']}-0" in page
    assert re.findall(r"secret generic (\S+)", page) == ["quoth-secrets"]
