"""In-memory search over training passages: BM25, BM25 with vectors, and search as the product does it."""

import hashlib
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.embedding.minilm import MiniLM
from index.embedding.weights import bundled_folder
from index.records import Chunk, Hit
from index.search.fusion import reciprocal_rank

_WORD = re.compile(r"\w+")


class TextSearch(Protocol):
    """Finds texts for a query."""

    def best(self, query: str, count: int) -> list[int]:
        """Numbers of at most `count` texts, best first."""
        ...


SearchFactory = Callable[[Sequence[str]], TextSearch]
"""Makes a search over some texts."""


class Bm25:
    """Okapi BM25 (Robertson and Zaragoza 2009; k1 1.2, b 0.75) over texts in memory."""

    def __init__(self, texts: Sequence[str]) -> None:
        counts = [Counter(words(text)) for text in texts]
        lengths = np.array([sum(count.values()) for count in counts], dtype=np.float64)
        self._norm = 1.2 * (0.25 + 0.75 * lengths / max(lengths.mean(), 1.0))
        postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, count in enumerate(counts):
            for word, times in count.items():
                postings[word].append((number, times))
        self._postings = {
            word: (np.array([n for n, _ in entries]), np.array([t for _, t in entries], dtype=np.float64))
            for word, entries in postings.items()
        }

    def scores(self, query: str) -> NDArray[np.float64]:
        """One score per text, in the order given; 0 where no word is shared."""
        total = np.zeros(len(self._norm))
        for word in set(words(query)):
            if word in self._postings:
                numbers, times = self._postings[word]
                idf = math.log(1 + (len(self._norm) - len(numbers) + 0.5) / (len(numbers) + 0.5))
                total[numbers] += idf * 2.2 * times / (times + self._norm[numbers])
        return total

    def best(self, query: str, count: int) -> list[int]:
        """Numbers of the `count` best texts with a score above 0, best first."""
        scores = self.scores(query)
        order = np.argsort(-scores, kind="stable")[:count]
        return [int(number) for number in order if scores[number] > 0]


def words(text: str) -> list[str]:
    """Lower-case words and numbers."""
    return _WORD.findall(text.lower())


class VectorCache:
    """Vectors of texts, each text encoded once."""

    def __init__(self, encoder: MiniLM) -> None:
        self._encoder = encoder
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row per text, L2-normalised."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if fresh:
            self._vectors.update(zip(fresh, self._encoder.encode(fresh), strict=True))
        return np.stack([self._vectors[text] for text in texts])


class HybridSearch:
    """BM25 and the encoder over texts in memory, their rankings interleaved."""

    def __init__(self, embedded: VectorCache, texts: Sequence[str]) -> None:
        self._lexicon = Bm25(texts)
        self._embedded = embedded
        self._vectors = embedded.vectors(texts)

    def best(self, query: str, count: int) -> list[int]:
        """Numbers of the `count` best texts: the best of BM25, the best of the encoder, the second of BM25, and so on."""
        similarity = self._vectors @ self._embedded.vectors([query])[0]
        dense = [int(number) for number in np.argsort(-similarity, kind="stable")[:count]]
        ranks = zip_longest(self._lexicon.best(query, count), dense)
        return list(dict.fromkeys(number for rank in ranks for number in rank if number is not None))[:count]


DEPTH_OF_EACH = 60


class PassagePool:
    """A corpus in memory, searched as the product does it: vectors and BM25, fused by reciprocal rank.

    Vectors are kept in the folder `cache`, since encoding takes most of the time. `titles` gives the document titles of
    passages, where they are known.
    """

    def __init__(self, passages: Sequence[str], cache: Path, titles: Mapping[str, str] | None = None) -> None:
        self.passages = list(passages)
        self._titles = titles or {}
        self.number = {passage: place for place, passage in enumerate(self.passages)}
        self._lexicon = Bm25(self.passages)
        self._cache = cache
        self._encoder = MiniLM(bundled_folder())
        self._vectors = self._encode(self.passages)

    def hits(self, questions: Sequence[str], depth: int, without: Sequence[Collection[int]]) -> list[list[Hit]]:
        """The `depth` best hits of every question. The passages in its `without` are treated as absent from the corpus."""
        vectors = self._encode(questions)
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

    def _encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        path = self._cache / f"{hashlib.sha256(chr(0).join(texts).encode()).hexdigest()[:24]}.npy"
        if path.exists():
            loaded: NDArray[np.float32] = np.load(path)
            return loaded
        vectors = self._encoder.encode(texts)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, vectors)
        return vectors
