"""Say how many documents an earlier version of Quoth read, and what to do about them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from index.sync.earlier import EarlierReadings


def earlier_finding(earlier: EarlierReadings) -> str:
    """How many documents there are, and of how many the source is gone."""
    finding = f"{_documents(earlier.total)} read by an earlier version of Quoth, without tables and lists"
    if not earlier.lost:
        return finding
    return f"{finding}; {earlier.lost:,} cannot be read again, because the source is gone"


def earlier_fix(earlier: EarlierReadings) -> str:
    """What to do, for each kind of source that there is."""
    ways = (
        (earlier.files, "quoth index on the folders reads {} again."),
        (earlier.pages, "quoth index on the addresses reads {} again."),
        (earlier.uploads, "The server reads {} again while it runs: they were uploaded."),
        (earlier.lost, "Bring the sources of {} back, or leave them: they are found and quoted as before."),
    )
    return " ".join(way.format(f"{count:,}") for count, way in ways if count)


def _documents(count: int) -> str:
    return "1 document was" if count == 1 else f"{count:,} documents were"
