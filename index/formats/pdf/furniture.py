"""Running lines: heads, feet and page numbers, found by what stands at the same edge of several pages. Pure.

A line is one if the same words, or the same words with a number that counts the pages, stand there; a line whose
numbers are its content (an invoice's number, its total) is none. Only the outermost lines of a page can be running
lines, and only while all lines further out are.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from index.formats.pdf.rows import Row, segments

_DEPTH = 4
_MIN_PAGES = 3
_PAGE_WORDS = re.compile(
    r"(?:page|pages|pg\.?|p\.|seite|s\.|página|pagina|pág\.|page\s*n[o°]\.?|sida|side|strona|of|von|de|di|av|af|z|sur|/|\||[-–—·•]|#|\s)*\Z",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w.,/-])(\d{1,5}|[ivxlc]{1,7})(?![\w,/-]|\.\d)", re.IGNORECASE)
_SEPARATOR = re.compile(r"[|·•]|\s[-–—]\s")
_HAS_LETTER = re.compile(r"[^\W\d_]")
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}


class EdgeLine(NamedTuple):
    """A line near an edge of a page: its words, its place (y), how many cells it seems to have, and whether it fills up."""

    text: str
    baseline: float
    cells: int


Edges = tuple[list[EdgeLine], list[EdgeLine]]
"""The outermost lines at the top and at the bottom of a page, the outermost first."""


class _Pattern(NamedTuple):
    words: str
    offset: int | None  # page number minus number of the page; None for a line without one


def edge_lines(rows: Sequence[Row]) -> Edges:
    """Return the outermost lines at the top and at the bottom of a page, the outermost first."""
    count = min(_DEPTH, -(-len(rows) // 4)) if len(rows) > 2 else 0
    lines = [
        EdgeLine(_spaced(row), row.baseline, len(segments(row, 1.0)))
        for row in (*rows[:count], *rows[len(rows) - count :])
    ]
    return lines[:count], lines[count:][::-1]


def running_lines(pages: Sequence[Edges]) -> list[tuple[int, int]]:
    """Return for each page how many lines at its top and at its bottom are running lines."""
    tops = _running([page[0] for page in pages])
    bottoms = _running([page[1] for page in pages])
    return list(zip(tops, bottoms, strict=True))


def _running(pages: Sequence[list[EdgeLine]]) -> list[int]:
    found: dict[_Pattern, list[tuple[int, float]]] = defaultdict(list)
    patterns = [[list(_patterns(line, number)) for line in lines] for number, lines in enumerate(pages)]
    for number, page in enumerate(patterns):
        seen: set[_Pattern] = set()
        for line, of_line in zip(pages[number], page, strict=True):
            for pattern in of_line:
                if pattern not in seen:
                    seen.add(pattern)
                    found[pattern].append((number, line.baseline))
    filled = sum(1 for lines in pages if lines)
    running = {pattern for pattern, places in found.items() if _runs(places, filled)}
    return [_depth(page, running) for page in patterns]


def _depth(page: list[list[_Pattern]], running: set[_Pattern]) -> int:
    depth = 0
    while depth < len(page) and any(pattern in running for pattern in page[depth]):
        depth += 1
    return depth


def _runs(places: list[tuple[int, float]], filled: int) -> bool:
    """Whether lines with one pattern run: on at least half of the pages, or at one height on most pages of a stretch."""
    if len(places) < _MIN_PAGES:
        return False
    if 2 * len(places) >= filled:
        return True
    heights = sorted(height for _, height in places)
    middle = heights[len(heights) // 2]
    level = [number for number, height in places if abs(height - middle) < 3]
    stretch = 0
    for before, after in itertools.pairwise(level):
        stretch = stretch + 1 if after - before <= 2 else 0
        if stretch + 1 >= _MIN_PAGES:
            return True
    return False


def _patterns(line: EdgeLine, page: int) -> Iterator[_Pattern]:
    if _HAS_LETTER.search(line.text) and line.cells < 3:
        yield _Pattern(line.text, None)
    for match in _NUMBER.finditer(line.text):
        rest = f"{line.text[: match.start()]}#{line.text[match.end() :]}"
        value = _value(match[1])
        if value is not None and (_is_page_number(rest) or _is_apart(line.text, match)):
            yield _Pattern(re.sub(r"\s+", " ", rest), value - page)


def counts_pages(text: str) -> bool:
    """Return whether the line is a page number, alone or beside words for pages or beside a separator."""
    return any(
        _is_page_number(f"{text[: match.start()]}#{text[match.end() :]}") or _is_apart(text, match)
        for match in _NUMBER.finditer(text)
        if match[1].isdecimal()
    )


def _is_page_number(rest: str) -> bool:
    """Whether nothing but words for pages and the number of all pages stands beside the number."""
    return _PAGE_WORDS.match(re.sub(r"\d+", "", rest.replace("#", ""))) is not None


def _is_apart(text: str, match: re.Match[str]) -> bool:
    """Whether the number stands at an end of the line, parted from the rest by a wide gap or a separator."""
    before, after = text[: match.start()], text[match.end() :]
    if before.strip() and after.strip():
        return False
    beside = before.strip("\n")[-3:] if before.strip() else after[:3]
    return "\t" in beside or _SEPARATOR.search(f" {beside} ") is not None


def _value(number: str) -> int | None:
    if number.isdecimal():
        return int(number)
    digits = [_ROMAN[letter] for letter in number.lower()]
    return sum(
        -digit if any(later > digit for later in digits[place + 1 :][:1]) else digit
        for place, digit in enumerate(digits)
    )


def _spaced(row: Row) -> str:
    """The row's text, with a tab at wide gaps."""
    return "\t".join(" ".join(word.text for word in run) for run in segments(row, 1.0))
