"""The image: built and run where that is asked for (IMAGE_BUILDER=docker), else its steps one by one in a clean folder."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from service.settings import Settings

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
FOLDERS = ("index", "service", "evaluation", "prompts", "models")


def files_below(folder: Path) -> set[str]:
    """The paths of the files below a folder, without what Python compiles."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the last step of the build stage fills, run over what .dockerignore lets through, without network."""
    context = tmp_path_factory.mktemp("context")
    for name in (line[1:] for line in IGNORED if line.startswith("!")):
        source, target = ROOT / name, context / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    step = re.search(r"^RUN /opt/quoth/bin/pip (install --no-deps --no-build-isolation \.)$", DOCKERFILE, re.MULTILINE)
    assert step
    packages = tmp_path_factory.mktemp("packages")
    offline = ["--no-index", "--no-compile", "--disable-pip-version-check", "--quiet", "--target", str(packages)]
    subprocess.run([sys.executable, "-m", "pip", *shlex.split(step[1]), *offline], cwd=context, check=True)
    return packages


def test_the_build_installs_every_file_of_the_packages(installed: Path) -> None:
    for name in FOLDERS:
        assert files_below(installed / name) == files_below(ROOT / name), name
        assert (installed / name / "py.typed").exists()
    assert (installed / "quoth.py").exists()
    everything = {path.name for path in installed.rglob("*")}
    assert {"model.safetensors", "index.html", "m0001_baseline.py", "manifest.json", "icon.svg"} <= everything


def test_what_the_build_installs_runs_alone(installed: Path, tmp_path: Path) -> None:
    """The modules, data files, migrations and the page come from the installed folder, and only the home is written."""
    before = files_below(installed)
    program = """
import json, service, models, prompts
from pathlib import Path
from service.api.routes.pages import FOLDER
from service.prompts import load_prompts
from service.scoring.calibration import Calibration
from service.settings import load
from service.composition.store import open_store
settings = load()
open_store(settings).close()
load_prompts(None)
Calibration.load(models.folder("calibration"))
print(json.dumps([service.__file__, models.__file__, str(FOLDER)]))
"""
    home = tmp_path / "data"
    environment = {
        **os.environ,
        "PYTHONPATH": str(installed),
        "PYTHONDONTWRITEBYTECODE": "1",
        "QUOTH_HOME": str(home),
        "QUOTH_HOST": "0.0.0.0",
    }
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    assert all(Path(path).is_relative_to(installed) for path in json.loads(done.stdout.splitlines()[-1]))
    assert (home / "conversations.sqlite").exists()
    entry = re.search(r'^ENTRYPOINT \["(\w+)"\]$', DOCKERFILE, re.MULTILINE)
    assert entry
    assert (installed / "bin" / entry[1]).exists()
    listed = subprocess.run(
        [sys.executable, "-P", "-m", entry[1], "collections"],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
    )
    assert listed.returncode == 0
    assert files_below(installed) == before


def test_the_second_stage_sets_what_quoth_reads() -> None:
    stage = DOCKERFILE.split("\nFROM ")[-1]
    variables = dict(re.findall(r"\b(QUOTH_\w+)=(\S+)", stage))
    settings = Settings(**{name.removeprefix("QUOTH_").lower(): value for name, value in variables.items()})
    assert str(settings.home) == re.findall(r"^VOLUME (\S+)$", stage, re.MULTILINE)[0]
    assert f"EXPOSE {settings.port}\n" in stage
    assert f"http://127.0.0.1:{settings.port}/healthz" in stage
    user = re.search(
        r"groupadd --system --gid (\d+) quoth .*\n.*useradd --system --uid (\d+) --gid (\d+) .*quoth", stage
    )
    assert user
    assert len({*user.groups()}) == 1


@pytest.mark.timeout(3600)
@pytest.mark.skipif("IMAGE_BUILDER" not in os.environ, reason="IMAGE_BUILDER=docker (or podman) builds the image: 3 GB")
def test_the_image_is_built_and_makes_a_key_on_a_read_only_root() -> None:
    builder = os.environ["IMAGE_BUILDER"]
    subprocess.run([builder, "build", "-t", "quoth-test", str(ROOT)], check=True)
    limits = ["--rm", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    made = subprocess.run(
        [builder, "run", *limits, "-v", "/data", "quoth-test", "keys", "create", "portal"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert made.stdout.startswith("quoth_")
