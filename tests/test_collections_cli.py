"""`quoth collections`: what each command prints, what it leaves behind, and its exit code."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from index.errors import CollectionExists, CollectionMissing, ExportUnreadable, TitleInvalid
from index.maintenance.integrity import IntegrityProblem
from index.records import CollectionState, Document, DocumentSummary
from quoth import app
from service.cli.collections import description_lines, readable_size, verdict_lines
from service.composition.library import open_library
from service.settings import Settings

TEXT = "The bridge opened in 1932."


@pytest.fixture
def home(tmp_path: Path) -> Path:
    library = open_library(Settings(home=tmp_path / "home"))
    library.open_or_create("papers").add(Document("d", "v", "file:///d.txt", "D", "text/plain", TEXT))
    library.open_or_create("empty")
    library.close()
    return tmp_path / "home"


@pytest.fixture
def run(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)

    def run(*words: str, said: str = "") -> Result:
        environment = {"QUOTH_HOME": str(home), "TERM": "dumb", "COLUMNS": "200"}
        return CliRunner().invoke(app, ["collections", *words], env=environment, input=said)

    return run


def test_the_list_and_one_collection_are_shown_and_verified(run: Callable[..., Result], home: Path) -> None:
    listed = run("--verify")
    assert listed.exit_code == 0
    head, empty, papers, *verdicts = listed.stdout.splitlines()
    assert head.split() == ["collection", "documents", "chunks", "vectors", "size"]
    assert empty.split()[:4] == ["empty", "0", "0", "0"]
    assert papers.split()[:4] == ["papers", "1", "1", "0"]
    assert verdicts == ["✓ empty is sound", "✓ papers is sound"]
    shown = run("show", "papers").stdout.splitlines()
    assert shown[2].split(maxsplit=1) == ["vectors", "0, 1 still to come"]
    assert shown[-1].split() == ["1", str(len(TEXT)), "/d.txt"]
    assert json.loads(run("show", "papers", "--json").stdout)["listed"][0]["uri"] == "file:///d.txt"
    assert [state["name"] for state in json.loads(run("--json").stdout)] == ["empty", "papers"]

    ledger = sqlite3.connect(home / "collections" / "papers" / "ledger.sqlite", isolation_level=None)
    ledger.execute("UPDATE chunks SET start = 1")
    ledger.close()
    damaged = run("show", "papers", "--verify")
    assert damaged.exit_code == 1
    assert "✗ papers is damaged\n  ledger: file:///d.txt: chunk 1 is not what stands at 1-26" in damaged.stdout


def test_a_collection_is_exported_to_a_file_and_imported(run: Callable[..., Result], tmp_path: Path) -> None:
    assert run("export", "papers", "p.quoth").stdout == "Exported papers: 1 document, 1 chunk.\n"
    assert isinstance(run("import", "p.quoth").exception, CollectionExists)
    assert run("import", "p.quoth", "--as", "again").stdout == "Imported again: 1 document, 1 chunk.\n"
    (tmp_path / "p.quoth").write_bytes((tmp_path / "p.quoth").read_bytes()[:1000])
    damaged = run("import", "p.quoth", "--as", "third").exception
    assert isinstance(damaged, ExportUnreadable)
    assert "p.quoth is damaged" in str(damaged)


def test_dropping_asks_for_confirmation(run: Callable[..., Result]) -> None:
    refused = run("drop", "papers", said="n\n")
    assert refused.exit_code == 1
    assert "papers" in run().stdout
    assert run("drop", "papers", said="y\n").stdout.endswith("Dropped papers.\n")
    assert run("drop", "empty", "--yes").stdout == "Dropped empty.\n"
    assert run().stdout == "No collection yet. quoth index FOLDER makes one.\n"
    assert isinstance(run("drop", "papers", said="y\n").exception, CollectionMissing)


def test_a_renamed_collection_is_shown_by_its_title_and_called_by_its_name(run: Callable[..., Result]) -> None:
    assert run("rename", "papers", "Our papers").stdout == "papers is shown as Our papers.\n"
    assert run("show", "papers").stdout.splitlines()[0] == "title     Our papers"
    assert json.loads(run("--json").stdout)[1]["title"] == "Our papers"
    assert run("rename", "papers", "").stdout == "papers is shown as papers.\n"
    assert isinstance(run("rename", "papers", "x" * 121).exception, TitleInvalid)
    assert isinstance(run("rename", "nothing", "x").exception, CollectionMissing)


def test_a_collection_that_cannot_be_opened_is_listed_with_the_others(run: Callable[..., Result], home: Path) -> None:
    ledger = sqlite3.connect(home / "collections" / "papers" / "ledger.sqlite", isolation_level=None)
    ledger.execute("UPDATE facts SET value = 'another' WHERE name = 'encoder'")
    ledger.close()
    listed = run("--verify")
    assert listed.exit_code == 1
    assert "empty" in listed.stdout
    assert listed.stderr.startswith("papers: the collection was made with encoder 'another'")


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_949, "999.9 kB"), (999_950, "1.0 MB"), (3 * 10**12, "3.0 TB")],
)
def test_sizes_are_given_in_the_largest_unit(size: int, said: str) -> None:
    assert readable_size(size) == said


def test_a_long_list_of_problems_is_cut_and_the_fix_is_shown_once() -> None:
    found = [IntegrityProblem("files", f"file {number} is gone", "Index again") for number in range(25)]
    told = [line.text.plain for line in verdict_lines("papers", found)]
    assert told[0] == "! papers is sound; files changed since"
    assert (len(told), told[-2:]) == (23, ["... and 5 more.", "→ Index again"])


def test_a_description_shows_no_control_characters() -> None:
    state = CollectionState("papers", "papers", 1, 2, 2, 0, "encoder", 10)
    document = DocumentSummary("d", "v", "odd\x1b[2J.md", "D", "text/plain", 5, 2, None, 0.0)
    assert "\x1b" not in "".join(line.text.plain for line in description_lines(state, [document]))
