"""The ledger of one collection: documents, versions, chunks, vectors and the log of changes, in one SQLite file.

The only source of truth. A call that returns is on disk: the write-ahead log is synced at every commit (`synchronous=FULL`),
since a cache file that survived a power cut which the ledger's last commit did not survive would disagree with it unseen.
Readers each see one consistent state and never wait for the writer. Whoever writes must hold the collection's lock.
"""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.errors import EncoderMismatch
from index.filters import Filter, Scope
from index.ledger.chunks import add_vectors, chunks_in, counts, pending, pending_of, without_vector
from index.ledger.documents import (
    document_in,
    document_number,
    documents_in,
    drop_chunks,
    insert,
    is_current,
    pages_in,
    permit,
    readers_of,
)
from index.ledger.permissions import Root, note_roots, roots_of
from index.ledger.rows import ChunkRow, Entry, PendingText
from index.ledger.schema import prepare
from index.ledger.scopes import Scopes, all_readable
from index.ledger.snapshot import Mark, Snapshot, vectors_of
from index.ledger.visits import Visit, note, visits_in
from index.records import Document, DocumentSummary, Page, Source
from index.storage.sqlite import Database


class Ledger:
    """Opens or creates the ledger at `path` for vectors of `dimension` from the encoder with fingerprint `encoder`.

    Thread-safe. Raises `EncoderMismatch` if the ledger was made with another encoder, `LedgerDamaged` if it does not read.
    """

    def __init__(self, path: Path, *, encoder: str, dimension: int) -> None:
        self.path = path
        self._database = Database(path)
        self._scopes = Scopes(self._database)
        facts = prepare(self._database, path, encoder=encoder, dimension=dimension)
        self._inode = path.stat().st_ino
        self._require(facts, encoder, dimension)
        self.identity = int(facts["identity"])
        self.encoder = facts["encoder"]
        self.dimension = dimension

    def close(self) -> None:
        """Close every connection. The ledger is not usable afterwards."""
        self._database.close()

    def is_on_disk(self) -> bool:
        """Whether the file that was opened is still the one at `path`."""
        return self.path.exists() and self.path.stat().st_ino == self._inode

    def mark(self) -> Mark:
        """Identity of the ledger and the position of its last change; 0 before the first."""
        with self._database.reading() as connection:
            return Mark(self.identity, _position(connection))

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """One state of the ledger for as long as the `with` block lasts."""
        with self._database.reading() as connection:
            floor = connection.execute("SELECT value FROM facts WHERE name = 'floor'").fetchone()
            yield Snapshot(connection, Mark(self.identity, _position(connection)), int(floor[0]), self.dimension)

    def copy(self, target: Path) -> None:
        """Write the ledger as it is now into a new file at `target`."""
        self._database.copy(target)

    def is_current(self, document: Document) -> bool:
        """Whether this document, text, title, metadata and all but its principals, is what search finds."""
        with self._database.reading() as connection:
            return is_current(connection, document)

    def change(self, add: Sequence[Entry], remove: Sequence[str]) -> None:
        """Retire the documents `remove` and make the entries current, in one transaction: all or nothing.

        `NotFound` if a document to remove is not current. A document that is added again replaces its current version.
        Retired versions keep their text and pages.
        """
        with self._database.writing() as connection:
            for identity in remove:
                number = document_number(connection, identity)
                drop_chunks(connection, number)
                connection.execute("DELETE FROM documents WHERE number = ?", (number,))
            for entry in add:
                insert(connection, entry)

    def refresh_source(self, document_id: str, source: Source | None) -> None:
        """Record that the file looks different though its bytes are the same. `NotFound` if it is not current."""
        with self._database.writing() as connection:
            number = document_number(connection, document_id)
            connection.execute(
                """
                UPDATE documents SET source_size = ?, source_modified_ns = ?, modified_ns = coalesce(?, modified_ns)
                WHERE number = ?
                """,
                (source and source.size, source and source.modified_ns, source and source.modified_ns, number),
            )

    def permit(self, document_id: str, principals: Collection[str]) -> bool:
        """Let these and nobody else read the document, everybody if there are none; whether that is a change.

        `NotFound` if it is not current.
        """
        with self._database.writing() as connection:
            document_number(connection, document_id)
            return permit(connection, document_id, principals)

    def readers_of(self, document_ids: Collection[str]) -> dict[str, frozenset[str]]:
        """Who may read those of the documents, current or removed, that are not for everybody."""
        with self._database.reading() as connection:
            return readers_of(connection, document_ids)

    def roots_of(self, uris: Collection[str]) -> dict[str, Root]:
        """For each document's URI the nearest place at or above it for which principals were named, if there is one."""
        with self._database.reading() as connection:
            return roots_of(connection, uris)

    def note_roots(self, uris: Collection[str], principals: frozenset[str]) -> None:
        """Keep `principals` for these places; what was said of places below them is forgotten."""
        with self._database.writing() as connection:
            note_roots(connection, uris, principals)

    def all_readable(self, document_ids: Collection[str], principals: Collection[str]) -> bool:
        """Whether each of the documents, current or removed, is for everybody or for one of `principals`."""
        with self._database.reading() as connection:
            return all_readable(connection, document_ids, principals)

    def pending(self, limit: int) -> list[PendingText]:
        """At most `limit` different texts that wait for a vector, newest first."""
        with self._database.reading() as connection:
            return pending(connection, limit)

    def pending_of(self, document_ids: Sequence[str]) -> int:
        """How many chunks of these documents wait for a vector; a document that is not current has none."""
        with self._database.reading() as connection:
            return pending_of(connection, document_ids)

    def add_vectors(self, hashes: Sequence[bytes], vectors: NDArray[np.float32]) -> int:
        """Keep `vectors` (n, dimension) for the texts with these hashes; answers how many chunks became searchable."""
        with self._database.writing() as connection:
            return add_vectors(connection, hashes, vectors)

    def trim(self, position: int) -> None:
        """Forget the log up to `position`: a cache that stands before it will be rebuilt instead of replayed."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM changes WHERE position <= ?", (position,))
            connection.execute(
                "UPDATE facts SET value = ? WHERE name = 'floor' AND CAST(value AS INTEGER) < ?",
                (str(position), position),
            )

    def documents(self, ids: Sequence[str] | None = None, folder: str | None = None) -> list[DocumentSummary]:
        """The current documents, or those of them with these ids, or with a URI below that of `folder`, by URI."""
        with self._database.reading() as connection:
            return documents_in(connection, ids, folder)

    def document(self, document_id: str, version: str | None = None) -> Document:
        """The current version, or the one named, current or not. `NotFound` says which part is unknown."""
        with self._database.reading() as connection:
            return document_in(connection, document_id, version)

    def pages(self, document_id: str, version: str) -> tuple[Page, ...]:
        """The pages of a version, current or not, without its text. `NotFound` if there is no such version."""
        with self._database.reading() as connection:
            return pages_in(connection, document_id, version)

    def chunks(self, numbers: Sequence[int]) -> dict[int, ChunkRow]:
        """The chunks with these ledger numbers, those that are still there."""
        with self._database.reading() as connection:
            return chunks_in(connection, numbers)

    def vectors(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Those of the chunks with these numbers that have a vector, ascending, and their vectors (n, dimension)."""
        with self._database.reading() as connection:
            return vectors_of(connection, numbers, self.dimension)

    def visits(self) -> list[Visit]:
        """The pages of the web that documents came from."""
        with self._database.reading() as connection:
            return visits_in(connection)

    def note_visits(self, visits: Sequence[Visit], forget: Sequence[str] = ()) -> None:
        """Keep these visits in place of earlier ones, and forget those of the URIs `forget`."""
        with self._database.writing() as connection:
            note(connection, visits, forget)

    def counts(self) -> tuple[int, int, int]:
        """Current documents, their chunks, and those of the chunks that have no vector yet."""
        with self._database.reading() as connection:
            return counts(connection)

    def without_vector(self) -> int:
        """Chunks that have no vector yet; as quick as there are few of them."""
        with self._database.reading() as connection:
            return without_vector(connection)

    def scope(self, where: Filter) -> Scope:
        """The current documents that meet `where`."""
        return self._scopes.of(where)

    def _require(self, facts: dict[str, str], encoder: str, dimension: int) -> None:
        made_with = (facts["encoder"], int(facts["dimension"]))
        if made_with != (encoder, dimension):
            raise EncoderMismatch(
                f"{self.path.parent.name}: the collection was made with encoder {made_with[0]!r} ({made_with[1]} dimensions), "
                f"not {encoder!r} ({dimension}). Choose that encoder, or index into a new collection"
            )


def _position(connection: sqlite3.Connection) -> int:
    """The last position ever used, also when the log was trimmed after it."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").fetchone()
    return row[0] if row else 0
