"""The search index on shared storage: a projection of the ledger's log into a Lance table, and both rankings over it."""

import logging
from collections.abc import Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from index.engines.lance.conditions import condition
from index.engines.lance.rows import TableMark
from index.engines.lance.table import ChunkTable
from index.engines.search_index import Difference, Ranking
from index.errors import CollectionBusy, CollectionMissing, SearchStorageUnreachable
from index.filters import Filter
from index.ledger.protocol import Ledger
from index.ledger.state import Mark
from index.lexicon.analysis import query_terms
from index.storage.lock import Lock

_BATCH = 4096
_TIES = 32
_WAIT_SECONDS = 0.25
_log = logging.getLogger(__name__)


class LanceIndex:
    """The index in the table `name` below `url` for the chunks of `ledger`. See `SearchIndex` for its methods.

    Whoever holds `turn` copies the ledger's log into the table: a writer after its change, and a search that finds the table
    behind. A search does not wait long for that: it may miss what is new, and the ledger leaves out what is gone.
    """

    def __init__(self, url: str, name: str, ledger: Ledger, turn: Lock, *, exact: int = 20_000) -> None:
        self._ledger = ledger
        self._turn = turn
        self._table = ChunkTable(url, name, ledger.dimension, exact=exact)

    @property
    def has_vectors(self) -> bool:
        """See `SearchIndex.has_vectors`."""
        mark = self._usable_mark()
        return mark is not None and mark.has_vectors

    def catch_up(self) -> int:
        """See `SearchIndex.catch_up`."""
        # A table that is ahead is of a ledger that was restored from a backup since: it is made again.
        if self._position(self._table.refresh()) != self._ledger.mark().position:
            self._project(_WAIT_SECONDS)
        return self._position(self._table.mark)

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
        """See `SearchIndex.write`. The ledger is written by now: storage that does not answer is no failure of the writer."""
        try:
            self._project(_WAIT_SECONDS)
        except SearchStorageUnreachable as error:
            _log.warning("the search table is behind until a search or a writer reaches it: %s", error)

    def save(self) -> int | None:
        """See `SearchIndex.save`."""
        try:
            with self._turn.hold(0):
                mark = self._table.refresh()
                return self._position(mark) if mark is not None and self._table.compact() else None
        except (CollectionBusy, FileNotFoundError):  # another process holds the lock, or the folder is gone
            return None
        except SearchStorageUnreachable as error:
            _log.warning("the search table was not compacted: %s", error)
            return None

    def differences(self) -> Iterator[Difference]:
        """See `SearchIndex.differences`."""
        self.catch_up()
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

    def _usable_mark(self) -> TableMark | None:
        mark = self._table.mark
        return mark if mark is not None and mark.ledger == self._ledger.identity else None

    def _position(self, mark: TableMark | None) -> int:
        """The position that a table with this mark reflects; 0 while it is being made."""
        if mark is None or mark.ledger != self._ledger.identity or mark.through is not None:
            return 0
        return mark.position

    def _project(self, wait: float) -> None:
        """Copy what the log says into the table, one batch at a time, unless another process does."""
        try:
            with self._turn.hold(wait):
                while self._project_batch():
                    pass
                self._table.refresh()
        except CollectionBusy:
            return
        except FileNotFoundError as error:  # of the lock: the folder is gone
            raise CollectionMissing("the collection is gone; another program dropped it") from error

    def _project_batch(self) -> bool:
        """Copy one batch. Returns whether there was one.

        What a batch writes is what the ledger holds of its chunks now, so it may be repeated, and its order does not matter.
        """
        mark = self._table.refresh()
        with self._ledger.snapshot() as snapshot:
            if mark is None or not snapshot.can_replay(Mark(mark.ledger, mark.position)):
                mark = self._table.create(self._ledger.identity, snapshot.mark.position)
            if mark.through is not None:
                numbers = snapshot.numbers_after(mark.through, _BATCH)
                mark = mark._replace(through=numbers[-1] if numbers else None)
            else:
                changes = snapshot.changes(mark.position, _BATCH)
                if not changes:
                    return False
                numbers = list({chunk for _, chunk in changes})
                mark = mark._replace(position=changes[-1][0])
            chunks = list(snapshot.searchable(numbers))
        self._table.apply(chunks, set(numbers) - {chunk.lexical.number for chunk in chunks}, mark)
        return True


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
