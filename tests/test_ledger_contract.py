"""What must hold of every ledger, in SQLite and in PostgreSQL, against a plain model where there is much to combine."""

import itertools
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy.exc import DBAPIError

from index.blocks.block import Block, Kind, Span
from index.errors import CollectionBusy, CollectionExists, EncoderMismatch, NotFound
from index.filters import Filter
from index.ledger.postgres.ledgers import PostgresLedgers
from index.ledger.protocol import Ledger, Ledgers
from index.ledger.rows import ChunkedDocument, Destination, Root, Visit
from index.ledger.sqlite.ledgers import SqliteLedgers
from index.ledger.state import Mark
from index.records import Chunk, Document, FileStamp, Page
from tests.ledger_entries import document, embed_all, entry, selected_ids
from tests.postgres_server import PostgresServer

_numbers = itertools.count()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def ledgers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledgers]:
    """The ledgers of the file's tests: each test runs once with each kind."""
    folder = tmp_path_factory.mktemp("ledgers")
    if request.param == "sqlite":
        yield SqliteLedgers(folder)
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with closing(PostgresLedgers(server.fresh(), folder)) as opened:
        yield opened


def new_ledger(ledgers: Ledgers) -> Ledger:
    """An empty ledger of a new collection."""
    return ledgers.open(f"c{next(_numbers)}", encoder="e", dimension=2, create=True)


@pytest.fixture
def ledger(ledgers: Ledgers) -> Iterator[Ledger]:
    with closing(new_ledger(ledgers)) as ledger:
        yield ledger


