"""One consistent state of a ledger, which the caches read whole or from a position of its log on.

The driver holds a whole result in memory, so that long ones are read in pages.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from index.blocks.codec import unpack_languages
from index.ledger.postgres.chunks import vectors_of
from index.ledger.postgres.statements import fetch
from index.ledger.state import (
    ADDED,
    EMBEDDED,
    REMOVED,
    LexicalEntry,
    Mark,
    SearchableChunk,
    StoredChunk,
    StoredDocument,
    VectorBatch,
    batch_from,
    drawn_numbers,
    lexical_entries,
    searchable_chunks,
    stored_chunk_from,
)

_PAGE = 4096
_TEXTS = 64  # rows with whole texts


class PostgresSnapshot:
    """Reads a ledger inside one transaction, as `index.ledger.protocol.Snapshot` says."""

    def __init__(self, connection: Connection, key: int, mark: Mark, floor: int, dimension: int) -> None:
        self._connection = connection
        self._key = key
        self._dimension = dimension
        self._floor = floor
        self.mark = mark

    def can_replay(self, mark: Mark) -> bool:
        """Whether `mark` is of this ledger, not newer than this snapshot, and the log still reaches back to it."""
        return mark.ledger == self.mark.ledger and self._floor <= mark.position <= self.mark.position

    def removed_chunks(self, since: int) -> list[int]:
        """Return the numbers of the chunks removed since."""
        rows = self._fetch(
            "SELECT chunk FROM changes WHERE collection = %s AND position > %s AND kind = %s ORDER BY position",
            since,
            REMOVED,
        )
        return [number for (number,) in rows]

    def count_vector_changes(self, since: int) -> int:
        """Count the vectors of chunks that were added or removed since."""
        return self._count(
            "changes WHERE collection = %s AND position > %s AND kind IN (%s, %s)", since, EMBEDDED, REMOVED
        )

    def has_lexical_changes(self, since: int) -> bool:
        """Whether a chunk was added or removed since."""
        rows = self._fetch(
            "SELECT 1 FROM changes WHERE collection = %s AND position > %s AND kind IN (%s, %s) LIMIT 1",
            since,
            ADDED,
            REMOVED,
        )
        return bool(rows)

    def lexical_entries(self, since: int | None) -> Iterator[LexicalEntry]:
        """Return the chunks added since that still exist, in order."""
        columns = "c.document, d.version, v.title, c.trail, c.start, c.text, coalesce(c.rendered, c.text)"
        source = """
            JOIN documents d ON d.collection = c.collection AND d.number = c.document
            JOIN versions v ON v.collection = d.collection AND v.number = d.version
            """
        pages = self._pages(columns, source, since, ADDED)
        return lexical_entries((row for page in pages for row in page), self._languages)

    def _languages(self, version: int) -> list[tuple[int, str]]:
        """Where each language begins in a version, in order."""
        rows = self._fetch("SELECT blocks FROM versions WHERE collection = %s AND number = %s", version)
        return unpack_languages(rows[0][0])

    def changes(self, since: int, limit: int) -> list[tuple[int, int]]:
        """Return the next at most `limit` positions of the log after one, each with the number of its chunk."""
        rows = self._fetch(
            "SELECT position, chunk FROM changes WHERE collection = %s AND position > %s ORDER BY position LIMIT %s",
            since,
            limit,
        )
        return [(position, chunk) for position, chunk in rows]

    def numbers_after(self, number: int, limit: int) -> list[int]:
        """Return the next at most `limit` numbers of chunks after one, ascending."""
        rows = self._fetch(
            "SELECT number FROM chunks WHERE collection = %s AND number > %s ORDER BY number LIMIT %s", number, limit
        )
        return [found for (found,) in rows]

    def searchable(self, numbers: Collection[int]) -> Iterator[SearchableChunk]:
        """Return those of the chunks with these numbers that exist, ascending."""
        rows = self._fetch(
            """
            SELECT c.number, c.document, d.version, v.title, c.trail, c.start, c.text, coalesce(c.rendered, c.text),
                d.id, d.uri, d.modified_ns, v.metadata, x.vector,
                ARRAY(SELECT p.principal FROM permissions p WHERE p.collection = d.collection AND p.document_id = d.id)
            FROM chunks c JOIN documents d ON d.collection = c.collection AND d.number = c.document
            JOIN versions v ON v.collection = d.collection AND v.number = d.version
            LEFT JOIN vectors x ON x.collection = c.collection AND x.hash = c.hash AND c.embedded
            WHERE c.collection = %s AND c.number = ANY(CAST(%s AS integer[])) ORDER BY c.number
            """,
            sorted(numbers),
        )
        return searchable_chunks(((*facts, json.dumps(readers)) for *facts, readers in rows), self._languages)

    def count_embedded(self) -> int:
        """Count the chunks that have a vector."""
        return self._count("chunks WHERE collection = %s AND embedded")

    def sample(self, size: int) -> NDArray[np.float32]:
        """Return vectors (n, dimension) of about `size` chunks, always the same random sample; all if there are fewer."""
        count = self.count_embedded()
        if count <= size:
            return np.concatenate([batch.vectors for batch in self.vectors(None)])
        ((first, last),) = self._fetch("SELECT min(number), max(number) FROM chunks WHERE collection = %s")
        drawn = drawn_numbers(first, last, count, size)
        parts = [
            vectors_of(self._connection, self._key, part, self._dimension)[1]
            for part in np.array_split(drawn, -(-len(drawn) // _PAGE))
        ]
        return np.concatenate(parts)

    def vectors(self, since: int | None) -> Iterator[VectorBatch]:
        """Yield the vectors added since whose chunks still exist, in order and in batches."""
        source = "JOIN vectors x ON x.collection = c.collection AND x.hash = c.hash AND c.embedded"
        for page in self._pages("c.document, x.vector", source, since, EMBEDDED):
            yield batch_from(page, self._dimension)

    def problems(self) -> list[str]:
        """Return no problem: the server checks its structure itself."""
        return []

    def documents(self) -> Iterator[StoredDocument]:
        """Yield the current documents with their ledger numbers, without their chunks."""
        last = 0
        while rows := self._fetch(
            """
            SELECT d.number, d.uri, v.characters, v.text FROM documents d
            JOIN versions v ON v.collection = d.collection AND v.number = d.version
            WHERE d.collection = %s AND d.number > %s ORDER BY d.number LIMIT %s
            """,
            last,
            _TEXTS,
        ):
            yield from (StoredDocument(*row) for row in rows)
            last = rows[-1][0]

    def chunks_of(self, document: int) -> list[StoredChunk]:
        """Return the chunks of the document with that ledger number, in order."""
        rows = self._fetch(
            "SELECT number, start, stop, text, units FROM chunks WHERE collection = %s AND document = %s ORDER BY ordinal",
            document,
        )
        return [stored_chunk_from(row) for row in rows]

    def numbers(self) -> NDArray[np.int64]:
        """Return the ledger numbers of all chunks, ascending."""
        rows = self._fetch("SELECT number FROM chunks WHERE collection = %s ORDER BY number")
        return np.array(rows, dtype=np.int64).reshape(-1)

    def count_missing_vectors(self) -> int:
        """Count the chunks that are marked as embedded although their vector is missing."""
        return self._count(
            """
            chunks c WHERE c.collection = %s AND c.embedded
                AND NOT EXISTS (SELECT 1 FROM vectors x WHERE x.collection = c.collection AND x.hash = c.hash)
            """
        )

    def _pages(self, columns: str, source: str, since: int | None, kind: int) -> Iterator[Sequence[tuple[Any, ...]]]:
        """Yield pages of rows of number and columns of the chunks `c` with `source`: of all, or by the changes since."""
        last = 0 if since is None else since
        while True:
            if since is None:
                places = self._fetch(
                    "SELECT number, number FROM chunks WHERE collection = %s AND number > %s ORDER BY number LIMIT %s",
                    last,
                    _PAGE,
                )
            else:
                places = self._fetch(
                    """
                    SELECT position, chunk FROM changes
                    WHERE collection = %s AND position > %s AND kind = %s ORDER BY position LIMIT %s
                    """,
                    last,
                    kind,
                    _PAGE,
                )
            if not places:
                return
            last = places[-1][0]
            rows = self._fetch(
                f"""
                SELECT c.number, {columns} FROM chunks c {source}
                WHERE c.collection = %s AND c.number = ANY(CAST(%s AS integer[]))
                """,
                [chunk for _, chunk in places],
            )
            if rows:
                found = {row[0]: row for row in rows}
                yield [found[chunk] for _, chunk in places if chunk in found]

    def _count(self, source: str, *values: object) -> int:
        return int(self._fetch(f"SELECT count(*) FROM {source}", *values)[0][0])

    def _fetch(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement whose first parameter is the collection's key."""
        return fetch(self._connection, statement, self._key, *values)
