"""A filter resolved by the ledger's tables."""

import json
import sqlite3
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.filters import Filter, Scope


def resolved(connection: sqlite3.Connection, where: Filter) -> Scope:
    """The current documents that meet `where`, as the shorter of the lists of those that do and those that do not."""
    conditions, parameters = _conditions(where)
    total = connection.execute("SELECT count(*) FROM documents").fetchone()[0]
    inside = _numbers(connection, conditions, parameters)
    if 2 * inside.size <= total:
        return Scope(inside)
    return Scope(_numbers(connection, f"NOT ({conditions})", parameters), outside=True)


def _conditions(where: Filter) -> tuple[str, list[str]]:
    """A filter as SQL over `documents d`, and its parameters."""
    parts, parameters = ["1"], list[str]()
    if where.document_ids is not None:
        parts.append("d.id IN (SELECT value FROM json_each(?))")
        parameters.append(json.dumps(sorted(where.document_ids)))
    if where.uri_prefix:
        parts.append("d.uri >= ? AND d.uri < ?")
        parameters += [where.uri_prefix, where.uri_prefix + "\U0010ffff"]
    for name, value in sorted(where.metadata.items()):
        parts.append("d.number IN (SELECT document FROM properties WHERE name = ? AND value = ?)")
        parameters += [name, value]
    return " AND ".join(parts), parameters


def _numbers(connection: sqlite3.Connection, conditions: str, parameters: Sequence[str]) -> NDArray[np.int64]:
    rows = connection.execute(f"SELECT d.number FROM documents d WHERE {conditions} ORDER BY 1", parameters).fetchall()
    return np.array(rows, dtype=np.int64).reshape(-1)
