"""Lexical search: BM25 by Tantivy over the ledger's chunks. A cache: the folder can be rebuilt from the ledger.

The ledger's mark travels inside the index, in a document of its own (number 0) that every commit replaces: Tantivy commits
whole or not at all, so the mark is always that of the content.
"""

import math
import shutil
import threading
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tantivy
from numpy.typing import NDArray
from tantivy import Query

from index.errors import CollectionBusy, CollectionMissing
from index.filters import Scope
from index.ledger.ledger import Ledger
from index.ledger.snapshot import Mark, Snapshot
from index.lexicon.analysis import ANALYZER, SCHEMA, any_term, normal, within
from index.lexicon.files import LexiconDamaged, sweep, verify
from index.storage.atomic import explained
from index.storage.lock import FileLock

_FORMAT = 3
_TIES = 32
_SIFTINGS = 2
_SPARE = 1.5
_DEEPER = 8
_HEAP_BYTES = 64_000_000
_MARK_LAG = 50_000  # positions of the log that the mark on disk may lie behind, before it is written for its own sake
_FIRST_WAIT_SECONDS = 60.0
_WAIT_SECONDS = 0.25


class Lexicon:
    """The lexicon in `folder`, shared by all processes; one at a time brings it up to date. Thread-safe.

    A scope of few documents is part of the query. For others it is quicker to search without it and to leave out afterwards
    what lies outside, unless more than the best `deepest` would have to be looked at; that is as exact, since what others a
    scope lets through changes no score. Milliseconds of one core at 125,000 documents of 8 chunks, ten words a query, where
    the best 82 take 8.6 and the best 5,248 take 10.5:

        documents         part of the query     left out afterwards
        1,000 inside             9                      17
        5,000 inside            13                      11
        60,000 inside           44                       9
        all but 1,000           27                       9
    """

    def __init__(self, folder: Path, *, deepest: int = 4000) -> None:
        self._deepest = deepest
        self._folder = folder
        self._lock = FileLock(folder.with_name(folder.name + ".lock"))
        self._updating = threading.Lock()
        self._index: tantivy.Index | None = None
        self._searcher: tantivy.Searcher | None = None
        self._mark: Mark | None = None
        self._written = 0

    def catch_up(self, ledger: Ledger) -> None:
        """Reflect the ledger as it is now: take what another process wrote, replay what is newer, rebuild when damaged."""
        if self._mark == ledger.mark():
            return
        if not self._updating.acquire(timeout=self._patience):
            return
        try:
            self._take()
            with ledger.snapshot() as snapshot:
                if self._covers(snapshot):
                    return
            self._update(ledger)
        finally:
            self._updating.release()

    def search(self, query: str, k: int, scope: Scope | None = None) -> list[tuple[int, float]]:
        """The `k` chunks with the highest BM25 for the words of `query` among the documents in `scope`: numbers, scores.

        Best first; equal scores by the smaller number. A query without words finds nothing.
        """
        searcher = self._searcher
        words = any_term(query)
        if searcher is None or words is None or (scope is not None and scope.is_empty):
            return []
        if scope is None:
            found = _hits(searcher, words, k + _TIES)
        else:
            found = _sifted(searcher, words, k + _TIES, scope, self._deepest)
        order = np.lexsort((found.numbers, -found.scores))[:k]
        return [(int(found.numbers[place]), float(found.scores[place])) for place in order]

    def numbers(self) -> list[int]:
        """Ledger numbers of the chunks that are in it, ascending."""
        searcher = self._searcher
        if searcher is None:
            return []
        hits = searcher.search(Query.all_query(), max(searcher.num_docs, 1), count=False).hits
        found = searcher.fast_field_values("number", [address for _, address in hits])
        return sorted(int(number) for number in found if number)

    def _covers(self, snapshot: Snapshot) -> bool:
        """Whether the lexicon lacks nothing of the snapshot; if so it is marked as such.

        Vectors move the log on without concern for the lexicon; its mark on disk must not fall behind what the log keeps.
        """
        mark = self._mark
        if mark is None or not snapshot.can_replay(mark) or snapshot.has_lexical_changes(mark.position):
            return False
        if snapshot.mark.position - self._written > _MARK_LAG:
            return False
        self._mark = snapshot.mark
        return True

    @property
    def _patience(self) -> float:
        """Seconds to wait for who is updating it: not long while there is something to search."""
        return _FIRST_WAIT_SECONDS if self._searcher is None else _WAIT_SECONDS

    def _update(self, ledger: Ledger) -> None:
        """Write what is missing, unless another process is at it: then the searcher at hand serves until that is done."""
        try:
            with self._lock.held(self._patience), ledger.snapshot() as snapshot, explained(self._folder):
                self._take()
                if self._mark is None or not snapshot.can_replay(self._mark):
                    self._rebuild(snapshot)
                elif not self._covers(snapshot):
                    self._replay(snapshot, self._mark.position)
                self._mark = snapshot.mark
        except CollectionBusy:
            if self._searcher is None:
                raise

    def _take(self) -> None:
        """Look at what is on disk now; without a mark afterwards, it is of no use, and what was taken before serves on."""
        try:
            if self._index is None:
                self._index = _opened(self._folder)
            self._index.reload()
            searcher = self._index.searcher()
            mark = _mark(searcher)
        except (LexiconDamaged, ValueError, KeyError, OSError):
            self._index = self._mark = None
            return
        self._written = mark.position
        newer = self._mark is None or self._mark.ledger != mark.ledger or mark.position > self._mark.position
        self._searcher = searcher
        if newer:
            self._mark = mark

    def _rebuild(self, snapshot: Snapshot) -> None:
        if self._folder.exists():
            shutil.rmtree(self._folder)
        try:
            self._folder.mkdir()  # not with its parents: a collection that another program has just dropped stays gone
        except FileNotFoundError as error:
            raise CollectionMissing(
                f"{self._folder.parent}: the collection is gone; another program dropped it"
            ) from error
        self._index = tantivy.Index(SCHEMA, path=str(self._folder))
        self._index.register_tokenizer("words", ANALYZER)
        self._replay(snapshot, None)

    def _replay(self, snapshot: Snapshot, since: int | None) -> None:
        """Write what changed since, with the mark it leads to, as one commit."""
        assert self._index is not None
        sweep(self._folder)
        writer = self._index.writer(_HEAP_BYTES, 1)
        gone = [0, *([] if since is None else snapshot.removed(since))]
        # Not delete_documents_by_term: in tantivy 0.27 it looks for a signed term, which an unsigned field never holds.
        writer.delete_documents_by_query(Query.term_set_query(SCHEMA, "number", gone))
        for entry in snapshot.lexical_entries(since):
            document = tantivy.Document()
            document.add_unsigned("number", entry.number)
            document.add_unsigned("document", entry.document)
            document.add_text("text", normal(entry.text))
            writer.add_document(document)
        document = tantivy.Document()
        document.add_unsigned("number", 0)
        document.add_unsigned("format", _FORMAT)
        document.add_unsigned("ledger", snapshot.mark.ledger)
        document.add_unsigned("position", snapshot.mark.position)
        writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()
        self._written = snapshot.mark.position


