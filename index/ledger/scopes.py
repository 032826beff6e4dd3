"""A filter resolved by the ledger's tables."""

import json
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from index.filters import Filter, Scope, nanoseconds
from index.storage.sqlite import Database


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


_MOST_NUMBERS = 2_000_000  # 16 MB


class Scopes:
    """Resolves filters by the tables in `database`. Thread-safe."""

    def __init__(self, database: Database, *, most_numbers: int = _MOST_NUMBERS) -> None:
        self._database = database
        self._most_numbers = most_numbers
        self._guard = threading.Lock()
        self._version: tuple[int, int] | None = None
        self._kept: OrderedDict[Hashable, Scope] = OrderedDict()
        self._numbers = 0

    def of(self, where: Filter) -> Scope:
        """The documents that meet `where` now."""
        version, key = self._database.version(), _key(where)
        with self._guard:
            if version != self._version:
                self._kept.clear()
                self._version, self._numbers = version, 0
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        with self._database.reading() as connection:
            scope = resolved(connection, where)
        with self._guard:
            # What was read after `version` is of that state or a newer one, and a newer one is told by its version.
            if version == self._version and key not in self._kept:
                self._kept[key] = scope
                self._numbers += scope.numbers.size
                while self._numbers > self._most_numbers:
                    self._numbers -= self._kept.popitem(last=False)[1].numbers.size
        return scope


def _key(where: Filter) -> Hashable:
    metadata = tuple(sorted(where.metadata.items()))
    return (
        where.document_ids, where.uri_prefix, metadata, where.modified_after, where.modified_before, where.principals
    )  # fmt: skip
