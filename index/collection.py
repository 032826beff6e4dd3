"""A collection: documents that are searched together. What everyone outside index/ uses.

    collection.change(add=[(document, source)], remove=[old_id])
    collection.embed_pending()
    for hit in collection.search("who founded the company?", k=5): ...

The ledger holds the truth; the lexicon and the vectors are caches that catch up with it at each search, also with what another
process wrote. A document is found by its words as soon as `change` returns, and by its meaning once `embed_pending` reached it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from index.chunking.chunker import chunk
from index.embedding.encoder import Encoder
from index.errors import DocumentRejected
from index.filters import Filter
from index.ledger.ledger import Ledger
from index.ledger.permissions import Root
from index.ledger.rows import Entry
from index.ledger.visits import Visit
from index.lexicon.index import Lexicon
from index.maintenance.export import Manifest, export
from index.maintenance.integrity import Finding, findings
from index.maintenance.writer import WAIT_SECONDS, Tending
from index.records import Changed, CollectionState, Document, DocumentSummary, Hit, Page, Source
from index.search.retrieval import Reranker, Retrieval
from index.storage.atomic import bytes_below
from index.storage.lock import FileLock, writer_lock
from index.vectors.builder import Sizes
from index.vectors.index import VectorIndex

_EMBED_BATCH = 256
_EMBED_WAIT_SECONDS = 300.0  # the longest that another process may take to encode one batch


class Collection:
    """The collection in `folder`, with `create` made if it is not there. Thread-safe; processes may share it.

    The vectors are also kept in files of their own, made anew after `least_to_save` changes or a tenth of the collection,
    whichever is more; `sizes` says how they are kept at which size. Raises `EncoderMismatch` if the vectors come from another
    encoder, `LedgerDamaged` if the ledger does not read.
    """

    def __init__(
        self,
        folder: Path,
        encoder: Encoder,
        *,
        create: bool = True,
        least_to_save: int = 1000,
        sizes: Sizes | None = None,
    ) -> None:
        if create:
            folder.mkdir(parents=True, exist_ok=True)
        self.name = folder.name
        self._folder = folder
        self._encoder = encoder
        self._ledger = Ledger(folder / "ledger.sqlite", encoder=encoder.fingerprint, dimension=encoder.dimension)
        self._vectors = VectorIndex(folder, self._ledger, least_to_save=least_to_save, sizes=sizes)
        self._lexicon = Lexicon(folder / "lexicon")
        self._retrieval = Retrieval(self._ledger, self._vectors, self._lexicon, encoder)
        self._tending = Tending(self._ledger, self._vectors, self._lexicon, writer_lock(folder))
        self._embedding = FileLock(folder / "embedding.lock")

    def close(self) -> None:
        """Release the ledger's connections. The collection is not usable afterwards."""
        self._vectors.close()
        self._ledger.close()

    def is_on_disk(self) -> bool:
        """False once the collection was dropped, also if another of that name was made since."""
        return self._ledger.is_on_disk()

    @contextmanager
    def writing(self, wait: float = WAIT_SECONDS) -> Iterator[None]:
        """Be the only writer inside the `with` block, over all processes; re-entrant. Nobody's searches wait.

        `CollectionBusy` after `wait` seconds names the process that writes. The caches are brought up to date at the end, or
        by the next search if that was done within the last second.
        """
        with self._tending.writing(wait):
            yield

    def add(self, document: Document, source: Source | None = None) -> Changed:
        """Make `document` the current version of its id. See `change`."""
        return self.change(add=[(document, source)])

    def remove(self, document_id: str) -> None:
        """Take the document out of search; its versions can still be opened by name. `NotFound` if it is not current."""
        self.change(remove=[document_id])

    def change(self, add: Sequence[tuple[Document, Source | None]] = (), remove: Sequence[str] = ()) -> Changed:
        """Remove and add documents in one transaction: on return all of it is on disk, on an error none of it.

        A document that is already current as it is counts as unchanged; only its `source` is recorded. One that differs
        in its principals alone counts as added, and its text is left as it is. The same text under another id or URI
        keeps its vectors. `NotFound` if a document to remove is not current,
        `DocumentRejected` if a text is not valid Unicode, `CollectionBusy` if another process writes for over 10 s.
        """
        with self.writing():
            new, permitted = [], 0
            for document, source in add:
                if document.id not in remove and self._ledger.is_current(document):
                    self._ledger.refresh_source(document.id, source)
                    permitted += self._ledger.permit(document.id, document.principals)
                else:
                    _reject_lone_surrogates(document)
                    new.append(Entry(document, chunk(document, self._encoder.token_offsets), source))
            if new or remove:
                self._ledger.change(new, remove)
                self._tending.changed()
            added = len(new) + permitted
            return Changed(added=added, removed=len(remove), unchanged=len(add) - added)

    def refresh_source(self, document_id: str, source: Source | None) -> None:
        """Record that the document's file looks different though its bytes are the same. `NotFound` if it is not current."""
        with self.writing():
            self._ledger.refresh_source(document_id, source)

    def permit(self, document_id: str, principals: frozenset[str]) -> bool:
        """Let these and nobody else read the document, everybody if there are none; whether that is a change.

        It holds for every version from the next search on; nothing is embedded again. `NotFound` if it is not current.
        """
        with self.writing():
            return self._ledger.permit(document_id, principals)

    def readers_of(self, document_ids: Sequence[str]) -> dict[str, frozenset[str]]:
        """Who may read those of the documents, current or removed, that are not for everybody."""
        return self._ledger.readers_of(document_ids)

    def roots_of(self, uris: Sequence[str]) -> dict[str, Root]:
        """For each document's URI the nearest place at or above it for which principals were named, if there is one."""
        return self._ledger.roots_of(uris)

    def note_roots(self, uris: Sequence[str], principals: frozenset[str]) -> None:
        """Remember who is to read what comes at and below these places; what was said of places below them is forgotten."""
        with self.writing():
            self._ledger.note_roots(uris, principals)

    def all_readable(self, document_ids: frozenset[str], principals: frozenset[str]) -> bool:
        """Whether each of the documents, current or removed, may be read by everybody or by one of `principals`.

        One that was never here may not.
        """
        return self._ledger.all_readable(document_ids, principals)

    def embed_pending(self, limit: int | None = None, on_progress: Callable[[int, int], None] | None = None) -> int:
        """Compute vectors for chunks that have none, newest first, at most about `limit`; answers how many got one.

        `on_progress(done, total)` counts chunks after each batch. Every batch is on disk before the next begins. Others may
        write meanwhile, and who else computes vectors takes turns with this one, so no text is encoded twice. Not to be called
        inside `writing`, which would make them wait for the encoder.
        """
        total = self._ledger.counts()[2]
        total = total if limit is None else min(limit, total)
        done = 0
        while done < total:
            with self._embedding.held(_EMBED_WAIT_SECONDS):
                pending = self._ledger.pending(min(_EMBED_BATCH, total - done))
                if not pending:
                    break
                vectors = self._encoder.encode([text.text for text in pending])
                with self._tending.turn():
                    done += self._ledger.add_vectors([text.hash for text in pending], vectors)
            self._tending.save_vectors()
            if on_progress is not None:
                on_progress(min(done, total), total)
        if done:
            self._tending.tend_lexicon()
        return done

    def pending_of(self, document_ids: Sequence[str]) -> int:
        """How many chunks of these documents wait for a vector; a document that is not current has none."""
        return self._ledger.pending_of(document_ids)

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
        return self._retrieval.search(query, k, where, reranker, depth)

    def document(self, document_id: str, version: str | None = None) -> Document:
        """The current version of a document, or the version named, also a retired one. `NotFound` if there is none."""
        return self._ledger.document(document_id, version)

    def pages(self, document_id: str, version: str) -> tuple[Page, ...]:
        """The pages of a version, current or retired, without reading its text. `NotFound` if there is no such version."""
        return self._ledger.pages(document_id, version)

    def documents(self, ids: Sequence[str] | None = None, folder: str | None = None) -> list[DocumentSummary]:
        """The current documents, or those of them with these ids, or with a URI below that of `folder`, by URI."""
        return self._ledger.documents(ids, folder)

    def visits(self) -> list[Visit]:
        """The pages of the web that documents came from, with what their servers said of them."""
        return self._ledger.visits()

    def note_visits(self, visits: Sequence[Visit], forget: Sequence[str] = ()) -> None:
        """Keep these visits in place of earlier ones, and forget those of the URIs `forget`."""
        with self._tending.turn():
            self._ledger.note_visits(visits, forget)

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
            bytes_on_disk=bytes_below(self._folder),
        )

    def pending_vectors(self) -> int:
        """How many chunks wait for vectors: of `state`, the part that is told with every answer, and quick."""
        return self._ledger.without_vector()

    def verify(self) -> list[Finding]:
        """What is wrong with the ledger and its caches, and which files changed since they were indexed; empty if nothing.

        Reads everything once; nobody else can write meanwhile. `CollectionBusy` if another process writes for over 10 s.
        """
        with self.writing():
            return list(findings(self._ledger, self._lexicon, self._vectors))

    def export(self, target: Path) -> Manifest:
        """Write the collection into one new file, with a checksum. Writers need not stop. `ExportUnwritable` says why not."""
        return export(self._ledger, self.state(), self._encoder.dimension, target)


def _reject_lone_surrogates(document: Document) -> None:
    try:
        document.text.encode()
    except UnicodeEncodeError as error:
        raise DocumentRejected(
            document.uri, f"the text has a lone surrogate at {error.start}", "Decode the file with errors='replace'"
        ) from error
