"""Which documents a search may look at: asked by a `Filter`, resolved by the ledger to a `Scope`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from index.errors import QueryInvalid

_EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions that a document must all meet. Exact, and applied before ranking.

    `document_ids`: it is one of these. `uri_prefix`: its URI begins so; end a folder with "/". `metadata`: it has each of
    these names with exactly this value. A filter without conditions lets every document through.
    """

    document_ids: frozenset[str] | None = None
    uri_prefix: str | None = None
    metadata: Mapping[str, str] = field(default_factory=lambda: _EMPTY)

    def __post_init__(self) -> None:
        if isinstance(self.document_ids, str):
            raise QueryInvalid(f"filter document_ids is one string ({self.document_ids!r}). Give a set of document ids")
        for name, value in self.metadata.items():
            if not isinstance(name, str) or not isinstance(value, str):
                raise QueryInvalid(f"filter metadata {name!r}: {value!r} is not text. Give name and value as strings")

    @property
    def is_open(self) -> bool:
        """True when there is no condition."""
        return self.document_ids is None and not self.uri_prefix and not self.metadata


@dataclass(frozen=True, slots=True)
class Scope:
    """A set of documents by ledger number, as the shorter of two lists: those inside or those outside."""

    numbers: NDArray[np.int64]
    outside: bool = False

    @property
    def is_empty(self) -> bool:
        """True when no document is inside."""
        return not self.outside and self.numbers.size == 0

    def mask(self, documents: NDArray[np.int64]) -> NDArray[np.bool_]:
        """For each document number, whether it is inside."""
        found = np.isin(documents, self.numbers)
        return ~found if self.outside else found
