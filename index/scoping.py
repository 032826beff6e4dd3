"""A filter resolved by the ledger's tables."""

import json
import sqlite3
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from index.filters import Filter, Scope, nanoseconds


def resolved(connection: sqlite3.Connection, where: Filter) -> Scope:
    """The current documents that meet `where`, as the shorter of the lists of those that do and those that do not."""
    conditions, parameters = _conditions(where)
    total = connection.execute("SELECT count(*) FROM documents").fetchone()[0]
    # Counting first takes a fifth of the time of a long list.
    inside = connection.execute(f"SELECT count(*) FROM documents d WHERE {conditions}", parameters).fetchone()[0]
    if 2 * inside <= total:
        return Scope(_numbers(connection, conditions, parameters), share=inside / max(total, 1))
    return Scope(_numbers(connection, f"NOT ({conditions})", parameters), outside=True, share=inside / total)


def all_readable(connection: sqlite3.Connection, document_ids: Iterable[str], principals: Iterable[str]) -> bool:
    """Whether each of the documents, current or removed, is for everybody or for one of `principals`; an unknown one is not."""
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


def _conditions(where: Filter) -> tuple[str, list[str | int]]:
    """A filter as SQL over `documents d`, and its parameters."""
    parts, parameters = ["1"], list[str | int]()
    if where.document_ids is not None:
        parts.append("d.id IN (SELECT value FROM json_each(?))")
        parameters.append(json.dumps(sorted(where.document_ids)))
    if where.uri_prefix:
        parts.append("d.uri >= ? AND d.uri < ?")
        parameters += [where.uri_prefix, where.uri_prefix + "\U0010ffff"]
    for name, value in sorted(where.metadata.items()):
        parts.append("d.number IN (SELECT document FROM properties WHERE name = ? AND value = ?)")
        parameters += [name, value]
    if where.modified_after is not None:
        parts.append("d.modified_ns >= ?")
        parameters.append(nanoseconds(where.modified_after))
    if where.modified_before is not None:
        parts.append("d.modified_ns < ?")
        parameters.append(nanoseconds(where.modified_before))
    if where.principals is not None:
        parts.append(
            """
            (d.id IN (SELECT document_id FROM permissions WHERE principal IN (SELECT value FROM json_each(?)))
            OR NOT EXISTS (SELECT 1 FROM permissions p WHERE p.document_id = d.id))
            """
        )
        parameters.append(json.dumps(sorted(where.principals)))
    return " AND ".join(parts), parameters


def _numbers(connection: sqlite3.Connection, conditions: str, parameters: Sequence[str | int]) -> NDArray[np.int64]:
    # One string for all is four times as quick as a row for each: 58 ms against 244 for 450,000 documents.
    joined = connection.execute(
        f"SELECT group_concat(number) FROM (SELECT d.number FROM documents d WHERE {conditions} ORDER BY 1)", parameters
    ).fetchone()[0]
    return np.fromstring(joined or "", dtype=np.int64, sep=",")
