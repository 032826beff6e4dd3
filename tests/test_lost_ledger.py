"""A ledger that is gone or empty is an error that names it, and a new collection is not."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import quoth
from index.embedding.encoder import HashedEncoder
from index.errors import CollectionMissing, LedgerLost
from index.library import Library
from index.records import Document
from service.cli import doctor

LETTER = Document("letter", "v", "file:///letter.md", "Letter", "text/markdown", "The ferry leaves at noon.")


def gone(ledger: Path) -> None:
    ledger.unlink()


def zero_bytes(ledger: Path) -> None:
    ledger.write_bytes(b"")


def no_tables(ledger: Path) -> None:
    ledger.unlink()
    with sqlite3.connect(ledger) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


def nothing(folder: Path) -> None:
    pass


def delete_note(folder: Path) -> None:
    """A collection from before the note has none."""
    (folder / "ledger.json").unlink()


def delete_caches(folder: Path) -> None:
    """Everybody may: they are rebuilt."""
    shutil.rmtree(folder / "lexicon")
    (folder / "vectors.json").unlink(missing_ok=True)


def indexed(home: Path) -> Path:
    """The folder of a collection with one document, closed."""
    library = Library(home, HashedEncoder())
    collection = library.open_or_create("letters")
    collection.add(LETTER)
    collection.embed_pending()
    assert collection.search("ferry")
    library.close()
    return home / "collections" / "letters"


@pytest.mark.parametrize("kept", [nothing, delete_note, delete_caches])
@pytest.mark.parametrize("loss", [gone, zero_bytes, no_tables])
def test_a_lost_ledger_is_named_and_never_opened_as_an_empty_one(
    tmp_path: Path, loss: Callable[[Path], None], kept: Callable[[Path], None]
) -> None:
    folder = indexed(tmp_path)
    backup = shutil.copy(folder / "ledger.sqlite", tmp_path / "backup")
    kept(folder)
    loss(folder / "ledger.sqlite")
    library = Library(tmp_path, HashedEncoder())
    for open_it in (library.open, library.open_or_create, library.open):
        with pytest.raises(LedgerLost, match=r"ledger\.sqlite: the ledger .* restore the file from a backup"):
            open_it("letters")
    assert library.names() == ["letters"]
    (check,) = doctor.check_collections(library, "letters")
    assert (check.state, "the ledger" in check.finding) == ("broken", True)
    shutil.copy(backup, folder / "ledger.sqlite")
    assert library.open("letters").documents.list()[0].id == "letter"
    assert library.open("letters").verify() == []
    library.close()


def test_a_ledger_lost_under_a_running_program_is_named_too(tmp_path: Path) -> None:
    library = Library(tmp_path, HashedEncoder())
    library.open_or_create("letters").add(LETTER)
    assert library.open("letters").search("ferry")
    (tmp_path / "collections" / "letters" / "ledger.sqlite").unlink()
    with pytest.raises(LedgerLost, match="the ledger is gone"):
        library.open("letters")
    library.close()


def test_a_lost_collection_is_given_up_by_dropping_it_and_can_be_made_anew(tmp_path: Path) -> None:
    folder = indexed(tmp_path)
    (folder / "ledger.sqlite").unlink()
    library = Library(tmp_path, HashedEncoder())
    library.drop("letters")
    with pytest.raises(CollectionMissing):
        library.open("letters")
    library.open_or_create("letters").add(LETTER)
    assert library.open("letters").search("ferry")
    library.close()


def test_a_ledger_that_another_one_replaced_is_reported_by_verify(tmp_path: Path) -> None:
    folder = indexed(tmp_path / "a")
    other = indexed(tmp_path / "b")
    shutil.copy(other / "ledger.sqlite", folder / "ledger.sqlite")
    library = Library(tmp_path / "a", HashedEncoder())
    (problem,) = library.open("letters").verify()
    assert (problem.place, "not the one that the collection began with" in problem.what) == ("ledger", True)
    (folder / "ledger.json").unlink()
    library.close()
    assert Library(tmp_path / "a", HashedEncoder()).open("letters").verify() == []


def test_the_command_tells_a_lost_ledger_from_a_new_collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTH_HOME", str(tmp_path))
    monkeypatch.setattr("service.composition.library.SentenceEncoder", lambda *_, **__: HashedEncoder())
    folder = indexed(tmp_path)
    Library(tmp_path, HashedEncoder()).open_or_create("fresh").close()
    zero_bytes(folder / "ledger.sqlite")

    def run(*words: str) -> Any:
        return CliRunner().invoke(quoth.app, ["collections", *words])

    everything = run("--verify")
    assert everything.exit_code == 1
    assert "the ledger has 0 bytes" in everything.stderr
    assert "✓ fresh is sound" in everything.stdout
    assert isinstance(run("show", "letters", "--verify").exception, LedgerLost)
    assert run("show", "fresh", "--verify").exit_code == 0
    assert run("drop", "letters", "--yes").exit_code == 0
    assert run("--verify").exit_code == 0


CREATION = """
import os, signal, sys
from pathlib import Path

import index
from index.embedding.encoder import HashedEncoder
from index.library import Library

home, folder, die_at, lines = Path(sys.argv[1]), str(Path(index.__file__).parent), 0, 0

def count(frame, event, argument):
    global lines
    if event == "line":
        lines += 1
        if lines == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
    return count

def watch(frame, event, argument):
    return count if frame.f_code.co_filename.startswith(folder) else None

library = Library(home, HashedEncoder())
for line in sys.stdin:
    die_at = int(line)
    child = os.fork()
    if child == 0:
        sys.settrace(watch)
        library.open_or_create("letters")
        sys.settrace(None)
        print(lines, flush=True)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        print("killed", flush=True)
"""
KILLS = 20


def test_a_creation_that_is_killed_at_any_line_locks_nobody_out(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CREATION, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    ) as creator:

        def create(die_at: int) -> str:
            assert creator.stdin is not None
            assert creator.stdout is not None
            shutil.rmtree(tmp_path / "collections", ignore_errors=True)
            creator.stdin.write(f"{die_at}\n")
            creator.stdin.flush()
            return creator.stdout.readline().strip()

        lines = int(create(0))
        for number in range(KILLS):
            assert create(1 + number * lines // KILLS) == "killed"
            library = Library(tmp_path, HashedEncoder())
            collection = library.open_or_create("letters")
            collection.add(LETTER)
            assert collection.verify() == []
            library.close()
