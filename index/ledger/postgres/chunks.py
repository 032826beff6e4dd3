"""Read chunks, their vectors and the texts that wait for a vector from the ledger."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from index.filters import Filter
from index.ledger.postgres.selections import conditions
from index.ledger.postgres.statements import fetch
from index.ledger.rows import CHUNK_COLUMNS, ChunkRow, PendingText, chunk_from, pending_from
from index.ledger.state import vectors_from
from index.storage.postgres import PostgresDatabase

_CHUNKS = """
    chunks c JOIN documents d ON d.collection = c.collection AND d.number = c.document
    JOIN versions v ON v.collection = d.collection AND v.number = d.version
    """


class PostgresChunks:
    """A read-only view of the chunks in a ledger, as `index.ledger.protocol.Chunks` says."""

    def __init__(self, database: PostgresDatabase, key: int, dimension: int) -> None:
        self._database = database
        self._key = key
        self._dimension = dimension

    def get(self, numbers: Sequence[int], where: Filter | None = None) -> dict[int, ChunkRow]:
        """Return the chunks with these numbers whose documents meet `where`, by number; those that are gone are left out."""
        met, values = conditions(where or Filter())
        with self._database.reading() as connection:
            rows = fetch(
                connection,
                f"""
                SELECT {CHUNK_COLUMNS} FROM {_CHUNKS}
                WHERE c.collection = %s AND c.number = ANY(CAST(%s AS integer[])) AND {met}
                """,
                self._key,
                [*numbers],
                *values,
            )
            return {row[0]: chunk_from(row) for row in rows}

    def opening(self, document_ids: Sequence[str], most: int) -> list[ChunkRow]:
        """Return the first `most` chunks of each of these documents, by URI and in the order of the text."""
        with self._database.reading() as connection:
            rows = fetch(
                connection,
                f"""
                SELECT {CHUNK_COLUMNS} FROM {_CHUNKS}
                WHERE c.collection = %s AND d.id = ANY(CAST(%s AS text[])) AND c.ordinal < %s ORDER BY d.uri, d.id, c.ordinal
                """,
                self._key,
                [*document_ids],
                most,
            )
            return [chunk_from(row) for row in rows]

    def vectors(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return those of the chunks with these numbers that have a vector, ascending, and the vectors (n, dimension)."""
        with self._database.reading() as connection:
            return vectors_of(connection, self._key, numbers, self._dimension)

    def pending(self, limit: int) -> list[PendingText]:
        """Return at most `limit` different texts that wait for a vector, newest first."""
        with self._database.reading() as connection:
            rows = fetch(
                connection,
                """
                SELECT hash, context, coalesce(rendered, text) FROM chunks
                WHERE collection = %s AND NOT embedded ORDER BY number DESC LIMIT %s
                """,
                self._key,
                limit,
            )
            return list({row[0]: pending_from(row) for row in rows}.values())

    def counts(self) -> tuple[int, int, int]:
        """Count the current documents, their chunks, and those of the chunks that have no vector yet."""
        with self._database.reading() as connection:
            ((documents, chunks, pending),) = fetch(
                connection,
                """
                SELECT (SELECT count(*) FROM documents WHERE collection = k.id),
                    (SELECT count(*) FROM chunks WHERE collection = k.id),
                    (SELECT count(*) FROM chunks WHERE collection = k.id AND NOT embedded)
                FROM (SELECT CAST(%s AS integer) AS id) k
                """,
                self._key,
            )
        return documents, chunks, pending


def vectors_of(
    connection: Connection, key: int, chunks: NDArray[np.int64], dimension: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return those of the chunks with these numbers that have a vector, ascending, and the vectors (n, dimension)."""
    rows = fetch(
        connection,
        """
        SELECT c.number, x.vector FROM chunks c JOIN vectors x ON x.collection = c.collection AND x.hash = c.hash
        WHERE c.collection = %s AND c.number = ANY(CAST(%s AS integer[])) AND c.embedded ORDER BY c.number
        """,
        key,
        chunks.tolist(),
    )
    return np.array([number for number, _ in rows], dtype=np.int64), vectors_from([blob for _, blob in rows], dimension)
