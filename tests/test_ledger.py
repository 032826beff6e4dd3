"""A ledger in SQLite: selections that are cached, layouts, damage."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from index.errors import DiskFull, LedgerDamaged, QueryInvalid
from index.filters import Filter
from index.ledger.rows import page_at
from index.ledger.selection import Selection, SelectionCache
from index.ledger.sqlite.ledger import SqliteLedger
from index.ledger.sqlite.selections import resolve
from index.records import FileStamp, Page
from index.storage.sqlite import SqliteDatabase, connect, translate_errors
from tests.ledger_entries import document, embed_all, entry


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite", encoder="e", dimension=2)
    yield ledger
    ledger.close()


def test_selections_are_cached_up_to_a_size_and_the_longest_unused_goes_first(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    ledger.change([entry(document(name)) for name in "abcdef"], [])
    database = SqliteDatabase(tmp_path / "ledger.sqlite")

    def read(where: Filter) -> Selection:
        with database.reading() as connection:
            return resolve(connection, where)

    selections = SelectionCache(database.version, read, max_numbers=4)
    first, second, third = (Filter(document_ids=frozenset(pair)) for pair in ("ab", "cd", "ef"))
    kept = [selections.get(first), selections.get(second)]
    assert selections.get(first) is kept[0]
    selections.get(third)
    assert selections.get(first) is kept[0]
    assert selections.get(second) is not kept[1]
    database.close()


def test_an_impossible_filter_is_refused() -> None:
    with pytest.raises(QueryInvalid, match=r"principals is one string \('ann'\)"):
        Filter(principals="ann")  # type: ignore[arg-type]
    with pytest.raises(QueryInvalid, match="modified_after '2026-01-01T00:00:00' has no time zone"):
        Filter(modified_after=datetime(2026, 1, 1))


FIRST_LAYOUT = {
    "documents": ("number", "id", "version", "uri", "source_size", "source_modified_ns", "indexed_at"),
    "facts": ("name", "value"),
}


def layout(connection: sqlite3.Connection) -> dict[str, object]:
    """The columns of every table in any order, and the statement of every index."""
    names = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    return {
        name: {row[1:] for row in connection.execute(f"PRAGMA table_info({name})")}
        if kind == "table"
        else "".join((sql or "").split())
        for kind, name, sql in names
    }


def test_a_ledger_of_the_first_layout_is_upgraded_in_place(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The first layout had no permissions, times, visits, roots or blocks, but sections: so changed, this one is the first."""
    ledger.change([entry(document("file"), FileStamp(1, 5 * 10**9)), entry(document("other"))], [])
    embed_all(ledger)
    before = [replace(summary, indexed_at=0.0) for summary in ledger.documents.list()]
    mark = ledger.mark()
    ledger.close()
    connection = connect(ledger.path)
    laid_out = layout(connection)
    for statement in (
        "DROP INDEX documents_by_time",
        "ALTER TABLE documents DROP COLUMN modified_ns",
        "DROP TABLE permissions",
        "DROP TABLE visits",
        "DROP TABLE roots",
        "DROP TABLE titles",
        "DROP INDEX versions_by_reading",
        "DROP INDEX versions_with_warnings",
        "ALTER TABLE versions ADD COLUMN sections TEXT NOT NULL DEFAULT '[]'",
        *(f"ALTER TABLE versions DROP COLUMN {name}" for name in ("blocks", "warnings", "geometry", "reading")),
        *(f"ALTER TABLE chunks DROP COLUMN {name}" for name in ("rendered", "units")),
        "UPDATE facts SET value = '1' WHERE name = 'schema'",
    ):
        connection.execute(statement)
    for table, columns in FIRST_LAYOUT.items():
        assert tuple(row[1] for row in connection.execute(f"PRAGMA table_info({table})")) == columns
    connection.close()
    again = SqliteLedger(ledger.path, encoder="e", dimension=2)
    assert again.mark() == mark
    assert [replace(summary, indexed_at=0.0) for summary in again.documents.list()] == [
        replace(summary, has_structure=False) for summary in before
    ]
    assert again.selections.get(Filter(modified_before=datetime.fromtimestamp(6, UTC))).numbers.tolist() == [1]
    assert again.selections.get(Filter(principals=frozenset())).mask(np.array([1, 2])).all()
    assert again.permit("file", ["hr"])
    again.close()
    connection = connect(ledger.path)
    now = layout(connection)
    connection.close()
    assert now == laid_out


def test_a_ledger_of_a_later_layout_is_refused(ledger: SqliteLedger) -> None:
    ledger.close()
    connection = connect(ledger.path)
    connection.execute("UPDATE facts SET value = '99' WHERE name = 'schema'")
    connection.close()
    with pytest.raises(LedgerDamaged, match="has layout '99', this version reads '6'"):
        SqliteLedger(ledger.path, encoder="e", dimension=2)


def test_readers_do_not_wait_for_a_writer_and_see_one_state(ledger: SqliteLedger) -> None:
    ledger.change([entry(document("a"))], [])
    other = sqlite3.connect(ledger.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("DELETE FROM chunks")
    assert ledger.chunks.counts() == (1, 2, 2)
    with ledger.snapshot() as snapshot:
        other.execute("COMMIT")
        assert len(list(snapshot.lexical_entries(None))) == 2
    other.close()
    assert ledger.chunks.counts() == (1, 0, 0)


def test_a_damaged_ledger_is_reported_with_the_fix(ledger: SqliteLedger) -> None:
    ledger.change([entry(document("a", text="word " * 2000))], [])
    ledger.close()
    content = bytearray(ledger.path.read_bytes())
    content[: 4096 * 4] = b"\x55" * (4096 * 4)
    ledger.path.write_bytes(bytes(content))
    with pytest.raises(
        LedgerDamaged, match=r"ledger\.sqlite: the ledger does not read .* Restore the file from a backup"
    ):
        SqliteLedger(ledger.path, encoder="e", dimension=2)


def test_a_full_disk_is_reported_as_such_and_loses_nothing(ledger: SqliteLedger) -> None:
    ledger.change([entry(document("a"))], [])
    full = sqlite3.connect(ledger.path, isolation_level=None)
    full.execute("PRAGMA max_page_count = 1")
    with pytest.raises(DiskFull, match="the disk is full"), translate_errors(ledger.path):
        full.execute("INSERT INTO vectors VALUES (x'00', zeroblob(1000000))")
    full.close()
    assert ledger.chunks.counts() == (1, 2, 2)


def test_the_page_of_an_offset() -> None:
    pages = (Page(1, 0, 10), Page(2, 10, 20), Page(4, 25, 30))
    assert [page_at(pages, offset) for offset in (0, 9, 10, 19, 22, 25, 29, 30)] == [1, 1, 2, 2, None, 4, 4, None]
    assert page_at((), 0) is None
