"""Millions of vectors that lie about as those of real passages do, without encoding a text each.

Real embeddings lie in clusters; vectors drawn evenly at random do not, and say nothing about an index that rests on clusters.
So each vector here lies between a real one and one of its nearest neighbours, with a little noise. Questions lie farther off:
a real question has a cosine of about .5 with the passage nearest to it (MiniLM, 300 questions, 10,000 passages).
"""

import hashlib
from collections.abc import Sequence

import faiss
import numpy as np
from numpy.typing import NDArray

_NEIGHBOURS = 8
_NOISE = 0.3
_QUESTION = 0.55


class Cloud:
    """Vectors around `base` (n, dimension), which are of length 1. The same key always gives the same vector."""

    def __init__(self, base: NDArray[np.float32]) -> None:
        self._base = base
        index = faiss.IndexFlatIP(base.shape[1])
        index.add(base)
        self._near = index.search(base, min(_NEIGHBOURS + 1, len(base)))[1]

    def passages(self, keys: Sequence[str]) -> NDArray[np.float32]:
        """A vector (n, dimension) for each key."""
        return np.stack([self._passage(key) for key in keys])

    def questions(self, keys: Sequence[str]) -> NDArray[np.float32]:
        """For each key a vector as far from the passage of that key as questions are."""
        passages = self.passages(keys)
        noise = np.stack([_rng(f"question {key}").standard_normal(passages.shape[1]) for key in keys])
        noise -= (noise * passages).sum(axis=1, keepdims=True) * passages
        noise /= np.linalg.norm(noise, axis=1, keepdims=True)
        found: NDArray[np.float32] = (_QUESTION * passages + (1 - _QUESTION**2) ** 0.5 * noise).astype(np.float32)
        return found

    def _passage(self, key: str) -> NDArray[np.float32]:
        rng = _rng(key)
        one = int(rng.integers(len(self._base)))
        other = self._near[one][int(rng.integers(len(self._near[one])))]
        share = rng.uniform(0, 0.5)
        dimension = self._base.shape[1]
        noise = rng.standard_normal(dimension, dtype=np.float32) * (_NOISE / dimension**0.5)
        vector = (1 - share) * self._base[one] + share * self._base[other] + noise
        unit: NDArray[np.float32] = (vector / np.linalg.norm(vector)).astype(np.float32)
        return unit


def _rng(key: str) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big"))
