"""Write documents and their chunks into the ledger's tables, inside a write transaction that the caller holds."""

import time
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from index.errors import CollectionDropped
from index.ledger.postgres.statements import digest, fetch, run
from index.ledger.rows import ChunkedDocument, chunk_row, document_not_current, modified_ns, version_row
from index.ledger.state import ADDED, CHANGED, EMBEDDED, REMOVED

_CHUNK_TYPES = {
    "number": "integer", "id": "text", "document": "integer", "ordinal": "integer", "start": "integer", "stop": "integer",
    "page": "integer", "trail": "text", "context": "text", "text": "text", "rendered": "text", "units": "text",
    "hash": "bytea", "embedded": "boolean",
}  # fmt: skip


class Counters(NamedTuple):
    """The last numbers used in a collection: of its log, its versions, documents and chunks."""

    position: int
    version: int
    document: int
    chunk: int


def dropped_meanwhile(name: str) -> CollectionDropped:
    """The error that a collection that is open exists no longer."""
    return CollectionDropped(
        f"{name}: another program dropped the collection meanwhile. Run again to see what is there"
    )


class Entries:
    """One write transaction on the collection `key`, which waits here until other writers of the collection have committed.

    Numbers and positions are handed out while no other can commit, so what has a lower position was committed before.
    """

    def __init__(self, connection: Connection, key: int, name: str) -> None:
        self._connection = connection
        self._key = key
        rows = fetch(
            connection,
            """
            SELECT position, last_version, last_document, last_chunk FROM collections
            WHERE id = %s AND name IS NOT NULL FOR NO KEY UPDATE
            """,
            key,
        )
        if not rows:
            raise dropped_meanwhile(name)
        self._last = Counters(*rows[0])

    def finish(self) -> None:
        """Record the numbers that were used. Nothing is written after it but the commit."""
        run(
            self._connection,
            """
            UPDATE collections SET position = CAST(%s AS bigint), last_version = %s, last_document = %s, last_chunk = %s,
                revision = revision + 1 WHERE id = %s
            """,
            *self._last,
            self._key,
        )

    def document_number(self, document_id: str) -> int:
        """Return the ledger number of a current document. `NotFound` if it is not current."""
        number = self._number(document_id)
        if number is None:
            raise document_not_current(document_id)
        return number

    def insert(self, entry: ChunkedDocument) -> None:
        """Make the entry the current version of its document, in place of any other."""
        version, now = self._put_version(entry), time.time()
        number = self._number(entry.document.id)
        if number is None:
            number = self._last.document + 1
            self._last = self._last._replace(document=number)
        else:
            self._delete_chunks(number)
        fetch(
            self._connection,
            """
            INSERT INTO documents
                (collection, number, id, version, uri, source_size, source_modified_ns, indexed_at, modified_ns)
            VALUES (%s, %s, %s, %s, %s, CAST(%s AS bigint), CAST(%s AS bigint), CAST(%s AS float8), CAST(%s AS bigint))
            ON CONFLICT (collection, number) DO UPDATE SET version = excluded.version, uri = excluded.uri,
                source_size = excluded.source_size, source_modified_ns = excluded.source_modified_ns,
                indexed_at = excluded.indexed_at, modified_ns = excluded.modified_ns
            RETURNING number
            """,
            self._key,
            number,
            entry.document.id,
            version,
            entry.document.uri,
            entry.source and entry.source.size,
            entry.source and entry.source.modified_ns,
            now,
            modified_ns(entry, now),
        )
        self.set_principals(entry.document.id, entry.document.principals)
        if entry.is_named and self._is_renamed(entry.document.id):
            self._record_title(entry.document.id, entry.document.title)
        run(self._connection, "DELETE FROM properties WHERE collection = %s AND document = %s", self._key, number)
        pairs = [digest(name, value) for name, value in entry.document.metadata.items()]
        if pairs:
            run(
                self._connection,
                "INSERT INTO properties (collection, document, pair) SELECT %s, %s, unnest(CAST(%s AS bytea[]))",
                self._key,
                number,
                pairs,
            )
        self._insert_chunks([chunk_row(entry.document, chunk, number) for chunk in entry.chunks])

    def retire(self, document_id: str, *, for_good: bool) -> None:
        """Take the document out of search and keep its versions. `NotFound` if it is not current.

        `for_good`: this change does not add it again, and the title that it was given goes with it.
        """
        number = self.document_number(document_id)
        self._delete_chunks(number)
        run(self._connection, "DELETE FROM properties WHERE collection = %s AND document = %s", self._key, number)
        run(self._connection, "DELETE FROM documents WHERE collection = %s AND number = %s", self._key, number)
        if for_good and self._is_renamed(document_id):
            self._record_title(document_id, None)

    def rename(self, document_id: str, title: str) -> bool:
        """Give the document a title, which its later versions keep. Returns whether it is another. `NotFound` if not current.

        Its chunks get new numbers, so that the lexicon reads them again with the new title. Their vectors stay: they are of
        the text as it was embedded.
        """
        number = self.document_number(document_id)
        ((version, before),) = fetch(
            self._connection,
            """
            SELECT v.number, v.title FROM documents d JOIN versions v ON v.collection = d.collection AND v.number = d.version
            WHERE d.collection = %s AND d.number = %s
            """,
            self._key,
            number,
        )
        if title == before:
            return False
        for known in (before, title):
            self._record_title(document_id, known)
        run(
            self._connection,
            "UPDATE versions SET title = %s WHERE collection = %s AND number = %s",
            title,
            self._key,
            version,
        )
        names = [name for name in _CHUNK_TYPES if name not in ("number", "embedded")]
        chunks = fetch(
            self._connection,
            f"SELECT {', '.join(names)} FROM chunks WHERE collection = %s AND document = %s ORDER BY number",
            self._key,
            number,
        )
        self._delete_chunks(number)
        self._insert_chunks([dict(zip(names, chunk, strict=True)) for chunk in chunks])
        return True

    def log_changed(self, document: int) -> None:
        """Log for each chunk of the document that filters may no longer find it as before."""
        rows = fetch(
            self._connection,
            "SELECT number FROM chunks WHERE collection = %s AND document = %s ORDER BY number",
            self._key,
            document,
        )
        self._log((CHANGED, number) for (number,) in rows)

    def set_principals(self, document_id: str, principals: Collection[str]) -> bool:
        """Make `principals` those who may read the document, in all its versions. Returns whether this changes anything."""
        place = (self._key, document_id)
        condition = "collection = %s AND document_id = %s"
        before = fetch(self._connection, f"SELECT principal FROM permissions WHERE {condition}", *place)
        if {principal for (principal,) in before} == set(principals):
            return False
        run(self._connection, f"DELETE FROM permissions WHERE {condition}", *place)
        run(
            self._connection,
            "INSERT INTO permissions (collection, document_id, principal) SELECT %s, %s, unnest(CAST(%s AS text[]))",
            *place,
            sorted(set(principals)),
        )
        return True

    def add_vectors(self, vectors: Sequence[tuple[bytes, bytes]]) -> int:
        """Store vectors, as they are stored, by the hashes of their texts. Returns how many chunks became searchable."""
        hashes = [key for key, _ in vectors]
        run(
            self._connection,
            """
            INSERT INTO vectors (collection, hash, vector)
            SELECT %s, given.hash, given.vector FROM unnest(CAST(%s AS bytea[]), CAST(%s AS bytea[])) AS given (hash, vector)
            ON CONFLICT DO NOTHING
            """,
            self._key,
            hashes,
            [vector for _, vector in vectors],
        )
        rows = fetch(
            self._connection,
            """
            UPDATE chunks SET embedded = TRUE WHERE collection = %s AND hash = ANY(CAST(%s AS bytea[])) AND NOT embedded
            RETURNING number, hash
            """,
            self._key,
            hashes,
        )
        order = {key: place for place, key in reversed(list(enumerate(hashes)))}
        found = sorted((order[key], number) for number, key in rows)
        self._log((EMBEDDED, number) for _, number in found)
        return len(found)

    def _is_renamed(self, document_id: str) -> bool:
        """Whether the document has a title that it was given."""
        rows = fetch(
            self._connection,
            "SELECT title FROM titles WHERE collection = %s AND document_id = %s ORDER BY number DESC LIMIT 1",
            self._key,
            document_id,
        )
        return bool(rows) and rows[0][0] is not None

    def _record_title(self, document_id: str, title: str | None) -> None:
        run(
            self._connection,
            "INSERT INTO titles (collection, document_id, title) VALUES (%s, %s, CAST(%s AS text))",
            self._key,
            document_id,
            title,
        )

    def _number(self, document_id: str) -> int | None:
        rows = fetch(
            self._connection, "SELECT number FROM documents WHERE collection = %s AND id = %s", self._key, document_id
        )
        return int(rows[0][0]) if rows else None

    def _put_version(self, entry: ChunkedDocument) -> int:
        """Write the version, in place of one with the same name. Returns its number."""
        row = version_row(entry.document)
        columns = ", ".join(row)
        rows = fetch(
            self._connection,
            f"""
            INSERT INTO versions (collection, number, {columns}) VALUES (%s, %s, {", ".join("%s" for _ in row)})
            ON CONFLICT (collection, document_id, version)
                DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in row)}
            RETURNING number
            """,
            self._key,
            self._last.version + 1,
            *row.values(),
        )
        number = int(rows[0][0])
        self._last = self._last._replace(version=max(self._last.version, number))
        return number

    def _delete_chunks(self, document: int) -> None:
        """Delete the document's chunks and log each as removed; its versions stay."""
        place = (self._key, document)
        rows = fetch(
            self._connection, "DELETE FROM chunks WHERE collection = %s AND document = %s RETURNING number", *place
        )
        self._log((REMOVED, number) for number in sorted(number for (number,) in rows))

    def _insert_chunks(self, rows: Sequence[dict[str, object]]) -> None:
        if not rows:
            return
        known = fetch(
            self._connection,
            "SELECT hash FROM vectors WHERE collection = %s AND hash = ANY(CAST(%s AS bytea[]))",
            self._key,
            [row["hash"] for row in rows],
        )
        embedded = {key for (key,) in known}
        first = self._last.chunk + 1
        numbered = [
            {"number": number, **row, "embedded": row["hash"] in embedded} for number, row in enumerate(rows, first)
        ]
        self._last = self._last._replace(chunk=first + len(rows) - 1)
        names = ", ".join(_CHUNK_TYPES)
        run(
            self._connection,
            f"""
            INSERT INTO chunks (collection, {names}) SELECT %s, given.* FROM unnest(
                {", ".join(f"CAST(%s AS {kind}[])" for kind in _CHUNK_TYPES.values())}
            ) AS given ({names})
            """,
            self._key,
            *([row[name] for row in numbered] for name in _CHUNK_TYPES),
        )
        self._log(
            (kind, number)
            for number, row in enumerate(numbered, first)
            for kind in ((ADDED, EMBEDDED) if row["embedded"] else (ADDED,))
        )

    def _log(self, changes: Iterable[tuple[int, int]]) -> None:
        """Add changes, each a kind and a chunk's number, to the log."""
        given = list(changes)
        if not given:
            return
        first = self._last.position + 1
        run(
            self._connection,
            """
            INSERT INTO changes (collection, position, kind, chunk) SELECT %s, given.* FROM unnest(
                CAST(%s AS bigint[]), CAST(%s AS smallint[]), CAST(%s AS integer[])
            ) AS given (position, kind, chunk)
            """,
            self._key,
            list(range(first, first + len(given))),
            [kind for kind, _ in given],
            [chunk for _, chunk in given],
        )
        self._last = self._last._replace(position=first + len(given) - 1)
