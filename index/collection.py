"""A collection: documents that are searched together. The interface that all code outside index/ uses.

    collection.change(add=[(document, source)], remove=[old_id])
    collection.embed_pending()
    for hit in collection.search("who founded the company?", k=5): ...
    document = collection.documents.get(hit.chunk.document_id, hit.chunk.version)

`documents` and `permissions` are read-only views of the ledger. Writes go through the collection itself, which holds the writer
lock and brings the caches up to date.

The ledger is the source of truth. The lexicon and the vectors are caches that catch up with it at each search, also with what
another process wrote. Search finds a document by its words as soon as `change` returns, and by its meaning once `embed_pending`
has made its vectors.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from unicodedata import category

from index.chunking.chunker import chunk_document
from index.embedding.encoder import Encoder
from index.engines.embedded import EmbeddedIndex
from index.engines.search_index import SearchIndex
from index.errors import DocumentRejected, SearchStorageUnreachable, TitleInvalid
from index.filters import Filter
from index.ledger.protocol import Ledger, Ledgers
from index.ledger.rows import ChunkedDocument, Visit
from index.ledger.sqlite.ledgers import open_ledger
from index.maintenance.export import Manifest, export
from index.maintenance.integrity import IntegrityProblem, find_problems
from index.maintenance.lag import Lag, LagWatch
from index.maintenance.moving import require_staying
from index.maintenance.writer import WAIT_SECONDS, WriteCoordinator
from index.records import ChangeCounts, Chunk, CollectionState, Document, FileStamp, Hit
from index.search.retrieval import Reranker, Retrieval
from index.storage.atomic import bytes_below

ReadyChunks = Mapping[tuple[str, str], Sequence[Chunk]]
"""The chunks of documents that are not stored yet, by id and version."""

MakeIndex = Callable[[Path, Ledger], SearchIndex]
"""Makes the index of a collection from its folder and its ledger."""

MAX_TITLE = 300
"""Characters in the title of a document."""

MAX_COLLECTION_TITLE = 120
"""Characters in the title of a collection."""

_EMBED_BATCH = 256
_EMBED_WAIT_SECONDS = 300.0  # upper limit for the time that another process takes to encode one batch


class Collection:
    """The collection of a ledger, or of the one in a folder, made there with `create`. Thread-safe; processes may share it.

    `make_index` makes what searches it, from the folder and the ledger. Raises `EncoderMismatch` if another encoder made the
    vectors, `LedgerDamaged` if the ledger cannot be read, `LedgerLost` if it is missing or empty although there was one.
    """

    def __init__(
        self,
        place: Ledger | Path,
        encoder: Encoder,
        *,
        create: bool = True,
        make_index: MakeIndex = EmbeddedIndex,
    ) -> None:
        self._ledger: Ledger = (
            open_ledger(place, encoder=encoder.fingerprint, dimension=encoder.dimension, create=create)
            if isinstance(place, Path)
            else place
        )
        self.name = self._ledger.name
        self._folder = folder = self._ledger.folder
        self._encoder = encoder
        self.documents = self._ledger.documents
        self.permissions = self._ledger.permissions
        self._index = make_index(folder, self._ledger)
        self._retrieval = Retrieval(self._ledger, self._index, encoder)
        self._writers = WriteCoordinator(self._ledger, self._index)
        self._lag = LagWatch()

    def close(self) -> None:
        """Release the ledger's connections. The collection is not usable afterwards."""
        self._index.close()
        self._ledger.close()

    @property
    def folder(self) -> Path:
        """The folder on this machine with the collection's files: all of them, or what is made from a ledger elsewhere."""
        return self._folder

    def note(self, name: str) -> str | None:
        """Return what is noted with the collection under that name, such as `folders.json`; None if nothing is."""
        return self._ledger.note(name)

    def record_note(self, name: str, text: str) -> None:
        """Note a text with the collection that can be found again, in place of an earlier one: no part of exports."""
        self._ledger.record_note(name, text)

    def exists(self) -> bool:
        """Whether the collection still exists: False once it was dropped, also if a new one has its name."""
        return self._ledger.exists()

    @contextmanager
    def writing(self, wait: float = WAIT_SECONDS) -> Iterator[None]:
        """Hold the writer lock of all processes inside the `with` block; re-entrant. Searches do not wait.

        `CollectionBusy` after `wait` seconds names the process that writes; `CollectionDropped` if the collection is gone then.
        The caches are brought up to date at the end, or by the next search if they were brought up to date within the last
        second.
        """
        with self._writers.writing(wait):
            yield

    def add(self, document: Document, source: FileStamp | None = None) -> ChangeCounts:
        """Make `document` the current version of its id. See `change`."""
        return self.change(add=[(document, source)])

    def remove(self, document_id: str) -> None:
        """Take the document out of search; its versions can still be read by name. `NotFound` if it is not current."""
        self.change(remove=[document_id])

    def cut(self, documents: Iterable[Document], named: Container[str] = ()) -> ReadyChunks:
        """Return the chunks of those documents that are not current as given. It takes long for long texts, and holds no lock.

        `DocumentRejected` if a text is not valid Unicode.
        """
        known = self._titled([(document, None) for document in documents], named)
        return {_text_key(document): self._chunks(document) for document, _ in known if not self._is_current(document)}

    def change(
        self,
        add: Sequence[tuple[Document, FileStamp | None]] = (),
        remove: Sequence[str] = (),
        *,
        chunks: ReadyChunks | None = None,
        named: Container[str] = (),
        alongside: AbstractContextManager[object] | None = None,
    ) -> ChangeCounts:
        """Remove and add documents in one transaction: on return all of it is on disk, after an error none of it.

        A document that was renamed keeps that title in place of the one given here, unless its id is among `named`: those have
        a title that somebody gave them now.

        Who holds `writing` around this calls `cut` before and passes its `chunks`, so that no other writer waits for it.
        `alongside` is entered just before the commit and left after it: for a transaction elsewhere that belongs to it.

        A document that is current exactly as given counts as unchanged; only its `source` is recorded. One that differs only
        in its principals counts as added, but its text is not indexed again. The same text under another id or URI keeps
        its vectors. `NotFound` if a document to remove is not current, `DocumentRejected` if a text is not valid Unicode,
        `CollectionBusy` if another process writes for over 10 s.
        """
        ready = self.cut([document for document, _ in add], named) if chunks is None else chunks
        with self.writing():
            new, permitted = [], 0
            for document, source in self._titled(add, named):
                if document.id not in remove and self._is_current(document):
                    self._ledger.refresh_source(document.id, source)
                    permitted += self._ledger.permit(document.id, document.principals)
                else:
                    made = ready.get(_text_key(document))  # None: another writer replaced the document since `cut`
                    found = self._chunks(document) if made is None else made
                    new.append(ChunkedDocument(document, found, source, document.id in named))
            if new or remove or alongside is not None:
                self._ledger.change(new, remove, alongside)
                self._writers.refresh_if_due()
            added = len(new) + permitted
            return ChangeCounts(added=added, removed=len(remove), unchanged=len(add) - added)

    def refresh_source(self, document_id: str, source: FileStamp | None) -> None:
        """Record the new size and time of a file whose bytes are the same. `NotFound` if the document is not current."""
        with self.writing():
            self._ledger.refresh_source(document_id, source)

    def permit(self, document_id: str, principals: frozenset[str]) -> bool:
        """Let only these principals read the document, everybody if there are none. Returns whether this changes anything.

        This applies to every version from the next search on; nothing is embedded again. `NotFound` if it is not current.
        """
        with self.writing():
            return self._ledger.permit(document_id, principals)

    def rename_document(self, document_id: str, title: str) -> bool:
        """Give a document a title, which its later versions keep, until it is removed. Returns whether it is another.

        From the next search on it is shown and found by that title. `NotFound` if it is not current, `TitleInvalid` unless the
        title has 1 to `MAX_TITLE` characters on one line.
        """
        given = _line(title, MAX_TITLE)
        if not given:
            raise TitleInvalid(
                f"document {document_id!r}: the new title is empty. Give one of 1 to {MAX_TITLE} characters"
            )
        with self.writing():
            return self._ledger.rename(document_id, given)

    def rename(self, title: str) -> None:
        """Give the collection a title to be shown by; an empty one, or its name, takes it away. The name stays.

        `TitleInvalid` for more than `MAX_COLLECTION_TITLE` characters.
        """
        given = _line(title, MAX_COLLECTION_TITLE)
        with self.writing():
            self._ledger.record_title("" if given == self.name else given)

    def record_roots(self, uris: Sequence[str], principals: frozenset[str]) -> None:
        """Keep `principals` for what is indexed at and below these places, and forget those kept for places below them."""
        with self.writing():
            self._ledger.record_roots(uris, principals)

    def record_visits(self, visits: Sequence[Visit], forget: Sequence[str] = ()) -> None:
        """Keep these visits in place of earlier ones, and forget those of the URIs `forget`."""
        with self._writers.hold_lock():
            self._ledger.record_visits(visits, forget)

    def embed_pending(
        self,
        limit: int | None = None,
        on_progress: Callable[[int, int], None] | None = None,
        *,
        wait: float = _EMBED_WAIT_SECONDS,
    ) -> int:
        """Compute vectors for chunks that have none, newest first, at most about `limit`. Returns how many got one.

        `on_progress(done, total)` counts chunks after each batch. Every batch is on disk before the next begins. Others may
        write in the meantime; processes that compute vectors at the same time never encode the same text. While others have
        all texts that are left, it waits for them; `CollectionBusy` after `wait` seconds. Do not call it inside `writing`:
        other writers would have to wait for the encoder.
        """
        total = self._ledger.chunks.counts()[2]
        total = total if limit is None else min(limit, total)
        done = 0
        while done < total:
            with self._writers.claim_pending(min(_EMBED_BATCH, total - done), wait) as pending:
                if not pending:
                    break
                vectors = self._encoder.encode([text.text for text in pending])
                with self._writers.hold_lock():
                    done += self._ledger.add_vectors([text.hash for text in pending], vectors)
            self._writers.save()
            if on_progress is not None:
                on_progress(min(done, total), total)
        if done:
            self._writers.refresh()
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
        """Return the `k` chunks that answer `query` best, best first: the dense and the lexical ranking, fused.

        The best chunks of both rankings are fused, of the documents that meet `where`. A `reranker` reads them, `depth` at a
        time, near-copies of others last (`index.search.copies`); its score and `FUSED_WEIGHT` times the fused score are added.
        The hits for one `k` are the first of those for a larger one. Among equal scores the chunk indexed first comes first.
        `QueryInvalid` for an empty query or a `k` or `depth` below 1.
        """
        return self._retrieval.search(query, k, where, reranker, depth)

    def opening(self, document_ids: Sequence[str], most: int) -> list[Hit]:
        """Return the first `most` chunks of each of these documents as hits with a score of 0, by URI, in the text's order."""
        rows = self._ledger.chunks.opening(document_ids, most)
        return [Hit(row.chunk, row.title, row.uri, row.page, 0.0) for row in rows]

    def state(self) -> CollectionState:
        """Return the size of the collection and how much of it still waits for vectors."""
        documents, chunks, pending = self._ledger.chunks.counts()
        return CollectionState(
            name=self.name,
            title=self._ledger.title or self.name,
            documents=documents,
            chunks=chunks,
            vectors=chunks - pending,
            pending_vectors=pending,
            encoder=self._ledger.encoder,
            bytes_on_disk=bytes_below(self._folder),
        )

    def search_lag(self) -> Lag:
        """Return how far a search is behind the ledger: by all changes if its storage does not answer."""
        try:
            reflected = self._index.position()
        except SearchStorageUnreachable:
            reflected = 0
        return self._lag.see(reflected, self._ledger.mark().position)

    def project(self) -> None:
        """Bring up to date what all processes search, and compact it if that is due, unless another process does."""
        self._writers.save(at_once=True)

    def verify(self) -> list[IntegrityProblem]:
        """Return what is wrong with the ledger and its caches, and which files changed since they were indexed.

        Reads everything once, and holds the writer lock only to compare the caches. `CollectionBusy` if another process writes
        for over 10 s then.
        """
        return list(find_problems(self._ledger, self._index, self._writers.comparing()))

    def _titled(
        self, documents: Sequence[tuple[Document, FileStamp | None]], named: Container[str]
    ) -> list[tuple[Document, FileStamp | None]]:
        """The documents, each with the title that it was given, if it was renamed and is not `named` now."""
        given = self._ledger.documents.given_titles([document.id for document, _ in documents])
        return [
            (replace(document, title=given[document.id]), source)
            if document.id in given and document.id not in named
            else (document, source)
            for document, source in documents
        ]

    def _is_current(self, document: Document) -> bool:
        return self._ledger.documents.is_current(document)

    def _chunks(self, document: Document) -> Sequence[Chunk]:
        _reject_lone_surrogates(document)
        return chunk_document(document, self._encoder.token_offsets)

    def copy_to(self, target: Ledgers) -> None:
        """Let the collection appear among the ledgers `target`, too; here it takes no changes from then on.

        Raises as `index.maintenance.moving.copy_to` does.
        """
        self._writers.copy_to(target)

    def require_staying(self) -> None:
        """Raise `CollectionMoving` if the collection is being moved elsewhere."""
        require_staying(self._ledger)

    def export(self, target: Path) -> Manifest:
        """Write the collection into one new file, with a checksum. Writers need not stop. `ExportUnwritable` if it cannot."""
        return export(self._ledger, self.state(), self._encoder.dimension, target)


def _text_key(document: Document) -> tuple[str, str]:
    return document.id, document.version


def _line(title: str, most: int) -> str:
    """The title on one line. `TitleInvalid` if it is longer than `most` or not valid Unicode."""
    line = " ".join(title.split())
    if len(line) > most:
        raise TitleInvalid(f"the title {line[:40]!r}… has {len(line):,} characters. Give one of at most {most}")
    if any(category(sign) in ("Cc", "Cs") for sign in line):
        raise TitleInvalid(f"the title {line[:40]!r} has characters that cannot be shown. Take them out")
    return line


def _reject_lone_surrogates(document: Document) -> None:
    try:
        document.text.encode()
    except UnicodeEncodeError as error:
        raise DocumentRejected(
            document.uri, f"the text has a lone surrogate at {error.start}", "Decode the file with errors='replace'"
        ) from error
