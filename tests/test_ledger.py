"""The ledger: documents and versions, pending vectors, filters, permissions, layouts, damage."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.blocks.block import Block, Kind, Span
from index.errors import DiskFull, EncoderMismatch, LedgerDamaged, NotFound, QueryInvalid
from index.filters import Filter
from index.ledger.ledger import Ledger
from index.ledger.rows import ChunkedDocument, page_at
from index.ledger.selections import SelectionCache
from index.records import Chunk, Document, FileStamp, Page
from index.storage.sqlite import SqliteDatabase, connect, translate_errors


def document(name: str = "a", text: str = "One. Two.", version: str = "v1", **facts: object) -> Document:
    defaults: dict[str, object] = {"uri": f"file:///{name}.txt", "title": name, "media_type": "text/plain"}
    return Document(id=name, version=version, text=text, **{**defaults, **facts})  # type: ignore[arg-type]


def entry(document: Document, source: FileStamp | None = None) -> ChunkedDocument:
    """The document, with each of its words as a chunk."""
    chunks, start = [], 0
    for place, word in enumerate(document.text.split(" ")):
        identity = f"{document.id}/{document.version}/{place}"
        chunks.append(Chunk(identity, document.id, document.version, place, start, start + len(word), word))
        start += len(word) + 1
    return ChunkedDocument(document, chunks, source)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "ledger.sqlite", encoder="e", dimension=2)
    yield ledger
    ledger.close()


def selected_ids(ledger: Ledger, where: Filter) -> set[str]:
    """Return the ids of the documents with a chunk inside the filter's selection."""
    selection = ledger.selections.get(where)
    with ledger.snapshot() as snapshot:
        entries = list(snapshot.lexical_entries(None))
    mask = selection.mask(np.array([entry.document for entry in entries], dtype=np.int64))
    rows = ledger.chunks.get([entry.number for entry, is_inside in zip(entries, mask, strict=True) if is_inside])
    return {row.chunk.document_id for row in rows.values()}


def embed_all(ledger: Ledger) -> int:
    pending = ledger.chunks.pending(1000)
    return ledger.add_vectors([text.hash for text in pending], np.ones((len(pending), 2), dtype=np.float32))


