"""The ledger of one collection in PostgreSQL.

A call that returns is committed. Every reader sees one consistent state and never waits for a writer. A writer waits for those
before it in the same collection, so positions of the log are committed in their order, and no other collection's writer waits.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from index.filters import Filter
from index.ledger.postgres.chunks import PostgresChunks
from index.ledger.postgres.claims import Claims
from index.ledger.postgres.documents import PostgresDocuments
from index.ledger.postgres.entries import Entries, dropped_meanwhile
from index.ledger.postgres.permissions import PostgresPermissions
from index.ledger.postgres.schema import Facts
from index.ledger.postgres.selections import resolve
from index.ledger.postgres.snapshot import PostgresSnapshot
from index.ledger.postgres.statements import digest, fetch, run
from index.ledger.postgres.transfer import checksum_of, write_sqlite
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
from index.ledger.state import Mark
from index.records import FileStamp
from index.storage.postgres import AdvisoryLock, PostgresDatabase

_WRITER, _PROJECTOR = 1, 2
"""The numbers of a collection's locks."""


def writer_lock(database: PostgresDatabase, key: int, name: str) -> AdvisoryLock:
    """Return the lock that a writer of the collection `key` must hold."""
    return AdvisoryLock(database, key, _WRITER, name)


class PostgresLedger:
    """The ledger with these `facts` in a database whose tables are up to date, as `index.ledger.protocol.Ledger` says.

    `folder` holds what this machine makes from it. Raises `EncoderMismatch` if another encoder made the ledger's vectors.
    """

    restoring = "Restore the database from a backup, or drop the collection and index the documents again"

    def __init__(
        self, database: PostgresDatabase, facts: Facts, name: str, folder: Path, *, encoder: str, dimension: int
    ) -> None:
        require_encoder(name, (facts.encoder, facts.dimension), (encoder, dimension))
        self._database = database
        self._key = facts.key
        self.name = name
        self.folder = folder
        self.identity = facts.identity
        self.encoder = facts.encoder
        self.dimension = dimension
        self.documents = PostgresDocuments(database, facts.key)
        self.chunks = PostgresChunks(database, facts.key, dimension)
        self.permissions = PostgresPermissions(database, facts.key)
        self.selections = SelectionCache(self._revision, self._resolve)
        self.writer = writer_lock(database, facts.key, name)
        self.projector = AdvisoryLock(database, facts.key, _PROJECTOR, name)
        self._claims = Claims(database, facts.key, name)

    def close(self) -> None:
        """Do nothing: the connections are those of all ledgers of the database."""

    def exists(self) -> bool:
        """Whether it still is the collection's: False once the collection was dropped, also if a new one has its name."""
        with self._database.reading() as connection:
            return bool(fetch(connection, "SELECT 1 FROM collections WHERE id = %s AND name IS NOT NULL", self._key))

    def replacement(self) -> tuple[str, str] | None:
        """Return None: a collection in the database has no other ledger."""
        return None

    def claim_pending(self, limit: int, wait: float) -> AbstractContextManager[list[PendingText]]:
        """At most `limit` texts to encode, newest first, claimed while the block lasts."""
        return self._claims.claim(limit, wait)

    def mark(self) -> Mark:
        """Return the ledger's identity and the position of its last change; 0 before the first."""
        with self._database.reading() as connection:
            return self._state(connection)[0]

    @contextmanager
    def snapshot(self) -> Iterator[PostgresSnapshot]:
        """Hold one state of the ledger for as long as the `with` block lasts."""
        with self._database.snapshot() as connection:
            mark, floor = self._state(connection)
            yield PostgresSnapshot(connection, self._key, mark, floor, self.dimension)

    def copy(self, target: Path) -> None:
        """Write the current state of the ledger into a new SQLite file at `target`."""
        with self._database.snapshot() as connection:
            write_sqlite(connection, self._key, target)

    def checksum(self) -> str:
        """Return the checksum over the ledger's content (`index.ledger.tables`)."""
        with self._database.snapshot() as connection:
            return checksum_of(connection, self._key)

    def change(
        self,
        add: Sequence[ChunkedDocument],
        remove: Sequence[str],
        alongside: AbstractContextManager[object] | None = None,
    ) -> None:
        """Retire the documents `remove` and make the documents `add` current, in one transaction: all or nothing."""
        with ExitStack() as elsewhere, self._writing() as (_, entries):
            added = {entry.document.id for entry in add}
            for document_id in remove:
                entries.retire(document_id, for_good=document_id not in added)
            for entry in add:
                entries.insert(entry)
            entries.finish()
            elsewhere.enter_context(alongside or nullcontext())

    def refresh_source(self, document_id: str, source: FileStamp | None) -> None:
        """Record the new size and time of a file whose bytes are the same. `NotFound` if the document is not current."""
        size, modified_ns = (None, None) if source is None else (source.size, source.modified_ns)
        with self._writing() as (connection, entries):
            number = entries.document_number(document_id)
            ((before,),) = fetch(
                connection, "SELECT modified_ns FROM documents WHERE collection = %s AND number = %s", self._key, number
            )
            if modified_ns not in (None, before):
                entries.log_changed(number)
            run(
                connection,
                """
                UPDATE documents SET source_size = CAST(%s AS bigint), source_modified_ns = CAST(%s AS bigint),
                    modified_ns = coalesce(CAST(%s AS bigint), modified_ns) WHERE collection = %s AND number = %s
                """,
                size,
                modified_ns,
                modified_ns,
                self._key,
                number,
            )
            entries.finish()

    def permit(self, document_id: str, principals: Collection[str]) -> bool:
        """Let only these principals read the document, everybody if there are none. Returns whether this changes anything."""
        with self._writing() as (_, entries):
            number = entries.document_number(document_id)
            is_changed = entries.set_principals(document_id, principals)
            if is_changed:
                entries.log_changed(number)
                entries.finish()
            return is_changed

    def rename(self, document_id: str, title: str) -> bool:
        """Give the document a title, which its later versions keep. Returns whether it is another."""
        with self._writing() as (_, entries):
            is_changed = entries.rename(document_id, title)
            if is_changed:
                entries.finish()
            return is_changed

    @property
    def title(self) -> str:
        """The title that the collection was given; empty without one."""
        with self._database.reading() as connection:
            rows = fetch(connection, "SELECT title FROM collections WHERE id = %s", self._key)
        return str(rows[0][0]) if rows else ""

    def record_title(self, title: str) -> None:
        """Keep a title for the collection; an empty one takes the title away."""
        with self._writing() as (connection, _):
            run(connection, "UPDATE collections SET title = %s WHERE id = %s", title, self._key)

    @property
    def destination(self) -> Destination | None:
        """Where the collection is being moved to; None if it stays."""
        with self._database.reading() as connection:
            rows = fetch(connection, "SELECT destination FROM collections WHERE id = %s", self._key)
        return load_destination(rows[0][0]) if rows and rows[0][0] is not None else None

    def record_destination(self, destination: Destination | None) -> None:
        """Note that the collection is being moved, or with None that it stays."""
        noted = None if destination is None else dump_destination(destination)
        with self._writing() as (connection, _):
            run(connection, "UPDATE collections SET destination = %s WHERE id = %s", noted, self._key)

    def note(self, name: str) -> str | None:
        """Return what is noted under that name; None if nothing is."""
        with self._database.reading() as connection:
            rows = fetch(connection, "SELECT text FROM notes WHERE collection = %s AND name = %s", self._key, name)
        return rows[0][0] if rows else None

    def record_note(self, name: str, text: str) -> None:
        """Note a text in place of an earlier one."""
        with self._writing() as (connection, _):
            run(
                connection,
                """
                INSERT INTO notes (collection, name, text) VALUES (%s, %s, %s)
                ON CONFLICT (collection, name) DO UPDATE SET text = excluded.text
                """,
                self._key,
                name,
                text,
            )

    def record_roots(self, uris: Collection[str], principals: frozenset[str]) -> None:
        """Keep `principals` for these places and forget those kept for places below them."""
        written = json.dumps(sorted(principals))
        with self._writing() as (connection, _):
            for uri in uris:
                place = uri.rstrip("/")
                run(
                    connection,
                    "DELETE FROM roots WHERE collection = %s AND uri > %s AND uri < %s",
                    self._key,
                    f"{place}/",
                    f"{place}0",
                )
                run(
                    connection,
                    """
                    INSERT INTO roots (collection, place, uri, principals) VALUES (%s, %s, %s, %s)
                    ON CONFLICT (collection, place) DO UPDATE SET principals = excluded.principals
                    """,
                    self._key,
                    digest(uri),
                    uri,
                    written,
                )

    def record_visits(self, visits: Sequence[Visit], forget: Sequence[str] = ()) -> None:
        """Keep these visits in place of earlier ones, and forget those of the URIs `forget`."""
        with self._writing() as (connection, _):
            for visit in visits:
                run(
                    connection,
                    """
                    INSERT INTO visits (collection, place, uri, found_by, etag, last_modified) VALUES (%s, %s, %s, %s, %s, %s)
                    ON CONFLICT (collection, place) DO UPDATE SET found_by = excluded.found_by, etag = excluded.etag,
                        last_modified = excluded.last_modified
                    """,
                    self._key,
                    digest(visit.uri),
                    *visit,
                )
            if forget:
                run(
                    connection,
                    "DELETE FROM visits WHERE collection = %s AND place = ANY(CAST(%s AS bytea[]))",
                    self._key,
                    [digest(uri) for uri in forget],
                )

    def add_vectors(self, hashes: Sequence[bytes], vectors: NDArray[np.float32]) -> int:
        """Store `vectors` (n, dimension) for the texts with these hashes. Returns how many chunks became searchable."""
        stored = [vector.tobytes() for vector in vectors.astype("<f2")]
        with self._writing() as (_, entries):
            searchable = entries.add_vectors(list(zip(hashes, stored, strict=True)))
            entries.finish()
            return searchable

    def trim(self, position: int) -> None:
        """Forget the log up to `position`: a cache that stands before it will be rebuilt instead of replayed."""
        with self._writing() as (connection, _):
            run(connection, "DELETE FROM changes WHERE collection = %s AND position <= %s", self._key, position)
            run(
                connection,
                "UPDATE collections SET floor = greatest(floor, CAST(%s AS bigint)) WHERE id = %s",
                position,
                self._key,
            )

    @contextmanager
    def _writing(self) -> Iterator[tuple[Connection, Entries]]:
        """A write transaction, on the connection that holds the writers' lock if this thread holds it."""
        with self._database.writing(self.writer.connection) as connection:
            yield connection, Entries(connection, self._key, self.name)

    def _resolve(self, where: Filter) -> Selection:
        with self._database.snapshot() as connection:
            return resolve(connection, self._key, where)

    def _revision(self) -> int:
        with self._database.reading() as connection:
            rows = fetch(connection, "SELECT revision FROM collections WHERE id = %s", self._key)
        return int(rows[0][0]) if rows else -1

    def _state(self, connection: Connection) -> tuple[Mark, int]:
        """The mark of the newest change, and where the log begins."""
        rows = fetch(
            connection, "SELECT position, floor FROM collections WHERE id = %s AND name IS NOT NULL", self._key
        )
        if not rows:
            raise dropped_meanwhile(self.name)
        position, floor = rows[0]
        return Mark(self.identity, position), floor
