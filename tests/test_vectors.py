from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index.filters import Scope
from index.ledger import Ledger
from index.records import Chunk, Document
from index.rows import Entry
from index.vectors import VectorIndex

DIMENSION = 24
CHUNKS_EACH = 5


def entry(number: int) -> Entry:
    text = " ".join(f"d{number}c{place}" for place in range(CHUNKS_EACH))
    document = Document(f"d{number}", "v1", f"file:///{number}", "", "text/plain", text)
    chunks, start = [], 0
    for place, word in enumerate(text.split(" ")):
        chunks.append(Chunk(word, document.id, "v1", place, start, start + len(word), word))
        start += len(word) + 1
    return Entry(document, chunks)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "ledger.sqlite", encoder="random", dimension=DIMENSION)
    yield ledger
    ledger.close()


def fill(ledger: Ledger, numbers: range, seed: int) -> dict[int, NDArray[np.float32]]:
    """Adds documents with random vectors; answers the vectors, as the ledger rounds them, by chunk number."""
    ledger.change([entry(number) for number in numbers], [])
    pending = ledger.pending(10_000)
    vectors = np.random.default_rng(seed).standard_normal((len(pending), DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ledger.add_vectors([text.hash for text in pending], vectors)
    rounded = vectors.astype(np.float16).astype(np.float32)
    by_text = {text.text: vector for text, vector in zip(pending, rounded, strict=True)}
    with ledger.snapshot() as snapshot:
        numbers_there, _ = snapshot.owners()
    rows = ledger.chunks([int(number) for number in numbers_there])
    return {number: by_text[row.chunk.text] for number, row in rows.items() if row.chunk.text in by_text}


def brute_force(vectors: dict[int, NDArray[np.float32]], query: NDArray[np.float32], k: int) -> list[tuple[int, float]]:
    scored = [(number, float(vector @ query)) for number, vector in vectors.items()]
    return sorted(scored, key=lambda pair: (-pair[1], pair[0]))[:k]


def assert_same(found: list[tuple[int, float]], expected: list[tuple[int, float]]) -> None:
    assert [number for number, _ in found] == [number for number, _ in expected]
    assert [score for _, score in found] == pytest.approx([score for _, score in expected], abs=1e-5)


def queries(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(99).standard_normal((count, DIMENSION)).astype(np.float32)


def owner(ledger: Ledger, number: int) -> str:
    return ledger.chunks([number])[number].chunk.document_id


def test_search_equals_brute_force_through_additions_and_deletions(ledger: Ledger, tmp_path: Path) -> None:
    index = VectorIndex(tmp_path, DIMENSION)
    vectors = fill(ledger, range(60), seed=1)
    index.catch_up(ledger)
    for query in queries(10):
        assert_same(index.search(query, 20), brute_force(vectors, query, 20))

    gone = {f"d{number}" for number in range(0, 60, 3)}
    vectors = {number: vector for number, vector in vectors.items() if owner(ledger, number) not in gone}
    ledger.change([], sorted(gone))
    vectors |= fill(ledger, range(100, 130), seed=2)
    index.catch_up(ledger)
    assert len(index) == len(vectors) == (60 - 20 + 30) * CHUNKS_EACH
    for query in queries(10):
        assert_same(index.search(query, 20), brute_force(vectors, query, 20))
        assert_same(index.search(query, 1000), brute_force(vectors, query, 1000))


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("share", [1, 10, 39])
def test_a_scope_is_exact_whether_it_holds_few_or_many(
    ledger: Ledger, tmp_path: Path, outside: bool, share: int
) -> None:
    index = VectorIndex(tmp_path, DIMENSION)
    vectors = fill(ledger, range(40), seed=3)
    index.catch_up(ledger)
    with ledger.snapshot() as snapshot:
        document_of = dict(zip(*(array.tolist() for array in snapshot.owners()), strict=True))
    chosen = np.array(sorted(set(document_of.values()))[:share], dtype=np.int64)
    inside = {n: v for n, v in vectors.items() if (document_of[n] in set(chosen.tolist())) != outside}
    for query in queries(5):
        assert_same(index.search(query, 12, Scope(chosen, outside)), brute_force(inside, query, 12))


def test_an_empty_scope_and_an_empty_index_find_nothing(ledger: Ledger, tmp_path: Path) -> None:
    index = VectorIndex(tmp_path, DIMENSION)
    index.catch_up(ledger)
    assert index.search(queries(1)[0], 5) == []
    fill(ledger, range(3), seed=4)
    index.catch_up(ledger)
    assert index.search(queries(1)[0], 5, Scope(np.zeros(0, dtype=np.int64))) == []


def test_the_file_serves_the_next_process_and_newer_changes_are_replayed(ledger: Ledger, tmp_path: Path) -> None:
    vectors = fill(ledger, range(20), seed=5)
    assert VectorIndex(tmp_path, DIMENSION).save(ledger, least=1) == ledger.mark().position
    ledger.change([], ["d3"])
    vectors = {number: vector for number, vector in vectors.items() if number in ledger.chunks(list(vectors))}
    vectors |= fill(ledger, range(20, 25), seed=6)
    index = VectorIndex(tmp_path, DIMENSION)
    index.catch_up(ledger)
    for query in queries(5):
        assert_same(index.search(query, 10), brute_force(vectors, query, 10))


def test_a_file_is_written_only_when_enough_has_changed(ledger: Ledger, tmp_path: Path) -> None:
    fill(ledger, range(4), seed=5)
    index = VectorIndex(tmp_path, DIMENSION)
    assert index.save(ledger, least=10_000) == 0
    assert not list(tmp_path.glob("vectors*"))
    first = index.save(ledger, least=1)
    fill(ledger, range(4, 6), seed=6)
    assert index.save(ledger, least=10_000) == first
    assert index.save(ledger, least=1) > first
    assert len(list(tmp_path.glob("vectors-*"))) == 1


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


@pytest.mark.parametrize("damage", damages().values(), ids=damages().keys())
def test_a_damaged_file_is_rebuilt_from_the_ledger(ledger: Ledger, tmp_path: Path, damage: object) -> None:
    vectors = fill(ledger, range(20), seed=7)
    VectorIndex(tmp_path, DIMENSION).save(ledger, least=1)
    (file,) = tmp_path.glob("vectors-*")
    assert callable(damage)
    damage(file)
    index = VectorIndex(tmp_path, DIMENSION)
    index.catch_up(ledger)
    for query in queries(3):
        assert_same(index.search(query, 10), brute_force(vectors, query, 10))


def test_a_cache_older_than_the_trimmed_log_is_rebuilt(ledger: Ledger, tmp_path: Path) -> None:
    old = VectorIndex(tmp_path, DIMENSION)
    vectors = fill(ledger, range(10), seed=8)
    old.catch_up(ledger)
    ledger.change([], ["d0"])
    ledger.trim(ledger.mark().position)
    vectors = {number: vector for number, vector in vectors.items() if number in ledger.chunks(list(vectors))}
    old.catch_up(ledger)
    assert len(old) == len(vectors) == 9 * CHUNKS_EACH
    assert_same(old.search(queries(1)[0], 10), brute_force(vectors, queries(1)[0], 10))


def test_a_file_of_another_ledger_is_not_used(ledger: Ledger, tmp_path: Path) -> None:
    fill(ledger, range(10), seed=8)
    VectorIndex(tmp_path, DIMENSION).save(ledger, least=1)
    other = Ledger(tmp_path / "other.sqlite", encoder="random", dimension=DIMENSION)
    vectors = fill(other, range(50, 70), seed=9)
    index = VectorIndex(tmp_path, DIMENSION)
    index.catch_up(other)
    assert_same(index.search(queries(1)[0], 10), brute_force(vectors, queries(1)[0], 10))
    other.close()
