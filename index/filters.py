"""Which documents a search may look at: a `Filter` states conditions, and the ledger resolves it to a `Selection`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from index.errors import QueryInvalid

_EMPTY: Mapping[str, str] = MappingProxyType({})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_NANOSECONDS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions that a document must all meet. They are exact and applied before ranking.

    `document_ids`: its id is one of these. `uri_prefix`: its URI begins with this; end a folder with "/". `metadata`: it has
    each of these names with exactly this value. `modified_after` and `modified_before`: it was modified at or after the first
    and before the second, by the time of its file, else its metadata (`modified`, `created`), else when it was indexed.
    `principals`: everybody or one of these may read it; an empty set selects what everybody may read. A filter without
    conditions selects every document.
    """

    document_ids: frozenset[str] | None = None
    uri_prefix: str | None = None
    metadata: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    modified_after: datetime | None = None
    modified_before: datetime | None = None
    principals: frozenset[str] | None = None

    def __post_init__(self) -> None:
        for what, given in (("document_ids", self.document_ids), ("principals", self.principals)):
            if isinstance(given, str):
                raise QueryInvalid(f"filter {what} is one string ({given!r}). Give a set of strings")
        for what, moment in (("modified_after", self.modified_after), ("modified_before", self.modified_before)):
            if moment is not None and moment.tzinfo is None:
                raise QueryInvalid(
                    f"filter {what} {moment.isoformat()!r} has no time zone. Add one, for example +00:00"
                )
        for name, value in self.metadata.items():
            if not isinstance(name, str) or not isinstance(value, str):
                raise QueryInvalid(f"filter metadata {name!r}: {value!r} is not text. Give name and value as strings")

    @property
    def is_open(self) -> bool:
        """Whether the filter has no condition."""
        return (
            not self.uri_prefix
            and not self.metadata
            and all(
                condition is None
                for condition in (self.document_ids, self.modified_after, self.modified_before, self.principals)
            )
        )


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


def nanoseconds(moment: datetime) -> int:
    """Return a time with a zone as nanoseconds since 1970, limited to what 64 bits hold (the years 1677 to 2262)."""
    exact = (moment - _EPOCH) // timedelta(microseconds=1) * 1000
    return max(-_MAX_NANOSECONDS, min(_MAX_NANOSECONDS, exact))
