"""Damage anywhere in a ledger, in a page or in one value: `verify` reports it, and whoever reads it gets the named error."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

import quoth
from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.engines.embedded import EmbeddedIndex
from index.errors import IndexingError, LedgerDamaged
from index.library import Library
from index.maintenance.integrity import IntegrityProblem
from index.sync.sync import sync
from service.cli.doctor import check_collections

PAGE = 4096
TEXT = "Fact number {} is told at some length here. "
OTHER = "Kiwis come from China. "


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a collection, with its caches; one of its documents has an older version."""
    folder = tmp_path_factory.mktemp("sound")
    (folder / "corpus").mkdir()
    for number in range(12):
        (folder / "corpus" / f"{number}.txt").write_text(TEXT.format(number) * 20)
    made = partial(EmbeddedIndex, min_to_save=1)
    with closing(Collection(folder / "home" / "collections" / "c", HashedEncoder(), make_index=made)) as collection:
        sync(collection, [folder / "corpus"])
        (folder / "corpus" / "0.txt").write_text(OTHER * 20)
        sync(collection, [folder / "corpus"])
        assert collection.verify() == []
        collection.search("fact", 3)
    return folder / "home" / "collections" / "c"


@pytest.fixture
def damaged(sound: Path, tmp_path: Path) -> Path:
    """A copy of the collection's folder, to be damaged."""
    return shutil.copytree(sound, tmp_path / "home" / "collections" / "c")


def verified(folder: Path) -> list[IntegrityProblem]:
    """What `verify` reports, or that the collection does not open, which commands report instead."""
    try:
        collection = Collection(folder, HashedEncoder(), create=False)
    except LedgerDamaged as error:
        return [IntegrityProblem("ledger", str(error), "as it says")]
    with closing(collection):
        return collection.verify()


def error_of_reading(folder: Path) -> IndexingError | None:
    """The last error of those who read the collection; any other exception fails the test."""
    try:
        collection = Collection(folder, HashedEncoder(), create=False)
    except LedgerDamaged as error:
        return error
    reads: list[Callable[[], object]] = [
        collection.state,
        collection.documents.visits,
        collection.documents.pending_vectors,
        lambda: collection.permissions.roots(["file:///a"]),
        lambda: collection.search("which fact is number seven", 5),
        lambda: [collection.documents.get(summary.id) for summary in collection.documents.list()],
        lambda: sync(collection, [folder.parents[2] / "corpus"]),
    ]
    found = None
    with closing(collection):
        for read in reads:
            try:
                read()
            except IndexingError as error:
                found = error
    return found