@given(
    text=st.text(),
    title=st.text(),
    metadata=st.dictionaries(st.text(), st.text(), max_size=3),
    trail=st.lists(st.text(), max_size=3),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
    with pytest.raises((sqlite3.IntegrityError, DBAPIError)):
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
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_filters_by_reader_and_time_equal_brute_force(
    ledgers: Ledgers,
    documents: list[tuple[frozenset[str], int, bool]],
    principals: frozenset[str] | None,
    after: int | None,
    before: int | None,
    even: bool,
) -> None:
    ledger = new_ledger(ledgers)
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


def test_a_cached_selection_is_renewed_at_once_after_a_commit(ledgers: Ledgers, ledger: Ledger) -> None:
    ledger.change([entry(document(name)) for name in "abc"], [])
    everybody = Filter(principals=frozenset())
    assert selected_ids(ledger, everybody) == {"a", "b", "c"}
    assert ledger.selections.get(everybody) is ledger.selections.get(Filter(principals=frozenset()))
    ledger.permit("b", {"ann"})
    assert selected_ids(ledger, everybody) == {"a", "c"}
    other = ledgers.open(ledger.name, encoder="e", dimension=2, create=False)
    other.permit("b", ())
    other.change([], ["c"])
    other.close()
    assert selected_ids(ledger, everybody) == {"a", "b"}
    ledger.close()
    with pytest.raises(NotFound):
        ledger.permit("c", {"ann"})
    ledger.permit("a", {"ann"})
    assert selected_ids(ledger, everybody) == {"b"}


def test_another_encoder_is_refused(ledgers: Ledgers, ledger: Ledger) -> None:
    with pytest.raises(EncoderMismatch, match=r"'e' \(2 dimensions\), not 'f'"):
        ledgers.open(ledger.name, encoder="f", dimension=2, create=True)
    with pytest.raises(EncoderMismatch, match="not 'e' \\(3\\)"):
        ledgers.open(ledger.name, encoder="e", dimension=3, create=True)


TEXTS = st.lists(st.sampled_from(["red", "green", "blue", "\x00", "\x1a0"]), min_size=1, max_size=4).map(" ".join)
NAMES = st.sampled_from("abcd")


@dataclass
class Model:
    """What a ledger should hold. `vectors` are the texts that have one; `cache` is what replaying the log made."""

    documents: dict[str, ChunkedDocument] = field(default_factory=dict)
    versions: dict[tuple[str, str], Document] = field(default_factory=dict)
    readers: dict[str, frozenset[str]] = field(default_factory=dict)
    vectors: set[str] = field(default_factory=set)
    cache: dict[int, str] = field(default_factory=dict)
    embedded: set[int] = field(default_factory=set)
    mark: Mark | None = None

    def words(self) -> list[str]:
        """The texts of all chunks."""
        return sorted(chunk.text for each in self.documents.values() for chunk in each.chunks)


class Machine(RuleBasedStateMachine):
    """Two collections side by side, so that one's rows would be seen if they were taken for the other's."""

    ledgers: Ledgers

    @initialize()
    def begin(self) -> None:
        self.names = [f"m{next(_numbers)}" for _ in range(2)]
        self.opened = [self._open(name) for name in self.names]
        self.models = [Model(), Model()]

    def teardown(self) -> None:
        if hasattr(self, "opened"):
            for ledger in self.opened:
                ledger.close()

    @rule(
        at=st.integers(0, 1),
        name=NAMES,
        version=st.sampled_from(["v1", "v2"]),
        text=TEXTS,
        kind=st.sampled_from(["x", "y"]),
        readers=st.frozensets(st.sampled_from("pq"), max_size=2),
        seconds=st.integers(0, 3),
        removed=st.none() | NAMES,
    )
    def change(
        self,
        at: int,
        name: str,
        version: str,
        text: str,
        kind: str,
        readers: frozenset[str],
        seconds: int,
        removed: str | None,
    ) -> None:
        model = self.models[at]
        made = document(name, text, version, uri=f"file:///{kind}/{name}", metadata={"kind": kind}, principals=readers)
        new = entry(made, FileStamp(len(text), seconds * 10**9))
        gone = [removed] if removed in model.documents and removed != name else []
        self.opened[at].change([new], gone)
        for each in gone:
            del model.documents[each]
        model.documents[name] = new
        model.versions[name, version] = made
        model.readers[name] = readers

    @rule(at=st.integers(0, 1), name=NAMES, readers=st.frozensets(st.sampled_from("pq"), max_size=2))
    def permit(self, at: int, name: str, readers: frozenset[str]) -> None:
        model = self.models[at]
        if name in model.documents:
            assert self.opened[at].permit(name, readers) == (model.readers[name] != readers)
            model.readers[name] = readers
        else:
            with pytest.raises(NotFound):
                self.opened[at].permit(name, readers)

    @rule(at=st.integers(0, 1), limit=st.integers(1, 3))
    def embed(self, at: int, limit: int) -> None:
        ledger, model = self.opened[at], self.models[at]
        with ledger.claim_pending(limit, 1.0) as texts:
            assert len(texts) <= limit
            vectors = np.array([[1.0, len(text.text)] for text in texts], dtype=np.float32).reshape(-1, 2)
            searchable = ledger.add_vectors([text.hash for text in texts], vectors)
        words = {text.text.split("\n")[0] for text in texts}
        assert not words & model.vectors
        model.vectors |= words
        assert searchable == sum(word in words for word in model.words())

    @rule(at=st.integers(0, 1))
    def fail(self, at: int) -> None:
        """A change whose second half fails leaves nothing, neither of the first half."""
        with pytest.raises(NotFound):
            self.opened[at].change([entry(document("a", "never", "v9"))], ["nobody"])

    @rule(at=st.integers(0, 1))
    def catch_up(self, at: int) -> None:
        """Replay the log from where a cache stands, as the lexicon and the vectors do."""
        model = self.models[at]
        with self.opened[at].snapshot() as snapshot:
            can_replay = model.mark is not None and snapshot.can_replay(model.mark)
            since = model.mark.position if model.mark is not None and can_replay else None
            gone = [] if since is None else snapshot.removed_chunks(since)
            if since is None:
                model.cache, model.embedded = {}, set()
            assert len(gone) == len(set(gone))
            for number in gone:
                model.cache.pop(number, None)
                model.embedded.discard(number)
            entries = list(snapshot.lexical_entries(since))
            assert [each.number for each in entries] == sorted({each.number for each in entries} - model.cache.keys())
            model.cache |= {each.number: each.text for each in entries}
            for batch in snapshot.vectors(since):
                assert not model.embedded & set(batch.numbers.tolist())
                model.embedded |= set(batch.numbers.tolist())
            model.mark = snapshot.mark
            assert sorted(model.cache) == snapshot.numbers().tolist()
            assert snapshot.count_embedded() == len(model.embedded)
            assert snapshot.count_missing_vectors() == 0

    @rule(at=st.integers(0, 1))
    def trim(self, at: int) -> None:
        """A cache at or behind the end of the log can be replayed, one before it cannot."""
        ledger = self.opened[at]
        end = ledger.mark()
        ledger.trim(end.position - 1)
        with ledger.snapshot() as snapshot:
            assert snapshot.can_replay(end)
            assert snapshot.can_replay(Mark(end.ledger, end.position - 1)) == (end.position > 0)
            assert not snapshot.can_replay(Mark(end.ledger, end.position - 2)) or end.position < 2
            assert not snapshot.can_replay(Mark(end.ledger + 1, end.position))

    @rule(at=st.integers(0, 1))
    def reopen(self, at: int) -> None:
        self.opened[at].close()
        self.opened[at] = self._open(self.names[at])

    @invariant()
    def the_ledgers_hold_what_the_models_say(self) -> None:
        for ledger, model in zip(self.opened, self.models, strict=True):
            words = model.words()
            pending = [word for word in words if word not in model.vectors]
            assert ledger.chunks.counts() == (len(model.documents), len(words), len(pending))
            assert {text.text.split("\n")[0] for text in ledger.chunks.pending(100)} == set(pending)
            assert ledger.documents.pending_vectors() == len(pending)
            listed = {each.id: each for each in ledger.documents.list()}
            assert list(listed) == sorted(model.documents, key=lambda name: model.documents[name].document.uri)
            for name, stored in model.documents.items():
                assert ledger.documents.is_current(stored.document)
                assert listed[name].principals == model.readers[name]
                assert (listed[name].source, listed[name].chunks) == (stored.source, len(stored.chunks))
            for (name, version), made in model.versions.items():
                assert ledger.documents.get(name, version).text == made.text

    @rule(at=st.integers(0, 1))
    def search_with_filters(self, at: int) -> None:
        """Each filter finds what brute force finds."""
        ledger, model = self.opened[at], self.models[at]
        filters: list[tuple[Filter, Callable[[ChunkedDocument, frozenset[str]], bool]]] = [
            (Filter(principals=frozenset("p")), lambda each, readers: not readers or "p" in readers),
            (Filter(principals=frozenset()), lambda each, readers: not readers),
            (Filter(uri_prefix="file:///x/"), lambda each, _: each.document.uri.startswith("file:///x/")),
            (Filter(document_ids=frozenset("ab")), lambda each, _: each.document.id in "ab"),
            (Filter(metadata={"kind": "y"}), lambda each, _: each.document.metadata["kind"] == "y"),
            (
                Filter(modified_after=datetime.fromtimestamp(2, UTC)),
                lambda each, _: each.source is not None and each.source.modified_ns >= 2 * 10**9,
            ),
        ]
        for where, meets in filters:
            expected = {name for name, each in model.documents.items() if meets(each, model.readers[name])}
            assert {identity for identity, _, _ in ledger.documents.matching(where)} == expected
            assert selected_ids(ledger, where) == expected
            with ledger.snapshot() as snapshot:
                rows = ledger.chunks.get(snapshot.numbers().tolist(), where)
            assert sorted(row.chunk.text for row in rows.values()) == sorted(
                chunk.text for name in expected for chunk in model.documents[name].chunks
            )

    def _open(self, name: str) -> Ledger:
        return self.ledgers.open(name, encoder="e", dimension=2, create=True)


def test_any_sequence_of_changes_equals_the_model(ledgers: Ledgers) -> None:
    class Here(Machine):
        pass

    Here.ledgers = ledgers
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=8,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_positions_commit_in_order_when_many_write(ledgers: Ledgers) -> None:
    """Whoever replays the log while others write misses nothing: no position appears behind one that was read."""
    name = f"c{next(_numbers)}"
    ledgers.open(name, encoder="e", dimension=2, create=True).close()
    done = threading.Event()

    def write(writer: int) -> None:
        with closing(ledgers.open(name, encoder="e", dimension=2, create=False)) as ledger:
            for turn in range(6):
                ledger.change([entry(document(f"{writer}-{turn % 3}", f"word{turn} two three", f"v{turn}"))], [])

    seen: dict[int, int] = {}
    with closing(ledgers.open(name, encoder="e", dimension=2, create=False)) as reader:
        threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
        waiter = threading.Thread(target=lambda: ([each.join() for each in threads], done.set()))
        for each in (*threads, waiter):
            each.start()
        position = 0
        while True:
            is_last = done.is_set()
            with reader.snapshot() as snapshot:
                for number in snapshot.removed_chunks(position):
                    seen.pop(number, None)
                seen |= {each.number: each.document for each in snapshot.lexical_entries(position)}
                assert sorted(seen) == snapshot.numbers().tolist()
                position = snapshot.mark.position
            if is_last:
                break
        waiter.join()
        assert len(seen) == 27


def test_texts_that_one_process_encodes_no_other_gets(ledgers: Ledgers, ledger: Ledger) -> None:
    ledger.change([entry(document("a", "one two three"))], [])
    with closing(ledgers.open(ledger.name, encoder="e", dimension=2, create=False)) as other:
        with ledger.claim_pending(10, 1.0) as texts:
            assert len(texts) == 3
            with pytest.raises(CollectionBusy), other.claim_pending(10, 0.1):
                pass
        with other.claim_pending(2, 1.0) as texts:  # given back without a vector
            assert len(texts) == 2
            other.add_vectors([text.hash for text in texts], np.ones((2, 2), dtype=np.float32))
        with ledger.claim_pending(10, 1.0) as texts:
            assert len(texts) == 1
            ledger.add_vectors([text.hash for text in texts], np.ones((1, 2), dtype=np.float32))
        with ledger.claim_pending(10, 1.0) as texts:
            assert texts == []


def test_one_writer_at_a_time_holds_the_lock_and_may_take_it_again(ledgers: Ledgers, ledger: Ledger) -> None:
    with closing(ledgers.open(ledger.name, encoder="e", dimension=2, create=False)) as other:
        with ledger.writer.hold(1.0), ledger.writer.hold(1.0):
            ledger.change([entry(document("a"))], [])
            with pytest.raises(CollectionBusy, match="is writing"), other.writer.hold(0.1):
                pass
        with other.writer.hold(1.0):
            other.change([], ["a"])


def test_places_and_visits_are_kept_and_forgotten(ledger: Ledger) -> None:
    hr, long = frozenset({"hr"}), "file:///" + "x/" * 3000
    ledger.record_roots(["file:///a/b", "file:///a/b/c", long], hr)
    ledger.record_roots(["file:///a/"], frozenset())
    assert ledger.permissions.roots(["file:///a/b/c/d.txt", f"{long}y.txt", "file:///z"]) == {
        "file:///a/b/c/d.txt": Root("file:///a/", frozenset()),
        f"{long}y.txt": Root(long, hr),
    }
    first, second = Visit("https://a", "https://m", "e", ""), Visit("https://b", "https://m", "", "now")
    ledger.record_visits([first, second])
    ledger.record_visits([first._replace(etag="f")], ["https://b"])
    assert ledger.documents.visits() == (first._replace(etag="f"),)


def test_readers_of_current_and_removed_documents_are_known(ledger: Ledger) -> None:
    ledger.change([entry(document("a", principals=frozenset("pq"))), entry(document("b"))], [])
    ledger.change([], ["a"])
    assert ledger.permissions.readers(["a", "b", "c"]) == {"a": frozenset("pq")}
    assert ledger.permissions.all_readable(["a", "b"], ["q"])
    assert not ledger.permissions.all_readable(["a", "b"], ["r"])
    assert not ledger.permissions.all_readable(["b", "c"], ["q"])


def test_a_text_of_any_length_has_its_place(ledger: Ledger) -> None:
    """Longer than what an index of PostgreSQL takes."""
    uri = "file:///" + "y" * 9000
    given = document("a", "body", uri=uri, title="t" * 9000, metadata={"abstract": "z" * 9000})
    ledger.change([entry(given)], [])
    assert ledger.documents.get("a") == given
    assert selected_ids(ledger, Filter(uri_prefix=uri[:5000], metadata={"abstract": "z" * 9000})) == {"a"}
    assert selected_ids(ledger, Filter(uri_prefix=uri[:5000] + "z")) == set()
    assert [each.uri for each in ledger.documents.list(folder="file://")] == [uri]


@pytest.mark.parametrize("text", ["null", "NULL", "Null", '"', "\\", "{a,b}", ",", "a", ""])
def test_a_text_that_means_something_in_a_list_of_texts_is_a_text(ledger: Ledger, text: str) -> None:
    given = document(text, text, title=text, principals=frozenset({text, "p"}))
    ledger.change([ChunkedDocument(given, [Chunk(text, text, "v1", 0, 0, len(text), text)])], [])
    ledger.rename(text, f"{text}!")
    ledger.rename(text, text)
    assert ledger.documents.get(text) == given
    assert ledger.documents.given_titles([text]) == {text: text}
    assert ledger.permissions.all_readable([text], [text])
    assert selected_ids(ledger, Filter(document_ids=frozenset({text}), principals=frozenset({text}))) == {text}
    assert [row.chunk.text for row in ledger.chunks.opening([text], 1)] == [text]


def test_a_copy_holds_the_same_and_becomes_a_collection_again(ledgers: Ledgers, ledger: Ledger, tmp_path: Path) -> None:
    given = document("a", "one \x00two", pages=(Page(1, 0, 3),), metadata={"kind": "x"}, principals=frozenset("p"))
    ledger.change([entry(given, FileStamp(3, 5)), entry(document("b", "gone"))], [])
    embed_all(ledger)
    ledger.change([entry(document("c", "three"))], ["b"])
    ledger.record_roots(["file:///a"], frozenset("p"))
    ledger.rename("c", "Third")
    ledger.record_title("Letters")
    ledger.record_destination(Destination("elsewhere", 7))
    assert ledger.destination == Destination("elsewhere", 7)
    ledger.copy(tmp_path / "copy.sqlite")

    def write(target: Path) -> None:
        target.write_bytes((tmp_path / "copy.sqlite").read_bytes())

    name = f"c{next(_numbers)}"
    ledgers.adopt(name, write, encoder="e", dimension=2, identity=5)
    with pytest.raises(CollectionExists):
        ledgers.adopt(name, write, encoder="e", dimension=2)
    with pytest.raises(EncoderMismatch):
        ledgers.adopt(f"c{next(_numbers)}", write, encoder="f", dimension=2)
    with closing(ledgers.open(name, encoder="e", dimension=2, create=False)) as copied:
        assert (copied.identity, copied.destination, copied.checksum()) == (5, None, ledger.checksum())
        assert copied.documents.list() == ledger.documents.list()
        assert copied.documents.get("a") == given
        assert (copied.title, copied.documents.given_titles(["a", "c"])) == ("Letters", {"c": "Third"})
        assert copied.documents.get("b", "v1").text == "gone"
        assert copied.chunks.counts() == ledger.chunks.counts()
        assert copied.mark().position == ledger.mark().position
        assert selected_ids(copied, Filter(metadata={"kind": "x"}, principals=frozenset("p"))) == {"a"}
        assert copied.permissions.roots(["file:///a/b"]) == {"file:///a/b": Root("file:///a", frozenset("p"))}
        copied.change([entry(document("d", "new"))], [])
        assert copied.checksum() != ledger.checksum()
        ledger.record_destination(None)
        assert ledger.destination is None
        with copied.snapshot() as snapshot, ledger.snapshot() as before:
            assert snapshot.numbers().tolist() == [*before.numbers().tolist(), 6]


def test_a_dropped_collection_is_gone_for_those_who_have_it_open(ledgers: Ledgers) -> None:
    name = f"c{next(_numbers)}"
    first = ledgers.open(name, encoder="e", dimension=2, create=True)
    first.change([entry(document("a"))], [])
    with ledgers.dropping(name, nullcontext("")):
        assert not ledgers.exists(name)
        assert name not in ledgers.names()
    assert not first.exists()
    second = ledgers.open(name, encoder="e", dimension=2, create=True)
    with closing(first), closing(second):
        assert second.chunks.counts() == (0, 0, 0)
        assert second.identity != first.identity
        assert not first.exists()


def test_a_drop_that_is_refused_changes_nothing(ledgers: Ledgers, ledger: Ledger) -> None:
    @contextmanager
    def refuse() -> Iterator[str]:
        raise NotFound("withdrawn")
        yield ""

    ledger.change([entry(document("a"))], [])
    with pytest.raises(NotFound), ledgers.dropping(ledger.name, refuse()):
        pass
    assert ledgers.exists(ledger.name)
    assert ledger.chunks.counts() == (1, 2, 2)


def test_what_is_committed_alongside_a_change_is_committed_with_it_or_not_at_all(ledger: Ledger) -> None:
    @contextmanager
    def alongside(*, fails: bool) -> Iterator[None]:
        if fails:
            raise NotFound("elsewhere")
        yield

    with pytest.raises(NotFound, match="elsewhere"):
        ledger.change([entry(document("a"))], [], alongside(fails=True))
    assert ledger.chunks.counts() == (0, 0, 0)
    ledger.change([entry(document("a"))], [], alongside(fails=False))
    assert ledger.chunks.counts() == (1, 2, 2)


def test_changed_readers_and_times_are_logged_for_each_chunk(ledger: Ledger) -> None:
    ledger.change([entry(document("a", "one two", metadata={"kind": "x"}), FileStamp(7, 5))], [])
    before = ledger.mark().position
    assert ledger.permit("a", ["q", "p"])
    assert not ledger.permit("a", ["p", "q"])
    ledger.refresh_source("a", FileStamp(7, 9))
    ledger.refresh_source("a", FileStamp(7, 9))
    with ledger.claim_pending(1, 1.0) as texts:
        ledger.add_vectors([texts[0].hash], np.ones((1, 2), dtype=np.float32))
    with ledger.snapshot() as snapshot:
        assert snapshot.changes(before, 4) == [(before + place, chunk) for place, chunk in enumerate((1, 2, 1, 2), 1)]
        assert snapshot.changes(before + 4, 4) == [(before + 5, 2)]
        assert (snapshot.numbers_after(0, 1), snapshot.numbers_after(1, 9)) == ([1], [2])
        first, second = snapshot.searchable([2, 1, 7])
    assert (first.lexical.number, first.document_id, first.uri, first.modified_ns) == (1, "a", "file:///a.txt", 9)
    assert (set(first.principals), first.metadata) == ({"p", "q"}, {"kind": "x"})
    assert (first.vector, second.vector) == (None, np.ones(2, dtype="<f2").tobytes())


def test_a_note_is_kept_as_it_is_until_another_takes_its_place(ledger: Ledger) -> None:
    before = ledger.mark()
    assert ledger.note("words.json") is None
    ledger.record_note("words.json", "A first note.")
    ledger.record_note("words.json", "Über alles: \x00, \x1a und \N{SNOWMAN}.")
    ledger.record_note("other.json", "")
    assert ledger.note("words.json") == "Über alles: \x00, \x1a und \N{SNOWMAN}."
    assert ledger.note("other.json") == ""
    assert ledger.mark() == before


def test_a_document_keeps_the_title_that_it_was_given_until_it_is_removed(ledger: Ledger) -> None:
    ledger.change([entry(document("a", "one two", title="Old")), entry(document("b"))], [])
    embed_all(ledger)
    before = ledger.mark().position
    assert ledger.rename("a", "New")
    assert not ledger.rename("a", "New")
    with pytest.raises(NotFound):
        ledger.rename("c", "New")
    assert (ledger.documents.get("a").title, ledger.documents.get("a").other_titles) == ("New", frozenset({"Old"}))
    assert ledger.documents.given_titles(["a", "b", "c"]) == {"a": "New"}
    with ledger.snapshot() as snapshot:
        assert snapshot.removed_chunks(before) == [1, 2]
        assert [each.text.split("\n")[0] for each in snapshot.lexical_entries(before)] == ["one", "two"]
    assert ledger.chunks.counts() == (2, 4, 0)  # the vectors stay
    ledger.change([entry(document("a", "three", "v2", title="New"))], ["a"])
    assert ledger.documents.given_titles(["a"]) == {"a": "New"}
    ledger.change([], ["a"])
    assert ledger.documents.given_titles(["a"]) == {}
    ledger.record_title("Letters")
    assert ledger.title == "Letters"
    ledger.record_title("")
    assert ledger.title == ""
