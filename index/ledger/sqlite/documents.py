"""Read documents from the ledger: the current ones, any version of one, its pages, and where it came from."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from index.blocks.geometry import PageGeometry, unpack
from index.filters import Filter
from index.ledger.rows import (
    Visit,
    document_from,
    document_missing,
    pages_from,
    summary_from,
    text_begins,
    warnings_from,
)
from index.ledger.sqlite.selections import conditions
from index.ledger.stored import as_stored, require_kinds
from index.records import Document, DocumentSummary, Page
from index.storage.sqlite import SqliteDatabase
from index.uris import READING

_DOCUMENT = """
    document_id, version, uri, title, media_type, text, pages, blocks, metadata, warnings,
    (SELECT json_group_array(p.principal) FROM permissions p WHERE p.document_id = versions.document_id),
    (SELECT json_group_array(t.title) FROM titles t WHERE t.document_id = versions.document_id AND t.title IS NOT NULL)
    """


class Documents:
    """A read-only view of the documents in a ledger. Thread-safe; every call sees one committed state of the ledger."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    def get(self, document_id: str, version: str | None = None) -> Document:
        """Return the current version of a document, or the version named, also a retired one. `NotFound` if there is none."""
        parameters: tuple[str, ...]
        if version is None:
            condition, parameters = "number = (SELECT version FROM documents WHERE id = ?)", (document_id,)
        else:
            condition, parameters = "document_id = ? AND version = ?", (document_id, version)
        with self._database.reading() as connection:
            row = connection.execute(f"SELECT {_DOCUMENT} FROM versions WHERE {condition}", parameters).fetchone()
            if row is None:
                raise document_missing(document_id, version)
            return document_from(row)

    def place(self, document_id: str, version: str) -> tuple[str, str]:
        """Return the URI and the media type of a version, current or retired. `NotFound` if there is none."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT uri, media_type FROM versions WHERE document_id = ? AND version = ?", (document_id, version)
            ).fetchone()
            if row is None:
                raise document_missing(document_id, version)
            with as_stored():
                require_kinds(row, (str, str))
                uri, media_type = row
                return uri, media_type

    def pages(self, document_id: str, version: str) -> tuple[Page, ...]:
        """Return the pages of a version, current or retired, without reading its text. `NotFound` if there is none."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT pages FROM versions WHERE document_id = ? AND version = ?", (document_id, version)
            ).fetchone()
            if row is None:
                raise document_missing(document_id, version)
            return pages_from(row[0])

    def beginnings(
        self, places: Iterable[tuple[str, str]], characters: int, *, longer_than: int = 0
    ) -> dict[tuple[str, str], str]:
        """Return the first `characters` of the text of versions, by document and version.

        Versions that do not exist, and texts of at most `longer_than` characters, are left out.
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                """
                SELECT v.document_id, v.version, v.text FROM json_each(?) AS place
                JOIN versions v ON v.document_id = place.value ->> 0 AND v.version = place.value ->> 1
                WHERE v.characters > ?
                """,
                (json.dumps([list(place) for place in places]), longer_than),
            )
            return {(identity, version): text_begins(text, characters) for identity, version, text in rows}

    def geometry(self, document_id: str, version: str) -> tuple[PageGeometry, ...]:
        """Return where the words of a version stand on its pages; empty if it is not known. `NotFound` if there is none."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT geometry FROM versions WHERE document_id = ? AND version = ?", (document_id, version)
            ).fetchone()
            if row is None:
                raise document_missing(document_id, version)
            return () if row[0] is None else unpack(row[0])

    def warnings(self, ids: Sequence[str] | None = None) -> dict[str, tuple[str, ...]]:
        """Return the warnings of the current documents that have any: of all, or of those with these ids. The keys are ids."""
        among = "" if ids is None else "AND d.id IN (SELECT value FROM json_each(?))"
        with self._database.reading() as connection:
            rows = connection.execute(
                f"""
                SELECT d.id, w.warnings FROM versions w JOIN documents d ON d.version = w.number
                WHERE w.warnings != '[]' {among} ORDER BY d.uri, d.id
                """,
                () if ids is None else (json.dumps(list(ids)),),
            )
            return {identity: warnings_from(written) for identity, written in rows}

    def is_current(self, document: Document) -> bool:
        """Whether search finds this document as it is: text, title, metadata and all else except its principals."""
        with self._database.reading() as connection:
            row = connection.execute(
                f"SELECT {_DOCUMENT} FROM versions WHERE number = (SELECT version FROM documents WHERE id = ?)",
                (document.id,),
            ).fetchone()
            return row is not None and replace(document_from(row), principals=document.principals) == document

    def given_titles(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the titles that those of the documents have that were renamed. The keys are ids."""
        with self._database.reading() as connection:
            rows = connection.execute(
                """
                SELECT t.document_id, t.title FROM titles t WHERE t.title IS NOT NULL AND t.number IN (
                    SELECT max(number) FROM titles WHERE document_id IN (SELECT value FROM json_each(?)) GROUP BY document_id
                )
                """,
                (json.dumps(list(ids)),),
            )
            return dict(rows.fetchall())

    def pending_vectors(self, ids: Sequence[str] | None = None) -> int:
        """Count the chunks that wait for a vector: of all documents, or of those with these ids that are current.

        Fast, since an index holds the chunks without a vector: the server calls it for every answer.
        """
        with self._database.reading() as connection:
            if ids is None:
                row = connection.execute("SELECT count(*) FROM chunks WHERE embedded = 0").fetchone()
            else:
                row = connection.execute(
                    """
                    SELECT count(*) FROM chunks WHERE embedded = 0 AND document IN (
                        SELECT number FROM documents WHERE id IN (SELECT value FROM json_each(?))
                    )
                    """,
                    (json.dumps(list(ids)),),
                ).fetchone()
            return int(row[0])

    def pending_by_document(self) -> dict[str, int]:
        """Count the chunks that wait for a vector, for each current document that has any. The keys are ids."""
        with self._database.reading() as connection:
            rows = connection.execute(
                """
                SELECT d.id, count(*) FROM chunks c JOIN documents d ON d.number = c.document
                WHERE c.embedded = 0 GROUP BY d.id
                """
            )
            return dict(rows.fetchall())

    def page_counts(self) -> dict[str, int]:
        """Count the pages of each current document that has any. The keys are ids."""
        with self._database.reading() as connection:
            rows = connection.execute(
                """
                SELECT d.id, json_array_length(v.pages) FROM documents d JOIN versions v ON v.number = d.version
                WHERE v.pages != '[]' AND json_valid(v.pages)
                """
            )
            return dict(rows.fetchall())

    def of_version(self, version: str) -> list[DocumentSummary]:
        """Return the current documents with this version, that is, read from the same bytes, by URI."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT d.id FROM documents d JOIN versions v ON v.number = d.version WHERE v.version = ?", (version,)
            )
            ids = [identity for (identity,) in rows]
        return self.list(ids) if ids else []

    def visits(self) -> tuple[Visit, ...]:
        """Return the web pages that documents came from and what their servers reported about them, by URI."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT uri, found_by, etag, last_modified FROM visits ORDER BY uri")
            return tuple(map(_visit_from, rows))

    def list(
        self, ids: Sequence[str] | None = None, folder: str | None = None, *, only_earlier: bool = False
    ) -> list[DocumentSummary]:
        """Return the current documents by URI: all, or those with these ids, or with a URI below that of `folder`.

        `only_earlier`: only those that an earlier version of Quoth read.
        """
        conditions, values = ["TRUE"], []
        if ids is not None:
            conditions.append("d.id IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(list(ids)))
        if folder is not None:  # a range, so that the index on URIs finds it: "0" follows "/"
            conditions.append("d.uri > ? || '/' AND d.uri < ? || '0'")
            values += [folder.rstrip("/")] * 2
        if only_earlier:
            conditions.append(f"d.version IN (SELECT number FROM versions WHERE reading != {READING})")
        with self._database.reading() as connection:
            rows = connection.execute(
                f"""
                SELECT d.id, v.version, v.uri, v.title, v.media_type, v.characters,
                    (SELECT count(*) FROM chunks c WHERE c.document = d.number),
                    d.source_size, d.source_modified_ns, d.indexed_at,
                    d.version IN (SELECT number FROM versions WHERE reading = {READING}),
                    (SELECT json_group_array(p.principal) FROM permissions p WHERE p.document_id = d.id)
                FROM documents d JOIN versions v ON v.number = d.version
                WHERE {" AND ".join(conditions)} ORDER BY d.uri, d.id
                """,
                values,
            )
            return [summary_from(row) for row in rows]

    def matching(self, where: Filter) -> Sequence[tuple[str, str, str]]:
        """Return id, title and URI of the current documents that meet the filter, by URI."""
        met, parameters = conditions(where)
        with self._database.reading() as connection:
            return connection.execute(
                f"""
                SELECT d.id, v.title, v.uri FROM documents d JOIN versions v ON v.number = d.version
                WHERE {met} ORDER BY d.uri, d.id
                """,
                parameters,
            ).fetchall()


@as_stored()
def _visit_from(row: Sequence[object]) -> Visit:
    require_kinds(row, (str, str, str, str))
    return Visit(*map(str, row))
