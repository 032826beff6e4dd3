"""A segment: a vector structure, the chunk and the document of each vector, and which of the chunks were removed since."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.ledger.selection import Selection
from index.ledger.state import VectorBatch
from index.vectors.structure import Structure

_MIN_COSINE = 0.99  # of a vector in eight bits with the original: above .999 for real passages


class SegmentHits(NamedTuple):
    """Ledger numbers of chunks and their scores."""

    numbers: NDArray[np.int64]
    scores: NDArray[np.float32]


class Segment:
    """A structure with the ledger numbers of its chunks and of their documents, by position.

    Searching is thread-safe, also while chunks are removed, but not while chunks are added.
    """

    def __init__(self, structure: Structure, chunks: NDArray[np.int64], documents: NDArray[np.int32]) -> None:
        self.structure = structure
        self.chunks = chunks
        self.documents = documents
        self._alive = np.ones(len(chunks), dtype=np.bool_)
        self._removed = 0

    def __len__(self) -> int:
        """How many chunks it holds that were not removed."""
        return len(self.chunks) - self._removed

    @property
    def is_exact(self) -> bool:
        """Whether a search returns the true nearest chunks with exact scores."""
        return self.structure.is_exact

    def numbers(self) -> NDArray[np.int64]:
        """Ledger numbers of the chunks that were not removed."""
        return self.chunks[self._alive]

    def add(self, batch: VectorBatch) -> None:
        """Append chunks."""
        self.structure.add(batch.vectors)
        self.chunks = np.concatenate([self.chunks, batch.numbers])
        self.documents = np.concatenate([self.documents, batch.documents.astype(np.int32)])
        self._alive = np.concatenate([self._alive, np.ones(len(batch.numbers), dtype=np.bool_)])

    def remove(self, numbers: NDArray[np.int64]) -> None:
        """Exclude these chunks from searches; numbers that are not in the segment are ignored."""
        alive = self._alive & ~np.isin(self.chunks, numbers)
        self._alive, self._removed = alive, len(alive) - int(np.count_nonzero(alive))

    def search(self, query: NDArray[np.float32], count: int, selection: Selection | None) -> SegmentHits:
        """At most `count` chunks near `query` (dimension,) among the documents of `selection`."""
        allowed = self._alive if self._removed else None
        if selection is not None:
            allowed = selection.mask(self.documents) & self._alive
        if not len(self) or (allowed is not None and not allowed.any()):
            return SegmentHits(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))
        nearest = self.structure.nearest(query, count, allowed)
        return SegmentHits(self.chunks[nearest.positions], nearest.scores)

    def count_differing(self, batch: VectorBatch) -> int:
        """How many chunks of the batch have another vector in this segment. Chunks that are not in it do not count."""
        order = np.argsort(self.chunks)
        places = np.searchsorted(self.chunks, batch.numbers, sorter=order)
        positions = order[np.minimum(places, len(order) - 1)] if len(order) else places[:0]
        is_here = self.chunks[positions] == batch.numbers[: len(positions)]
        if not is_here.any():
            return 0
        stored, expected = self.structure.vectors_of(positions[is_here]), batch.vectors[: len(positions)][is_here]
        if self.is_exact:
            return int((stored != expected).any(axis=1).sum())
        return int((~(np.einsum("ij,ij->i", stored, expected) >= _MIN_COSINE)).sum())
