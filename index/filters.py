"""Filter: conditions on the documents that a search may look at. Each search index applies it, and the ledger checks it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from index.errors import QueryInvalid

_EMPTY: Mapping[str, str] = MappingProxyType({})


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
