"""Lines that name their pages: "Invoice 2025-0811", "Article 3", at the top of pages whose numbers are content. Pure.

Such a line runs like a head: the same words stand at the same height of several pages. But its number tells the pages
apart, and does not count them as a page number does.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple

from index.formats.pdf.furniture import EdgeLine, Edges, counts_pages

_MIN_PAGES = 3
_MAX_WORDS = 12
_NEAR = 3.0  # points: at the same height
_DIGIT = re.compile(r"\d")
_LEADERS = re.compile(r"(?:[.·…_]\s?){4,}")
_LETTERS = re.compile(r"[^\W\d_]{2}")
_NAMED_VALUE = re.compile(r"[A-Z]{0,6}[-/#]?\d+(?:[-/]\w+)*\Z")  # after a colon: no amount, no date, no measure


class PageName(NamedTuple):
    """The place of the line that names a page among the lines at its top, and whether the page before had another name."""

    place: int
    is_new: bool


def page_names(pages: Sequence[Edges], running: Sequence[tuple[int, int]]) -> list[PageName | None]:
    """Return for each page the line that names it: the first below its running lines, or one of them."""
    found: dict[str, list[tuple[int, int, EdgeLine]]] = defaultdict(list)
    for number, (lines, _) in enumerate(pages):
        for place, line in enumerate(lines[: running[number][0] + 1]):
            words = _words(line)
            if words:
                found[words].append((number, place, line))
    names: list[PageName | None] = [None] * len(pages)
    filled = sum(1 for lines, _ in pages if lines)
    for places in found.values():
        height = median(line.baseline for _, _, line in places)
        level = [(number, place, line.text) for number, place, line in places if abs(line.baseline - height) < _NEAR]
        for stretch in [level] if 2 * len(level) >= filled else _stretches(level):
            if len(stretch) < _MIN_PAGES or len({text for _, _, text in stretch}) < 2:
                continue
            last = ""
            for number, place, text in stretch:
                names[number] = names[number] or PageName(place, text != last)
                last = text
    return names


def _stretches(lines: Sequence[tuple[int, int, str]]) -> Iterator[list[tuple[int, int, str]]]:
    """The lines in runs of pages that follow one another."""
    stretch: list[tuple[int, int, str]] = []
    for line in lines:
        if stretch and line[0] > stretch[-1][0] + 1:
            yield stretch
            stretch = []
        stretch.append(line)
    yield stretch


def _words(line: EdgeLine) -> str:
    """What the line has in common with those of other pages, if it may name its page: its words before its number, or
    those after it."""
    words = line.text.split()
    place = next((place for place, word in enumerate(words) if _DIGIT.search(word)), None)
    if place is None or len(words) > _MAX_WORDS or line.cells > 2 or line.text[:1].islower():
        return ""
    if _LEADERS.search(line.text):
        return ""
    before, after = " ".join(words[:place]), " ".join(words[place + 1 :])
    if not _LETTERS.search(before or after) or counts_pages(line.text) or line.text.endswith((",", ";")):
        return ""
    if before.endswith(":") and (after or not _NAMED_VALUE.match(words[place])):
        return ""
    return before or f"# {after}"
