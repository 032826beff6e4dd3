"""Vector structures behind one protocol: flat (exact in half precision, or quantised to eight bits) and partitioned.

A structure knows nothing of chunks: a vector is known by its position, the order in which it was added. Scores are inner
products of normalised vectors: cosine, higher is better.
"""

import math
from pathlib import Path
from typing import NamedTuple, Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

SAMPLE_PER_LIST = 40
"""Vectors that k-means sees for each centroid: FAISS warns below 39, and more do not help (see docs/results.md)."""
_ROUNDS = 10


class Nearest(NamedTuple):
    """Positions of vectors and their scores, best first."""

    positions: NDArray[np.int64]
    scores: NDArray[np.float32]


class Structure(Protocol):
    """Vectors in the order in which they were added. Searching is thread-safe, but not while vectors are added.

    `is_exact`: a search returns the true nearest vectors with exact scores. Otherwise both are approximate: ask for more
    than you need, and rescore them.
    """

    is_exact: bool

    def __len__(self) -> int: ...

    def add(self, vectors: NDArray[np.float32]) -> None:
        """Append vectors (n, dimension)."""
        ...

    def nearest(self, query: NDArray[np.float32], count: int, allowed: NDArray[np.bool_] | None) -> Nearest:
        """At most `count` vectors near `query` (dimension,), out of all or of those `allowed` (one flag per vector)."""
        ...

    def vectors_of(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors (n, dimension) at these positions, as precisely as they are stored."""
        ...

    def write(self, path: Path) -> None:
        """Write the structure to the file at `path`."""
        ...


class Flat:
    """All vectors side by side; a query is compared with each. See `Structure` for its methods.

    Half precision is exact, since the ledger stores no more: 100,000 x 384 take 73 MiB, and a search 2.7 ms against 7.4 ms in
    fp32 (2 cores, AVX-512; faiss 1.15). Eight bits take half the memory and two thirds of the time; their best 82 contain
    the exact best 50 (real questions, 200,000 passages).
    """

    def __init__(self, index: faiss.Index, *, is_exact: bool) -> None:
        self._index = index
        self.is_exact = is_exact

    @classmethod
    def exact(cls, dimension: int) -> "Flat":
        """An empty structure in half precision."""
        kind = faiss.ScalarQuantizer.QT_fp16
        return cls(faiss.IndexScalarQuantizer(dimension, kind, faiss.METRIC_INNER_PRODUCT), is_exact=True)

    @classmethod
    def quantised(cls, sample: NDArray[np.float32]) -> "Flat":
        """An empty structure in eight bits, which span the range of `sample` (n, dimension) in each dimension."""
        kind = faiss.ScalarQuantizer.QT_8bit
        index = faiss.IndexScalarQuantizer(sample.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
        index.train(sample)
        return cls(index, is_exact=False)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, vectors: NDArray[np.float32]) -> None:
        """See `Structure.add`."""
        self._index.add(vectors)

    def nearest(self, query: NDArray[np.float32], count: int, allowed: NDArray[np.bool_] | None) -> Nearest:
        """See `Structure.nearest`."""
        if allowed is None:
            return _search(self._index, query, count, None)
        selector, _bits = _selector(allowed)
        return _search(self._index, query, count, faiss.SearchParameters(sel=selector))  # type: ignore[call-arg]

    def vectors_of(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Structure.vectors_of`."""
        vectors: NDArray[np.float32] = self._index.reconstruct_batch(positions)
        return vectors

    def write(self, path: Path) -> None:
        """See `Structure.write`."""
        faiss.write_index(self._index, str(path))


class Partitioned:
    """An inverted file: vectors in eight bits, in partitions around centroids. See `Structure` for its methods.

    A query is compared only with the vectors of the nearest partitions. Without a filter it searches the share `probed` of
    all partitions. With a filter that allows at most `max_exhaustive` vectors it searches all of them; with a wider filter,
    the more partitions the fewer vectors are allowed.
    """

    is_exact = False

    def __init__(self, index: faiss.IndexIVFScalarQuantizer, *, probed: float, max_exhaustive: int) -> None:
        self._index = index
        self._lists = int(index.nlist)
        self._probed = probed
        self._max_exhaustive = max_exhaustive

    @classmethod
    def train(cls, sample: NDArray[np.float32], lists: int, *, probed: float, max_exhaustive: int) -> "Partitioned":
        """An empty structure with `lists` partitions, placed by k-means over `sample` (n, dimension)."""
        dimension = sample.shape[1]
        index = faiss.IndexIVFScalarQuantizer(
            faiss.IndexFlatIP(dimension), dimension, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
        )
        index.cp.niter = _ROUNDS
        index.cp.spherical = True
        index.cp.max_points_per_centroid = SAMPLE_PER_LIST
        index.train(sample)
        return cls(index, probed=probed, max_exhaustive=max_exhaustive)

    @classmethod
    def open(cls, path: Path, *, probed: float, max_exhaustive: int) -> "Partitioned":
        """The structure in the file at `path`, which is mapped: only the partitions that are searched are loaded.

        RuntimeError if the file holds something else, or FAISS cannot read it.
        """
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP)
        if not isinstance(index, faiss.IndexIVFScalarQuantizer) or index.invlists is None:
            raise RuntimeError(f"{path}: {type(index).__name__} instead of partitions")
        # FAISS starts up to 32 threads per query to prefetch lists, which takes longer than searching them.
        faiss.downcast_InvertedLists(index.invlists).prefetch_nthread = 0  # type: ignore[attr-defined]
        return cls(index, probed=probed, max_exhaustive=max_exhaustive)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, vectors: NDArray[np.float32]) -> None:
        """See `Structure.add`."""
        self._index.add(vectors)

    def nearest(self, query: NDArray[np.float32], count: int, allowed: NDArray[np.bool_] | None) -> Nearest:
        """See `Structure.nearest`."""
        if allowed is None:
            probes = self._probes_for(len(self), count)
            return _search(self._index, query, count, faiss.SearchParametersIVF(nprobe=probes))  # type: ignore[call-arg]
        selector, _bits = _selector(allowed)
        probes = self._probes_for(int(np.count_nonzero(allowed)), count)
        parameters = faiss.SearchParametersIVF(nprobe=probes, sel=selector)  # type: ignore[call-arg]
        return _search(self._index, query, count, parameters)

    def vectors_of(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Structure.vectors_of`. For checks only: it first builds a map of all positions."""
        self._index.make_direct_map()
        vectors: NDArray[np.float32] = self._index.reconstruct_batch(positions)
        return vectors

    def write(self, path: Path) -> None:
        """See `Structure.write`."""
        faiss.write_index(self._index, str(path))

    def _probes_for(self, allowed: int, count: int) -> int:
        """How many partitions to search for the best `count` when `allowed` vectors pass the filter.

        The fewer pass, the farther away the nearest of them are; those of a small filter may all lie far from the query.
        """
        if allowed <= max(self._max_exhaustive, count):
            return self._lists
        return min(self._lists, math.ceil(self._lists * self._probed * len(self) / allowed))


def _search(
    index: faiss.Index, query: NDArray[np.float32], count: int, parameters: faiss.SearchParameters | None
) -> Nearest:
    """Search FAISS for one query; the parameters' selector must outlive the call."""
    # One query is one task to FAISS: a second thread only waits at the barrier, 40 ms on a busy machine (measured).
    faiss.omp_set_num_threads(1)
    row = np.ascontiguousarray(query, dtype=np.float32).reshape(1, -1)
    scores, positions = index.search(row, min(count, index.ntotal), params=parameters)
    is_result = positions[0] >= 0  # FAISS fills up with -1
    return Nearest(positions[0][is_result], scores[0][is_result])


def _selector(allowed: NDArray[np.bool_]) -> tuple[faiss.IDSelectorBitmap, NDArray[np.uint8]]:
    """A selector of the allowed positions, and the bits that it points to, which must outlive it."""
    bits = np.packbits(allowed, bitorder="little")
    # FAISS adds this constructor in Python; its stubs know only the C++ one.
    return faiss.IDSelectorBitmap(bits), bits  # type: ignore[call-arg,arg-type]