@pytest.mark.parametrize(
    ("damage", "place", "fewest"),
    [(b"\xa5" * 600, 0, 10), (b"\xa5" * 600, 3400, 5), (b"\xff", 3990, 1), (b"\x00" * 40, 2900, 1)],
    ids=["header", "end of a page", "one byte", "zeros"],
)
def test_damage_in_any_page_is_reported_or_harmless_and_never_another_error(
    sound: Path, damaged: Path, damage: bytes, place: int, fewest: int
) -> None:
    file = damaged / "ledger.sqlite"
    intact = file.read_bytes()
    reported = 0
    for page in range(len(intact) // PAGE):
        start = page * PAGE + place
        shutil.rmtree(damaged)
        shutil.copytree(sound, damaged)
        file.write_bytes(intact[:start] + damage + intact[start + len(damage) :])
        reported += any(problem.place == "ledger" for problem in verified(damaged))
        assert "." in str(error_of_reading(damaged) or ".")
    assert reported >= fewest


@pytest.mark.parametrize("kept", [b"CREATE TABLE facts", b"CREATE INDEX chunks_by_hash"])
def test_a_schema_that_is_no_text_is_damage(damaged: Path, kept: bytes) -> None:
    file = damaged / "ledger.sqlite"
    content = file.read_bytes()
    assert kept in content
    file.write_bytes(content.replace(kept, b"\xff\x80" + kept[2:]))
    assert [problem.place for problem in verified(damaged)] == ["ledger"]


def test_garbage_in_the_write_ahead_log_is_passed_over(damaged: Path) -> None:
    (damaged / "ledger.sqlite-wal").write_bytes(bytes(range(256)) * 64)
    (damaged / "ledger.sqlite-shm").write_bytes(b"\x5a" * 32_768)
    assert [problem.what for problem in verified(damaged) if problem.place != "files"] == []
    assert error_of_reading(damaged) is None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("versions.uri", "CAST(x'ff61' AS TEXT)"),
        ("versions.title", "CAST(x'c328' AS TEXT)"),
        ("chunks.text", "CAST(x'e28228' AS TEXT)"),
        ("chunks.trail", "'[\"'"),
        ("chunks.trail", "'7'"),
        ("versions.pages", "'[[1]]'"),
        ("versions.metadata", "'{'"),
        ("versions.text", "x'00'"),
        ("vectors.vector", "x'0102'"),
        ("roots.principals", "'[[1]]'"),
        ("visits.etag", "CAST(x'80' AS TEXT)"),
        ("facts.value", "'x'"),
    ],
)
def test_a_value_that_is_not_what_was_stored_is_an_error_that_names_the_ledger_and_a_fix(
    damaged: Path, column: str, value: str
) -> None:
    damage_value(damaged, column, value)
    shutil.rmtree(damaged / "lexicon")  # it is made again, from the damaged values
    (damaged / "vectors.json").unlink()
    error = error_of_reading(damaged)
    assert isinstance(error, LedgerDamaged)
    assert "ledger.sqlite: the ledger " in str(error)
    assert "index the documents again" in str(error)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("versions.uri", "CAST(x'ff61' AS TEXT)"),
        ("versions.title", "CAST(x'c328' AS TEXT)"),
        ("chunks.text", "CAST(x'e28228' AS TEXT)"),
        ("versions.text", "x'00'"),
        ("vectors.vector", "x'0102'"),
        ("facts.value", "'x'"),
    ],
)
def test_verify_reports_a_value_that_does_not_read(damaged: Path, column: str, value: str) -> None:
    damage_value(damaged, column, value)
    assert "ledger" in [problem.place for problem in verified(damaged)]
    assert all(problem.fix for problem in verified(damaged))


@pytest.mark.parametrize("column", ["versions.uri", "facts.value"])
def test_every_command_reports_a_damaged_value_and_shows_no_traceback(
    damaged: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], column: str
) -> None:
    damage_value(damaged, column, "CAST(x'ff61' AS TEXT)")
    monkeypatch.setenv("QUOTH_HOME", str(damaged.parents[1]))
    monkeypatch.setattr("service.composition.library.SentenceEncoder", lambda *_, **__: HashedEncoder())
    for words in (("show", "c"), ("show", "c", "--verify"), ("--verify",)):
        monkeypatch.setattr("sys.argv", ["quoth", "collections", *words])
        with pytest.raises(SystemExit) as ended:
            quoth.main()
        assert ended.value.code == 1
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        assert "Restore the file from a backup" in " ".join((said.out + said.err).split())
        assert ("✗ c is damaged" in said.out) == ("--verify" in words and column == "versions.uri")
    library = Library(damaged.parents[1], HashedEncoder())
    (check,) = check_collections(library, "c")
    assert check.state == ("broken" if column == "facts.value" else "ok")
    library.close()


def damage_value(folder: Path, column: str, value: str) -> None:
    """Give one row another value by SQL, or all rows where there is no other way to reach the one that is read."""
    table, name = column.split(".")
    with closing(sqlite3.connect(folder / "ledger.sqlite", isolation_level=None)) as connection:
        connection.execute("INSERT OR IGNORE INTO roots VALUES ('file:///a', '[]')")
        connection.execute("INSERT OR IGNORE INTO visits VALUES ('http://a/', 'b', 'c', 'd')")
        connection.execute(f"UPDATE {table} SET {name} = {value}")
