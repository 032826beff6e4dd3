"""Find contents pages: lists and tables most of whose entries are headings of the collection. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterable

from evaluation.drafting.proposal import DraftDocument
from evaluation.drafting.wording import one_line
from index.blocks.block import Kind

_NUMBER = re.compile(
    r"(?i)^(?:(?:chapter|part|item|section|appendix|note)\s+)?(?:[\divxlc]+|[a-z])(?:\.[\divxlc]+)*[.)]?\s+(?=\S)"
)
_PAGE = re.compile(r"[\s.;…]+\d+\.?$")
_SHARE = 0.5


def heading_key(text: str) -> str:
    """A heading without its number, its page and its signs, to compare headings by."""
    bare = _NUMBER.sub("", _PAGE.sub("", one_line(text)))
    return "".join(filter(str.isalnum, bare)).casefold()


def headings(documents: Iterable[DraftDocument]) -> frozenset[str]:
    """The keys of all headings."""
    return frozenset(
        key
        for document in documents
        for place, unit in enumerate(document.units)
        if unit.kind is Kind.HEADING and (key := heading_key(document.read[place]))
    )


def contents_units(document: DraftDocument, known: frozenset[str]) -> frozenset[int]:
    """The places of the units that belong to a contents page: runs of entries of which at least half are headings."""
    runs: dict[int, list[int]] = defaultdict(list)
    run = 0
    for place, unit in enumerate(document.units):
        is_entry = unit.kind in (Kind.ITEM, Kind.ROW) or heading_key(document.read[place]) in known
        if unit.kind is Kind.HEADING or not is_entry:
            run += 1
        else:
            runs[run].append(place)
    found: set[int] = set()
    for places in runs.values():
        listed = sum(_entry_key(document.read[place]) in known for place in places)
        if len(places) > 2 and listed >= _SHARE * len(places):
            found.update(places)
    return frozenset(found)


def _entry_key(text: str) -> str:
    """The key of an entry; of a row, that of its longest cell."""
    return heading_key(max(_PAGE.sub("", text).split(";"), key=len))
