"""The ledger of one collection: documents, versions, chunks, vectors and the log of changes, in one SQLite file.

The only source of truth. A call that returns is on disk: the write-ahead log is synced at every commit (`synchronous=FULL`),
since a cache file that survived a power cut which the ledger's last commit did not survive would disagree with it unseen.
Readers each see one consistent state and never wait for the writer. Whoever writes must hold the collection's lock.
"""

import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.entries import document_number, drop_chunks, insert
from index.errors import EncoderMismatch, LedgerDamaged, NotFound
from index.filters import Filter, Scope
from index.records import Document, Page
from index.rows import (
    CHUNK_COLUMNS,
    DOCUMENT_COLUMNS,
    ChunkRow,
    Entry,
    PendingText,
    chunk_from,
    document_from,
    pages_from,
    pending_from,
    summary_from,
)
from index.scoping import resolved
from index.snapshot import EMBEDDED, Mark, Snapshot
from index.sqlite import Database
from index.summary import DocumentSummary, Source

_SCHEMA = Path(__file__).with_name("schema.sql")
_SCHEMA_NUMBER = "1"


class Ledger:
    """Opens or creates the ledger at `path` for vectors of `dimension` from the encoder with fingerprint `encoder`.

    Thread-safe. Raises `EncoderMismatch` if the ledger was made with another encoder, `LedgerDamaged` if it does not read.
    """

    def __init__(self, path: Path, *, encoder: str, dimension: int) -> None:
        self.path = path
        self._database = Database(path)
        self._create(encoder, dimension)
        self._inode = path.stat().st_ino
        with self._database.reading() as connection:
            facts = dict(connection.execute("SELECT name, value FROM facts"))
        self._verify(facts, encoder, dimension)
        self.identity = int(facts["identity"])
        self.encoder = facts["encoder"]

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
            yield Snapshot(connection, Mark(self.identity, _position(connection)), int(floor[0]))

    def copy(self, target: Path) -> None:
        """Write the ledger as it is now into a new file at `target`."""
        self._database.copy(target)

    def is_current(self, document: Document) -> bool:
        """Whether exactly this document, text, title, metadata and all, is what search finds."""
        with self._database.reading() as connection:
            row = connection.execute(
                f"SELECT {DOCUMENT_COLUMNS} FROM versions WHERE number = (SELECT version FROM documents WHERE id = ?)",
                (document.id,),
            ).fetchone()
        return row is not None and document_from(row) == document

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
                "UPDATE documents SET source_size = ?, source_modified_ns = ? WHERE number = ?",
                (source and source.size, source and source.modified_ns, number),
            )

    def pending(self, limit: int) -> list[PendingText]:
        """At most `limit` different texts that wait for a vector, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT hash, context, text FROM chunks WHERE embedded = 0 ORDER BY number DESC LIMIT ?", (limit,)
            ).fetchall()
        return list({row[0]: pending_from(row) for row in rows}.values())

    def add_vectors(self, hashes: Sequence[bytes], vectors: NDArray[np.float32]) -> int:
        """Keep `vectors` (n, dimension) for the texts with these hashes; answers how many chunks became searchable."""
        searchable = 0
        with self._database.writing() as connection:
            for key, vector in zip(hashes, vectors.astype("<f2"), strict=True):
                connection.execute("INSERT OR IGNORE INTO vectors VALUES (?, ?)", (key, vector.tobytes()))
                connection.execute(
                    "INSERT INTO changes (kind, chunk) SELECT ?, number FROM chunks WHERE hash = ? AND embedded = 0",
                    (EMBEDDED, key),
                )
                done = connection.execute("UPDATE chunks SET embedded = 1 WHERE hash = ? AND embedded = 0", (key,))
                searchable += done.rowcount
        return searchable

    def trim(self, position: int) -> None:
        """Forget the log up to `position`: a cache that stands before it will be rebuilt instead of replayed."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM changes WHERE position <= ?", (position,))
            connection.execute(
                "UPDATE facts SET value = ? WHERE name = 'floor' AND CAST(value AS INTEGER) < ?",
                (str(position), position),
            )

    def documents(self) -> list[DocumentSummary]:
        """Every current document, by URI."""
        with self._database.reading() as connection:
            rows = connection.execute(
                """
                SELECT d.id, v.version, v.uri, v.title, v.media_type, v.characters,
                    (SELECT count(*) FROM chunks c WHERE c.document = d.number),
                    d.source_size, d.source_modified_ns, d.indexed_at
                FROM documents d JOIN versions v ON v.number = d.version ORDER BY d.uri, d.id
                """
            ).fetchall()
        return [summary_from(row) for row in rows]

    def document(self, document_id: str, version: str | None = None) -> Document:
        """The current version, or the one named, current or not. `NotFound` says which part is unknown."""
        with self._database.reading() as connection:
            parameters: tuple[str, ...]
            if version is None:
                condition, parameters = "number = (SELECT version FROM documents WHERE id = ?)", (document_id,)
            else:
                condition, parameters = "document_id = ? AND version = ?", (document_id, version)
            row = connection.execute(
                f"SELECT {DOCUMENT_COLUMNS} FROM versions WHERE {condition}", parameters
            ).fetchone()
        if row is None:
            raise _no_document(document_id, version)
        return document_from(row)

    def pages(self, document_id: str, version: str) -> tuple[Page, ...]:
        """The pages of a version, current or not, without its text. `NotFound` if there is no such version."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT pages FROM versions WHERE document_id = ? AND version = ?", (document_id, version)
            ).fetchone()
        if row is None:
            raise _no_document(document_id, version)
        return pages_from(row[0])

    def chunks(self, numbers: Sequence[int]) -> dict[int, ChunkRow]:
        """The chunks with these ledger numbers, those that are still there."""
        marks = ",".join("?" * len(numbers))
        with self._database.reading() as connection:
            rows = connection.execute(
                f"""
                SELECT {CHUNK_COLUMNS} FROM chunks c
                JOIN documents d ON d.number = c.document JOIN versions v ON v.number = d.version
                WHERE c.number IN ({marks})
                """,
                tuple(numbers),
            ).fetchall()
        return {row[0]: chunk_from(row) for row in rows}

    def counts(self) -> tuple[int, int, int]:
        """Current documents, their chunks, and those of the chunks that have no vector yet."""
        with self._database.reading() as connection:
            row: tuple[int, int, int] = connection.execute(
                """
                SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM chunks),
                    (SELECT count(*) FROM chunks WHERE embedded = 0)
                """
            ).fetchone()
        return row

    def scope(self, where: Filter) -> Scope:
        """The current documents that meet `where`."""
        with self._database.reading() as connection:
            return resolved(connection, where)

    def _create(self, encoder: str, dimension: int) -> None:
        """Lay out the tables unless they are there; safe against another process that does the same."""
        with self._database.reading() as connection:
            if _is_laid_out(connection):
                return
        with self._database.writing() as connection:
            if _is_laid_out(connection):
                return
            for statement in _statements(_SCHEMA.read_text(encoding="utf-8")):
                connection.execute(statement)
            facts = {
                "schema": _SCHEMA_NUMBER,
                "identity": str(secrets.randbits(62)),
                "encoder": encoder,
                "dimension": str(dimension),
                "floor": "0",
            }
            connection.executemany("INSERT INTO facts VALUES (?, ?)", facts.items())

    def _verify(self, facts: dict[str, str], encoder: str, dimension: int) -> None:
        if facts.get("schema") != _SCHEMA_NUMBER:
            raise LedgerDamaged(
                f"{self.path}: the ledger has layout {facts.get('schema')!r}, this version reads {_SCHEMA_NUMBER!r}. "
                f"Delete the folder {self.path.parent} and index the documents again"
            )
        made_with = (facts["encoder"], int(facts["dimension"]))
        if made_with != (encoder, dimension):
            raise EncoderMismatch(
                f"{self.path.parent.name}: the collection was made with encoder {made_with[0]!r} ({made_with[1]} dimensions), "
                f"not {encoder!r} ({dimension}). Choose that encoder, or index into a new collection"
            )


def _no_document(document_id: str, version: str | None) -> NotFound:
    what = "no current version" if version is None else f"no version {version!r}"
    return NotFound(f"document {document_id!r}: {what} in this collection. List the documents to see what there is")


def _is_laid_out(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'facts'").fetchone() is not None


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _position(connection: sqlite3.Connection) -> int:
    """The last position ever used, also when the log was trimmed after it."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").fetchone()
    return row[0] if row else 0
