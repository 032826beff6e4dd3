"""Filters resolved lately, kept for as long as nothing is committed: most searches of a service carry one of a few filters.

Resolving one takes as long as there are documents (6 ms of processor time at 37,500 with a filter that all of them meet), and
who may read what is asked with every search.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable

from index.filters import Filter, Scope
from index.scoping import resolved
from index.sqlite import Database

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
