"""Selections: the documents that meet a filter, resolved by a ledger and cached until it changes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.filters import Filter

_MAX_NUMBERS = 2_000_000  # 16 MB
_TURNS = 16  # locks: of several threads that ask for the same filter, one resolves it


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
    """The selections of a ledger: `resolve` reads one, `version` changes whenever one may be another. Thread-safe.

    Keeps up to `max_numbers` document numbers; the selection that was not used for longest goes first.
    """

    def __init__(
        self,
        version: Callable[[], Hashable],
        resolve: Callable[[Filter], Selection],
        *,
        max_numbers: int = _MAX_NUMBERS,
    ) -> None:
        self._current_version = version
        self._resolve = resolve
        self._max_numbers = max_numbers
        self._guard = threading.Lock()
        self._turns = tuple(threading.Lock() for _ in range(_TURNS))
        self._version: Hashable = None
        self._kept: OrderedDict[Hashable, Selection] = OrderedDict()
        self._numbers = 0

    def get(self, where: Filter) -> Selection:
        """Return the documents that meet `where` now."""
        key = _key(where)
        version, selection = self._find(key)
        if selection is None:
            with self._turns[hash(key) % _TURNS]:
                version, selection = self._find(key)
                return self._keep(self._resolve(where), key, version) if selection is None else selection
        return selection

    def _find(self, key: Hashable) -> tuple[Hashable, Selection | None]:
        """The version of the ledger, and what is kept of it under that key."""
        version = self._current_version()
        with self._guard:
            if version != self._version:
                self._kept.clear()
                self._version, self._numbers = version, 0
            if key in self._kept:
                self._kept.move_to_end(key)
            return version, self._kept.get(key)

    def _keep(self, selection: Selection, key: Hashable, version: Hashable) -> Selection:
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


def numbers_from(text: str | None) -> NDArray[np.int64]:
    """Return the numbers in a text that separates them by commas, in which a database hands over a long list fastest."""
    return np.fromstring(text or "", dtype=np.int64, sep=",")
