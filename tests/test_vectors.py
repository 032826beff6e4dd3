"""The vector index against brute force: each structure, filters, files, damage, concurrent searches."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index.ledger.rows import ChunkedDocument
from index.ledger.selection import Selection
from index.ledger.sqlite import snapshot as snapshot_module
from index.ledger.sqlite.ledger import SqliteLedger
from index.records import Chunk, Document
from index.vectors.builder import Sizes
from index.vectors.index import VectorIndex

DIMENSION = 24
CHUNKS_EACH = 5


def entry(number: int) -> ChunkedDocument:
    text = " ".join(f"d{number}c{place}" for place in range(CHUNKS_EACH))
    document = Document(f"d{number}", "v1", f"file:///{number}", "", "text/plain", text)
    chunks, start = [], 0
    for place, word in enumerate(text.split(" ")):
        chunks.append(Chunk(word, document.id, "v1", place, start, start + len(word), word))
        start += len(word) + 1
    return ChunkedDocument(document, chunks)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite", encoder="random", dimension=DIMENSION)
    yield ledger
    ledger.close()


def documents_of(ledger: SqliteLedger) -> dict[int, int]:
    """The ledger number of each chunk's document."""
    with ledger.snapshot() as snapshot:
        return {entry.number: entry.document for entry in snapshot.lexical_entries(None)}


