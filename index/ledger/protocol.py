"""What the rest of Quoth needs of a collection's ledger: SQLite keeps it in a file (sqlite/), PostgreSQL in a server.

A `Ledger` is thread-safe. Its views read, each call one committed state; its own methods write, each in one transaction. Many
processes may use the same. Who writes something that rests on what it read before holds the lock "writer".
`tests/test_ledger_contract.py` says what must hold of every implementation.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.blocks.geometry import PageGeometry
from index.filters import Filter
from index.ledger.rows import ChunkedDocument, ChunkRow, Destination, PendingText, Root, Visit
from index.ledger.selection import SelectionCache
from index.ledger.state import LexicalEntry, Mark, SearchableChunk, StoredChunk, StoredDocument, VectorBatch
from index.records import Document, DocumentSummary, FileStamp, Page
from index.storage.lock import Lock


class Documents(Protocol):
    """The documents in a ledger: the current ones, any version of one, its pages, and where it came from."""

    def get(self, document_id: str, version: str | None = None) -> Document:
        """Return the current version of a document, or the version named, also a retired one. `NotFound` if there is none."""
        ...

    def place(self, document_id: str, version: str) -> tuple[str, str]:
        """Return the URI and the media type of a version, current or retired. `NotFound` if there is none."""
        ...

    def pages(self, document_id: str, version: str) -> tuple[Page, ...]:
        """Return the pages of a version, current or retired, without reading its text. `NotFound` if there is none."""
        ...

    def beginnings(
        self, places: Iterable[tuple[str, str]], characters: int, *, longer_than: int = 0
    ) -> dict[tuple[str, str], str]:
        """Return the first `characters` of the text of versions, by document and version.

        Versions that do not exist, and texts of at most `longer_than` characters, are left out.
        """
        ...

    def geometry(self, document_id: str, version: str) -> tuple[PageGeometry, ...]:
        """Return where the words of a version stand on its pages; empty if it is not known. `NotFound` if there is none."""
        ...

    def warnings(self, ids: Sequence[str] | None = None) -> dict[str, tuple[str, ...]]:
        """Return the warnings of the current documents that have any: of all, or of those with these ids. The keys are ids."""
        ...

    def is_current(self, document: Document) -> bool:
        """Whether search finds this document as it is: text, title, metadata and all else except its principals."""
        ...

    def given_titles(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the titles that those of the documents have that were renamed. The keys are ids."""
        ...

    def pending_vectors(self, ids: Sequence[str] | None = None) -> int:
        """Count the chunks that wait for a vector: of all documents, or of those with these ids that are current.

        Fast, since an index holds the chunks without a vector: the server calls it for every answer.
        """
        ...

    def pending_by_document(self) -> dict[str, int]:
        """Count the chunks that wait for a vector, for each current document that has any. The keys are ids."""
        ...

    def page_counts(self) -> dict[str, int]:
        """Count the pages of each current document that has any. The keys are ids."""
        ...

    def of_version(self, version: str) -> list[DocumentSummary]:
        """Return the current documents with this version, that is, read from the same bytes, by URI."""
        ...

    def visits(self) -> tuple[Visit, ...]:
        """Return the web pages that documents came from and what their servers reported about them, by URI."""
        ...

    # Before `list`, which hides the type of that name in what follows.
    def matching(self, where: Filter) -> Sequence[tuple[str, str, str]]:
        """Return id, title and URI of the current documents that meet the filter, by URI."""
        ...

    def list(
        self, ids: Sequence[str] | None = None, folder: str | None = None, *, only_earlier: bool = False
    ) -> list[DocumentSummary]:
        """Return the current documents by URI: all, or those with these ids, or with a URI below that of `folder`.

        `only_earlier`: only those that an earlier version of Quoth read.
        """
        ...


