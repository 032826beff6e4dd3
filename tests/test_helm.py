"""deploy/helm/quoth and compose.cluster.yaml: rendered, against the API of Kubernetes, the image and the settings."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.api.routes.health import router
from service.settings import Settings, load
from tests.test_kubernetes import DOCKERFILE

ROOT = Path(__file__).parent.parent
CHART = ROOT / "deploy" / "helm" / "quoth"
PROGRAMS = ROOT / ".venv-clients" / "bin"
CLUSTER = yaml.safe_load((ROOT / "compose.cluster.yaml").read_text(encoding="utf-8"))
HOSTS = ["quoth.example.org", "quoth.example.com"]
VALUES: dict[str, Any] = {
    "image": {"repository": "registry.example.org/quoth"},
    "database": {"secret": "quoth-database"},
    "storage": {"url": "s3://bucket/quoth", "secret": "quoth-s3"},
    "hosts": HOSTS,
}
EVERYTHING: dict[str, Any] = VALUES | {
    "image": {"repository": "r.example.org/q", "tag": "7", "pullSecrets": ["registry"]},
    "storage": {"url": "s3://bucket", "endpoint": "http://minio:9000", "allowHttp": True, "region": "eu-central-1"},
    "settings": {"QUOTH_TOP_K": 6, "QUOTH_REQUIRE_KEYS": False, "QUOTH_GENERATOR": "remote"},
    "secret": "quoth-more",
    "service": {"type": "LoadBalancer", "port": 8080, "annotations": {"a/b": "c"}},
    "ingress": {"enabled": True, "className": "nginx", "annotations": {"x": "y"}, "tlsSecret": "tls"},
    "api": {"replicas": 5, "nodeSelector": {"disk": "fast"}, "tolerations": [{"key": "k", "operator": "Exists"}]},
    "worker": {"replicas": 9, "resources": {"requests": {"cpu": "1", "memory": "1.5Gi"}}},
}


def helm(folder: Path, values: dict[str, Any], *command: str) -> subprocess.CompletedProcess[str]:
    """Run Helm with these values, in a folder of its own. Skips where it is not installed or not for this machine."""
    program = PROGRAMS / "helm"
    if not program.exists():
        pytest.skip("Helm is not installed: make clients")
    (folder / "values.yaml").write_text(json.dumps(values))
    homes = {f"HELM_{name}_HOME": str(folder / name) for name in ("CACHE", "CONFIG", "DATA")}
    try:
        return subprocess.run(
            [program, *command, "--values", str(folder / "values.yaml")],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": "/nowhere", "HOME": str(folder), **homes},
        )
    except OSError:
        pytest.skip("The Helm of `make clients` is for Linux on x86-64")


def render(folder: Path, values: dict[str, Any]) -> list[dict[str, Any]]:
    done = helm(folder, values, "template", "demo", str(CHART))
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """The manifests of the shortest values that do, and of those that use everything."""
    return {
        "short": render(tmp_path_factory.mktemp("short"), VALUES),
        "everything": render(tmp_path_factory.mktemp("everything"), EVERYTHING),
    }


def named(manifests: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (found,) = [one for one in manifests if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return found


def pods(manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one["spec"]["template"]["spec"] for one in manifests if one["kind"] == "Deployment"]


@pytest.mark.parametrize("case", ["short", "everything"])
def test_kubernetes_has_every_field_that_is_rendered(rendered: dict[str, list[dict[str, Any]]], case: str) -> None:
    checker = ROOT / "tests" / "clients" / "unknown_fields.py"

    def faults(manifests: list[dict[str, Any]]) -> Any:
        done = subprocess.run(
            [PROGRAMS / "python", checker], input=json.dumps(manifests), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert faults(rendered[case]) == []
    wrong = json.loads(json.dumps(rendered[case]))
    container = pods(wrong)[0]["containers"][0]
    container["imagePullPolicies"] = container.pop("imagePullPolicy")
    container["args"] = "serve"
    del container["name"]
    assert len(faults(wrong)) == 3


def test_the_chart_has_nothing_to_complain_about(tmp_path: Path) -> None:
    done = helm(tmp_path, EVERYTHING, "lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout + done.stderr
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]}"\n' in project


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"database": {"secret": ""}}, "/database/secret"),
        ({"storage": {"url": "/a/folder"}}, "/storage/url"),
        ({"settings": {"QUOTH_WORKER": "true"}}, "/settings"),
        ({"settings": {"TOP_K": "8"}}, "TOP_K"),
        ({"hosts": [], "ingress": {"enabled": True}}, "/hosts"),
        ({"api": {"replicas": 0}}, "/api/replicas"),
        ({"replicas": 3}, "replicas"),
    ],
)
def test_values_that_make_no_cluster_are_refused_with_their_name(
    tmp_path: Path, changed: dict[str, Any], named: str
) -> None:
    done = helm(tmp_path, VALUES | changed, "template", "demo", str(CHART))
    assert done.returncode != 0
    assert named in done.stderr


@pytest.mark.parametrize("case", ["short", "everything"])
def test_the_settings_are_settings_and_good_values(
    rendered: dict[str, list[dict[str, Any]]], case: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    data = named(rendered[case], "ConfigMap", "demo-settings")["data"]
    for name, value in data.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("QUOTH_DATABASE_URL", "postgresql://quoth:secret@db/quoth")
    settings = load()
    assert (settings.collections_in, settings.worker) == ("database", False)
    assert settings.storage_url == (VALUES if case == "short" else EVERYTHING)["storage"]["url"]
    assert settings.require_keys is (case == "short")
    assert settings.allowed_hosts == (*HOSTS, "demo-api", "127.0.0.1")
    assert settings.top_k == (6 if case == "everything" else Settings.model_fields["top_k"].default)
    assert {name for name in data if not name.startswith("QUOTH_")} <= {
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT",
        "AWS_ALLOW_HTTP",
    }


def test_secrets_are_only_named(rendered: dict[str, list[dict[str, Any]]]) -> None:
    secret = {
        f"QUOTH_{name.upper()}" for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)
    }
    for manifests in rendered.values():
        assert not secret & named(manifests, "ConfigMap", "demo-settings")["data"].keys()
        for pod in pods(manifests):
            (database,) = pod["containers"][0]["env"]
            assert database["name"] in secret
            assert database["valueFrom"] == {"secretKeyRef": {"name": "quoth-database", "key": "url"}}
    names = [
        [source["secretRef"]["name"] for source in pods(rendered[case])[0]["containers"][0]["envFrom"][1:]]
        for case in ("short", "everything")
    ]
    assert names == [["quoth-s3"], ["quoth-more"]]


def test_the_pods_run_what_the_image_has_as_its_user_and_write_only_to_volumes(
    rendered: dict[str, list[dict[str, Any]]],
) -> None:
    import quoth

    commands = {
        command.name or command.callback.__name__ for command in quoth.app.registered_commands if command.callback
    }
    user = re.search(r"useradd --system --uid (\d+) --gid (\d+) .*\bquoth\b", DOCKERFILE)
    home = re.search(r"\bQUOTH_HOME=(\S+)", DOCKERFILE)
    assert user
    assert home
    for pod in [*pods(rendered["short"]), *pods(rendered["everything"])]:
        (container,) = pod["containers"]
        assert container["args"] in (["serve"], ["work"])
        assert set(container["args"]) <= commands
        security = pod["securityContext"]
        assert [security[name] for name in ("runAsUser", "runAsGroup", "fsGroup")] == [
            int(user[1]),
            int(user[2]),
            int(user[2]),
        ]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        assert set(mounts) == {home[1], "/tmp"}
        assert set(mounts.values()) == {volume["name"] for volume in pod["volumes"]}
        assert all("emptyDir" in volume for volume in pod["volumes"])  # nothing that must last is in a pod


def test_requests_come_to_the_replicas_by_the_ports_and_paths_that_they_have(
    rendered: dict[str, list[dict[str, Any]]],
) -> None:
    paths = {route.path for route in router.routes if hasattr(route, "path")}
    for case, port in (("short", 80), ("everything", 8080)):
        deployment = named(rendered[case], "Deployment", "demo-api")
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        assert container["ports"] == [{"name": "http", "containerPort": Settings.model_fields["port"].default}]
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            probe = container[kind]["httpGet"]
            assert probe["path"] in paths
            assert probe["port"] == "http"
            assert probe["httpHeaders"] == [{"name": "Host", "value": "127.0.0.1"}]
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        service = named(rendered[case], "Service", "demo-api")["spec"]
        assert service["ports"] == [{"name": "http", "port": port, "targetPort": "http"}]
        budget = named(rendered[case], "PodDisruptionBudget", "demo-api")["spec"]
        assert service["selector"] == budget["selector"]["matchLabels"] == labels
        assert deployment["spec"]["selector"]["matchLabels"] == labels
        assert budget["minAvailable"] < deployment["spec"]["replicas"]
        worker = named(rendered[case], "Deployment", "demo-worker")["spec"]["template"]["metadata"]["labels"]
        assert worker != labels
    assert not [one for one in rendered["short"] if one["kind"] == "Ingress"]
    (rule,) = named(rendered["everything"], "Ingress", "demo-api")["spec"]["rules"]
    assert rule["host"] == HOSTS[0]
    assert rule["http"]["paths"][0]["backend"]["service"] == {"name": "demo-api", "port": {"name": "http"}}


def test_the_notes_name_what_is_there(tmp_path: Path) -> None:
    program = (CHART / "templates" / "NOTES.txt").read_text(encoding="utf-8")
    assert "-- quoth keys create portal --scope ask --scope ingest --scope admin" in program
    assert "deploy/{{ include" in program


def test_the_cluster_of_compose_has_good_settings_and_each_others_addresses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    services = CLUSTER["services"]
    monkeypatch.chdir(tmp_path)
    for name in ("api", "worker"):
        service = services[name]
        for setting, value in service["environment"].items():
            plain = re.sub(r"\$\{\w+:\?[^}]*\}", "secret", re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value))
            monkeypatch.setenv(setting, plain)
        settings = load()
        assert (settings.collections_in, settings.worker, settings.require_keys) == ("database", False, True)
        assert settings.database_url is not None
        assert "@postgres/" in settings.database_url.get_secret_value()
        assert service["command"] in (["serve"], ["work"])
        assert service["read_only"]
        assert {place.split(":")[0] for place in service["tmpfs"]} == {"/tmp", "/data"}
    bucket = services["api"]["environment"]["QUOTH_STORAGE_URL"].removeprefix("s3://").split("/")[0]
    assert services["bucket"]["command"][0].endswith(f" s3/{bucket}")
    assert services["api"]["environment"]["AWS_ENDPOINT"] == "http://s3:9000"
    assert services["api"]["environment"]["AWS_ACCESS_KEY_ID"] == services["s3"]["environment"]["MINIO_ROOT_USER"]
    proxy = CLUSTER["configs"]["proxy"]["content"]
    assert f"http://api:{Settings.model_fields['port'].default};" in proxy
    assert services["proxy"]["ports"] == ["127.0.0.1:8000:8000"]
    for service in services.values():
        for needed in service.get("depends_on", ()):
            assert needed in services
        for volume in service.get("volumes", ()):
            assert volume.split(":")[0] in CLUSTER["volumes"]
