"""The documentation against the code: the files that it names exist, and its picture of the layers is the contracts'.

The order of the tests names files that exist, too.
"""

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conftest import LONGEST

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.joinpath("docs").glob("*.md")])


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`((?:index|service|evaluation|training|prompts|models|seeds|tests)/[\w./-]*)`", text)
    linked = [link for link in re.findall(r"\]\(([^)#\s]+)\)", text) if "://" not in link]
    missing = [name for name in named if not (ROOT / name).exists()]
    missing += [link for link in linked if not (page.parent / link).exists()]
    assert missing == []


def test_every_test_file_that_is_to_run_first_exists() -> None:
    assert [name for name in LONGEST if not (ROOT / "tests" / f"test_{name}.py").exists()] == []
    assert len(set(LONGEST)) == len(LONGEST)


def test_the_picture_of_the_layers_is_the_import_contracts() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = {contract["containers"][0]: contract["layers"] for contract in contracts if "containers" in contract}
    packages = [package for package in layers if "." not in package]  # of their folders, it shows no further layers
    picture = (
        (ROOT / "docs" / "architecture.md")
        .read_text(encoding="utf-8")
        .split("## The layers")[1]
        .split("\n`prompts/`")[0]
    )
    for package in packages:
        drawn = re.split(r"(?m)^ {4}\w+/$", picture.split(f"    {package}/\n")[1])[0]
        order = {name: place for place, row in enumerate(layers[package]) for name in row.split(" | ")}
        heights = []
        for line in drawn.splitlines():
            names = re.match(r"\s+[├└] ((?:\w+)(?: · \w+)*)", line)
            if names:
                places = [order[name] for name in names[1].split(" · ")]
                heights.append((min(places), max(places)))
        assert heights
        for above, below in pairwise(heights):
            assert above[1] <= below[0], (package, above, below)
