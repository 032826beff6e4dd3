"""Read documents from the ledger: the current ones, any version of one, its pages, and where it came from."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from index.blocks.geometry import PageGeometry, unpack
from index.filters import Filter
from index.ledger.postgres.selections import below, conditions
from index.ledger.postgres.statements import fetch
from index.ledger.rows import (
    Visit,
    document_from,
    document_missing,
    pages_from,
    summary_from,
    text_begins,
    warnings_from,
)
from index.records import Document, DocumentSummary, Page
from index.storage.postgres import PostgresDatabase
from index.uris import READING

_READERS = """
    ARRAY(SELECT p.principal FROM permissions p WHERE p.collection = v.collection AND p.document_id = v.document_id)
    """
_TITLES = """
    ARRAY(SELECT t.title FROM titles t
        WHERE t.collection = v.collection AND t.document_id = v.document_id AND t.title IS NOT NULL)
    """
_DOCUMENT = f"""
    v.document_id, v.version, v.uri, v.title, v.media_type, v.text, v.pages, v.blocks, v.metadata, v.warnings,
    {_READERS}, {_TITLES}
    """
_CURRENT = "documents d JOIN versions v ON v.collection = d.collection AND v.number = d.version"


class PostgresDocuments:
    """A read-only view of the documents in a ledger, as `index.ledger.protocol.Documents` says."""

    def __init__(self, database: PostgresDatabase, key: int) -> None:
        self._database = database
        self._key = key

    def get(self, document_id: str, version: str | None = None) -> Document:
        """Return the current version of a document, or the version named, also a retired one. `NotFound` if there is none."""
        if version is None:
            source, values = f"{_CURRENT} WHERE d.collection = %s AND d.id = %s", [document_id]
        else:
            source = "versions v WHERE v.collection = %s AND v.document_id = %s AND v.version = %s"
            values = [document_id, version]
        rows = self._fetch(f"SELECT {_DOCUMENT} FROM {source}", *values)
        if not rows:
            raise document_missing(document_id, version)
        with self._database.explaining():
            return _document_from(rows[0])

    def place(self, document_id: str, version: str) -> tuple[str, str]:
        """Return the URI and the media type of a version, current or retired. `NotFound` if there is none."""
        uri, media_type = self._of_version("uri, media_type", document_id, version)
        return uri, media_type

    def pages(self, document_id: str, version: str) -> tuple[Page, ...]:
        """Return the pages of a version, current or retired, without reading its text. `NotFound` if there is none."""
        with self._database.explaining():
            return pages_from(self._of_version("pages", document_id, version)[0])

    def beginnings(
        self, places: Iterable[tuple[str, str]], characters: int, *, longer_than: int = 0
    ) -> dict[tuple[str, str], str]:
        """Return the first `characters` of the text of versions, by document and version.

        Versions that do not exist, and texts of at most `longer_than` characters, are left out.
        """
        asked = list(places)
        rows = self._fetch(
            """
            SELECT v.document_id, v.version, v.text FROM versions v
            JOIN unnest(CAST(%s AS text[]), CAST(%s AS text[])) AS asked (document_id, version) USING (document_id, version)
            WHERE v.characters > %s AND v.collection = %s
            """,
            [document_id for document_id, _ in asked],
            [version for _, version in asked],
            longer_than,
            key_last=True,
        )
        with self._database.explaining():
            return {(identity, version): text_begins(text, characters) for identity, version, text in rows}

    def geometry(self, document_id: str, version: str) -> tuple[PageGeometry, ...]:
        """Return where the words of a version stand on its pages; empty if it is not known. `NotFound` if there is none."""
        (packed,) = self._of_version("geometry", document_id, version)
        with self._database.explaining():
            return () if packed is None else unpack(packed)

    def warnings(self, ids: Sequence[str] | None = None) -> dict[str, tuple[str, ...]]:
        """Return the warnings of the current documents that have any: of all, or of those with these ids. The keys are ids."""
        among, values = _among(ids)
        rows = self._fetch(
            f"""
            SELECT d.id, v.warnings FROM {_CURRENT}
            WHERE d.collection = %s AND v.warnings <> '[]' {among} ORDER BY d.uri, d.id
            """,
            *values,
        )
        with self._database.explaining():
            return {identity: warnings_from(written) for identity, written in rows}

    def is_current(self, document: Document) -> bool:
        """Whether search finds this document as it is: text, title, metadata and all else except its principals."""
        rows = self._fetch(
            f"SELECT {_DOCUMENT} FROM {_CURRENT} WHERE d.collection = %s AND d.id = %s AND v.version = %s",
            document.id,
            document.version,
        )
        with self._database.explaining():
            return bool(rows) and replace(_document_from(rows[0]), principals=document.principals) == document

    def given_titles(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the titles that those of the documents have that were renamed. The keys are ids."""
        rows = self._fetch(
            """
            SELECT DISTINCT ON (document_id) document_id, title FROM titles
            WHERE collection = %s AND document_id = ANY(CAST(%s AS text[])) ORDER BY document_id, number DESC
            """,
            [*ids],
        )
        return {identity: title for identity, title in rows if title is not None}

    def pending_vectors(self, ids: Sequence[str] | None = None) -> int:
        """Count the chunks that wait for a vector: of all documents, or of those with these ids that are current."""
        if ids is None:
            rows = self._fetch("SELECT count(*) FROM chunks WHERE collection = %s AND NOT embedded")
        else:
            rows = self._fetch(
                """
                SELECT count(*) FROM chunks c JOIN documents d ON d.collection = c.collection AND d.number = c.document
                WHERE c.collection = %s AND NOT c.embedded AND d.id = ANY(CAST(%s AS text[]))
                """,
                list(ids),
            )
        return int(rows[0][0])

    def pending_by_document(self) -> dict[str, int]:
        """Count the chunks that wait for a vector, for each current document that has any. The keys are ids."""
        rows = self._fetch(
            """
            SELECT d.id, count(*) FROM chunks c JOIN documents d ON d.collection = c.collection AND d.number = c.document
            WHERE c.collection = %s AND NOT c.embedded GROUP BY d.id
            """
        )
        return dict(rows)

    def page_counts(self) -> dict[str, int]:
        """Count the pages of each current document that has any. The keys are ids."""
        rows = self._fetch(
            f"""
            SELECT d.id, json_array_length(CAST(v.pages AS json)) FROM {_CURRENT} WHERE d.collection = %s AND v.pages <> '[]'
            """
        )
        return dict(rows)

    def of_version(self, version: str) -> list[DocumentSummary]:
        """Return the current documents with this version, that is, read from the same bytes, by URI."""
        return self._summaries("v.version = %s", version)

    def visits(self) -> tuple[Visit, ...]:
        """Return the web pages that documents came from and what their servers reported about them, by URI."""
        rows = self._fetch("SELECT uri, found_by, etag, last_modified FROM visits WHERE collection = %s ORDER BY uri")
        return tuple(Visit(*row) for row in rows)

    def matching(self, where: Filter) -> Sequence[tuple[str, str, str]]:
        """Return id, title and URI of the current documents that meet the filter, by URI."""
        met, values = conditions(where)
        rows = self._fetch(
            f"SELECT d.id, v.title, v.uri FROM {_CURRENT} WHERE d.collection = %s AND {met} ORDER BY d.uri, d.id",
            *values,
        )
        return [(identity, title, uri) for identity, title, uri in rows]

    def _summaries(self, met: str, *values: object) -> list[DocumentSummary]:
        rows = self._fetch(
            f"""
            SELECT d.id, v.version, v.uri, v.title, v.media_type, v.characters,
                (SELECT count(*) FROM chunks c WHERE c.collection = d.collection AND c.document = d.number),
                d.source_size, d.source_modified_ns, d.indexed_at, v.reading, {_READERS}
            FROM {_CURRENT} WHERE d.collection = %s AND {met} ORDER BY d.uri, d.id
            """,
            *values,
        )
        with self._database.explaining():
            return [
                summary_from((*facts, int(reading == READING), json.dumps(readers)))
                for *facts, reading, readers in rows
            ]

    def _of_version(self, columns: str, document_id: str, version: str) -> tuple[Any, ...]:
        rows = self._fetch(
            f"SELECT {columns} FROM versions WHERE collection = %s AND document_id = %s AND version = %s",
            document_id,
            version,
        )
        if not rows:
            raise document_missing(document_id, version)
        return rows[0]

    def _fetch(self, statement: str, *values: object, key_last: bool = False) -> list[tuple[Any, ...]]:
        """Run one statement, whose first parameter is the collection's key, or the last."""
        with self._database.reading() as connection:
            return fetch(connection, statement, *((*values, self._key) if key_last else (self._key, *values)))

    # After all else: it hides the type of that name.
    def list(
        self, ids: Sequence[str] | None = None, folder: str | None = None, *, only_earlier: bool = False
    ) -> list[DocumentSummary]:
        """Return the current documents by URI: all, or those with these ids, or with a URI below that of `folder`.

        `only_earlier`: only those that an earlier version of Quoth read.
        """
        met, values = ["TRUE"], list[object]()
        if ids is not None:
            met.append("d.id = ANY(CAST(%s AS text[]))")
            values.append([*ids])
        if folder is not None:  # "0" follows "/"
            place = folder.rstrip("/")
            inside, limits = below(f"{place}/", f"{place}0")
            met += [inside, "d.uri <> %s"]
            values += [*limits, f"{place}/"]
        if only_earlier:
            met.append(f"v.reading <> {READING}")
        return self._summaries(" AND ".join(met), *values)


def _among(ids: Sequence[str] | None) -> tuple[str, list[object]]:
    return ("", []) if ids is None else ("AND d.id = ANY(CAST(%s AS text[]))", [[*ids]])


def _document_from(row: tuple[Any, ...]) -> Document:
    *facts, readers, titles = row
    return document_from((*facts, json.dumps(readers), json.dumps(titles)))
