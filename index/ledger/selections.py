"""Resolve filters to the documents that meet them, and cache the results until the ledger changes."""

import json
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.filters import Filter
from index.ledger.rows import nanoseconds
from index.storage.sqlite import SqliteDatabase

_MAX_NUMBERS = 2_000_000  # 16 MB
_TURNS = 16  # locks: of several threads that ask for the same filter, one resolves it

_AMONG_VALUES = "d.number IN (SELECT document FROM properties WHERE name = ? AND value = ?)"
_HAS_VALUE = "EXISTS (SELECT 1 FROM properties p WHERE p.name = ? AND p.value = ? AND p.document = d.number)"
_AMONG_PERMITTED = "d.id IN (SELECT document_id FROM permissions WHERE principal IN (SELECT value FROM json_each(?)))"
_IS_PERMITTED = """
EXISTS (SELECT 1 FROM permissions p WHERE p.document_id = d.id AND p.principal IN (SELECT value FROM json_each(?)))
"""


@dataclass(frozen=True, slots=True)
class Selection:
    """A set of documents by ledger number, stored as the shorter of two lists: those inside, or those outside.

    `share` is the estimated fraction of all documents that are inside; it affects how the search runs, not what it finds.
    """

    numbers: NDArray[np.int64]
    outside: bool = False
    share: float = 0.5

    @property
    def is_empty(self) -> bool:
        """Whether no document is inside."""
        return not self.outside and self.numbers.size == 0

    def mask(self, documents: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Return for each document number whether it is inside."""
        listed = np.zeros(max(documents.max(initial=0), self.numbers.max(initial=0)) + 1, dtype=np.bool_)
        listed[self.numbers] = True
        inside: NDArray[np.bool_] = (~listed if self.outside else listed)[documents]
        return inside


class SelectionCache:
    """Resolves filters against the tables in `database`. Thread-safe.

    Keeps up to `max_numbers` document numbers; the selection that was not used for longest goes first.
    """

    def __init__(self, database: SqliteDatabase, *, max_numbers: int = _MAX_NUMBERS) -> None:
        self._database = database
        self._max_numbers = max_numbers
        self._guard = threading.Lock()
        self._turns = tuple(threading.Lock() for _ in range(_TURNS))
        self._version: tuple[int, int] | None = None
        self._kept: OrderedDict[Hashable, Selection] = OrderedDict()
        self._numbers = 0

    def get(self, where: Filter) -> Selection:
        """Return the documents that meet `where` now."""
        key = _key(where)
        version, selection = self._find(key)
        if selection is None:
            with self._turns[hash(key) % _TURNS]:
                version, selection = self._find(key)
                return self._resolve(where, key, version) if selection is None else selection
        return selection

    def _find(self, key: Hashable) -> tuple[tuple[int, int], Selection | None]:
        """The version of the ledger, and what is kept of it under that key."""
        version = self._database.version()
        with self._guard:
            if version != self._version:
                self._kept.clear()
                self._version, self._numbers = version, 0
            if key in self._kept:
                self._kept.move_to_end(key)
            return version, self._kept.get(key)

    def _resolve(self, where: Filter, key: Hashable, version: tuple[int, int]) -> Selection:
        with self._database.reading() as connection:
            selection = _resolve(connection, where)
        with self._guard:
            # The selection was read after `version`: if it shows a newer state, the next call sees a newer version.
            if version == self._version and key not in self._kept:
                self._kept[key] = selection
                self._numbers += selection.numbers.size
                while self._numbers > self._max_numbers:
                    self._numbers -= self._kept.popitem(last=False)[1].numbers.size
        return selection


def _key(where: Filter) -> Hashable:
    metadata = tuple(sorted(where.metadata.items()))
    return (
        where.document_ids, where.uri_prefix, metadata, where.modified_after, where.modified_before, where.principals
    )  # fmt: skip


def _resolve(connection: sqlite3.Connection, where: Filter) -> Selection:
    """Return the current documents that meet `where`, as the shorter of two lists: those that do, those that do not."""
    met, parameters = conditions(where)
    total = connection.execute("SELECT count(*) FROM documents").fetchone()[0]
    # Counting first takes a fifth of the time of a long list.
    inside = connection.execute(f"SELECT count(*) FROM documents d WHERE {met}", parameters).fetchone()[0]
    if 2 * inside <= total:
        return Selection(_numbers(connection, met, parameters), share=inside / max(total, 1))
    return Selection(_numbers(connection, f"NOT ({met})", parameters), outside=True, share=inside / total)


def conditions(where: Filter, *, of_few: bool = False) -> tuple[str, list[str | int]]:
    """Return a filter as SQL conditions on `documents d`, and their parameters.

    With `of_few`, they look up each document that they are asked about; else, all documents that meet them are listed first.
    """
    has_value, is_permitted = (_HAS_VALUE, _IS_PERMITTED) if of_few else (_AMONG_VALUES, _AMONG_PERMITTED)
    parts, parameters = ["1"], list[str | int]()
    if where.document_ids is not None:
        parts.append("d.id IN (SELECT value FROM json_each(?))")
        parameters.append(json.dumps(sorted(where.document_ids)))
    if where.uri_prefix:
        parts.append("d.uri >= ? AND d.uri < ?")
        parameters += [where.uri_prefix, where.uri_prefix + "\U0010ffff"]
    for name, value in sorted(where.metadata.items()):
        parts.append(has_value)
        parameters += [name, value]
    if where.modified_after is not None:
        parts.append("d.modified_ns >= ?")
        parameters.append(nanoseconds(where.modified_after))
    if where.modified_before is not None:
        parts.append("d.modified_ns < ?")
        parameters.append(nanoseconds(where.modified_before))
    if where.principals is not None:
        parts.append(f"({is_permitted} OR NOT EXISTS (SELECT 1 FROM permissions p WHERE p.document_id = d.id))")
        parameters.append(json.dumps(sorted(where.principals)))
    return " AND ".join(parts), parameters


def _numbers(connection: sqlite3.Connection, met: str, parameters: Sequence[str | int]) -> NDArray[np.int64]:
    # One string for all is four times as fast as a row for each: 58 ms against 244 for 450,000 documents.
    text = connection.execute(
        f"SELECT group_concat(number) FROM (SELECT d.number FROM documents d WHERE {met} ORDER BY 1)", parameters
    ).fetchone()[0]
    return np.fromstring(text or "", dtype=np.int64, sep=",")
