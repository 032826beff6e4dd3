"""Read chunks, their vectors and the texts that wait for a vector from the ledger."""

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.filters import Filter
from index.ledger.rows import CHUNK_COLUMNS, ChunkRow, PendingText, chunk_from, pending_from
from index.ledger.sqlite.selections import conditions
from index.ledger.sqlite.snapshot import vectors_of
from index.storage.sqlite import SqliteDatabase


class Chunks:
    """A read-only view of the chunks in a ledger. Thread-safe; every call sees one committed state of the ledger."""

    def __init__(self, database: SqliteDatabase, dimension: int) -> None:
        self._database = database
        self._dimension = dimension

    def get(self, numbers: Sequence[int], where: Filter | None = None) -> dict[int, ChunkRow]:
        """Return the chunks with these numbers whose documents meet `where`, by number; those that are gone are left out."""
        marks = ",".join("?" * len(numbers))
        met, parameters = conditions(where or Filter(), of_few=True)
        with self._database.reading() as connection:
            rows = connection.execute(
                f"""
                SELECT {CHUNK_COLUMNS} FROM chunks c
                JOIN documents d ON d.number = c.document JOIN versions v ON v.number = d.version
                WHERE c.number IN ({marks}) AND {met}
                """,
                (*numbers, *parameters),
            )
            return {row[0]: chunk_from(row) for row in rows}

    def opening(self, document_ids: Sequence[str], most: int) -> list[ChunkRow]:
        """Return the first `most` chunks of each of these documents, by URI and in the order of the text."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"""
                SELECT {CHUNK_COLUMNS} FROM chunks c
                JOIN documents d ON d.number = c.document JOIN versions v ON v.number = d.version
                WHERE d.id IN (SELECT value FROM json_each(?)) AND c.ordinal < ?
                ORDER BY d.uri, d.id, c.ordinal
                """,
                (json.dumps(list(document_ids)), most),
            )
            return [chunk_from(row) for row in rows]

    def vectors(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return those of the chunks with these numbers that have a vector, ascending, and the vectors (n, dimension)."""
        with self._database.reading() as connection:
            return vectors_of(connection, numbers, self._dimension)

    def pending(self, limit: int) -> list[PendingText]:
        """Return at most `limit` different texts that wait for a vector, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT hash, context, coalesce(rendered, text) FROM chunks WHERE embedded = 0 ORDER BY number DESC LIMIT ?",
                (limit,),
            )
            return list({row[0]: pending_from(row) for row in rows}.values())

    def counts(self) -> tuple[int, int, int]:
        """Count the current documents, their chunks, and those of the chunks that have no vector yet."""
        with self._database.reading() as connection:
            row: tuple[int, int, int] = connection.execute(
                """
                SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM chunks),
                    (SELECT count(*) FROM chunks WHERE embedded = 0)
                """
            ).fetchone()
            return row
