"""The ledger of one collection: documents, versions, chunks, vectors and the log of changes, in one SQLite file.

The only source of truth. A call that returns is on disk: the write-ahead log is synced at every commit (`synchronous=FULL`).
Otherwise a power cut could lose the ledger's last commit but keep a cache file written after it, and nothing would show that
the two disagree. Every reader sees one consistent state and never waits for the writer. A writer must hold the collection's
lock.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.filters import Filter
from index.ledger.rows import (
    ChunkedDocument,
    Destination,
    PendingText,
    Visit,
    dump_destination,
    load_destination,
    require_encoder,
)
from index.ledger.selection import Selection, SelectionCache
from index.ledger.sqlite.chunks import Chunks
from index.ledger.sqlite.damage import explain_damage
from index.ledger.sqlite.documents import Documents
from index.ledger.sqlite.entries import document_number, insert, log_changed, rename, retire, set_principals
from index.ledger.sqlite.note import note_of, noted_identity
from index.ledger.sqlite.permissions import Permissions
from index.ledger.sqlite.schema import prepare
from index.ledger.sqlite.selections import resolve
from index.ledger.sqlite.snapshot import Snapshot
from index.ledger.state import EMBEDDED, Mark
from index.ledger.stored import as_stored
from index.ledger.tables import COUNTED, TABLES, checksum
from index.records import FileStamp
from index.storage.atomic import replace_file
from index.storage.lock import FileLock, writer_lock
from index.storage.sqlite import SqliteDatabase


class SqliteLedger:
    """Opens or creates the ledger at `path` for vectors of `dimension` from the encoder with fingerprint `encoder`.

    Its views `documents`, `chunks`, `permissions` and `selections` read; its own methods write, each in one transaction.
    Thread-safe. Raises `EncoderMismatch` if another encoder made the ledger's vectors, `LedgerDamaged` if it cannot be read,
    `LedgerLost` if it is missing or empty, although its note or one of `caches`, which are made from it, is there.
    """

    restoring = "Restore ledger.sqlite from a backup, or drop the collection and index the documents again"

    def __init__(self, path: Path, *, encoder: str, dimension: int, caches: Sequence[Path] = ()) -> None:
        self.path = path
        self._database = SqliteDatabase(path, explain_damage)
        facts = prepare(self._database, path, encoder=encoder, dimension=dimension, caches=caches)
        self._inode = path.stat().st_ino
        require_encoder(path.parent.name, (facts.encoder, facts.dimension), (encoder, dimension))
        self.name = path.parent.name
        self.folder = path.parent
        self.identity = facts.identity
        self.encoder = facts.encoder
        self.dimension = dimension
        self.documents = Documents(self._database)
        self.chunks = Chunks(self._database, dimension)
        self.permissions = Permissions(self._database)
        self.selections = SelectionCache(self._database.version, self._resolve)
        self.writer = writer_lock(path.parent)
        self.projector = FileLock(path.parent / "projector.lock")
        self._encoding = FileLock(path.parent / "embedding.lock")

    def close(self) -> None:
        """Close every connection. The ledger is not usable afterwards."""
        self._database.close()

    def exists(self) -> bool:
        """Whether the file that was opened, and is still open, is the one at `path`. (A closed one may give its inode away.)"""
        try:
            return self.path.stat().st_ino == self._inode
        except FileNotFoundError:
            return False

    def replacement(self) -> tuple[str, str] | None:
        """What is wrong if the note beside the file is of another ledger, and what to do."""
        if noted_identity(self.path) in (None, self.identity):
            return None
        fix = f"Restore ledger.sqlite from a backup, or delete {note_of(self.path)} to keep the ledger as it is"
        return "is not the one that the collection began with", fix

    @contextmanager
    def claim_pending(self, limit: int, wait: float) -> Iterator[list[PendingText]]:
        """At most `limit` texts to encode, newest first. One process at a time encodes. `CollectionBusy` after `wait`."""
        with self._encoding.hold(wait):
            yield self.chunks.pending(limit)

    def mark(self) -> Mark:
        """Return the ledger's identity and the position of its last change; 0 before the first."""
        with self._database.reading() as connection:
            return Mark(self.identity, _position(connection))

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Hold one state of the ledger for as long as the `with` block lasts."""
        with self._database.reading() as connection:
            floor = connection.execute("SELECT value FROM facts WHERE name = 'floor'").fetchone()
            with as_stored():
                reaches_back_to = int(floor[0])
            yield Snapshot(connection, Mark(self.identity, _position(connection)), reaches_back_to, self.dimension)

    def copy(self, target: Path) -> None:
        """Write the current state of the ledger into a new file at `target`."""
        self._database.copy(target)

    def checksum(self) -> str:
        """Return the checksum over the ledger's content (`index.ledger.tables`)."""
        with self._database.reading() as connection:
            facts = dict(connection.execute("SELECT name, value FROM facts"))
            used = dict(connection.execute("SELECT name, seq FROM sqlite_sequence"))
            with as_stored():
                numbers = [int(facts["dimension"]), int(facts["floor"])]
            counted = [used.get(name, 0) for name in COUNTED]
            tables = (
                (table, connection.execute(f"SELECT {table.columns} FROM {table.name} ORDER BY {table.order}"))
                for table in TABLES
            )
            return checksum((facts["encoder"], *numbers, facts.get("title", ""), *counted), tables)

    def change(
        self,
        add: Sequence[ChunkedDocument],
        remove: Sequence[str],
        alongside: AbstractContextManager[object] | None = None,
    ) -> None:
        """Change the documents in one transaction, as `index.ledger.protocol.Ledger` says."""
        with ExitStack() as elsewhere, self._database.writing() as connection:
            added = {entry.document.id for entry in add}
            for document_id in remove:
                retire(connection, document_id, for_good=document_id not in added)
            for entry in add:
                insert(connection, entry)
            elsewhere.enter_context(alongside or nullcontext())

    def refresh_source(self, document_id: str, source: FileStamp | None) -> None:
        """Record the new size and time of a file whose bytes are the same. `NotFound` if the document is not current."""
        with self._database.writing() as connection:
            number = document_number(connection, document_id)
            modified = connection.execute("SELECT modified_ns FROM documents WHERE number = ?", (number,)).fetchone()[0]
            if source is not None and source.modified_ns != modified:
                log_changed(connection, number)
            connection.execute(
                """
                UPDATE documents SET source_size = ?, source_modified_ns = ?, modified_ns = coalesce(?, modified_ns)
                WHERE number = ?
                """,
                (source and source.size, source and source.modified_ns, source and source.modified_ns, number),
            )

    def permit(self, document_id: str, principals: Collection[str]) -> bool:
        """Let only these principals read the document, everybody if there are none. Returns whether this changes anything.

        `NotFound` if the document is not current.
        """
        with self._database.writing() as connection:
            number = document_number(connection, document_id)
            is_changed = set_principals(connection, document_id, principals)
            if is_changed:
                log_changed(connection, number)
            return is_changed

    def rename(self, document_id: str, title: str) -> bool:
        """Give the document a title, which its later versions keep. Returns whether it is another.

        `NotFound` if the document is not current.
        """
        with self._database.writing() as connection:
            return rename(connection, document_id, title)

    @property
    def title(self) -> str:
        """The title that the collection was given; empty without one."""
        return self._fact("title")

    def record_title(self, title: str) -> None:
        """Keep a title for the collection; an empty one takes the title away."""
        self._record_fact("title", title)

    def note(self, name: str) -> str | None:
        """Return what is noted under that name: in a file beside the ledger."""
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def record_note(self, name: str, text: str) -> None:
        """Note a text in place of an earlier one."""
        with replace_file(self.folder / name) as path:
            path.write_text(text, encoding="utf-8")

    @property
    def destination(self) -> Destination | None:
        """Where the collection is being moved to; None if it stays."""
        noted = self._fact("destination")
        return load_destination(noted) if noted else None

    def record_destination(self, destination: Destination | None) -> None:
        """Note that the collection is being moved, or with None that it stays."""
        self._record_fact("destination", dump_destination(destination) if destination else "")

    def record_roots(self, uris: Collection[str], principals: frozenset[str]) -> None:
        """Keep `principals` for these places and forget those kept for places below them."""
        written = json.dumps(sorted(principals))
        with self._database.writing() as connection:
            for uri in uris:
                place = uri.rstrip("/")
                connection.execute("DELETE FROM roots WHERE uri > ? || '/' AND uri < ? || '0'", (place, place))
                connection.execute("INSERT OR REPLACE INTO roots VALUES (?, ?)", (uri, written))

    def record_visits(self, visits: Sequence[Visit], forget: Sequence[str] = ()) -> None:
        """Keep these visits in place of earlier ones, and forget those of the URIs `forget`."""
        with self._database.writing() as connection:
            connection.executemany("INSERT OR REPLACE INTO visits VALUES (?, ?, ?, ?)", visits)
            connection.executemany("DELETE FROM visits WHERE uri = ?", ((uri,) for uri in forget))

    def add_vectors(self, hashes: Sequence[bytes], vectors: NDArray[np.float32]) -> int:
        """Store `vectors` (n, dimension) for the texts with these hashes. Returns how many chunks became searchable."""
        searchable = 0
        with self._database.writing() as connection:
            for key, vector in zip(hashes, vectors.astype("<f2"), strict=True):
                connection.execute("INSERT OR IGNORE INTO vectors VALUES (?, ?)", (key, vector.tobytes()))
                connection.execute(
                    "INSERT INTO changes (kind, chunk) SELECT ?, number FROM chunks WHERE hash = ? AND embedded = 0",
                    (EMBEDDED, key),
                )
                updated = connection.execute("UPDATE chunks SET embedded = 1 WHERE hash = ? AND embedded = 0", (key,))
                searchable += updated.rowcount
        return searchable

    def trim(self, position: int) -> None:
        """Forget the log up to `position`: a cache that stands before it will be rebuilt instead of replayed."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM changes WHERE position <= ?", (position,))
            connection.execute(
                "UPDATE facts SET value = ? WHERE name = 'floor' AND CAST(value AS INTEGER) < ?",
                (str(position), position),
            )

    def _fact(self, name: str) -> str:
        """What is noted under that name; empty if nothing is."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
            return "" if row is None else str(row[0])

    def _record_fact(self, name: str, value: str) -> None:
        """Note a value under that name; an empty one takes the note away."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM facts WHERE name = ?", (name,))
            connection.executemany("INSERT INTO facts VALUES (?, ?)", [(name, value)] if value else [])

    def _resolve(self, where: Filter) -> Selection:
        with self._database.reading() as connection:
            return resolve(connection, where)


@as_stored()
def _position(connection: sqlite3.Connection) -> int:
    """Return the last position ever used, also if the log was trimmed after it."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").fetchone()
    return int(row[0]) if row else 0
