"""A collection: documents that are searched together. What everyone outside index/ uses.

    collection.change(add=[(document, source)], remove=[old_id])
    collection.embed_pending()
    for hit in collection.search("who founded the company?", k=5): ...

The ledger holds the truth; the lexicon and the vectors are caches that catch up with it at each search, also with what another
process wrote. A document is found by its words as soon as `change` returns, and by its meaning once `embed_pending` reached it.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from index.chunking import chunk
from index.encoder import Encoder
from index.errors import DocumentRejected, QueryInvalid
from index.filters import Filter, Scope
from index.fusion import FUSED_WEIGHT, reciprocal_rank
from index.ledger import Ledger
from index.lexicon import Lexicon
from index.lock import writer_lock
from index.records import Document, Hit, Page
from index.rows import ChunkRow, Entry
from index.soundness import Finding, findings
from index.summary import Changed, CollectionState, DocumentSummary, Source
from index.transfer import Manifest, export
from index.vectors import VectorIndex

_WAIT_SECONDS = 10.0
_EMBED_BATCH = 256
_LEXICON_SECONDS = 1.0
_LOG_KEPT = 100_000


class Reranker(Protocol):
    """Reads a query with each text and says how well the text answers it."""

    def score(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        """One score a text, higher is better."""
        ...


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A chunk that retrieval proposes, by ledger number, with its scores."""

    number: int
    score: float
    similarity: float | None
    bm25: float | None


