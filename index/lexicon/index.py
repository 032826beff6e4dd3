"""The lexicon: BM25 search by Tantivy over the ledger's chunks. A cache: the folder can be rebuilt from the ledger.

The ledger's mark is stored inside the index, in a document of its own (number 0) that every commit replaces. Tantivy commits
all or nothing, so the mark always matches the content.
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
from index.ledger.protocol import Ledger, Snapshot
from index.ledger.selection import Selection
from index.ledger.state import Mark
from index.lexicon.analysis import SCHEMA, any_term, normalize, restrict
from index.lexicon.files import FORMAT, LexiconDamaged, create_index, delete_stale, open_index, read_mark
from index.lexicon.stems import LATIN_LANGUAGES, indexed_terms, marker
from index.storage.atomic import report_full_disk, report_read_only
from index.storage.lock import FileLock

_TIES = 32
_MAX_TRIES = 2
_DEPTH_MARGIN = 1.5
_DEPTH_FACTOR = 8
_HEAP_BYTES = 64_000_000
_MAX_MARK_LAG = 50_000  # once the mark on disk is this many positions of the log behind, it is written on its own
_FIRST_WAIT_SECONDS = 60.0
_WAIT_SECONDS = 0.25


class Lexicon:
    """The lexicon in `folder`, shared by all processes; one at a time updates it. Thread-safe.

    A selection of few documents becomes part of the query. For larger ones it is faster to search all documents and drop the
    hits outside the selection, unless more than the best `max_depth` hits would have to be examined. The results are the
    same, since a selection changes no score. Milliseconds of one core at 125,000 documents of 8 chunks, ten words a query,
    where the best 82 take 8.6 and the best 5,248 take 10.5:

        documents         part of the query     dropped afterwards
        1,000 inside             9                      17
        5,000 inside            13                      11
        60,000 inside           44                       9
        all but 1,000           27                       9
    """

    def __init__(self, folder: Path, *, max_depth: int = 4000) -> None:
        self._max_depth = max_depth
        self._folder = folder
        self._lock = FileLock(folder.with_name(folder.name + ".lock"))
        self._update_lock = threading.Lock()
        self._index: tantivy.Index | None = None
        self._searcher: tantivy.Searcher | None = None
        self._mark: Mark | None = None
        self._written = 0

    def catch_up(self, ledger: Ledger) -> None:
        """Reflect the ledger as it is now: reload what another process wrote, replay newer changes, rebuild if damaged."""
        if self._mark == ledger.mark():
            return
        if not self._update_lock.acquire(timeout=self._wait_seconds):
            return
        try:
            self._reload()
            with ledger.snapshot() as snapshot:
                if self._is_current(snapshot):
                    return
            self._update(ledger)
        finally:
            self._update_lock.release()

    @property
    def position(self) -> int:
        """The position in the ledger's log that searches reflect; 0 if nothing is known of it."""
        mark = self._mark
        return 0 if mark is None else mark.position

    def search(self, query: str, k: int, selection: Selection | None = None) -> list[tuple[int, float]]:
        """The `k` chunks of the documents of `selection` with the highest BM25 for the words of `query`: numbers, scores.

        Best first; equal scores by the smaller number. A query without words has no results.
        """
        searcher = self._searcher
        words = any_term(query, _languages(searcher)) if searcher is not None else None
        if searcher is None or words is None or (selection is not None and selection.is_empty):
            return []
        if selection is None:
            hits = _search(searcher, words, k + _TIES)
        else:
            hits = _search_selection(searcher, words, k + _TIES, selection, self._max_depth)
        order = np.lexsort((hits.numbers, -hits.scores))[:k]
        return [(int(hits.numbers[place]), float(hits.scores[place])) for place in order]

    def numbers(self) -> list[int]:
        """Ledger numbers of the chunks in the lexicon, ascending."""
        searcher = self._searcher
        if searcher is None:
            return []
        hits = searcher.search(Query.all_query(), max(searcher.num_docs, 1), count=False).hits
        numbers = searcher.fast_field_values("number", [address for _, address in hits])
        return sorted(int(number) for number in numbers if number)

    def _is_current(self, snapshot: Snapshot) -> bool:
        """Whether the lexicon reflects the whole snapshot; if so, its mark in memory moves to that of the snapshot.

        New vectors advance the log without any change to the lexicon; the mark on disk must not fall behind the start of
        the log.
        """
        mark = self._mark
        if mark is None or not snapshot.can_replay(mark) or snapshot.has_lexical_changes(mark.position):
            return False
        if snapshot.mark.position - self._written > _MAX_MARK_LAG:
            return False
        self._mark = snapshot.mark
        return True

    @property
    def _wait_seconds(self) -> float:
        """Seconds to wait for another update to end: short if there is something to search meanwhile."""
        return _FIRST_WAIT_SECONDS if self._searcher is None else _WAIT_SECONDS

    def _update(self, ledger: Ledger) -> None:
        """Write the missing changes. If another process is updating, searches use the present state until it is done."""
        try:
            with (
                self._lock.hold(self._wait_seconds),
                ledger.snapshot() as snapshot,
                report_full_disk(self._folder),
                report_read_only(self._folder),
            ):
                self._reload()
                if self._mark is None or not snapshot.can_replay(self._mark):
                    self._rebuild(snapshot)
                elif not self._is_current(snapshot):
                    self._replay(snapshot, self._mark.position)
                self._mark = snapshot.mark
        except CollectionBusy:
            if self._searcher is None:
                raise

    def _reload(self) -> None:
        """Load the state on disk. If it is unusable, the mark becomes None, and searches keep the former state."""
        try:
            if self._index is None:
                self._index = open_index(self._folder)
            self._index.reload()
            searcher = self._index.searcher()
            mark = read_mark(searcher)
        except (LexiconDamaged, ValueError, KeyError, OSError):
            self._index = self._mark = None
            return
        self._written = mark.position
        is_newer = self._mark is None or self._mark.ledger != mark.ledger or mark.position > self._mark.position
        self._searcher = searcher
        if is_newer:
            self._mark = mark

    def _rebuild(self, snapshot: Snapshot) -> None:
        if self._folder.exists():
            shutil.rmtree(self._folder)
        try:
            self._folder.mkdir()  # without parents: a collection that another program has just dropped must stay gone
        except FileNotFoundError as error:
            raise CollectionMissing(
                f"{self._folder.parent}: the collection is gone; another program dropped it"
            ) from error
        self._index = create_index(self._folder)
        self._replay(snapshot, None)

    def _replay(self, snapshot: Snapshot, since: int | None) -> None:
        """Write the changes since a position, and the mark of the snapshot, as one commit."""
        assert self._index is not None
        delete_stale(self._folder)
        writer = self._index.writer(_HEAP_BYTES, 1)
        removed = [0, *([] if since is None else snapshot.removed_chunks(since))]
        # Not delete_documents_by_term: in tantivy 0.27 it looks for a signed term, which an unsigned field never holds.
        writer.delete_documents_by_query(Query.term_set_query(SCHEMA, "number", removed))
        for entry in snapshot.lexical_entries(since):
            document = tantivy.Document()
            document.add_unsigned("number", entry.number)
            document.add_unsigned("document", entry.document)
            document.add_text("text", normalize(entry.text))
            document.add_text("stems", " ".join(indexed_terms(entry.text, entry.stretches)))
            writer.add_document(document)
        document = tantivy.Document()
        document.add_unsigned("number", 0)
        document.add_unsigned("format", FORMAT)
        document.add_unsigned("ledger", snapshot.mark.ledger)
        document.add_unsigned("position", snapshot.mark.position)
        writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()
        self._written = snapshot.mark.position


