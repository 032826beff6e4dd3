"""How vectors are kept for search: the protocol that the exact, the quantised and the partitioned structure share.

A structure knows nothing of chunks: a vector is known by its position, the order in which it came. Scores are inner products
of normalised vectors: cosine, higher is better.
"""

from pathlib import Path
from typing import NamedTuple, Protocol

import faiss
import numpy as np
from numpy.typing import NDArray


class Nearest(NamedTuple):
    """Positions of vectors and their scores, best first."""

    positions: NDArray[np.int64]
    scores: NDArray[np.float32]


class Structure(Protocol):
    """Vectors in the order in which they came. Searching is thread-safe unless something is added meanwhile.

    `is_exact`: what is found is exactly the nearest, with exact scores. Otherwise both are approximate: ask for more than is
    wanted, and score those again.
    """

    is_exact: bool

    def __len__(self) -> int: ...

    def add(self, vectors: NDArray[np.float32]) -> None:
        """Append vectors (n, dimension)."""
        ...

    def nearest(self, query: NDArray[np.float32], count: int, allowed: NDArray[np.bool_] | None) -> Nearest:
        """At most `count` vectors near to `query` (dimension,), of all or of those that are `allowed` (one flag each)."""
        ...

    def vectors_of(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors (n, dimension) at these positions, as well as they are kept."""
        ...

    def write(self, path: Path) -> None:
        """Write everything into the file at `path`."""
        ...


def found(
    index: faiss.Index, query: NDArray[np.float32], count: int, parameters: faiss.SearchParameters | None
) -> Nearest:
    """What FAISS finds for one query; the parameters' selector must outlive the call."""
    # One query is one task to FAISS: a second thread only waits at the barrier, 40 ms on a busy machine (measured).
    faiss.omp_set_num_threads(1)
    row = np.ascontiguousarray(query, dtype=np.float32).reshape(1, -1)
    scores, positions = index.search(row, min(count, index.ntotal), params=parameters)
    there = positions[0] >= 0
    return Nearest(positions[0][there], scores[0][there])


def selector(allowed: NDArray[np.bool_]) -> tuple[faiss.IDSelectorBitmap, NDArray[np.uint8]]:
    """A selector of the positions that are allowed, and the bits that it points to, which must outlive it."""
    bits = np.packbits(allowed, bitorder="little")
    # FAISS adds this form in Python; its stubs only know that of C++.
    return faiss.IDSelectorBitmap(bits), bits  # type: ignore[call-arg,arg-type]