class Collection:
    """The collection in `folder`, made if it is not there. Thread-safe; processes may share it.

    The vectors are also kept in a file of their own, written anew after `least_to_save` changes or a tenth of the collection,
    whichever is more. Raises `EncoderMismatch` if the vectors come from another encoder, `LedgerDamaged` if the ledger
    does not read.
    """

    def __init__(self, folder: Path, encoder: Encoder, *, least_to_save: int = 1000) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = folder.name
        self._folder = folder
        self._encoder = encoder
        self._ledger = Ledger(folder / "ledger.sqlite", encoder=encoder.fingerprint, dimension=encoder.dimension)
        self._vectors = VectorIndex(folder, encoder.dimension)
        self._lexicon = Lexicon(folder / "lexicon")
        self._lock = writer_lock(folder)
        self._least_to_save = least_to_save
        self._depth = 0
        self._lexicon_due = 0.0

    def close(self) -> None:
        """Release the ledger's connections. The collection is not usable afterwards."""
        self._ledger.close()

    def is_on_disk(self) -> bool:
        """False once the collection was dropped, also if another of that name was made since."""
        return self._ledger.is_on_disk()

    @contextmanager
    def writing(self, wait: float = _WAIT_SECONDS) -> Iterator[None]:
        """Be the only writer inside the `with` block, over all processes; re-entrant. Nobody's searches wait.

        `CollectionBusy` after `wait` seconds names the process that writes. The caches are brought up to date at the end.
        """
        with self._lock.held(wait):
            before = self._ledger.mark()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            if self._depth == 0 and self._ledger.mark() != before:
                self._tend_caches()

    def add(self, document: Document, source: Source | None = None) -> Changed:
        """Make `document` the current version of its id. See `change`."""
        return self.change(add=[(document, source)])

    def remove(self, document_id: str) -> None:
        """Take the document out of search; its versions can still be opened by name. `NotFound` if it is not current."""
        self.change(remove=[document_id])

    def change(self, add: Sequence[tuple[Document, Source | None]] = (), remove: Sequence[str] = ()) -> Changed:
        """Remove and add documents in one transaction: on return all of it is on disk, on an error none of it.

        A document that is already current as it is counts as unchanged; only its `source` is recorded. The same text
        under another id or URI keeps its vectors. `NotFound` if a document to remove is not current,
        `DocumentRejected` if a text is not valid Unicode, `CollectionBusy` if another process writes for over 10 s.
        """
        with self.writing():
            new = []
            for document, source in add:
                if document.id not in remove and self._ledger.is_current(document):
                    self._ledger.refresh_source(document.id, source)
                else:
                    _reject_lone_surrogates(document)
                    new.append(Entry(document, chunk(document, self._encoder.token_offsets), source))
            if new or remove:
                self._ledger.change(new, remove)
                if time.monotonic() >= self._lexicon_due:
                    self._lexicon.catch_up(self._ledger)
                    self._lexicon_due = time.monotonic() + _LEXICON_SECONDS
            return Changed(added=len(new), removed=len(remove), unchanged=len(add) - len(new))

    def refresh_source(self, document_id: str, source: Source | None) -> None:
        """Record that the document's file looks different though its bytes are the same. `NotFound` if it is not current."""
        with self.writing():
            self._ledger.refresh_source(document_id, source)

    def embed_pending(self, limit: int | None = None, on_progress: Callable[[int, int], None] | None = None) -> int:
        """Compute vectors for chunks that have none, newest first, at most about `limit`; answers how many got one.

        `on_progress(done, total)` counts chunks after each batch. Every batch is on disk before the next begins, and
        other writers may come between two batches.
        """
        total = self._ledger.counts()[2]
        total = total if limit is None else min(limit, total)
        done = 0
        while done < total and (pending := self._ledger.pending(min(_EMBED_BATCH, total - done))):
            vectors = self._encoder.encode([text.text for text in pending])
            with self._lock.held(_WAIT_SECONDS):
                done += self._ledger.add_vectors([text.hash for text in pending], vectors)
            if on_progress is not None:
                on_progress(min(done, total), total)
        if done:
            with self._lock.held(_WAIT_SECONDS):
                self._tend_caches()
        return done

    def search(
        self,
        query: str,
        k: int = 10,
        *,
        where: Filter | None = None,
        reranker: Reranker | None = None,
        depth: int = 50,
    ) -> list[Hit]:
        """The `k` chunks that answer `query` best, best first: dense and lexical rankings fused, then reranked if asked.

        Each ranking gives its best max(`depth`, `k`) chunks of the documents in `where`; `reranker` reads the best
        `depth` of the fusion, whose score counts `FUSED_WEIGHT` times beside the reranker's. Equal scores: the chunk
        indexed first. `QueryInvalid` for an empty query or a `k` or `depth` below 1.
        """
        if not query.strip():
            raise QueryInvalid("the query is empty. Ask with at least one word")
        if k < 1 or depth < 1:
            raise QueryInvalid(f"k is {k} and depth is {depth}. Both must be at least 1")
        self._lexicon.catch_up(self._ledger)
        self._vectors.catch_up(self._ledger)
        scope = None if where is None or where.is_open else self._ledger.scope(where)
        candidates = self._candidates(query, max(depth, k), scope)
        if reranker is None:
            return [_hit(row, found) for found, row in self._resolved(candidates, k)]
        read = self._resolved(candidates, depth)
        scores = reranker.score(query, [row.chunk.text for _, row in read]) if read else []
        totals = [
            float(score) + FUSED_WEIGHT * candidate.score for score, (candidate, _) in zip(scores, read, strict=True)
        ]
        ranked = sorted(range(len(read)), key=lambda place: (-totals[place], place))
        return [_hit(read[place][1], read[place][0], totals[place]) for place in ranked[:k]]

    def document(self, document_id: str, version: str | None = None) -> Document:
        """The current version of a document, or the version named, also a retired one. `NotFound` if there is none."""
        return self._ledger.document(document_id, version)

    def pages(self, document_id: str, version: str) -> tuple[Page, ...]:
        """The pages of a version, current or retired, without reading its text. `NotFound` if there is no such version."""
        return self._ledger.pages(document_id, version)

    def documents(self) -> list[DocumentSummary]:
        """The current documents, by URI."""
        return self._ledger.documents()

    def state(self) -> CollectionState:
        """How much there is, and how much of it still waits for vectors."""
        documents, chunks, pending = self._ledger.counts()
        return CollectionState(
            name=self.name,
            documents=documents,
            chunks=chunks,
            vectors=chunks - pending,
            pending_vectors=pending,
            encoder=self._ledger.encoder,
            bytes_on_disk=_bytes_below(self._folder),
        )

    def verify(self) -> list[Finding]:
        """What is wrong with the ledger and its caches, and which files changed since they were indexed; empty if nothing.

        Reads everything once; nobody else can write meanwhile. `CollectionBusy` if another process writes for over 10 s.
        """
        with self.writing():
            return list(findings(self._ledger, self._lexicon, self._vectors))

    def export(self, target: Path) -> Manifest:
        """Write the collection into one new file, with a checksum. Writers need not stop. `ExportUnwritable` says why not."""
        return export(self._ledger, self.state(), self._encoder.dimension, target)

    def _candidates(self, query: str, depth: int, scope: Scope | None) -> list[_Candidate]:
        lexical = dict(self._lexicon.search(query, depth, scope))
        dense = {}
        if len(self._vectors):
            dense = dict(self._vectors.search(self._encoder.encode([query])[0], depth, scope))
        fused = reciprocal_rank([list(dense), list(lexical)])
        return [_Candidate(number, score, dense.get(number), lexical.get(number)) for number, score in fused]

    def _resolved(self, candidates: Sequence[_Candidate], count: int) -> list[tuple[_Candidate, ChunkRow]]:
        """The first `count` candidates that the ledger still has."""
        found: list[tuple[_Candidate, ChunkRow]] = []
        place = 0
        while len(found) < count and place < len(candidates):
            part = candidates[place : place + count]
            rows = self._ledger.chunks([candidate.number for candidate in part])
            found += [(candidate, rows[candidate.number]) for candidate in part if candidate.number in rows]
            place += count
        return found[:count]

    def _tend_caches(self) -> None:
        """Bring the lexicon up to date; save the vectors and trim the log when enough has changed since the last time."""
        self._lexicon.catch_up(self._ledger)
        _, chunks, pending = self._ledger.counts()
        saved = self._vectors.save(self._ledger, least=max(self._least_to_save, (chunks - pending) // 10))
        if saved > _LOG_KEPT:
            self._ledger.trim(saved - _LOG_KEPT)


def _hit(row: ChunkRow, candidate: _Candidate, score: float | None = None) -> Hit:
    return Hit(
        chunk=row.chunk,
        title=row.title,
        uri=row.uri,
        page=row.page,
        score=candidate.score if score is None else score,
        similarity=candidate.similarity,
        bm25=candidate.bm25,
    )


def _reject_lone_surrogates(document: Document) -> None:
    try:
        document.text.encode()
    except UnicodeEncodeError as error:
        raise DocumentRejected(
            document.uri, f"the text has a lone surrogate at {error.start}", "Decode the file with errors='replace'"
        ) from error


def _bytes_below(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue  # a cache file that was replaced meanwhile
    return total
