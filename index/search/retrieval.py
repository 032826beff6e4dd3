"""Answer a query with the best chunks: search by meaning and by words in parallel, fuse the rankings, rerank if asked."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.chunking.units import chunk_rendering
from index.embedding.encoder import Encoder
from index.engines.search_index import SearchIndex
from index.errors import QueryInvalid
from index.filters import Filter
from index.ledger.protocol import Documents, Ledger
from index.ledger.rows import ChunkRow
from index.records import Hit
from index.search.copies import split_copies
from index.search.fusion import FUSED_WEIGHT, reciprocal_rank

POOL = 50
"""How many chunks of each ranking are fused at first; further ones come after them, twice as many each time."""

_SEARCHES = 3
_PATIENCE_SECONDS = 2.0
_PAUSE_SECONDS = 0.02


class Reranker(Protocol):
    """Scores how well each text answers a query, reading both together."""

    def score(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        """Return one score per text; higher is better."""
        ...


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A chunk that the indexes found, by ledger number, with its scores."""

    number: int
    score: float
    similarity: float | None
    bm25: float | None


class _Query:
    """A query, whose vector is made once."""

    def __init__(self, text: str, encoder: Encoder) -> None:
        self.text = text
        self._encoder = encoder

    @cached_property
    def vector(self) -> NDArray[np.float32]:
        """The vector of the text."""
        vectors = self._encoder.encode([self.text])
        return np.asarray(vectors[0])


class Retrieval:
    """Searches a ledger through its index, which it brings up to date first. Thread-safe."""

    def __init__(self, ledger: Ledger, index: SearchIndex, encoder: Encoder) -> None:
        self._ledger = ledger
        self._index = index
        self._encoder = encoder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="words")  # its thread ends with this object

    def search(self, query: str, k: int, where: Filter | None, reranker: Reranker | None, depth: int) -> list[Hit]:
        """Return the `k` chunks that answer `query` best, as described at `index.collection.Collection.search`."""
        if not query.strip():
            raise QueryInvalid("the query is empty. Ask with at least one word")
        if k < 1 or depth < 1:
            raise QueryInvalid(f"k is {k} and depth is {depth}. Both must be at least 1")
        ranked = self._ranked(_Query(query, self._encoder), k, where)
        if reranker is not None:
            ranked = self._reranked(query, ranked, k, reranker, depth)
        return ranked[:k]

    def _ranked(self, query: _Query, k: int, where: Filter | None) -> list[Hit]:
        """Return at least `k` hits of the fused ranking, if there are so many.

        The ledger leaves out what is gone, or no longer meets the filter. If a writer changed that in the meantime, everything
        is searched again, so that all hits are of one state. What a writer has not brought up to date yet is waited for if
        too few hits are left without it.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        position = self._index.catch_up()
        for _ in range(_SEARCHES):
            candidates = self._candidates(query, k, where)
            rows = self._ledger.chunks.get([candidate.number for candidate in candidates], where)
            if len(rows) == len(candidates):
                break
            before, position = position, self._index.catch_up()
            while position == before and len(rows) < k and self._is_behind(position) and time.monotonic() < deadline:
                time.sleep(_PAUSE_SECONDS)
                position = self._index.catch_up()
            if position == before:
                break
        return [_hit(rows[candidate.number], candidate) for candidate in candidates if candidate.number in rows]

    def _is_behind(self, position: int) -> bool:
        return self._ledger.mark().position > position

    def _candidates(self, query: _Query, k: int, where: Filter | None) -> list[_Candidate]:
        """Return at least `k` candidates, if there are so many.

        The best `POOL` chunks of both rankings are fused, then the best 2 `POOL`, and so on, each time those that are new: so
        the hits for one `k` are the beginning of those for any larger one.
        """
        pool = POOL
        found: dict[int, _Candidate] = {}
        before = -1
        while before < len(found) < k:
            before = len(found)
            for candidate in self._best(query, pool, where):
                earlier = found.get(candidate.number, candidate)
                found[candidate.number] = replace(candidate, score=earlier.score)
            pool *= 2
        return list(found.values())

    def _reranked(self, query: str, ranked: Sequence[Hit], k: int, reranker: Reranker, depth: int) -> list[Hit]:
        """Return at least `k` of the hits as the reranker orders them, `depth` at a time, copies after the others.

        A hit scores what the reranker says and its fused score. What was read later never comes before what was read earlier:
        its scores are lowered to that end.
        """
        first, further = ranked[:POOL], ranked[POOL:]
        read, copies = split_copies(query, first, lambda ids: modified_ns(self._ledger.documents, ids))
        waiting = [*read, *copies, *further]
        hits: list[Hit] = []
        while waiting and len(hits) < k:
            part, waiting = waiting[:depth], waiting[depth:]
            scores = reranker.score(query, [chunk_rendering(hit.chunk).text for hit in part])
            totals = [float(score) + FUSED_WEIGHT * hit.score for score, hit in zip(scores, part, strict=True)]
            lower = max(0.0, max(totals) - hits[-1].score) if hits else 0.0
            order = sorted(range(len(part)), key=lambda place: (-totals[place], place))
            hits += [replace(part[place], score=totals[place] - lower) for place in order]
        return hits

    def _best(self, query: _Query, depth: int, where: Filter | None) -> list[_Candidate]:
        """Return the fusion of the best `depth` of both rankings."""
        dense = {}
        # With common words the lexical search takes as long as the dense one: 9 ms of a core each at a million chunks.
        lexical_search = self._thread.submit(self._index.words, query.text, depth, where)
        if self._index.has_vectors:
            dense = dict(self._index.dense(query.vector, depth, where))
        has_not_begun = lexical_search.cancel()
        lexical = dict(self._index.words(query.text, depth, where) if has_not_begun else lexical_search.result())
        fused = reciprocal_rank([list(dense), list(lexical)])
        return [_Candidate(number, score, dense.get(number), lexical.get(number)) for number, score in fused]


def modified_ns(documents: Documents, ids: Sequence[str]) -> dict[str, int]:
    """Return when the documents were modified, by id: as their files say, else when indexed; nanoseconds since 1970."""
    return {
        found.id: found.source.modified_ns if found.source else int(found.indexed_at * 1e9)
        for found in documents.list(ids)
    }


def _hit(row: ChunkRow, candidate: _Candidate) -> Hit:
    return Hit(
        chunk=row.chunk,
        title=row.title,
        uri=row.uri,
        page=row.page,
        score=candidate.score,
        similarity=candidate.similarity,
        bm25=candidate.bm25,
    )