@given(
    text=st.text(),
    title=st.text(),
    metadata=st.dictionaries(st.text(), st.text(), max_size=3),
    trail=st.lists(st.text(), max_size=3),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_document_is_read_back_unchanged(
    ledger: Ledger, text: str, title: str, metadata: dict[str, str], trail: list[str]
) -> None:
    given = document(
        text=text,
        title=title,
        metadata=metadata,
        pages=(Page(3, 0, len(text)),),
        blocks=(Block(Kind.HEADING, 0, len(text), level=2, labels=(Span(0, 1),), marker=title),),
        warnings=tuple(trail),
    )
    ledger.change([ChunkedDocument(given, [Chunk("c", "a", "v1", 0, 0, len(text), text, tuple(trail))])], [])
    assert ledger.documents.get("a") == given
    assert ledger.documents.is_current(given)
    with ledger.snapshot() as snapshot:
        (number,) = snapshot.numbers().tolist()
    row = ledger.chunks.get([number])[number]
    assert row.chunk.text == text[row.chunk.start : row.chunk.end]
    assert (row.title, row.chunk.trail) == (title, tuple(trail))


def test_a_retired_version_can_still_be_read_and_is_not_current(ledger: Ledger) -> None:
    old, new = document(text="old words"), document(text="new words", version="v2")
    ledger.change([entry(old)], [])
    ledger.change([entry(new)], [])
    assert ledger.documents.get("a") == new
    assert ledger.documents.get("a", "v1") == old
    assert not ledger.documents.is_current(old)
    assert ledger.chunks.counts() == (1, 2, 2)
    ledger.change([], ["a"])
    assert ledger.documents.get("a", "v1") == old
    assert ledger.chunks.counts() == (0, 0, 0)
    with pytest.raises(NotFound, match="'a'"):
        ledger.documents.get("a")


def test_a_change_that_fails_leaves_no_trace(ledger: Ledger) -> None:
    ledger.change([entry(document("kept"))], [])
    before = ledger.mark()
    with pytest.raises(NotFound, match="'missing'"):
        ledger.change([], ["kept", "missing"])
    clash = entry(document("b", text="x y"))
    broken = ChunkedDocument(clash.document, [clash.chunks[0], clash.chunks[0]])
    with pytest.raises(sqlite3.IntegrityError):
        ledger.change([broken], ["kept"])
    assert [summary.id for summary in ledger.documents.list()] == ["kept"]
    assert ledger.mark() == before


def test_text_that_was_embedded_once_is_never_pending_again(ledger: Ledger) -> None:
    ledger.change([entry(document("a", text="red green red"))], [])
    assert len(ledger.chunks.pending(10)) == 2
    assert embed_all(ledger) == 3
    ledger.change([entry(document("b", text="green blue"))], ["a"])
    assert [text.text for text in ledger.chunks.pending(10)] == ["blue"]


def test_the_newest_text_is_embedded_first(ledger: Ledger) -> None:
    ledger.change([entry(document("old", text="one two"))], [])
    ledger.change([entry(document("new", text="three four"))], [])
    assert [text.text for text in ledger.chunks.pending(3)] == ["four", "three", "two"]


def test_title_and_headings_are_embedded_but_a_file_name_is_not(ledger: Ledger) -> None:
    chunk = Chunk("c", "a", "v1", 0, 0, 4, "body", ("Report", "Results"))
    ledger.change([ChunkedDocument(document("a", text="body", title="Report"), [chunk])], [])
    assert ledger.chunks.pending(1)[0].text == "body\nReport > Results"
    chunk = Chunk("d", "b", "v1", 0, 0, 4, "body", ("Results",))
    ledger.change([ChunkedDocument(document("b", text="body", title="b.txt"), [chunk])], [])
    assert ledger.chunks.pending(1)[0].text == "body\nResults"


def test_summaries_hold_what_a_folder_sync_needs(ledger: Ledger) -> None:
    ledger.change([entry(document("a", text="one two"), FileStamp(7, 123))], [])
    ledger.change([entry(document("b", text="one"))], [])
    first, second = ledger.documents.list()
    assert (first.id, first.version, first.characters, first.chunks, first.source) == (
        "a",
        "v1",
        7,
        2,
        FileStamp(7, 123),
    )
    assert second.source is None
    ledger.refresh_source("b", FileStamp(3, 9))
    assert ledger.documents.list()[1].source == FileStamp(3, 9)
    with pytest.raises(NotFound):
        ledger.refresh_source("c", None)


def test_filters_resolve_to_exactly_the_documents_that_meet_them(ledger: Ledger) -> None:
    places = {"a": "x/a", "b": "x/b", "c": "xy/c", "d": "\U0010fffe/d"}
    for number, (name, uri) in enumerate(places.items()):
        metadata = {"kind": "even" if number % 2 == 0 else "odd", "name": name}
        ledger.change([entry(document(name, uri=uri, metadata=metadata))], [])

    def chosen(where: Filter) -> set[str]:
        return selected_ids(ledger, where)

    assert chosen(Filter()) == set(places)
    assert chosen(Filter(uri_prefix="x/")) == {"a", "b"}
    assert chosen(Filter(uri_prefix="x")) == {"a", "b", "c"}
    assert chosen(Filter(uri_prefix="\U0010fffe")) == {"d"}
    assert chosen(Filter(document_ids=frozenset({"a", "d", "nobody"}))) == {"a", "d"}
    assert chosen(Filter(document_ids=frozenset())) == set()
    assert chosen(Filter(metadata={"kind": "even"})) == {"a", "c"}
    assert chosen(Filter(metadata={"kind": "even", "name": "c"}, uri_prefix="x")) == {"c"}
    ledger.change([entry(document("a", uri="x/a", metadata={"kind": "odd"}, version="v2"))], [])
    assert chosen(Filter(metadata={"kind": "even"})) == {"c"}


PRINCIPALS = st.frozensets(st.sampled_from("abc"), max_size=2)
SECONDS = st.integers(0, 5)


@given(
    documents=st.lists(st.tuples(PRINCIPALS, SECONDS, st.booleans()), min_size=1, max_size=6),
    principals=st.none() | PRINCIPALS,
    after=st.none() | SECONDS,
    before=st.none() | SECONDS,
    even=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_filters_by_reader_and_time_equal_brute_force(
    tmp_path_factory: pytest.TempPathFactory,
    documents: list[tuple[frozenset[str], int, bool]],
    principals: frozenset[str] | None,
    after: int | None,
    before: int | None,
    even: bool,
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("any") / "ledger.sqlite", encoder="e", dimension=2)
    expected = set()
    for number, (readers, seconds, from_file) in enumerate(documents):
        name, kind = str(number), "even" if number % 2 == 0 else "odd"
        stated = {} if from_file else {"modified": datetime.fromtimestamp(seconds, UTC).isoformat()}
        made = document(name, metadata={"kind": kind, **stated}, principals=readers)
        ledger.change([entry(made, FileStamp(1, seconds * 10**9) if from_file else None)], [])
        assert ledger.documents.get(name).principals == readers
        meets = (
            principals is None or not readers or bool(readers & principals),
            after is None or seconds >= after,
            before is None or seconds < before,
            not even or kind == "even",
        )
        if all(meets):
            expected.add(name)
    where = Filter(
        metadata={"kind": "even"} if even else {},
        modified_after=None if after is None else datetime.fromtimestamp(after, UTC),
        modified_before=None if before is None else datetime.fromtimestamp(before, UTC),
        principals=principals,
    )
    assert where.is_open == (principals is None and after is None and before is None and not even)
    found = selected_ids(ledger, where)
    ledger.close()
    assert found == expected


def test_permissions_apply_to_every_version_and_outlive_removal(ledger: Ledger) -> None:
    hr = frozenset({"hr"})
    ledger.change([entry(document(text="old words", principals=frozenset({"all", "hr"})))], [])
    ledger.change([entry(document(text="new words", version="v2", principals=hr))], [])
    assert ledger.documents.get("a", "v1").principals == ledger.documents.list()[0].principals == hr
    assert not ledger.permit("a", ["hr"])
    assert ledger.permit("a", ["board"])
    assert ledger.chunks.counts() == (1, 2, 2)
    ledger.change([], ["a"])
    assert {ledger.documents.get("a", version).principals for version in ("v1", "v2")} == {frozenset({"board"})}
    with pytest.raises(NotFound):
        ledger.permit("a", [])


def test_a_document_without_a_file_or_a_stated_time_was_modified_when_it_was_indexed(ledger: Ledger) -> None:
    now = datetime.now(UTC)
    ledger.change([entry(document("now", metadata={"modified": "last week"}))], [])
    ledger.change([entry(document("then", metadata={"created": "2001-02-03T04:05:06+01:00"}))], [])
    ledger.change([entry(document("old", metadata={"created": "0001-01-01"}))], [])
    assert ledger.selections.get(Filter(modified_after=now)).numbers.tolist() == [1]
    moment = datetime(2001, 2, 3, 3, 5, 6, tzinfo=UTC)
    assert ledger.selections.get(
        Filter(modified_after=moment, modified_before=moment.replace(second=7))
    ).numbers.tolist() == [2]
    assert ledger.selections.get(Filter(modified_before=datetime(1900, 1, 1, tzinfo=UTC))).numbers.tolist() == [3]
    ledger.refresh_source("now", FileStamp(1, 10**9))
    assert ledger.selections.get(Filter(modified_after=now)).is_empty


def test_a_cached_selection_is_renewed_at_once_after_a_commit(ledger: Ledger, tmp_path: Path) -> None:
    ledger.change([entry(document(name)) for name in "abc"], [])
    everybody = Filter(principals=frozenset())
    assert selected_ids(ledger, everybody) == {"a", "b", "c"}
    assert ledger.selections.get(everybody) is ledger.selections.get(Filter(principals=frozenset()))
    ledger.permit("b", {"ann"})
    assert selected_ids(ledger, everybody) == {"a", "c"}
    other = Ledger(tmp_path / "ledger.sqlite", encoder="e", dimension=2)
    other.permit("b", ())
    other.change([], ["c"])
    other.close()
    assert selected_ids(ledger, everybody) == {"a", "b"}
    ledger.close()
    with pytest.raises(NotFound):
        ledger.permit("c", {"ann"})
    ledger.permit("a", {"ann"})
    assert selected_ids(ledger, everybody) == {"b"}


def test_selections_are_cached_up_to_a_size_and_the_longest_unused_goes_first(ledger: Ledger, tmp_path: Path) -> None:
    ledger.change([entry(document(name)) for name in "abcdef"], [])
    database = SqliteDatabase(tmp_path / "ledger.sqlite")
    selections = SelectionCache(database, max_numbers=4)
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


def test_a_ledger_of_the_first_layout_is_upgraded_in_place(ledger: Ledger, tmp_path: Path) -> None:
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
    again = Ledger(ledger.path, encoder="e", dimension=2)
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


def test_a_ledger_of_a_later_layout_is_refused(ledger: Ledger) -> None:
    ledger.close()
    connection = connect(ledger.path)
    connection.execute("UPDATE facts SET value = '99' WHERE name = 'schema'")
    connection.close()
    with pytest.raises(LedgerDamaged, match="has layout '99', this version reads '6'"):
        Ledger(ledger.path, encoder="e", dimension=2)


def test_readers_do_not_wait_for_a_writer_and_see_one_state(ledger: Ledger) -> None:
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


def test_another_encoder_is_refused(ledger: Ledger) -> None:
    with pytest.raises(EncoderMismatch, match=r"'e' \(2 dimensions\), not 'f'"):
        Ledger(ledger.path, encoder="f", dimension=2)
    with pytest.raises(EncoderMismatch, match="not 'e' \\(3\\)"):
        Ledger(ledger.path, encoder="e", dimension=3)


def test_a_damaged_ledger_is_reported_with_the_fix(ledger: Ledger) -> None:
    ledger.change([entry(document("a", text="word " * 2000))], [])
    ledger.close()
    content = bytearray(ledger.path.read_bytes())
    content[: 4096 * 4] = b"\x55" * (4096 * 4)
    ledger.path.write_bytes(bytes(content))
    with pytest.raises(
        LedgerDamaged, match=r"ledger\.sqlite: the ledger does not read .* Restore the file from a backup"
    ):
        Ledger(ledger.path, encoder="e", dimension=2)


def test_a_full_disk_is_reported_as_such_and_loses_nothing(ledger: Ledger) -> None:
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
