"""What every search index must do, whichever engine it is made of: both rankings and all filters, against brute force."""

import hashlib
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from numpy.typing import NDArray

from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.engines.embedded import EmbeddedIndex
from index.engines.lance.index import LanceIndex
from index.engines.search_index import Ranking, SearchIndex
from index.filters import Filter
from index.ledger.rows import ChunkedDocument
from index.ledger.sqlite.ledger import SqliteLedger
from index.records import Chunk, Document, FileStamp
from index.storage.lock import FileLock
from index.vectors.builder import Sizes
from tests.s3_server import make_bucket

Make = Callable[[Path, SqliteLedger], SearchIndex]

WORDS = ("apple", "bear", "cat", "dog", "eel", "fox")
NAMES = ("a", "b", "sub/c", "sub/d's", "sub%/e")
PEOPLE = ("ann", "bob", "o'neil")
START = datetime(2026, 1, 1, tzinfo=UTC)
DEPTH = 1000

EMBEDDED = pytest.param(EmbeddedIndex, id="embedded")


def on_lance(folder: Path, ledger: SqliteLedger, *, exact: int = 100_000) -> SearchIndex:
    return LanceIndex(
        str(folder / "tables"), "chunks", ledger, FileLock(folder / "projector.lock"), exact=exact, patience=60
    )


def on_s3(url: str, folder: Path, ledger: SqliteLedger) -> SearchIndex:
    bucket = make_bucket(url, f"b{zlib.crc32(str(folder).encode())}")
    return LanceIndex(f"{bucket}/tables", "chunks", ledger, FileLock(folder / "projector.lock"), patience=60)


@pytest.fixture
def make(request: pytest.FixtureRequest) -> Make:
    """What makes the index: the test's parameter, with the address of the S3 server if it needs that."""
    chosen: Make = request.param
    return partial(on_s3, request.getfixturevalue("s3_url")) if chosen is on_s3 else chosen


LANCE = pytest.param(on_lance, id="lance")
LANCE_ON_S3 = pytest.param(on_s3, id="lance on s3")
SMALL_SIZES = Sizes(exact=3, quantised=6, probed=1.0)
engines = pytest.mark.parametrize("make", [EMBEDDED, LANCE, LANCE_ON_S3], indirect=True)
engines_of_any_size = pytest.mark.parametrize(
    "make",
    [
        EMBEDDED,
        pytest.param(partial(EmbeddedIndex, min_to_save=1, sizes=SMALL_SIZES), id="embedded, inexact"),
        LANCE,
        LANCE_ON_S3,
    ],
    indirect=True,
)


def document(name: str, text: str, **facts: object) -> Document:
    defaults: dict[str, object] = {"uri": f"file:///{name}", "title": "", "media_type": "text/plain"}
    return Document(id=name, version=hashlib.sha256(text.encode()).hexdigest(), text=text, **{**defaults, **facts})  # type: ignore[arg-type]


def entry(document: Document, day: int = 0) -> ChunkedDocument:
    """The document with each of its lines as a chunk, from a file that was modified on that day."""
    chunks, start = [], 0
    for place, line in enumerate(document.text.split("\n")):
        identity = f"{document.id}/{document.version}/{place}"
        chunks.append(Chunk(identity, document.id, document.version, place, start, start + len(line), line))
        start += len(line) + 1
    return ChunkedDocument(document, chunks, stamp(day))


def stamp(day: int) -> FileStamp:
    return FileStamp(1, int((START + timedelta(days=day)).timestamp()) * 10**9)


def embed(ledger: SqliteLedger, limit: int = 10_000) -> None:
    pending = ledger.chunks.pending(limit)
    if pending:
        ledger.add_vectors(
            [text.hash for text in pending], HashedEncoder(ledger.dimension).encode([text.text for text in pending])
        )


def meets(found: Document, day: int, where: Filter) -> bool:
    """Whether the document meets the filter, without an index."""
    moment = START + timedelta(days=day)
    return all(
        (
            where.document_ids is None or found.id in where.document_ids,
            where.uri_prefix is None or found.uri.startswith(where.uri_prefix),
            all(found.metadata.get(name) == value for name, value in where.metadata.items()),
            where.modified_after is None or moment >= where.modified_after,
            where.modified_before is None or moment < where.modified_before,
            where.principals is None or not found.principals or bool(where.principals & found.principals),
        )
    )