class _Hits(NamedTuple):
    """Ledger numbers of chunks and of their documents, and scores, best first."""

    numbers: NDArray[np.int64]
    documents: NDArray[np.int64]
    scores: NDArray[np.float64]


def _hits(searcher: tantivy.Searcher, query: Query, count: int) -> _Hits:
    hits = searcher.search(query, count, count=False).hits
    places = [address for _, address in hits]
    numbers, documents = (
        np.array([value or 0 for value in searcher.fast_field_values(name, places)], dtype=np.int64)
        for name in ("number", "document")
    )
    return _Hits(numbers, documents, np.array([score for score, _ in hits], dtype=np.float64))


def _sifted(searcher: tantivy.Searcher, words: Query, count: int, scope: Scope, deepest: int) -> _Hits:
    """The best `count` within the scope: the best of all, as deep as its share asks for, less those outside."""
    depth = math.ceil(_SPARE * count / scope.share) if scope.share else deepest + 1
    for _ in range(_SIFTINGS):
        if depth > deepest:
            break
        hits = _hits(searcher, words, depth)
        inside = scope.mask(hits.documents)
        if len(hits.numbers) < depth or np.count_nonzero(inside) >= count:
            return _Hits(hits.numbers[inside], hits.documents[inside], hits.scores[inside])
        depth *= _DEEPER
    return _hits(searcher, within(words, scope), count)


def _mark(searcher: tantivy.Searcher) -> Mark:
    """The mark inside the index."""
    hits = searcher.search(Query.term_query(SCHEMA, "number", 0), 2, count=False).hits
    if len(hits) != 1:
        raise LexiconDamaged(f"{len(hits)} marks")
    (form,), (ledger,), (position,) = (
        searcher.fast_field_values(name, [hits[0][1]]) for name in ("format", "ledger", "position")
    )
    if form != _FORMAT or ledger is None or position is None:
        raise LexiconDamaged(f"format {form!r}")
    return Mark(int(ledger), int(position))


def _opened(folder: Path) -> tantivy.Index:
    """The index in the folder; `LexiconDamaged` if a file of it differs from the checksum that it carries."""
    verify(folder)
    index = tantivy.Index(SCHEMA, path=str(folder))
    index.register_tokenizer("words", ANALYZER)
    return index
