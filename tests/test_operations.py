"""docs/operations.md, Dockerfile and compose.yaml against the code: what they name is there, as they say."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

from service.errors import AnswerTimedOut, Overloaded, ShuttingDown, code_of
from service.observability.metrics import Metrics
from service.settings import Settings

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def rows(section: str) -> list[list[str]]:
    """The cells of the table in a section, without its head."""
    text = PAGE.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return found[2:]


def test_the_metrics_that_are_listed_are_the_metrics_that_there_are() -> None:
    assert [tuple(row) for row in rows("Metrics")] == [
        (f"`{name}`", kind, meaning) for name, kind, meaning in Metrics().described()
    ]


def test_the_limits_that_are_listed_are_settings_with_these_defaults() -> None:
    listed = rows("Limits")
    assert len(listed) == 7
    for name, default, meaning in listed:
        field = Settings.model_fields[name.strip("`").removeprefix("QUOTH_").lower()]
        assert (default, meaning) == (str(field.default), field.description)


def test_every_setting_and_problem_that_is_named_exists() -> None:
    files = PAGE + DOCKERFILE + (ROOT / "compose.yaml").read_text(encoding="utf-8")
    named = {name.removeprefix("QUOTH_").lower() for name in re.findall(r"\bQUOTH_[A-Z_]+", files)}
    assert named <= set(Settings.model_fields)
    for error in (AnswerTimedOut, Overloaded, ShuttingDown):
        assert f"`{code_of(error('x'))}`" in PAGE


def test_the_dockerfile_installs_what_the_project_needs(tmp_path: Path) -> None:
    program = re.search(r"RUN /opt/quoth/bin/python -c '(.+?)' \\\n", DOCKERFILE)
    assert program
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    subprocess.run([sys.executable, "-c", program[1]], cwd=tmp_path, check=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["postgres"], *extras["otel"]]
    assert (tmp_path / "needs.txt").read_text(encoding="utf-8").splitlines() == wanted
    (torch,) = (tmp_path / "torch.txt").read_text(encoding="utf-8").splitlines()
    assert re.fullmatch(r"torch==[0-9.]+", torch)


def test_the_image_holds_every_package_and_nothing_else_and_runs_without_rights() -> None:
    kept = {
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")
    }
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    assert kept == {*wheel["wheel"]["only-include"], "pyproject.toml", "README.md", "LICENSE"}
    last = DOCKERFILE.split("\nFROM ")[-1]
    assert last.index("\nUSER quoth\n") < last.index("\nENTRYPOINT ")
    health = re.search(r"CMD (\[.+urlopen.+\])", last)
    assert health
    compile(json.loads(health[1])[2], "healthcheck", "exec")
    assert "/healthz" in health[1]


def test_the_services_of_compose_are_told_where_each_other_is() -> None:
    composed = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    quoth, postgres = composed["services"]["quoth"], composed["services"]["postgres"]
    url = quoth["environment"]["QUOTH_DATABASE_URL"]
    assert url.startswith(f"postgresql://{postgres['environment']['POSTGRES_USER']}:")
    assert url.endswith(f"@postgres/{postgres['environment']['POSTGRES_DB']}")
    assert int(quoth["stop_grace_period"].rstrip("s")) > Settings.model_fields["shutdown_grace_s"].default
    assert {volume.split(":")[0] for volume in quoth["volumes"][:1]} <= set(composed["volumes"])