def fill(ledger: SqliteLedger, numbers: range, seed: int) -> dict[int, NDArray[np.float32]]:
    """Adds documents with random vectors; returns the vectors, as the ledger rounds them, by chunk number."""
    ledger.change([entry(number) for number in numbers], [])
    pending = ledger.chunks.pending(10_000)
    vectors = np.random.default_rng(seed).standard_normal((len(pending), DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ledger.add_vectors([text.hash for text in pending], vectors)
    rounded = vectors.astype(np.float16).astype(np.float32)
    by_text = {text.text: vector for text, vector in zip(pending, rounded, strict=True)}
    rows = ledger.chunks.get(list(documents_of(ledger)))
    return {number: by_text[row.chunk.text] for number, row in rows.items() if row.chunk.text in by_text}


def brute_force(vectors: dict[int, NDArray[np.float32]], query: NDArray[np.float32], k: int) -> list[tuple[int, float]]:
    scored = [(number, float(vector @ query)) for number, vector in vectors.items()]
    return sorted(scored, key=lambda pair: (-pair[1], pair[0]))[:k]


def assert_same(found: list[tuple[int, float]], expected: list[tuple[int, float]]) -> None:
    assert [number for number, _ in found] == [number for number, _ in expected]
    assert [score for _, score in found] == pytest.approx([score for _, score in expected], abs=1e-5)


def queries(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(99).standard_normal((count, DIMENSION)).astype(np.float32)


def owner(ledger: SqliteLedger, number: int) -> str:
    return ledger.chunks.get([number])[number].chunk.document_id


def test_search_equals_brute_force_through_additions_and_deletions(ledger: SqliteLedger, tmp_path: Path) -> None:
    index = VectorIndex(tmp_path, ledger)
    vectors = fill(ledger, range(60), seed=1)
    index.catch_up()
    for query in queries(10):
        assert_same(index.search(query, 20), brute_force(vectors, query, 20))

    gone = {f"d{number}" for number in range(0, 60, 3)}
    vectors = {number: vector for number, vector in vectors.items() if owner(ledger, number) not in gone}
    ledger.change([], sorted(gone))
    vectors |= fill(ledger, range(100, 130), seed=2)
    index.catch_up()
    assert len(index) == len(vectors) == (60 - 20 + 30) * CHUNKS_EACH
    for query in queries(10):
        assert_same(index.search(query, 20), brute_force(vectors, query, 20))
        assert_same(index.search(query, 1000), brute_force(vectors, query, 1000))


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("share", [1, 10, 39])
def test_a_selection_is_exact_whether_it_holds_few_or_many(
    ledger: SqliteLedger, tmp_path: Path, outside: bool, share: int
) -> None:
    index = VectorIndex(tmp_path, ledger)
    vectors = fill(ledger, range(40), seed=3)
    index.catch_up()
    document_of = documents_of(ledger)
    chosen = np.array(sorted(set(document_of.values()))[:share], dtype=np.int64)
    inside = {n: v for n, v in vectors.items() if (document_of[n] in set(chosen.tolist())) != outside}
    for query in queries(5):
        assert_same(index.search(query, 12, Selection(chosen, outside)), brute_force(inside, query, 12))


def test_an_empty_selection_and_an_empty_index_find_nothing(ledger: SqliteLedger, tmp_path: Path) -> None:
    index = VectorIndex(tmp_path, ledger)
    index.catch_up()
    assert index.search(queries(1)[0], 5) == []
    fill(ledger, range(3), seed=4)
    index.catch_up()
    assert index.search(queries(1)[0], 5, Selection(np.zeros(0, dtype=np.int64))) == []


def test_the_file_serves_the_next_process_and_newer_changes_are_replayed(ledger: SqliteLedger, tmp_path: Path) -> None:
    vectors = fill(ledger, range(20), seed=5)
    assert VectorIndex(tmp_path, ledger, min_to_save=1).save() == ledger.mark().position
    ledger.change([], ["d3"])
    vectors = {number: vector for number, vector in vectors.items() if number in ledger.chunks.get(list(vectors))}
    vectors |= fill(ledger, range(20, 25), seed=6)
    index = VectorIndex(tmp_path, ledger)
    index.catch_up()
    for query in queries(5):
        assert_same(index.search(query, 10), brute_force(vectors, query, 10))


def test_a_file_is_written_only_when_enough_has_changed(ledger: SqliteLedger, tmp_path: Path) -> None:
    fill(ledger, range(4), seed=5)
    lazy = VectorIndex(tmp_path, ledger, min_to_save=10_000)
    assert lazy.save() is None
    assert not list(tmp_path.glob("vectors*"))
    eager = VectorIndex(tmp_path, ledger, min_to_save=1)
    first = eager.save()
    assert first == ledger.mark().position
    fill(ledger, range(4, 6), seed=6)
    assert lazy.save() is None
    second = eager.save()
    assert second is not None
    assert second > first
    assert eager.save() is None
    assert len(list(tmp_path.glob("vectors-*"))) == 2


def test_text_without_vectors_is_no_reason_to_write_the_file_again(ledger: SqliteLedger, tmp_path: Path) -> None:
    fill(ledger, range(4), seed=5)
    index = VectorIndex(tmp_path, ledger, min_to_save=6)
    assert index.save() is not None
    ledger.change([entry(number) for number in range(4, 40)], [])
    assert index.save() is None
    ledger.change([], [f"d{number}" for number in range(2)])
    assert index.save() == ledger.mark().position


def test_most_of_a_collection_may_wait_for_vectors_while_others_are_sampled(
    ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_module, "_BATCH", 8)
    vectors = fill(ledger, range(3), seed=1)
    ledger.change([entry(number) for number in range(3, 60)], [])
    with ledger.snapshot() as snapshot:
        sample = snapshot.sample(len(vectors) - 1)
    assert sample.shape[1] == DIMENSION
    assert 0 < len(sample) <= len(vectors)


def test_removed_chunks_have_no_vectors(ledger: SqliteLedger) -> None:
    numbers, vectors = ledger.chunks.vectors(np.array([7, 8]))
    assert numbers.size == 0
    assert vectors.shape == (0, DIMENSION)


def damages() -> dict[str, object]:
    def truncate(path: Path) -> None:
        path.write_bytes(path.read_bytes()[:-7])

    def flip(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 4
        path.write_bytes(bytes(content))

    def describe_wrongly(path: Path) -> None:
        path.with_name("vectors.json").write_text('{"format": 1')

    return {"missing": Path.unlink, "truncated": truncate, "bit flipped": flip, "description cut": describe_wrongly}


@pytest.mark.parametrize("kind", [".faiss", ".npy"])
@pytest.mark.parametrize("damage", damages().values(), ids=damages().keys())
def test_a_damaged_file_is_rebuilt_from_the_ledger(
    ledger: SqliteLedger, tmp_path: Path, damage: object, kind: str
) -> None:
    vectors = fill(ledger, range(20), seed=7)
    VectorIndex(tmp_path, ledger, min_to_save=1).save()
    (file,) = tmp_path.glob(f"vectors-*{kind}")
    assert callable(damage)
    damage(file)
    index = VectorIndex(tmp_path, ledger)
    index.catch_up()
    for query in queries(3):
        assert_same(index.search(query, 10), brute_force(vectors, query, 10))


def test_a_cache_older_than_the_trimmed_log_is_rebuilt(ledger: SqliteLedger, tmp_path: Path) -> None:
    old = VectorIndex(tmp_path, ledger)
    vectors = fill(ledger, range(10), seed=8)
    old.catch_up()
    ledger.change([], ["d0"])
    ledger.trim(ledger.mark().position)
    vectors = {number: vector for number, vector in vectors.items() if number in ledger.chunks.get(list(vectors))}
    old.catch_up()
    assert len(old) == len(vectors) == 9 * CHUNKS_EACH
    assert_same(old.search(queries(1)[0], 10), brute_force(vectors, queries(1)[0], 10))


def test_a_file_of_another_ledger_is_not_used(ledger: SqliteLedger, tmp_path: Path) -> None:
    fill(ledger, range(10), seed=8)
    VectorIndex(tmp_path, ledger, min_to_save=1).save()
    other = SqliteLedger(tmp_path / "other.sqlite", encoder="random", dimension=DIMENSION)
    vectors = fill(other, range(50, 70), seed=9)
    index = VectorIndex(tmp_path, other)
    index.catch_up()
    assert_same(index.search(queries(1)[0], 10), brute_force(vectors, queries(1)[0], 10))
    other.close()


SIZES = Sizes(exact=100, quantised=300, max_exhaustive=20)
KINDS = {"exact": range(16), "quantised": range(50), "partitioned": range(120)}
"""How many documents (of five chunks each) make a collection of each kind with these sizes."""


def kind_on_disk(folder: Path) -> str:
    kind: str = json.loads((folder / "vectors.json").read_text())["kind"]
    return kind


def recall(
    index: VectorIndex, vectors: dict[int, NDArray[np.float32]], k: int, scope: Selection | None = None
) -> float:
    """The share of the true `k` nearest that the index finds, over some queries; every score must be exact."""
    shares = []
    for query in queries(40):
        found = index.search(query, k, scope)
        expected = brute_force(vectors, query, k)
        assert len(found) == len(expected)
        assert [score for _, score in found] == pytest.approx([float(vectors[n] @ query) for n, _ in found], abs=1e-5)
        assert found == sorted(found, key=lambda pair: (-pair[1], pair[0]))
        shares.append(len({n for n, _ in found} & {n for n, _ in expected}) / len(expected))
    return float(np.mean(shares))


@pytest.mark.parametrize("kind", KINDS)
def test_the_structure_fits_the_size_and_finds_what_brute_force_finds(
    ledger: SqliteLedger, tmp_path: Path, kind: str
) -> None:
    vectors = fill(ledger, KINDS[kind], seed=10)
    index = VectorIndex(tmp_path, ledger, min_to_save=1, sizes=SIZES)
    index.save()
    index.catch_up()
    assert kind_on_disk(tmp_path) == kind
    assert recall(index, vectors, 10) >= {"exact": 1, "quantised": 0.99, "partitioned": 0.5}[kind]

    gone = [f"d{number}" for number in KINDS[kind][::4]]
    ledger.change([], gone)
    kept = set(ledger.chunks.get(list(vectors)))
    vectors = {number: vector for number, vector in vectors.items() if number in kept}
    vectors |= fill(ledger, range(1000, 1008), seed=11)
    index.catch_up()
    assert len(index) == len(vectors)
    assert set(index.numbers().tolist()) == set(vectors)
    assert recall(index, vectors, 10) >= {"exact": 1, "quantised": 0.99, "partitioned": 0.5}[kind]
    index.close()


@pytest.mark.parametrize("kind", KINDS)
def test_filters_hold_in_every_structure_and_small_ones_are_exact(
    ledger: SqliteLedger, tmp_path: Path, kind: str
) -> None:
    vectors = fill(ledger, KINDS[kind], seed=12)
    index = VectorIndex(tmp_path, ledger, min_to_save=1, sizes=SIZES)
    index.save()
    index.catch_up()
    document_of = documents_of(ledger)
    every = sorted(set(document_of.values()))
    for chosen, outside in ((every[:1], False), (every[3:7], False), (every[:2], True), (every[:-3], True), ([], True)):
        inside = {n: v for n, v in vectors.items() if (document_of[n] in chosen) != outside}
        scope = Selection(np.array(chosen, dtype=np.int64), outside)
        least = 1.0 if len(inside) <= SIZES.max_exhaustive or kind == "exact" else 0.4
        assert recall(index, inside, 12, scope) >= least
        assert {n for n, _ in index.search(queries(1)[0], 10_000, scope)} <= set(inside)
    index.close()


def is_mapped(folder: Path) -> bool:
    """Whether this process searches the structure that is now in the folder: only partitions stay on disk."""
    name = json.loads((folder / "vectors.json").read_text())["structure"]
    return str(folder / name) in Path("/proc/self/maps").read_text()


def test_searches_continue_while_the_collection_outgrows_its_structure_twice(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    sizes = Sizes(exact=100, quantised=300, probed=1.0)
    index = VectorIndex(tmp_path, ledger, min_to_save=1, sizes=sizes)
    vectors = fill(ledger, range(10), seed=20)
    index.catch_up()
    known = list(vectors.items())
    done, wrong, searched = threading.Event(), list[object](), [0, 0]

    def search(place: int) -> None:
        """A search finds what was indexed before it began, whatever happens meanwhile."""
        while not done.is_set():
            number, vector = known[searched[place] * 7 % len(known)]
            index.catch_up()
            ((found, score),) = index.search(vector, 1)
            if found != number or score != pytest.approx(float(vector @ vector), abs=1e-5):
                wrong.append((number, found, score))
            searched[place] += 1

    kinds = []
    with ThreadPoolExecutor(2) as threads:
        searches = [threads.submit(search, place) for place in range(2)]
        try:
            for start in range(10, 120, 10):
                vectors = fill(ledger, range(start, start + 10), seed=20 + start)
                index.catch_up()
                known += vectors.items()
                index.save()
                kinds.append(kind_on_disk(tmp_path))
        finally:
            done.set()
        assert [search.result() for search in searches] == [None, None]
    assert wrong == []
    assert min(searched) > 0
    assert list(dict.fromkeys(kinds)) == ["exact", "quantised", "partitioned"]
    assert recall(index, dict(known), 10) == 1.0
    index.close()


def test_one_process_uses_the_structure_of_another_without_reading_the_whole_ledger(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    sizes = Sizes(exact=100, quantised=300, probed=1.0)
    served, writer = (VectorIndex(tmp_path, ledger, min_to_save=1, sizes=sizes) for _ in range(2))
    vectors = fill(ledger, range(10), seed=30)
    served.catch_up()
    vectors |= fill(ledger, range(10, 100), seed=31)
    served.catch_up()
    writer.save()
    assert not is_mapped(tmp_path)
    ledger.change([], ["d5"])
    vectors |= fill(ledger, range(100, 103), seed=32)
    vectors = {number: vector for number, vector in vectors.items() if number in set(ledger.chunks.get(list(vectors)))}
    served.catch_up()
    served.close()
    assert is_mapped(tmp_path)
    assert recall(served, vectors, 10) == 1.0
    served.close()


@pytest.mark.parametrize("kind", ["quantised", "partitioned"])
def test_a_large_damaged_file_is_rebuilt_in_the_background(
    ledger: SqliteLedger, tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    sizes = Sizes(exact=100, quantised=300, probed=1.0)
    vectors = fill(ledger, KINDS[kind], seed=40)
    VectorIndex(tmp_path, ledger, min_to_save=1, sizes=sizes).save()
    (file,) = tmp_path.glob("vectors-*.faiss")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))
    index = VectorIndex(tmp_path, ledger, sizes=sizes)
    index.catch_up()
    assert recall(index, vectors, 10) >= 0.99
    index.close()
    assert "the checksum differs" in caplog.text
    caplog.clear()
    again = VectorIndex(tmp_path, ledger, sizes=sizes)
    again.catch_up()
    again.close()
    assert caplog.text == ""
    assert kind_on_disk(tmp_path) == kind
    assert recall(again, vectors, 10) >= 0.99


def test_a_vector_that_differs_from_the_ledgers_is_reported(ledger: SqliteLedger, tmp_path: Path) -> None:
    fill(ledger, range(120), seed=50)
    index = VectorIndex(tmp_path, ledger, min_to_save=1, sizes=SIZES)
    index.save()
    index.catch_up()
    with ledger.snapshot() as snapshot:
        batches = list(snapshot.vectors(None))
    assert sum(index.count_differing(batch) for batch in batches) == 0
    turned = [batch._replace(vectors=np.roll(batch.vectors, 1, axis=0)) for batch in batches]
    assert sum(index.count_differing(batch) for batch in turned) == 600
    index.close()
