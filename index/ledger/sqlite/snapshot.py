"""One consistent state of a ledger, which the caches (vectors, lexicon) read whole or from a position of its log on."""

import json
import sqlite3
from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from index.blocks.codec import unpack_languages
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
    vectors_from,
)
from index.ledger.stored import as_stored, require_kinds

_BATCH = 8192


class Snapshot:
    """Reads a ledger inside one transaction. `since` is a position in its log; None reads everything."""

    def __init__(self, connection: sqlite3.Connection, mark: Mark, floor: int, dimension: int) -> None:
        self._connection = connection
        self._dimension = dimension
        self.mark = mark
        self._floor = floor

    def can_replay(self, mark: Mark) -> bool:
        """Whether `mark` is of this ledger, not newer than this snapshot, and the log still reaches back to it."""
        return mark.ledger == self.mark.ledger and self._floor <= mark.position <= self.mark.position

    def removed_chunks(self, since: int) -> list[int]:
        """Return the numbers of the chunks removed since."""
        rows = self._connection.execute("SELECT chunk FROM changes WHERE position > ? AND kind = ?", (since, REMOVED))
        return [number for (number,) in rows]

    def count_vector_changes(self, since: int) -> int:
        """Count the vectors of chunks that were added or removed since."""
        row = self._connection.execute(
            "SELECT count(*) FROM changes WHERE position > ? AND kind IN (?, ?)", (since, EMBEDDED, REMOVED)
        ).fetchone()
        return int(row[0])

    def has_lexical_changes(self, since: int) -> bool:
        """Whether a chunk was added or removed since."""
        rows = self._connection.execute(
            "SELECT 1 FROM changes WHERE position > ? AND kind IN (?, ?) LIMIT 1", (since, ADDED, REMOVED)
        )
        return rows.fetchone() is not None

    def lexical_entries(self, since: int | None) -> Iterator[LexicalEntry]:
        """Return the chunks added since that still exist, in order."""
        rows = self._connection.execute(
            f"""
            SELECT c.number, c.document, d.version, v.title, c.trail, c.start, c.text, coalesce(c.rendered, c.text)
            FROM {_chunks(since)}
            JOIN documents d ON d.number = c.document JOIN versions v ON v.number = d.version
            """,
            _parameters(since, ADDED),
        )
        return lexical_entries(rows, self._languages)

    def changes(self, since: int, limit: int) -> list[tuple[int, int]]:
        """Return the next at most `limit` positions of the log after one, each with the number of its chunk."""
        return self._connection.execute(
            "SELECT position, chunk FROM changes WHERE position > ? ORDER BY position LIMIT ?", (since, limit)
        ).fetchall()

    def numbers_after(self, number: int, limit: int) -> list[int]:
        """Return the next at most `limit` numbers of chunks after one, ascending."""
        rows = self._connection.execute(
            "SELECT number FROM chunks WHERE number > ? ORDER BY number LIMIT ?", (number, limit)
        )
        return [number for (number,) in rows]

    def searchable(self, numbers: Collection[int]) -> Iterator[SearchableChunk]:
        """Return those of the chunks with these numbers that exist, ascending."""
        rows = self._connection.execute(
            """
            SELECT c.number, c.document, d.version, v.title, c.trail, c.start, c.text, coalesce(c.rendered, c.text),
                d.id, d.uri, d.modified_ns, v.metadata, x.vector,
                (SELECT json_group_array(p.principal) FROM permissions p WHERE p.document_id = d.id)
            FROM chunks c JOIN documents d ON d.number = c.document JOIN versions v ON v.number = d.version
            LEFT JOIN vectors x ON x.hash = c.hash AND c.embedded = 1
            WHERE c.number IN (SELECT value FROM json_each(?)) ORDER BY c.number
            """,
            (json.dumps(sorted(numbers)),),
        )
        return searchable_chunks(rows, self._languages)

    def _languages(self, version: int) -> list[tuple[int, str]]:
        """Where each language begins in a version, in order."""
        row = self._connection.execute("SELECT blocks FROM versions WHERE number = ?", (version,)).fetchone()
        require_kinds(row, (bytes,))
        return unpack_languages(row[0])

    def count_embedded(self) -> int:
        """Count the chunks that have a vector."""
        row = self._connection.execute(
            "SELECT (SELECT count(*) FROM chunks) - (SELECT count(*) FROM chunks WHERE embedded = 0)"
        ).fetchone()
        return int(row[0])

    def sample(self, size: int) -> NDArray[np.float32]:
        """Return vectors (n, dimension) of about `size` chunks, always the same random sample; all if there are fewer."""
        count = self.count_embedded()
        if count <= size:
            return np.concatenate([batch.vectors for batch in self.vectors(None)])
        first, last = self._connection.execute("SELECT min(number), max(number) FROM chunks").fetchone()
        drawn = drawn_numbers(first, last, count, size)
        parts = [
            vectors_of(self._connection, part, self._dimension)[1]
            for part in np.array_split(drawn, -(-len(drawn) // _BATCH))
        ]
        return np.concatenate(parts)

    def vectors(self, since: int | None) -> Iterator[VectorBatch]:
        """Yield the vectors added since whose chunks still exist, in order and in batches."""
        rows = self._connection.execute(
            f"""
            SELECT c.number, c.document, x.vector FROM {_chunks(since)}
            JOIN vectors x ON x.hash = c.hash WHERE c.embedded = 1 {"ORDER BY c.number" if since is None else ""}
            """,
            _parameters(since, EMBEDDED),
        )
        while batch := rows.fetchmany(_BATCH):
            yield batch_from(batch, self._dimension)

    def problems(self) -> list[str]:
        """Return what SQLite's own checks report: damaged pages, indexes that disagree with tables, missing references."""
        problems = [str(row[0]) for row in self._connection.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
        broken = self._connection.execute("PRAGMA foreign_key_check").fetchall()
        return problems + [f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is not there" for row in broken]

    def documents(self) -> Iterator[StoredDocument]:
        """Yield the current documents with their ledger numbers, without their chunks."""
        rows = self._connection.execute(
            "SELECT d.number, d.uri, v.characters, v.text FROM documents d JOIN versions v ON v.number = d.version"
        )
        with as_stored():
            for row in rows:
                require_kinds(row, (int, str, int, bytes))
                yield StoredDocument(*row)

    def chunks_of(self, document: int) -> list[StoredChunk]:
        """Return the chunks of the document with that ledger number, in order."""
        rows = self._connection.execute(
            "SELECT number, start, stop, text, units FROM chunks WHERE document = ? ORDER BY ordinal", (document,)
        )
        return [stored_chunk_from(row) for row in rows]

    def numbers(self) -> NDArray[np.int64]:
        """Return the ledger numbers of all chunks, ascending."""
        rows = self._connection.execute("SELECT number FROM chunks ORDER BY number").fetchall()
        return np.array(rows, dtype=np.int64).reshape(-1)

    def count_missing_vectors(self) -> int:
        """Count the chunks that are marked as embedded although their vector is missing."""
        row = self._connection.execute(
            "SELECT count(*) FROM chunks c LEFT JOIN vectors x ON x.hash = c.hash WHERE c.embedded = 1 AND x.hash IS NULL"
        ).fetchone()
        return int(row[0])


@as_stored()
def vectors_of(
    connection: sqlite3.Connection, chunks: NDArray[np.int64], dimension: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return those of the chunks with these numbers that have a vector, ascending, and the vectors (n, dimension)."""
    rows = connection.execute(
        """
        SELECT c.number, x.vector FROM chunks c JOIN vectors x ON x.hash = c.hash
        WHERE c.number IN (SELECT value FROM json_each(?)) AND c.embedded = 1 ORDER BY c.number
        """,
        (json.dumps(chunks.tolist()),),
    ).fetchall()
    numbers = np.array([number for number, _ in rows], dtype=np.int64)
    return numbers, vectors_from([blob for _, blob in rows], dimension)


def _chunks(since: int | None) -> str:
    """Return table expression `c`: all chunks, or those with a change of one kind since a position, in the log's order."""
    if since is None:
        return "chunks c"
    return "(SELECT chunk FROM changes WHERE position > ? AND kind = ? ORDER BY position) g JOIN chunks c ON c.number = g.chunk"


def _parameters(since: int | None, kind: int) -> tuple[int, ...]:
    return () if since is None else (since, kind)
