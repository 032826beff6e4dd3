"""Documents into and out of the ledger's tables, inside a transaction that the caller holds."""

import json
import sqlite3
import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from sqlite3 import Connection

from index.errors import NotFound
from index.ledger.rows import (
    DOCUMENT_COLUMNS,
    Entry,
    chunk_row,
    document_from,
    modified_ns,
    pages_from,
    summary_from,
    version_row,
)
from index.ledger.snapshot import ADDED, EMBEDDED, REMOVED
from index.records import Document, DocumentSummary, Page


def document_number(connection: sqlite3.Connection, document_id: str) -> int:
    """Ledger number of a current document; `NotFound` if it is not current."""
    row = connection.execute("SELECT number FROM documents WHERE id = ?", (document_id,)).fetchone()
    if row is None:
        raise NotFound(f"document {document_id!r} is not in this collection. List the documents to see what there is")
    number: int = row[0]
    return number


def drop_chunks(connection: sqlite3.Connection, document: int) -> None:
    """Take the document's chunks and metadata out, and log it; its versions stay."""
    connection.execute(
        "INSERT INTO changes (kind, chunk) SELECT ?, number FROM chunks WHERE document = ?", (REMOVED, document)
    )
    connection.execute("DELETE FROM chunks WHERE document = ?", (document,))
    connection.execute("DELETE FROM properties WHERE document = ?", (document,))


def permit(connection: sqlite3.Connection, document_id: str, principals: Collection[str]) -> bool:
    """Make `principals` those who may read the document, in all its versions; whether that is a change."""
    rows = connection.execute("SELECT principal FROM permissions WHERE document_id = ?", (document_id,))
    if {principal for (principal,) in rows} == set(principals):
        return False
    connection.execute("DELETE FROM permissions WHERE document_id = ?", (document_id,))
    connection.executemany(
        "INSERT INTO permissions VALUES (?, ?)", ((document_id, principal) for principal in sorted(set(principals)))
    )
    return True


def insert(connection: sqlite3.Connection, entry: Entry) -> None:
    """Make the entry its document's current version, in place of any other."""
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
    permit(connection, entry.document.id, entry.document.principals)
    drop_chunks(connection, document)
    connection.executemany(
        "INSERT INTO properties (document, name, value) VALUES (?, ?, ?)",
        ((document, name, value) for name, value in entry.document.metadata.items()),
    )
    for chunk in entry.chunks:
        _insert_chunk(connection, chunk_row(entry.document, chunk, document))


def _insert_chunk(connection: sqlite3.Connection, row: dict[str, object]) -> None:
    known = connection.execute("SELECT 1 FROM vectors WHERE hash = :hash", row).fetchone() is not None
    names = ", ".join(row)
    number = connection.execute(
        f"INSERT INTO chunks ({names}, embedded) VALUES ({', '.join(f':{name}' for name in row)}, :embedded)",
        {**row, "embedded": int(known)},
    ).lastrowid
    kinds = (ADDED, EMBEDDED) if known else (ADDED,)
    connection.executemany("INSERT INTO changes (kind, chunk) VALUES (?, ?)", ((kind, number) for kind in kinds))


def is_current(connection: Connection, document: Document) -> bool:
    """Whether this document, text, title, metadata and all but its principals, is what search finds."""
    row = connection.execute(
        f"SELECT {DOCUMENT_COLUMNS} FROM versions WHERE number = (SELECT version FROM documents WHERE id = ?)",
        (document.id,),
    ).fetchone()
    return row is not None and replace(document_from(row), principals=document.principals) == document


def documents_in(
    connection: Connection, ids: Sequence[str] | None = None, folder: str | None = None
) -> list[DocumentSummary]:
    """The current documents, or those of them with these ids, or with a URI below that of `folder`, by URI."""
    conditions, values = ["TRUE"], []
    if ids is not None:
        conditions.append("d.id IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(list(ids)))
    if folder is not None:  # a range, so that the index on URIs finds it: "0" follows "/"
        conditions.append("d.uri > ? || '/' AND d.uri < ? || '0'")
        values += [folder.rstrip("/")] * 2
    among = " AND ".join(conditions)
    rows = connection.execute(
        f"""
        SELECT d.id, v.version, v.uri, v.title, v.media_type, v.characters,
            (SELECT count(*) FROM chunks c WHERE c.document = d.number),
            d.source_size, d.source_modified_ns, d.indexed_at,
            (SELECT json_group_array(p.principal) FROM permissions p WHERE p.document_id = d.id)
        FROM documents d JOIN versions v ON v.number = d.version WHERE {among} ORDER BY d.uri, d.id
        """,
        values,
    )
    return [summary_from(row) for row in rows]


def document_in(connection: Connection, document_id: str, version: str | None) -> Document:
    """The current version, or the one named, current or not. `NotFound` says which part is unknown."""
    parameters: tuple[str, ...]
    if version is None:
        condition, parameters = "number = (SELECT version FROM documents WHERE id = ?)", (document_id,)
    else:
        condition, parameters = "document_id = ? AND version = ?", (document_id, version)
    row = connection.execute(f"SELECT {DOCUMENT_COLUMNS} FROM versions WHERE {condition}", parameters).fetchone()
    if row is None:
        raise _no_document(document_id, version)
    return document_from(row)


def pages_in(connection: Connection, document_id: str, version: str) -> tuple[Page, ...]:
    """The pages of a version, current or not, without its text. `NotFound` if there is no such version."""
    row = connection.execute(
        "SELECT pages FROM versions WHERE document_id = ? AND version = ?", (document_id, version)
    ).fetchone()
    if row is None:
        raise _no_document(document_id, version)
    return pages_from(row[0])


def readers_of(connection: Connection, document_ids: Collection[str]) -> dict[str, frozenset[str]]:
    """Who may read those of the documents, current or removed, that are not for everybody."""
    rows = connection.execute(
        """
        SELECT document_id, json_group_array(principal) FROM permissions
        WHERE document_id IN (SELECT value FROM json_each(?)) GROUP BY document_id
        """,
        (json.dumps(list(document_ids)),),
    )
    return {identity: frozenset(json.loads(principals)) for identity, principals in rows}


def _no_document(document_id: str, version: str | None) -> NotFound:
    what = "no current version" if version is None else f"no version {version!r}"
    return NotFound(f"document {document_id!r}: {what} in this collection. List the documents to see what there is")
