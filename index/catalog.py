"""The documents in a ledger: current ones, their versions, and who may read them. Inside a transaction of the caller's."""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from sqlite3 import Connection

from index.errors import NotFound
from index.records import Document, DocumentSummary, Page
from index.rows import DOCUMENT_COLUMNS, document_from, pages_from, summary_from


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