class Machine(RuleBasedStateMachine):
    """`documents` is the model: by id, the document and the day on which it was modified."""

    make: Make

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="quoth-index-"))
        self.ledger = SqliteLedger(self.folder / "ledger.sqlite", encoder="hashed", dimension=16)
        self.index = type(self).make(self.folder, self.ledger)
        self.documents: dict[str, tuple[Document, int]] = {}

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.index.close()
            self.ledger.close()
            shutil.rmtree(self.folder)

    @rule(
        name=st.sampled_from(NAMES),
        lines=st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join), min_size=1, max_size=3),
        topic=st.sampled_from(["", "it's = 1", "x"]),
        people=st.frozensets(st.sampled_from(PEOPLE), max_size=2),
        day=st.integers(0, 9),
    )
    def add(self, name: str, lines: list[str], topic: str, people: frozenset[str], day: int) -> None:
        metadata = {"topic": topic} if topic else {}
        made = document(name, "\n".join(lines), metadata=metadata, principals=people)
        self.ledger.change([entry(made, day)], [])
        self.documents[name] = made, day

    @precondition(lambda self: self.documents)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.documents)))
        self.ledger.change([], [name])
        del self.documents[name]

    @precondition(lambda self: self.documents)
    @rule(data=st.data(), people=st.frozensets(st.sampled_from(PEOPLE), max_size=2))
    def permit(self, data: st.DataObject, people: frozenset[str]) -> None:
        name = data.draw(st.sampled_from(sorted(self.documents)))
        made, day = self.documents[name]
        self.ledger.permit(name, people)
        self.documents[name] = replace(made, principals=people), day

    @precondition(lambda self: self.documents)
    @rule(data=st.data(), day=st.integers(0, 9))
    def touch(self, data: st.DataObject, day: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.documents)))
        self.ledger.refresh_source(name, stamp(day))
        self.documents[name] = self.documents[name][0], day

    @rule(limit=st.integers(1, 5))
    def embed(self, limit: int) -> None:
        embed(self.ledger, limit)

    @rule()
    def write(self) -> None:
        self.index.write()
        self.index.save()

    @rule()
    def open_again(self) -> None:
        self.index.close()
        self.index = type(self).make(self.folder, self.ledger)

    @invariant()
    def finds_what_brute_force_finds(self) -> None:
        if not hasattr(self, "folder"):
            return
        assert self.index.catch_up() == self.ledger.mark().position
        with self.ledger.snapshot() as snapshot:
            rows = self.ledger.chunks.get(snapshot.numbers().tolist())
            vectors = {
                int(number): vector
                for batch in snapshot.vectors(None)
                for number, vector in zip(batch.numbers, batch.vectors, strict=True)
            }
        query = HashedEncoder(16).encode(["apple dog"])[0]
        for where in FILTERS:
            allowed = {
                number
                for number, row in rows.items()
                if where is None or meets(*self.documents[row.chunk.document_id], where)
            }
            nearest = nearest_to(query, {number: vectors[number] for number in allowed & vectors.keys()})
            assert_same(self.index.dense(query, DEPTH, where), nearest)
            assert_same(self.index.dense(query, 2, where), nearest[:2])
            found = self.index.words("apple dog", DEPTH, where)
            assert {number for number, _ in found} == {
                number for number in allowed if {"apple", "dog"} & set(rows[number].chunk.text.split())
            }
            assert found == sorted(found, key=lambda pair: (-pair[1], pair[0]))
        assert not list(self.index.differences())


FILTERS = (
    None,
    Filter(),
    Filter(document_ids=frozenset(["a", "sub/d's"])),
    Filter(document_ids=frozenset()),
    Filter(uri_prefix="file:///sub/"),
    Filter(uri_prefix="file:///sub%"),
    Filter(metadata={"topic": "it's = 1"}),
    Filter(metadata={"topic": "it's", "other": "x"}),
    Filter(modified_after=START + timedelta(days=3), modified_before=START + timedelta(days=7)),
    Filter(principals=frozenset()),
    Filter(principals=frozenset(["o'neil", "nobody"])),
    Filter(principals=frozenset(["ann"]), metadata={"topic": "x"}, uri_prefix="file:///"),
)


def nearest_to(query: NDArray[np.float32], vectors: dict[int, NDArray[np.float32]]) -> Ranking:
    scored = [(number, float(vector @ query)) for number, vector in vectors.items()]
    return sorted(scored, key=lambda pair: (-round(pair[1], 5), pair[0]))


def assert_same(found: Ranking, expected: Ranking) -> None:
    assert [number for number, _ in found] == [number for number, _ in expected]
    assert [score for _, score in found] == pytest.approx([score for _, score in expected], abs=1e-5)


