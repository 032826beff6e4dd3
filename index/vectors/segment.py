"""Chunks that are searched together: a structure of vectors, the chunk and the document of each, and what was removed since."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.filters import Scope
from index.ledger.snapshot import VectorBatch
from index.vectors.structure import Structure

_CLOSE_ENOUGH = 0.99  # cosine of a vector in eight bits with itself: above .999 (real passages)


class Found(NamedTuple):
    """Ledger numbers of chunks and their scores."""

    numbers: NDArray[np.int64]
    scores: NDArray[np.float32]


class Segment:
    """A structure with the ledger numbers of its chunks and of their documents, by position.

    Searching is thread-safe, also while something is removed, but not while something is added.
    """

    def __init__(self, structure: Structure, chunks: NDArray[np.int64], documents: NDArray[np.int32]) -> None:
        self.structure = structure
        self.chunks = chunks
        self.documents = documents
        self._alive = np.ones(len(chunks), dtype=np.bool_)
        self._removed = 0

    def __len__(self) -> int:
        """How many chunks it can find."""
        return len(self.chunks) - self._removed

    @property
    def is_exact(self) -> bool:
        """Whether scores are exact, and what is found the nearest."""
        return self.structure.is_exact

    def numbers(self) -> NDArray[np.int64]:
        """Ledger numbers of the chunks that it can find."""
        return self.chunks[self._alive]

    def add(self, batch: VectorBatch) -> None:
        """Append chunks."""
        self.structure.add(batch.vectors)
        self.chunks = np.concatenate([self.chunks, batch.numbers])
        self.documents = np.concatenate([self.documents, batch.documents.astype(np.int32)])
        self._alive = np.concatenate([self._alive, np.ones(len(batch.numbers), dtype=np.bool_)])

    def remove(self, numbers: NDArray[np.int64]) -> None:
        """Find these chunks no more; those that are not in it do not matter."""
        alive = self._alive & ~np.isin(self.chunks, numbers)
        self._alive, self._removed = alive, len(alive) - int(np.count_nonzero(alive))

    def search(self, query: NDArray[np.float32], count: int, scope: Scope | None) -> Found:
        """At most `count` chunks near to `query` (dimension,) among the documents in `scope`."""
        allowed = self._alive if self._removed else None
        if scope is not None:
            allowed = scope.mask(self.documents) & self._alive
        if not len(self) or (allowed is not None and not allowed.any()):
            return Found(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))
        nearest = self.structure.nearest(query, count, allowed)
        return Found(self.chunks[nearest.positions], nearest.scores)

    def differing(self, batch: VectorBatch) -> int:
        """How many of the chunks of the batch that are in it have other vectors in it."""
        order = np.argsort(self.chunks)
        places = np.searchsorted(self.chunks, batch.numbers, sorter=order)
        positions = order[np.minimum(places, len(order) - 1)] if len(order) else places[:0]
        is_here = self.chunks[positions] == batch.numbers[: len(positions)]
        if not is_here.any():
            return 0
        held, wanted = self.structure.vectors_of(positions[is_here]), batch.vectors[: len(positions)][is_here]
        if self.is_exact:
            return int((held != wanted).any(axis=1).sum())
        return int((~(np.einsum("ij,ij->i", held, wanted) >= _CLOSE_ENOUGH)).sum())