class _LexicalHits(NamedTuple):
    """Ledger numbers of chunks and of their documents, and scores, best first."""

    numbers: NDArray[np.int64]
    documents: NDArray[np.int64]
    scores: NDArray[np.float64]


def _languages(searcher: tantivy.Searcher) -> tuple[str, ...]:
    """The languages in Latin letters whose stems are in the index."""
    return tuple(language for language in LATIN_LANGUAGES if searcher.doc_freq("stems", marker(language)))


def _search(searcher: tantivy.Searcher, query: Query, count: int) -> _LexicalHits:
    hits = searcher.search(query, count, count=False).hits
    places = [address for _, address in hits]
    numbers, documents = (
        np.array([value or 0 for value in searcher.fast_field_values(name, places)], dtype=np.int64)
        for name in ("number", "document")
    )
    return _LexicalHits(numbers, documents, np.array([score for score, _ in hits], dtype=np.float64))


def _search_selection(
    searcher: tantivy.Searcher, words: Query, count: int, selection: Selection, max_depth: int
) -> _LexicalHits:
    """The best `count` hits inside the selection, by searching all documents as deep as its share requires, if that pays."""
    depth = math.ceil(_DEPTH_MARGIN * count / selection.share) if selection.share else max_depth + 1
    for _ in range(_MAX_TRIES):
        if depth > max_depth:
            break
        hits = _search(searcher, words, depth)
        inside = selection.mask(hits.documents)
        if len(hits.numbers) < depth or np.count_nonzero(inside) >= count:
            return _LexicalHits(hits.numbers[inside], hits.documents[inside], hits.scores[inside])
        depth *= _DEPTH_FACTOR
    return _search(searcher, restrict(words, selection), count)
