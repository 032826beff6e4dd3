"""Who may read which document, and the places (folder, file, address, upload) that principals were named for.

The principals named for a place are kept with the collection. A new document takes them from the nearest place at or above
it when a later run names nobody, so that a new file in a restricted folder is restricted in the same way.
"""

import json
from collections.abc import Collection

from index.ledger.rows import Root, root_from
from index.ledger.stored import as_stored
from index.storage.sqlite import SqliteDatabase
from index.uris import file_uri, uri_prefixes


class Permissions:
    """A read-only view of the permissions in a ledger. Thread-safe; every call sees one committed state of the ledger."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    def readers(self, document_ids: Collection[str]) -> dict[str, frozenset[str]]:
        """Return who may read each of the documents, current or removed; documents that everybody may read are left out."""
        with self._database.reading() as connection:
            rows = connection.execute(
                """
                SELECT document_id, json_group_array(principal) FROM permissions
                WHERE document_id IN (SELECT value FROM json_each(?)) GROUP BY document_id
                """,
                (json.dumps(list(document_ids)),),
            )
            with as_stored():
                return {document_id: frozenset(json.loads(principals)) for document_id, principals in rows}

    def all_readable(self, document_ids: Collection[str], principals: Collection[str]) -> bool:
        """Whether everybody or one of `principals` may read each of the documents, current or removed.

        False if one of them was never in the collection.
        """
        with self._database.reading() as connection:
            (hidden,) = connection.execute(
                """
                SELECT count(*) FROM json_each(?) asked WHERE
                    NOT EXISTS (SELECT 1 FROM versions v WHERE v.document_id = asked.value)
                    OR EXISTS (SELECT 1 FROM permissions p WHERE p.document_id = asked.value)
                    AND NOT EXISTS (
                        SELECT 1 FROM permissions p WHERE p.document_id = asked.value
                        AND p.principal IN (SELECT value FROM json_each(?))
                    )
                """,
                (json.dumps(sorted(document_ids)), json.dumps(sorted(principals))),
            ).fetchone()
            return int(hidden) == 0

    def roots(self, uris: Collection[str]) -> dict[str, Root]:
        """Return for each document's URI the nearest place at or above it that principals were named for, if any."""
        nearest: dict[str, Root] = {}
        with self._database.reading() as connection:
            if connection.execute("SELECT 1 FROM roots LIMIT 1").fetchone() is None:
                return nearest
            for uri in uris:
                row = connection.execute(
                    """
                    SELECT uri, principals FROM roots
                    WHERE uri IN (SELECT value FROM json_each(?)) ORDER BY length(uri) DESC LIMIT 1
                    """,
                    (json.dumps(uri_prefixes(file_uri(uri))),),
                ).fetchone()
                if row is not None:
                    nearest[uri] = root_from(*row)
        return nearest
