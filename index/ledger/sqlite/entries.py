"""Write documents and their chunks into the ledger's tables, inside a write transaction that the caller holds."""

import sqlite3
import time
from collections.abc import Collection

from index.ledger.rows import ChunkedDocument, chunk_row, document_not_current, modified_ns, version_row
from index.ledger.state import ADDED, CHANGED, EMBEDDED, REMOVED


def document_number(connection: sqlite3.Connection, document_id: str) -> int:
    """Return the ledger number of a current document. `NotFound` if it is not current."""
    row = connection.execute("SELECT number FROM documents WHERE id = ?", (document_id,)).fetchone()
    if row is None:
        raise document_not_current(document_id)
    number: int = row[0]
    return number


def insert(connection: sqlite3.Connection, entry: ChunkedDocument) -> None:
    """Make the entry the current version of its document, in place of any other."""
    row = version_row(entry.document)
    names = ", ".join(row)
    version = connection.execute(
        f"""
        INSERT INTO versions ({names}) VALUES ({", ".join(f":{name}" for name in row)})
        ON CONFLICT (document_id, version) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in row)}
        RETURNING number
        """,
        row,
    ).fetchone()[0]
    now = time.time()
    document = connection.execute(
        """
        INSERT INTO documents (id, version, uri, source_size, source_modified_ns, indexed_at, modified_ns)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET version = excluded.version, uri = excluded.uri, source_size = excluded.source_size,
            source_modified_ns = excluded.source_modified_ns, indexed_at = excluded.indexed_at,
            modified_ns = excluded.modified_ns
        RETURNING number
        """,
        (
            entry.document.id,
            version,
            entry.document.uri,
            entry.source and entry.source.size,
            entry.source and entry.source.modified_ns,
            now,
            modified_ns(entry, now),
        ),
    ).fetchone()[0]
    set_principals(connection, entry.document.id, entry.document.principals)
    if entry.is_named and _is_renamed(connection, entry.document.id):
        _record_title(connection, entry.document.id, entry.document.title)
    _delete_chunks(connection, document)
    connection.execute("DELETE FROM properties WHERE document = ?", (document,))
    connection.executemany(
        "INSERT INTO properties (document, name, value) VALUES (?, ?, ?)",
        ((document, name, value) for name, value in entry.document.metadata.items()),
    )
    for chunk in entry.chunks:
        _insert_chunk(connection, chunk_row(entry.document, chunk, document))


def retire(connection: sqlite3.Connection, document_id: str, *, for_good: bool) -> None:
    """Take the document out of search and keep its versions. `NotFound` if it is not current.

    `for_good`: this change does not add it again, and the title that it was given goes with it.
    """
    number = document_number(connection, document_id)
    _delete_chunks(connection, number)
    connection.execute("DELETE FROM properties WHERE document = ?", (number,))
    connection.execute("DELETE FROM documents WHERE number = ?", (number,))
    if for_good and _is_renamed(connection, document_id):
        _record_title(connection, document_id, None)


def rename(connection: sqlite3.Connection, document_id: str, title: str) -> bool:
    """Give the document a title, which its later versions keep. Returns whether it is another. `NotFound` if it is not current.

    Its chunks get new numbers, so that the lexicon reads them again with the new title. Their vectors stay: they are of the
    text as it was embedded.
    """
    number = document_number(connection, document_id)
    version, before = connection.execute(
        "SELECT v.number, v.title FROM documents d JOIN versions v ON v.number = d.version WHERE d.number = ?",
        (number,),
    ).fetchone()
    if title == before:
        return False
    for known in (before, title):
        _record_title(connection, document_id, known)
    connection.execute("UPDATE versions SET title = ? WHERE number = ?", (title, version))
    columns = "id, document, ordinal, start, stop, page, trail, context, text, rendered, units, hash"
    chunks = connection.execute(
        f"SELECT {columns} FROM chunks WHERE document = ? ORDER BY number", (number,)
    ).fetchall()
    _delete_chunks(connection, number)
    for chunk in chunks:
        _insert_chunk(connection, dict(zip(columns.split(", "), chunk, strict=True)))
    return True


def _is_renamed(connection: sqlite3.Connection, document_id: str) -> bool:
    """Whether the document has a title that it was given."""
    row = connection.execute(
        "SELECT title FROM titles WHERE document_id = ? ORDER BY number DESC LIMIT 1", (document_id,)
    ).fetchone()
    return row is not None and row[0] is not None


def _record_title(connection: sqlite3.Connection, document_id: str, title: str | None) -> None:
    connection.execute("INSERT INTO titles (document_id, title) VALUES (?, ?)", (document_id, title))


def log_changed(connection: sqlite3.Connection, document: int) -> None:
    """Log for each chunk of the document that filters may no longer find it as before."""
    connection.execute(
        "INSERT INTO changes (kind, chunk) SELECT ?, number FROM chunks WHERE document = ?", (CHANGED, document)
    )


def set_principals(connection: sqlite3.Connection, document_id: str, principals: Collection[str]) -> bool:
    """Make `principals` those who may read the document, in all its versions. Returns whether this changes anything."""
    rows = connection.execute("SELECT principal FROM permissions WHERE document_id = ?", (document_id,))
    if {principal for (principal,) in rows} == set(principals):
        return False
    connection.execute("DELETE FROM permissions WHERE document_id = ?", (document_id,))
    connection.executemany(
        "INSERT INTO permissions VALUES (?, ?)", ((document_id, principal) for principal in sorted(set(principals)))
    )
    return True


def _delete_chunks(connection: sqlite3.Connection, document: int) -> None:
    """Delete the document's chunks and log each as removed; its versions stay."""
    connection.execute(
        "INSERT INTO changes (kind, chunk) SELECT ?, number FROM chunks WHERE document = ?", (REMOVED, document)
    )
    connection.execute("DELETE FROM chunks WHERE document = ?", (document,))


def _insert_chunk(connection: sqlite3.Connection, row: dict[str, object]) -> None:
    known = connection.execute("SELECT 1 FROM vectors WHERE hash = :hash", row).fetchone() is not None
    names = ", ".join(row)
    number = connection.execute(
        f"INSERT INTO chunks ({names}, embedded) VALUES ({', '.join(f':{name}' for name in row)}, :embedded)",
        {**row, "embedded": int(known)},
    ).lastrowid
    kinds = (ADDED, EMBEDDED) if known else (ADDED,)
    connection.executemany("INSERT INTO changes (kind, chunk) VALUES (?, ?)", ((kind, number) for kind in kinds))
