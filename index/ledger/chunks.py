"""The chunks in a ledger, and which of them wait for a vector. Inside a transaction of the caller's."""

import json
from collections.abc import Sequence
from sqlite3 import Connection

import numpy as np
from numpy.typing import NDArray

from index.ledger.rows import CHUNK_COLUMNS, ChunkRow, PendingText, chunk_from, pending_from
from index.ledger.snapshot import EMBEDDED


def chunks_in(connection: Connection, numbers: Sequence[int]) -> dict[int, ChunkRow]:
    """The chunks with these ledger numbers, those that are still there."""
    marks = ",".join("?" * len(numbers))
    rows = connection.execute(
        f"""
        SELECT {CHUNK_COLUMNS} FROM chunks c
        JOIN documents d ON d.number = c.document JOIN versions v ON v.number = d.version
        WHERE c.number IN ({marks})
        """,
        tuple(numbers),
    )
    return {row[0]: chunk_from(row) for row in rows}


def counts(connection: Connection) -> tuple[int, int, int]:
    """Current documents, their chunks, and those of the chunks that have no vector yet."""
    row: tuple[int, int, int] = connection.execute(
        """
        SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM chunks),
            (SELECT count(*) FROM chunks WHERE embedded = 0)
        """
    ).fetchone()
    return row


def without_vector(connection: Connection) -> int:
    """Chunks that have no vector yet; as quick as there are few of them."""
    row: tuple[int] = connection.execute("SELECT count(*) FROM chunks WHERE embedded = 0").fetchone()
    return row[0]


def pending(connection: Connection, limit: int) -> list[PendingText]:
    """At most `limit` different texts that wait for a vector, newest first."""
    rows = connection.execute(
        "SELECT hash, context, text FROM chunks WHERE embedded = 0 ORDER BY number DESC LIMIT ?", (limit,)
    )
    return list({row[0]: pending_from(row) for row in rows}.values())


def pending_of(connection: Connection, document_ids: Sequence[str]) -> int:
    """How many chunks of these documents wait for a vector; a document that is not current has none."""
    row = connection.execute(
        """
        SELECT count(*) FROM chunks WHERE embedded = 0 AND document IN (
            SELECT number FROM documents WHERE id IN (SELECT value FROM json_each(?))
        )
        """,
        (json.dumps(list(document_ids)),),
    ).fetchone()
    return int(row[0])


def add_vectors(connection: Connection, hashes: Sequence[bytes], vectors: NDArray[np.float32]) -> int:
    """Keep `vectors` (n, dimension) for the texts with these hashes; answers how many chunks became searchable."""
    searchable = 0
    for key, vector in zip(hashes, vectors.astype("<f2"), strict=True):
        connection.execute("INSERT OR IGNORE INTO vectors VALUES (?, ?)", (key, vector.tobytes()))
        connection.execute(
            "INSERT INTO changes (kind, chunk) SELECT ?, number FROM chunks WHERE hash = ? AND embedded = 0",
            (EMBEDDED, key),
        )
        done = connection.execute("UPDATE chunks SET embedded = 1 WHERE hash = ? AND embedded = 0", (key,))
        searchable += done.rowcount
    return searchable