@engines_of_any_size
def test_any_sequence_of_changes_is_searched_as_by_brute_force(make: Make) -> None:
    machine = type("Chosen", (Machine,), {"make": staticmethod(make)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=2 if isinstance(make, partial) and make.func is on_s3 else 12,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite", encoder="random", dimension=32)
    yield ledger
    ledger.close()


SHARES = {"half": 2, "tenth": 10, "hundredth": 100, "thousandth": 1000}
MANY = 3000


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteLedger]:
    """Documents of one chunk each, with random vectors; each principal may read a share of them."""
    ledger = SqliteLedger(tmp_path_factory.mktemp("many") / "ledger.sqlite", encoder="random", dimension=32)
    for first in range(0, MANY, 500):
        ledger.change([entry(drawn(number)) for number in range(first, first + 500)], [])
    pending = ledger.chunks.pending(MANY)
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((20, 32))[rng.integers(20, size=len(pending))] + rng.standard_normal(
        (len(pending), 32)
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ledger.add_vectors([text.hash for text in pending], vectors.astype(np.float32))
    yield ledger
    ledger.close()


def drawn(number: int) -> Document:
    readers = frozenset(name for name, share in SHARES.items() if number % share == 1)
    text = f"number{number} " + " ".join(np.random.default_rng(number).choice(WORDS, 12))
    return document(f"{number}", text, principals=readers or frozenset(["nobody"]))


def check_recall(make: Make, ledger: SqliteLedger, folder: Path) -> None:
    """Of the ten nearest that a principal may read, at least .97 are found, and nothing that it may not read."""
    index = make(folder, ledger)
    index.write()
    index.save()
    index.catch_up()
    with ledger.snapshot() as snapshot:
        (batch,) = snapshot.vectors(None)
    readers = ledger.permissions.readers([f"{number}" for number in range(MANY)])
    owners = {number: row.chunk.document_id for number, row in ledger.chunks.get(batch.numbers.tolist()).items()}
    rng = np.random.default_rng(7)
    queries = batch.vectors[rng.integers(MANY, size=20)] + rng.normal(0, 0.1, (20, 32)).astype(np.float32)
    for reader in (*SHARES, None):
        where = None if reader is None else Filter(principals=frozenset([reader]))
        may = np.array([reader is None or reader in readers[owners[int(number)]] for number in batch.numbers])
        found_of_ten = []
        for query in queries:
            scores = np.where(may, batch.vectors @ query, -np.inf)
            best = {int(number) for number in batch.numbers[np.argsort(-scores)[: min(10, int(may.sum()))]]}
            found = {number for number, _ in index.dense(query, 10, where)}
            assert len(found) == len(best)
            assert all(reader is None or reader in readers[owners[number]] for number in found)
            found_of_ten.append(len(found & best) / len(best))
        assert np.mean(found_of_ten) >= 0.97, reader
    index.close()


@pytest.mark.parametrize(
    "make",
    [
        EMBEDDED,
        pytest.param(
            partial(EmbeddedIndex, min_to_save=1, sizes=Sizes(exact=100, quantised=9000)), id="embedded, eight bits"
        ),
        pytest.param(
            partial(
                EmbeddedIndex, min_to_save=1, sizes=Sizes(exact=100, quantised=200, max_exhaustive=2000, probed=0.5)
            ),
            id="embedded, partitioned",
        ),
        LANCE,
        pytest.param(partial(on_lance, exact=100), id="lance, graph"),
        LANCE_ON_S3,
    ],
    indirect=True,
)
def test_the_nearest_of_what_may_be_read_are_found_however_little_that_is(
    make: Make, many: SqliteLedger, tmp_path: Path
) -> None:
    check_recall(make, many, tmp_path)


@engines
def test_the_best_words_come_first(make: Make, ledger: SqliteLedger, tmp_path: Path) -> None:
    texts = [
        "apple apple bear",
        "apple cat bear dog eel fox",
        "cat dog eel",
        "Die Kündigungsfristen betragen nach dem Vertrag drei Monate",
    ]
    ledger.change([entry(document(f"{place}", text)) for place, text in enumerate(texts)], [])
    index = make(tmp_path, ledger)
    index.catch_up()
    assert [number for number, _ in index.words("an apple?", 9, None)] == [1, 2]
    assert [number for number, _ in index.words("APPLES", 1, None)] == [1]
    assert [number for number, _ in index.words("Wie lang ist die Kündigungsfrist?", 9, None)] == [4]
    assert index.words("?!", 9, None) == index.words("unknown", 9, None) == []
    assert not index.has_vectors
    assert index.dense(np.ones(32, np.float32), 9, None) == []
    index.close()


@engines
def test_a_revoked_document_is_not_shown_though_the_index_still_finds_it(make: Make, tmp_path: Path) -> None:
    class Late:
        """An index that does not catch up any more."""

        def __init__(self, folder: Path, ledger: SqliteLedger) -> None:
            self._index = make(folder, ledger)
            self._found: dict[str, Ranking] = {}

        def __getattr__(self, name: str) -> object:
            return getattr(self._index, name)

        def catch_up(self) -> int:
            return self._index.catch_up() if not self._found else 0

        def dense(self, vector: NDArray[np.float32], depth: int, where: Filter | None) -> Ranking:
            return self._found.setdefault("dense", self._index.dense(vector, depth, where))

        def words(self, query: str, depth: int, where: Filter | None) -> Ranking:
            return self._found.setdefault("words", self._index.words(query, depth, where))

    collection = Collection(tmp_path / "c", HashedEncoder(), make_index=Late)  # type: ignore[arg-type]
    collection.change(add=[(document(name, f"The {name} apple."), None) for name in ("red", "green", "sour")])
    collection.embed_pending()
    ann = Filter(principals=frozenset(["ann"]))
    assert {hit.chunk.document_id for hit in collection.search("apple", where=ann)} == {"red", "green", "sour"}
    collection.permit("red", frozenset(["bob"]))
    collection.remove("sour")
    assert [hit.chunk.document_id for hit in collection.search("apple", where=ann)] == ["green"]
    assert {hit.chunk.document_id for hit in collection.search("apple")} == {"red", "green"}
    collection.close()
