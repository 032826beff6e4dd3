"""A sound collection has no problems; each kind of damage, done by hand, is reported by one that names it."""

import sqlite3
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.engines.embedded import EmbeddedIndex
from index.maintenance.integrity import IntegrityProblem
from index.sync.sync import sync

FACTS = ("Apples grow on trees.", "Bears eat honey.", "Cats drink milk.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number, fact in enumerate(FACTS):
        (folder / f"{number}.txt").write_text(fact)
    return folder


@pytest.fixture
def collection(tmp_path: Path, folder: Path) -> Iterator[Collection]:
    collection = Collection(tmp_path / "home" / "c", HashedEncoder(), make_index=partial(EmbeddedIndex, min_to_save=1))
    sync(collection, [folder])
    yield collection
    collection.close()


@pytest.fixture
def ledger(tmp_path: Path, collection: Collection) -> Iterator[sqlite3.Connection]:
    """A connection that damages the ledger without the collection's knowledge."""
    connection = sqlite3.connect(tmp_path / "home" / "c" / "ledger.sqlite", isolation_level=None)
    yield connection
    connection.close()


def places_and_texts(problems: list[IntegrityProblem]) -> list[tuple[str, str]]:
    assert all(problem.fix for problem in problems)
    return [(problem.place, problem.what) for problem in problems]


def test_a_sound_collection_has_no_problems(collection: Collection, tmp_path: Path) -> None:
    assert collection.verify() == []
    again = Collection(tmp_path / "home" / "c", HashedEncoder())
    assert again.verify() == []
    again.close()
    empty = Collection(tmp_path / "home" / "empty", HashedEncoder())
    assert empty.verify() == []
    empty.close()


def test_files_that_changed_or_went_are_reported_and_a_sync_fixes_it(collection: Collection, folder: Path) -> None:
    (folder / "0.txt").unlink()
    (folder / "1.txt").write_text("Bears eat a lot of honey.")
    assert places_and_texts(collection.verify()) == [
        ("files", f"{(folder / '0.txt').as_uri()} is gone"),
        ("files", f"{(folder / '1.txt').as_uri()} has changed"),
    ]
    sync(collection, [folder])
    assert collection.verify() == []


def test_a_chunk_that_is_not_in_its_text_is_reported(
    collection: Collection, ledger: sqlite3.Connection, folder: Path
) -> None:
    ledger.execute("UPDATE chunks SET start = 1 WHERE text LIKE 'Bears%'")
    uri = (folder / "1.txt").as_uri()
    assert places_and_texts(collection.verify()) == [
        ("ledger", f"{uri}: chunk 2 is not what stands at 1-16 of the text")
    ]


@pytest.mark.parametrize("units", ["[[0, 99], []]", "[[5, 4, 0, 5], []]", "[[4, 0], []]", "{}", "[1"])
def test_a_chunk_whose_units_do_not_lie_in_it_is_reported(
    collection: Collection, ledger: sqlite3.Connection, folder: Path, units: str
) -> None:
    ledger.execute("UPDATE chunks SET units = ? WHERE text LIKE 'Bears%'", (units,))
    uri = (folder / "1.txt").as_uri()
    assert ("ledger", f"{uri}: the units of chunk 2 do not lie in it one after the other") in places_and_texts(
        collection.verify()
    )


def test_texts_that_cannot_be_read_or_have_another_length_are_reported(
    collection: Collection, ledger: sqlite3.Connection
) -> None:
    ledger.execute("UPDATE versions SET text = ? WHERE number = 1", (b"no zlib",))
    ledger.execute("UPDATE versions SET text = ? WHERE number = 2", (zlib.compress(FACTS[1].encode() + b" More."),))
    first, second = places_and_texts(collection.verify())
    assert (first[0], second[0]) == ("ledger", "ledger")
    assert "its text does not read" in first[1]
    assert "its text has 22 characters, not 16 as recorded" in second[1]


def test_vectors_that_are_missing_or_wrong_are_reported(collection: Collection, ledger: sqlite3.Connection) -> None:
    (gone,), (kept,) = ledger.execute("SELECT hash FROM chunks WHERE number IN (1, 3) ORDER BY number").fetchall()
    ledger.execute("DELETE FROM vectors WHERE hash = ?", (gone,))
    half = np.full(64, 0.5, dtype="<f2")
    ledger.execute("UPDATE vectors SET vector = ? WHERE hash = ?", (half.tobytes(), kept))
    assert places_and_texts(collection.verify()) == [
        ("ledger", "the vectors of 1 chunks are not there, though they are noted"),
        ("ledger", "the vectors of 1 chunks are not of length 1"),
        ("vectors", "1 chunks are in it that the ledger does not have"),
        ("vectors", "1 vectors differ from those of the ledger"),
    ]


def test_caches_that_lack_a_chunk_are_reported(collection: Collection, ledger: sqlite3.Connection) -> None:
    ledger.execute("PRAGMA foreign_keys = OFF")
    columns = "id || 'x', document, ordinal + 1, start, stop, page, trail, context, text, hash, embedded"
    names = "id, document, ordinal, start, stop, page, trail, context, text, hash, embedded"
    ledger.execute(f"INSERT INTO chunks ({names}) SELECT {columns} FROM chunks WHERE number = 1")
    assert places_and_texts(collection.verify()) == [
        ("lexicon", "1 of 4 chunks are missing"),
        ("vectors", "1 of 4 chunks are missing"),
    ]


def test_a_damaged_page_of_the_ledger_is_reported(tmp_path: Path, folder: Path) -> None:
    for number in range(200):
        (folder / f"more{number}.txt").write_text(f"Fact number {number} is told at some length here. " * 20)
    collection = Collection(tmp_path / "home" / "d", HashedEncoder())
    sync(collection, [folder])
    collection.close()
    path = tmp_path / "home" / "d" / "ledger.sqlite"
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xa5" * 600)
    collection = Collection(tmp_path / "home" / "d", HashedEncoder())
    problems = collection.verify()
    collection.close()
    assert {problem.place for problem in problems} >= {"ledger"}