class Chunks(Protocol):
    """The chunks in a ledger, their vectors, and the texts that wait for a vector."""

    def get(self, numbers: Sequence[int], where: Filter | None = None) -> dict[int, ChunkRow]:
        """Return the chunks with these numbers whose documents meet `where`, by number; those that are gone are left out."""
        ...

    def opening(self, document_ids: Sequence[str], most: int) -> list[ChunkRow]:
        """Return the first `most` chunks of each of these documents, by URI and in the order of the text."""
        ...

    def vectors(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return those of the chunks with these numbers that have a vector, ascending, and the vectors (n, dimension)."""
        ...

    def pending(self, limit: int) -> list[PendingText]:
        """Return at most `limit` different texts that wait for a vector, newest first."""
        ...

    def counts(self) -> tuple[int, int, int]:
        """Count the current documents, their chunks, and those of the chunks that have no vector yet."""
        ...


class Permissions(Protocol):
    """Who may read which document, and the places (folder, file, address, upload) that principals were named for.

    The principals named for a place are kept with the collection. A new document takes them from the nearest place at or above
    it when a later run names nobody, so that a new file in a restricted folder is restricted in the same way.
    """

    def readers(self, document_ids: Collection[str]) -> dict[str, frozenset[str]]:
        """Return who may read each of the documents, current or removed; documents that everybody may read are left out."""
        ...

    def all_readable(self, document_ids: Collection[str], principals: Collection[str]) -> bool:
        """Whether everybody or one of `principals` may read each of the documents, current or removed.

        False if one of them was never in the collection.
        """
        ...

    def roots(self, uris: Collection[str]) -> dict[str, Root]:
        """Return for each document's URI the nearest place at or above it that principals were named for, if any."""
        ...


class Snapshot(Protocol):
    """One state of a ledger. `since` is a position in its log; None reads everything."""

    @property
    def mark(self) -> Mark:
        """Which state it is."""
        ...

    def can_replay(self, mark: Mark) -> bool:
        """Whether `mark` is of this ledger, not newer than this snapshot, and the log still reaches back to it."""
        ...

    def removed_chunks(self, since: int) -> list[int]:
        """Return the numbers of the chunks removed since."""
        ...

    def count_vector_changes(self, since: int) -> int:
        """Count the vectors of chunks that were added or removed since."""
        ...

    def has_lexical_changes(self, since: int) -> bool:
        """Whether a chunk was added or removed since."""
        ...

    def lexical_entries(self, since: int | None) -> Iterator[LexicalEntry]:
        """Return the chunks added since that still exist, in order."""
        ...

    def changes(self, since: int, limit: int) -> list[tuple[int, int]]:
        """Return the next at most `limit` positions of the log after one, each with the number of its chunk."""
        ...

    def numbers_after(self, number: int, limit: int) -> list[int]:
        """Return the next at most `limit` numbers of chunks after one, ascending."""
        ...

    def searchable(self, numbers: Collection[int]) -> Iterator[SearchableChunk]:
        """Return those of the chunks with these numbers that exist, ascending."""
        ...

    def count_embedded(self) -> int:
        """Count the chunks that have a vector."""
        ...

    def sample(self, size: int) -> NDArray[np.float32]:
        """Return vectors (n, dimension) of about `size` chunks, always the same random sample; all if there are fewer."""
        ...

    def vectors(self, since: int | None) -> Iterator[VectorBatch]:
        """Yield the vectors added since whose chunks still exist, in order and in batches."""
        ...

    def problems(self) -> list[str]:
        """Return what the database's own checks report about its structure."""
        ...

    def documents(self) -> Iterator[StoredDocument]:
        """Yield the current documents with their ledger numbers, without their chunks."""
        ...

    def chunks_of(self, document: int) -> list[StoredChunk]:
        """Return the chunks of the document with that ledger number, in order."""
        ...

    def numbers(self) -> NDArray[np.int64]:
        """Return the ledger numbers of all chunks, ascending."""
        ...

    def count_missing_vectors(self) -> int:
        """Count the chunks that are marked as embedded although their vector is missing."""
        ...


class Ledger(Protocol):
    """The ledger of one collection: documents, versions, chunks, vectors, permissions and the log of changes."""

    @property
    def name(self) -> str:
        """The name of the collection, for messages."""
        ...

    @property
    def folder(self) -> Path:
        """The folder on this machine for what is made from the ledger."""
        ...

    @property
    def title(self) -> str:
        """The title that the collection was given; empty without one."""
        ...

    @property
    def identity(self) -> int:
        """A number that no other ledger has: caches record it."""
        ...

    @property
    def destination(self) -> Destination | None:
        """Where the collection is being moved to; None if it stays. Writers must not write then."""
        ...

    @property
    def encoder(self) -> str:
        """The fingerprint of the encoder that makes the vectors."""
        ...

    @property
    def dimension(self) -> int:
        """The dimension of the vectors."""
        ...

    @property
    def documents(self) -> Documents:
        """The documents, to read."""
        ...

    @property
    def chunks(self) -> Chunks:
        """The chunks, to read."""
        ...

    @property
    def permissions(self) -> Permissions:
        """The permissions, to read."""
        ...

    @property
    def selections(self) -> SelectionCache:
        """The documents that meet a filter, by number."""
        ...

    @property
    def restoring(self) -> str:
        """What to do when the ledger is damaged."""
        ...

    def close(self) -> None:
        """Release its connections. The ledger is not usable afterwards."""
        ...

    def exists(self) -> bool:
        """Whether it still is the collection's: False once the collection was dropped, also if a new one has its name."""
        ...

    def replacement(self) -> tuple[str, str] | None:
        """What is wrong if this is not the ledger that the collection began with, and what to do; None if it is."""
        ...

    @property
    def writer(self) -> Lock:
        """The lock of those who write."""
        ...

    @property
    def projector(self) -> Lock:
        """The lock of those who copy the log into a search index outside of the folder."""
        ...

    def claim_pending(self, limit: int, wait: float) -> AbstractContextManager[list[PendingText]]:
        """At most `limit` texts to encode, newest first, which no other process gets while the block lasts.

        While others have all of them, it waits: an empty list means that none is left. `CollectionBusy` after `wait` seconds.
        """
        ...

    def mark(self) -> Mark:
        """Return the ledger's identity and the position of its last change; 0 before the first."""
        ...

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """One state of the ledger, for as long as the `with` block lasts."""
        ...

    def copy(self, target: Path) -> None:
        """Write the current state of the ledger into a new SQLite file at `target`."""
        ...

    def checksum(self) -> str:
        """Return a checksum over everything in it but its identity: the same for an equal ledger in another database."""
        ...

    def change(
        self,
        add: Sequence[ChunkedDocument],
        remove: Sequence[str],
        alongside: AbstractContextManager[object] | None = None,
    ) -> None:
        """Retire the documents `remove` and make the documents `add` current, in one transaction: all or nothing.

        `alongside` is entered when only the commit is left to do, and left after it: a transaction elsewhere that commits
        after this one, or not at all if this one does not. `NotFound` if a document to remove is not current. A document that
        is added again replaces its current version. Retired versions keep their text and pages.
        """
        ...

    def refresh_source(self, document_id: str, source: FileStamp | None) -> None:
        """Record the new size and time of a file whose bytes are the same. `NotFound` if the document is not current."""
        ...

    def permit(self, document_id: str, principals: Collection[str]) -> bool:
        """Let only these principals read the document, everybody if there are none. Returns whether this changes anything.

        `NotFound` if the document is not current.
        """
        ...

    def rename(self, document_id: str, title: str) -> bool:
        """Give the document a title, which its later versions keep. Returns whether it is another.

        `NotFound` if the document is not current.
        """
        ...

    def record_title(self, title: str) -> None:
        """Keep a title for the collection; an empty one takes the title away."""
        ...

    def record_destination(self, destination: Destination | None) -> None:
        """Note that the collection is being moved, or with None that it stays."""
        ...

    def note(self, name: str) -> str | None:
        """Return what is noted under that name, such as `folders.json`; None if nothing is."""
        ...

    def record_note(self, name: str, text: str) -> None:
        """Note a text that can be found again, in place of an earlier one. It is no part of exports, and has no position."""
        ...

    def record_roots(self, uris: Collection[str], principals: frozenset[str]) -> None:
        """Keep `principals` for these places and forget those kept for places below them."""
        ...

    def record_visits(self, visits: Sequence[Visit], forget: Sequence[str] = ()) -> None:
        """Keep these visits in place of earlier ones, and forget those of the URIs `forget`."""
        ...

    def add_vectors(self, hashes: Sequence[bytes], vectors: NDArray[np.float32]) -> int:
        """Store `vectors` (n, dimension) for the texts with these hashes. Returns how many chunks became searchable."""
        ...

    def trim(self, position: int) -> None:
        """Forget the log up to `position`: a cache that stands before it will be rebuilt instead of replayed."""
        ...


class Ledgers(Protocol):
    """Where the ledgers of all collections are, by name. Thread-safe; several processes may use the same."""

    @property
    def place(self) -> str:
        """Where that is, for messages: a folder, or the URL of a database without its password."""
        ...

    def close(self) -> None:
        """Release the connections that all ledgers share. They are not usable afterwards."""
        ...

    def names(self) -> list[str]:
        """Return the names of the collections that exist, also of those whose ledger is lost, sorted."""
        ...

    def exists(self, name: str) -> bool:
        """Whether there is such a collection. One whose ledger is lost exists: `open` says so, and `drop` gives it up."""
        ...

    def open(self, name: str, *, encoder: str, dimension: int, create: bool) -> Ledger:
        """Open the ledger of a collection; with `create` it is made if there is none.

        Raises `EncoderMismatch` if another encoder made its vectors, `LedgerDamaged` if it cannot be read, `LedgerLost` if it
        is missing or empty although there was one, and without `create` `CollectionDropped` if there is none.
        """
        ...

    def dropping(self, name: str, alongside: AbstractContextManager[str]) -> AbstractContextManager[None]:
        """Take the collection away, then run the `with` block, and then delete what is left of it.

        All or nothing: the collection is locked first, then `alongside` is entered, then one step takes the collection away; if
        any of them fails, nothing has changed. `CollectionBusy` if another process writes to it, `CollectionDropped` if another
        one drops it meanwhile.
        """
        ...

    def finish_drops(self, complete: Callable[[str, str], object]) -> None:
        """Delete what drops of killed processes left, after `complete(name, mark)` with the mark that `alongside` yielded."""
        ...

    def adopt(
        self,
        name: str,
        write: Callable[[Path], object],
        *,
        encoder: str,
        dimension: int,
        identity: int | None = None,
    ) -> None:
        """Make a collection of the SQLite ledger that `write` writes to a path: whole or not at all.

        Its ledger gets the `identity`, if one is given, and is not being moved. `CollectionExists` if the name is taken,
        `EncoderMismatch` if another encoder made its vectors.
        """
        ...
