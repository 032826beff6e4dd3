"""Millions of vectors that lie about as those of real passages do, without encoding a text each.

Real embeddings lie in clusters; vectors drawn evenly at random do not, and say nothing about an index that rests on clusters.
So each vector here lies between a real one and one of its nearest neighbours, with a little noise. Questions lie farther off:
a real question has a cosine of about .5 with the passage nearest to it (MiniLM, 300 questions, 10,000 passages).
"""

import faiss
import numpy as np
from numpy.typing import NDArray

_NEIGHBOURS = 8
_NOISE = 0.3
_QUESTION = 0.55


class Cloud:
    """Vectors around `base` (n, dimension), which are of length 1. What is drawn depends on the generator alone."""

    def __init__(self, base: NDArray[np.float32]) -> None:
        self._base = base
        index = faiss.IndexFlatIP(base.shape[1])
        index.add(base)
        self._near = index.search(base, min(_NEIGHBOURS + 1, len(base)))[1]

    def passages(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """That many vectors (count, dimension) of passages."""
        dimension = self._base.shape[1]
        one = rng.integers(len(self._base), size=count)
        other = self._near[one, rng.integers(self._near.shape[1], size=count)]
        share = rng.uniform(0, 0.5, size=(count, 1)).astype(np.float32)
        noise = rng.standard_normal((count, dimension), dtype=np.float32) * np.float32(_NOISE / dimension**0.5)
        return _unit((1 - share) * self._base[one] + share * self._base[other] + noise)

    def questions(self, rng: np.random.Generator, passages: NDArray[np.float32]) -> NDArray[np.float32]:
        """For each of the passages (n, dimension), of length 1, a vector as far from it as questions are."""
        noise = rng.standard_normal(passages.shape, dtype=np.float32)
        noise -= (noise * passages).sum(axis=1, keepdims=True) * passages
        return _unit(_QUESTION * passages + np.float32((1 - _QUESTION**2) ** 0.5) * _unit(noise))


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return found
