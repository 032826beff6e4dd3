"""Near misses as the product meets them: what BM25 and the encoder find for a question, turn about."""

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from index.embedding.minilm import MiniLM
from training.negatives import Bm25


class Embedded:
    """Vectors of texts, each made once."""

    def __init__(self, encoder: MiniLM) -> None:
        self._encoder = encoder
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row per text, L2-normalised."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if fresh:
            self._vectors.update(zip(fresh, self._encoder.encode(fresh), strict=True))
        return np.stack([self._vectors[text] for text in texts])


class Hybrid:
    """BM25 and the encoder over texts in memory, their lists merged turn about."""

    def __init__(self, embedded: Embedded, texts: Sequence[str]) -> None:
        self._lexicon = Bm25(texts)
        self._embedded = embedded
        self._vectors = embedded.vectors(texts)

    def best(self, query: str, count: int) -> list[int]:
        """Numbers of the `count` best texts: the best by words, the best by meaning, the second by words, ..."""
        similarity = self._vectors @ self._embedded.vectors([query])[0]
        dense = [int(number) for number in np.argsort(-similarity, kind="stable")[:count]]
        turns = zip_longest(self._lexicon.best(query, count), dense)
        return list(dict.fromkeys(number for turn in turns for number in turn if number is not None))[:count]
