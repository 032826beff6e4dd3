"""The search index on shared storage: a projection of the ledger's log into a Lance table, and both rankings over it."""

import logging
import time
from collections.abc import Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from index.engines.lance.conditions import condition
from index.engines.lance.projector import Projector
from index.engines.lance.rows import TableMark
from index.engines.lance.table import ChunkTable
from index.engines.search_index import Difference, Ranking
from index.errors import SearchIndexBuilding, SearchStorageUnreachable
from index.filters import Filter
from index.ledger.protocol import Ledger
from index.lexicon.analysis import query_terms
from index.storage.lock import Lock

_TIES = 32
_TURNS = 2  # copying that was under way may have missed the newest change
_NEAR = 4096  # changes that are copied within a moment
_VERIFY_SECONDS = 30.0
_log = logging.getLogger(__name__)


class LanceIndex:
    """The index in the table `name` below `url` for the chunks of `ledger`. See `SearchIndex` for its methods.

    Whoever holds `turn` copies the ledger's log into the table: a worker or a writer after its changes, and a search that finds
    the table behind, in the background. The search waits for that at most `patience` seconds, and only if little is missing:
    it may miss what is new, and the ledger leaves out what is gone. A table that is not yet made whole is not searched.
    """

    def __init__(
        self, url: str, name: str, ledger: Ledger, turn: Lock, *, exact: int = 20_000, patience: float = 2.0
    ) -> None:
        self._ledger = ledger
        self._table = ChunkTable(url, name, ledger.dimension, exact=exact)
        self._projector = Projector(ledger, self._table, turn)
        self._patience = patience

    @property
    def has_vectors(self) -> bool:
        """See `SearchIndex.has_vectors`."""
        mark = self._usable_mark()
        return mark is not None and mark.has_vectors

    def catch_up(self) -> int:
        """See `SearchIndex.catch_up`. `SearchIndexBuilding` if there is no table yet that was made whole."""
        mark, deadline = self._table.refresh(), time.monotonic() + self._patience
        for _ in range(_TURNS):
            # A table that is ahead is of a ledger that was restored from a backup since: it is made again.
            behind = self._ledger.mark().position - self._position(mark)
            if behind == 0:
                return self._position(mark)
            copying = self._projector.begin()
            if self._is_whole(mark) and behind > _NEAR:
                break
            copying.join(max(0.0, deadline - time.monotonic()))
            mark = self._table.refresh()
        if not self._is_whole(mark):
            raise SearchIndexBuilding(self._progress(mark))
        return self._position(mark)

    def position(self) -> int:
        """See `SearchIndex.position`."""
        position = self._position(self._table.refresh())
        if position != self._ledger.mark().position:
            self._projector.begin()
        return position

    def dense(self, vector: NDArray[np.float32], depth: int, where: Filter | None) -> Ranking:
        """See `SearchIndex.dense`."""
        if not self.has_vectors:
            return []
        numbers, vectors = self._table.nearest(vector, depth + max(_TIES, depth // 4), condition(where))
        return _ranking(numbers, np.einsum("ij,j->i", vectors, vector.astype(np.float32)), depth)

    def words(self, query: str, depth: int, where: Filter | None) -> Ranking:
        """See `SearchIndex.words`."""
        mark = self._usable_mark()
        if mark is None:
            return []
        words, letters = query_terms(query, mark.languages)
        stems = list(dict.fromkeys(chain(chain.from_iterable(words.values()), letters)))
        if not words and not stems:
            return []
        return _ranking(*self._table.best(list(words), stems, depth + _TIES, condition(where)), depth)

    def write(self) -> None:
        """See `SearchIndex.write`. What takes long is left to `save`, so that no other writer waits for it."""

    def save(self, *, at_once: bool = False) -> int | None:
        """See `SearchIndex.save`. The ledger is written by now: storage that does not answer is no failure of the writer."""
        try:
            if at_once or self._projector.is_due():
                self._projector.run()
            return self._position(self._table.mark) if self._projector.compact() else None
        except SearchStorageUnreachable as error:
            _log.warning("the search table is behind until a search or a writer reaches it: %s", error)
            return None

    def differences(self) -> Iterator[Difference]:
        """See `SearchIndex.differences`."""
        self._projector.run(_VERIFY_SECONDS)
        known: set[int] = set()
        embedded: dict[int, NDArray[np.float32]] = {}
        if self._usable_mark() is not None:
            for numbers, has_vector, vectors in self._table.rows():
                known.update(numbers.tolist())
                embedded.update(zip(numbers[has_vector].tolist(), vectors, strict=True))
        with self._ledger.snapshot() as snapshot:
            yield from _missing(set(snapshot.numbers().tolist()), known, "chunks")
            expected: set[int] = set()
            wrong = 0
            for batch in snapshot.vectors(None):
                expected.update(batch.numbers.tolist())
                wrong += sum(
                    int(number) in embedded and bool((embedded[int(number)] != vector).any())
                    for number, vector in zip(batch.numbers, batch.vectors, strict=True)
                )
        yield from _missing(expected, set(embedded), "vectors")
        if wrong:
            yield _difference(f"{wrong:,} vectors differ from those of the ledger")

    def close(self) -> None:
        """See `SearchIndex.close`."""
        self._projector.close()

    def _usable_mark(self) -> TableMark | None:
        mark = self._table.mark
        return mark if mark is not None and mark.ledger == self._ledger.identity else None

    def _position(self, mark: TableMark | None) -> int:
        """The position that a table with this mark reflects; 0 while it is being made."""
        if mark is None or mark.ledger != self._ledger.identity or mark.through is not None:
            return 0
        return mark.position

    def _is_whole(self, mark: TableMark | None) -> bool:
        """Whether a table with this mark was once made of all that the ledger held."""
        return mark is not None and mark.ledger == self._ledger.identity and mark.through is None

    def _progress(self, mark: TableMark | None) -> str:
        copied = 0 if mark is None or mark.ledger != self._ledger.identity else mark.through or 0
        return (
            f"{self._ledger.name}: its search table is being made from the ledger (at chunk {copied:,} of "
            f"{self._ledger.chunks.counts()[1]:,}). Try again in a moment; `quoth work` makes it without being asked"
        )


def _ranking(numbers: NDArray[np.int64], scores: NDArray[np.floating], depth: int) -> Ranking:
    order = np.lexsort((numbers, -scores))[:depth]
    return [(int(numbers[place]), float(scores[place])) for place in order]


def _missing(expected: set[int], actual: set[int], what: str) -> Iterator[Difference]:
    if missing := len(expected - actual):
        yield _difference(f"{missing:,} of {len(expected):,} {what} are missing")
    if foreign := len(actual - expected):
        yield _difference(f"{foreign:,} {what} are in it that the ledger does not have")


def _difference(what: str) -> Difference:
    return Difference("search table", what, "Delete the collection's search table: it is made again from the ledger")
