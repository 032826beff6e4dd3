"""The search index in the collection's folder: vectors by FAISS, words by Tantivy. Each process searches its own copy."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.engines.search_index import Difference, Ranking
from index.filters import Filter
from index.ledger.protocol import Ledger
from index.ledger.selection import Selection
from index.lexicon.index import Lexicon
from index.vectors.builder import Sizes
from index.vectors.index import VectorIndex

_REBUILD = "Delete {place} in the collection's folder: it is rebuilt from the ledger"


class EmbeddedIndex:
    """The index in `folder` for the chunks of `ledger`. See `SearchIndex` for its methods.

    The vectors are also kept in files of their own, written again after `min_to_save` changes or a tenth of the collection,
    whichever is more; `sizes` says which structure holds how many. A filter becomes a list of documents, kept by the ledger.
    """

    def __init__(self, folder: Path, ledger: Ledger, *, min_to_save: int = 1000, sizes: Sizes | None = None) -> None:
        self._ledger = ledger
        self._vectors = VectorIndex(folder, ledger, min_to_save=min_to_save, sizes=sizes)
        self._lexicon = Lexicon(folder / "lexicon")

    @property
    def has_vectors(self) -> bool:
        """See `SearchIndex.has_vectors`."""
        return len(self._vectors) > 0

    def catch_up(self) -> int:
        """See `SearchIndex.catch_up`."""
        self._lexicon.catch_up(self._ledger)
        self._vectors.catch_up()
        return min(self._lexicon.position, self._vectors.position)

    def position(self) -> int:
        """See `SearchIndex.position`."""
        return self.catch_up()

    def dense(self, vector: NDArray[np.float32], depth: int, where: Filter | None) -> Ranking:
        """See `SearchIndex.dense`."""
        return self._vectors.search(vector, depth, self._selection(where))

    def words(self, query: str, depth: int, where: Filter | None) -> Ranking:
        """See `SearchIndex.words`."""
        return self._lexicon.search(query, depth, self._selection(where))

    def write(self) -> None:
        """See `SearchIndex.write`."""
        self._lexicon.catch_up(self._ledger)

    def save(self, *, at_once: bool = False) -> int | None:
        """See `SearchIndex.save`."""
        return self._vectors.save()

    def differences(self) -> Iterator[Difference]:
        """See `SearchIndex.differences`."""
        self.catch_up()
        with self._ledger.snapshot() as snapshot:
            for what in _differences(set(snapshot.numbers().tolist()), set(self._lexicon.numbers())):
                yield Difference("lexicon", what, _REBUILD.format(place="lexicon/"))
            numbers = self._vectors.numbers()
            expected: set[int] = set()
            wrong = 0
            for batch in snapshot.vectors(None):
                expected.update(batch.numbers.tolist())
                wrong += self._vectors.count_differing(batch)
        for what in _differences(expected, set(numbers.tolist())):
            yield Difference("vectors", what, _REBUILD.format(place="vectors.json"))
        if wrong:
            what = f"{wrong:,} vectors differ from those of the ledger"
            yield Difference("vectors", what, _REBUILD.format(place="vectors.json"))

    def close(self) -> None:
        """See `SearchIndex.close`."""
        self._vectors.close()

    def _selection(self, where: Filter | None) -> Selection | None:
        return None if where is None or where.is_open else self._ledger.selections.get(where)


class EmbeddedIndexes:
    """The indexes of collections, each in its folder. See `SearchIndexes` for its methods."""

    is_shared = False

    def open(self, folder: Path, ledger: Ledger) -> EmbeddedIndex:
        """See `SearchIndexes.open`."""
        return EmbeddedIndex(folder, ledger)

    def drop(self, name: str) -> None:
        """See `SearchIndexes.drop`."""


def _differences(expected: set[int], actual: set[int]) -> Iterator[str]:
    if missing := len(expected - actual):
        yield f"{missing:,} of {len(expected):,} chunks are missing"
    if foreign := len(actual - expected):
        yield f"{foreign:,} chunks are in it that the ledger does not have"
