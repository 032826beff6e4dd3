"""Who may read which document, and the places that principals were named for."""

from collections.abc import Collection

from index.ledger.postgres.statements import digest, fetch
from index.ledger.rows import Root, root_from
from index.storage.postgres import PostgresDatabase
from index.uris import file_uri, uri_prefixes


class PostgresPermissions:
    """A read-only view of the permissions in a ledger, as `index.ledger.protocol.Permissions` says."""

    def __init__(self, database: PostgresDatabase, key: int) -> None:
        self._database = database
        self._key = key

    def readers(self, document_ids: Collection[str]) -> dict[str, frozenset[str]]:
        """Return who may read each of the documents, current or removed; documents that everybody may read are left out."""
        with self._database.reading() as connection:
            rows = fetch(
                connection,
                """
                SELECT document_id, array_agg(principal) FROM permissions
                WHERE collection = %s AND document_id = ANY(CAST(%s AS text[])) GROUP BY document_id
                """,
                self._key,
                [*document_ids],
            )
        return {document_id: frozenset(principals) for document_id, principals in rows}

    def all_readable(self, document_ids: Collection[str], principals: Collection[str]) -> bool:
        """Whether everybody or one of `principals` may read each of the documents, current or removed.

        False if one of them was never in the collection.
        """
        with self._database.reading() as connection:
            ((hidden,),) = fetch(
                connection,
                """
                SELECT count(*) FROM unnest(CAST(%s AS text[])) AS asked (id), (SELECT CAST(%s AS integer) AS id) k WHERE
                    NOT EXISTS (SELECT 1 FROM versions v WHERE v.collection = k.id AND v.document_id = asked.id)
                    OR EXISTS (SELECT 1 FROM permissions p WHERE p.collection = k.id AND p.document_id = asked.id)
                    AND NOT EXISTS (
                        SELECT 1 FROM permissions p WHERE p.collection = k.id AND p.document_id = asked.id
                            AND p.principal = ANY(CAST(%s AS text[]))
                    )
                """,
                sorted(document_ids),
                self._key,
                sorted(principals),
            )
        return int(hidden) == 0

    def roots(self, uris: Collection[str]) -> dict[str, Root]:
        """Return for each document's URI the nearest place at or above it that principals were named for, if any."""
        above = {uri: uri_prefixes(file_uri(uri)) for uri in uris}
        places = sorted({digest(place) for prefixes in above.values() for place in prefixes})
        with self._database.reading() as connection:
            rows = fetch(
                connection,
                "SELECT uri, principals FROM roots WHERE collection = %s AND place = ANY(CAST(%s AS bytea[]))",
                self._key,
                places,
            )
            named = {uri: root_from(uri, principals) for uri, principals in rows}
        nearest = {uri: [place for place in prefixes if place in named] for uri, prefixes in above.items()}
        return {uri: named[max(places, key=len)] for uri, places in nearest.items() if places}
