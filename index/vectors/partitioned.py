"""Vectors in partitions around centroids, in eight bits: a query is compared with the partitions nearest to it only."""

import math
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from index.vectors.structure import Nearest, found, selector

SAMPLE_A_LIST = 40
"""Vectors that k-means sees for each centroid: FAISS warns below 39, and more give nothing (see docs/results.md)."""
_ROUNDS = 10


class Partitioned:
    """An inverted file. See `Structure` for its methods.

    A query without a filter looks into the share `probed` of the partitions. With a filter that lets at most `scored_whole`
    vectors through it looks into all of them; with another, into more the fewer it lets through.
    """

    is_exact = False

    def __init__(self, index: faiss.IndexIVFScalarQuantizer, *, probed: float, scored_whole: int) -> None:
        self._index = index
        self._lists = int(index.nlist)
        self._probed = probed
        self._scored_whole = scored_whole

    @classmethod
    def trained(cls, sample: NDArray[np.float32], lists: int, *, probed: float, scored_whole: int) -> "Partitioned":
        """An empty one with `lists` partitions, laid out by k-means over `sample` (n, dimension)."""
        dimension = sample.shape[1]
        index = faiss.IndexIVFScalarQuantizer(
            faiss.IndexFlatIP(dimension), dimension, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
        )
        index.cp.niter = _ROUNDS
        index.cp.spherical = True
        index.cp.max_points_per_centroid = SAMPLE_A_LIST
        index.train(sample)
        return cls(index, probed=probed, scored_whole=scored_whole)

    @classmethod
    def opened(cls, path: Path, *, probed: float, scored_whole: int) -> "Partitioned":
        """The one in the file at `path`, which stays there: only the partitions that are looked into come into memory."""
        read = faiss.read_index(str(path), faiss.IO_FLAG_MMAP)
        if not isinstance(read, faiss.IndexIVFScalarQuantizer) or read.invlists is None:
            raise RuntimeError(f"{path}: {type(read).__name__} instead of partitions")
        # FAISS starts up to 32 threads a query to read lists ahead, which takes longer than to search in them.
        faiss.downcast_InvertedLists(read.invlists).prefetch_nthread = 0  # type: ignore[attr-defined]
        return cls(read, probed=probed, scored_whole=scored_whole)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, vectors: NDArray[np.float32]) -> None:
        """See `Structure.add`."""
        self._index.add(vectors)

    def nearest(self, query: NDArray[np.float32], count: int, allowed: NDArray[np.bool_] | None) -> Nearest:
        """See `Structure.nearest`."""
        if allowed is None:
            probes = self._probes_for(len(self), count)
            return found(self._index, query, count, faiss.SearchParametersIVF(nprobe=probes))  # type: ignore[call-arg]
        chosen, _bits = selector(allowed)
        probes = self._probes_for(int(np.count_nonzero(allowed)), count)
        return found(self._index, query, count, faiss.SearchParametersIVF(nprobe=probes, sel=chosen))  # type: ignore[call-arg]

    def vectors_of(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Structure.vectors_of`. For checks: it first makes a map of all positions."""
        self._index.make_direct_map()
        vectors: NDArray[np.float32] = self._index.reconstruct_batch(positions)
        return vectors

    def write(self, path: Path) -> None:
        """See `Structure.write`."""
        faiss.write_index(self._index, str(path))

    def _probes_for(self, allowed: int, count: int) -> int:
        """Partitions to look into when so many vectors are allowed and `count` are wanted.

        The fewer are allowed, the farther away the nearest of them are; those of a small filter may all lie far from the
        query.
        """
        if allowed <= max(self._scored_whole, count):
            return self._lists
        return min(self._lists, math.ceil(self._lists * self._probed * len(self) / allowed))
