"""The protocol of a search index: both rankings of a collection's chunks, restricted by a filter.

An index is a cache of the ledger. It may be behind and can be rebuilt at any time, so what it finds is looked up in the ledger,
which checks the filter again: a late index can miss a document, but never shows one that is gone or that may not be read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.filters import Filter
from index.ledger.protocol import Ledger

Ranking = list[tuple[int, float]]
"""Ledger numbers of chunks and their scores, best first (higher is better); equal scores by the smaller number."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How a part of an index differs from the ledger, and what to do about it."""

    place: str
    what: str
    fix: str


class SearchIndex(Protocol):
    """Finds chunks of one collection. Thread-safe. Empty until the first `catch_up`.

    A filter of None or without conditions allows every document. It applies before anything is ranked, and changes no score.
    """

    @property
    def has_vectors(self) -> bool:
        """Whether any chunk can be found by its vector."""
        ...

    def catch_up(self) -> int:
        """Bring what is searched up to date, as far as that takes no long wait. Returns the ledger's position it reflects.

        `SearchIndexBuilding` while an index on shared storage is made for the first time, or again.
        """
        ...

    def position(self) -> int:
        """Return the ledger's position that a search reflects now: behind by what another process has yet to copy."""
        ...

    def dense(self, vector: NDArray[np.float32], depth: int, where: Filter | None) -> Ranking:
        """The `depth` chunks whose vectors are nearest to `vector` (dimension,), with their cosines."""
        ...

    def words(self, query: str, depth: int, where: Filter | None) -> Ranking:
        """The `depth` chunks with the highest BM25 for the words of `query`. A query without words has no results."""
        ...

    def write(self) -> None:
        """Write what the ledger has and the index has not. The caller holds the writer lock."""
        ...

    def save(self, *, at_once: bool = False) -> int | None:
        """Do what is due and takes longer, without a lock. Returns the ledger's position from which on the log is still needed.

        None if nothing was due. `at_once`: also bring up to date what other processes search, though little is missing.
        """
        ...

    def differences(self) -> Iterator[Difference]:
        """Catch up, and yield how the index differs from the ledger. The caller holds the writer lock."""
        ...

    def close(self) -> None:
        """Wait for work in the background to end. The index is not usable afterwards."""
        ...


class SearchIndexes(Protocol):
    """Where the indexes of a library's collections are kept.

    `is_shared`: on storage of all processes, so that one of them can bring an index up to date for the others.
    """

    is_shared: bool

    def open(self, folder: Path, ledger: Ledger) -> SearchIndex:
        """The index of the collection in `folder` with that ledger."""
        ...

    def drop(self, name: str) -> None:
        """Delete what is kept of the collection `name` outside its folder. Nothing happens if there is nothing."""
        ...
