"""docs/operations.md, Dockerfile and compose.yaml agree with the code."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from service.errors import AnswerTimedOut, Overloaded, ShuttingDown, code_of
from service.observability.metrics import Metrics
from service.settings import Settings

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def rows(section: str) -> list[list[str]]:
    """The cells of the table in a section, without its header."""
    text = PAGE.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return found[2:]


def test_every_metric_is_listed_and_no_other() -> None:
    assert [tuple(row) for row in rows("Metrics")] == [
        (f"`{name}`", kind, meaning) for name, kind, meaning in Metrics().descriptions()
    ]


def test_the_limits_that_are_listed_are_settings_with_these_defaults() -> None:
    listed = rows("Limits")
    assert len(listed) == 7
    for name, default, meaning in listed:
        field = Settings.model_fields[name.strip("`").removeprefix("QUOTH_").lower()]
        assert (default, meaning) == (str(field.default), field.description)


def test_every_setting_and_problem_that_is_named_exists() -> None:
    composed = [(ROOT / name).read_text(encoding="utf-8") for name in ("compose.yaml", "compose.cluster.yaml")]
    files = "\n".join([PAGE, DOCKERFILE, *composed])
    named = {name.removeprefix("QUOTH_").lower() for name in re.findall(r"\bQUOTH_[A-Z_]+", files)}
    assert named <= set(Settings.model_fields)
    for error in (AnswerTimedOut, Overloaded, ShuttingDown):
        assert f"`{code_of(error('x'))}`" in PAGE


def test_the_dockerfile_installs_torch_as_the_project_pins_it(tmp_path: Path) -> None:
    program = re.search(r"RUN /opt/quoth/bin/python -c '(.+?)' > torch.txt \\\n", DOCKERFILE)
    assert program
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    printed = subprocess.run(
        [sys.executable, "-c", program[1]], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    assert re.fullmatch(r"torch==[0-9.]+\n", printed)
    assert "pip install --no-deps --require-hashes --requirement requirements/run.lock\n" in DOCKERFILE


@pytest.mark.parametrize(
    ("lock", "extras", "groups"),
    [
        ("run", ("postgres", "cluster", "otel"), ("build",)),
        ("dev", ("postgres", "otel", "gguf"), ("build", "dev")),
        ("llm", ("postgres", "otel", "gguf"), ("build", "dev", "llm")),
    ],
)
def test_the_lock_pins_everything_that_is_declared_with_hashes(
    lock: str, extras: tuple[str, ...], groups: tuple[str, ...]
) -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = declared["project"]
    named = [*project["dependencies"]]
    named += [need for extra in extras for need in project["optional-dependencies"][extra]]
    named += [need for group in groups for need in declared["dependency-groups"][group]]
    pins: dict[str, set[str]] = {}
    for block in re.split(r"\n(?=\S)", (ROOT / "requirements" / f"{lock}.lock").read_text(encoding="utf-8")):
        pin = re.match(r"([a-z0-9-]+)==(\S+)", block)
        assert pin, block
        assert "--hash=sha256:" in block
        pins.setdefault(pin[1], set()).add(pin[2])
    for need in map(Requirement, named):
        if need.name != "torch":  # the build differs by machine: installed first, without a hash
            assert all(map(need.specifier.contains, pins[need.name])), need
            assert pins[need.name]
    assert "torch" not in pins


def test_the_image_holds_only_the_packages_and_runs_without_privileges() -> None:
    kept = {
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")
    }
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    assert kept == {*wheel["wheel"]["only-include"], "pyproject.toml", "requirements/run.lock", "README.md", "LICENSE"}
    last = DOCKERFILE.split("\nFROM ")[-1]
    assert last.index("\nUSER quoth\n") < last.index("\nENTRYPOINT ")
    health = re.search(r"CMD (\[.+urlopen.+\])", last)
    assert health
    compile(json.loads(health[1])[2], "healthcheck", "exec")
    assert "/healthz" in health[1]


def test_the_services_of_compose_have_each_others_addresses() -> None:
    composed = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    quoth, postgres = composed["services"]["quoth"], composed["services"]["postgres"]
    url = quoth["environment"]["QUOTH_DATABASE_URL"]
    assert url.startswith(f"postgresql://{postgres['environment']['POSTGRES_USER']}:")
    assert url.endswith(f"@postgres/{postgres['environment']['POSTGRES_DB']}")
    assert int(quoth["stop_grace_period"].rstrip("s")) > Settings.model_fields["shutdown_grace_s"].default
    assert {volume.split(":")[0] for volume in quoth["volumes"][:1]} <= set(composed["volumes"])
