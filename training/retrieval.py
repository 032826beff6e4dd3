"""A small corpus in memory, searched as Quoth searches: dense and BM25, fused by reciprocal rank."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.embedding.minilm import MiniLM
from index.embedding.weights import bundled_folder
from index.records import Chunk, Hit
from index.search.fusion import reciprocal_rank
from training.negatives import Bm25

DEPTH_OF_EACH = 60


class Pool:
    """Passages with their vectors. Vectors are kept in `cache`, since encoding is most of the work.

    `titles` names the documents of passages, where they are known.
    """

    def __init__(self, passages: Sequence[str], cache: Path, titles: Mapping[str, str] | None = None) -> None:
        self.passages = list(passages)
        self._titles = titles or {}
        self.number = {passage: place for place, passage in enumerate(self.passages)}
        self._lexicon = Bm25(self.passages)
        self._cache = cache
        self._encoder = MiniLM(bundled_folder())
        self._vectors = self._encoded(self.passages)

    def hits(self, questions: Sequence[str], depth: int, without: Sequence[Collection[int]]) -> list[list[Hit]]:
        """For every question its `depth` best passages; those in its `without` are treated as not being in the corpus."""
        vectors = self._encoded(questions)
        return [
            self._search(question, vector, depth, absent)
            for question, vector, absent in zip(questions, vectors, without, strict=True)
        ]

    def _search(self, question: str, vector: NDArray[np.float32], depth: int, absent: Collection[int]) -> list[Hit]:
        similarity = self._vectors @ vector
        bm25 = self._lexicon.scores(question)
        dense = [
            int(n) for n in np.argsort(-similarity, kind="stable")[: DEPTH_OF_EACH + len(absent)] if n not in absent
        ]
        words = [n for n in self._lexicon.best(question, DEPTH_OF_EACH + len(absent)) if n not in absent]
        fused = reciprocal_rank([dense[:DEPTH_OF_EACH], words[:DEPTH_OF_EACH]])[:depth]
        return [
            Hit(
                chunk=Chunk(str(n), str(n), "1", 0, 0, len(self.passages[n]), self.passages[n]),
                title=self._titles.get(self.passages[n], ""),
                uri="",
                page=None,
                score=score,
                similarity=float(similarity[n]),
                bm25=float(bm25[n]) or None,
            )
            for n, score in fused
        ]

    def _encoded(self, texts: Sequence[str]) -> NDArray[np.float32]:
        path = self._cache / f"{hashlib.sha256(chr(0).join(texts).encode()).hexdigest()[:24]}.npy"
        if path.exists():
            loaded: NDArray[np.float32] = np.load(path)
            return loaded
        vectors = self._encoder.encode(texts)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, vectors)
        return vectors
