"""What stands on a page beside its text: notes at its foot, and the lines of contents pages. Pure."""

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from index.formats.pdf.rows import Row, segments

_MARK = re.compile(r"(?:\(?\d{1,3}\)?\.?|[*†‡§]{1,3}|\[\d{1,3}\]|\([a-z]\))\Z")
_SMALL = 0.93  # of the body's size
_STEP = 1.4  # of a row's size, from line to line of a note
_LEADERS = re.compile(r"(?:[.·…_]\s?){4,}")
_ENDS_IN_PAGE = re.compile(r"(?:\d{1,4}|[ivxlc]{1,6}|[A-Z]-\d{1,3})\s*\Z")
_TITLE = re.compile(
    r"(?:table of contents|contents|inhalt|inhaltsverzeichnis|sommaire|table des matières|índice|indice|contenido"
    r"|sommario|spis treści)\Z",
    re.IGNORECASE,
)
_MIN_ENTRIES = 3


class Note(NamedTuple):
    """A note: its mark and its rows."""

    mark: str
    rows: list[Row]


def with_notes(rows: Sequence[Row], body: float) -> Iterator[list[Row] | Note]:
    """Yield the rows of a run and the notes in it: rows with a raised mark first, or small ones at the end with a mark."""
    small_from = len(rows)
    while small_from and rows[small_from - 1].size < _SMALL * body:
        small_from -= 1
    text: list[Row] = []
    note: Note | None = None
    for number, row in enumerate(rows):
        mark = _mark(row, number >= small_from)
        if mark:
            if text:
                yield text
                text = []
            if note is not None:
                yield note
            note = Note(mark, [row])
        elif note is not None and _belongs(row, note.rows[-1]):
            note.rows.append(row)
        else:
            if note is not None:
                yield note
                note = None
            text.append(row)
    if note is not None:
        yield note
    if text:
        yield text


def _mark(row: Row, is_small: bool) -> str:
    first = row.words[0]
    if len(row.words) < 2 or not _MARK.match(first.text):
        return ""
    if len(segments(row, 1.2)) > 2:
        return ""
    is_raised = first.place in row.raised
    return first.text.strip("()[].") if is_raised or (is_small and first.text.strip("()[]").isdecimal()) else ""


def _belongs(row: Row, before: Row) -> bool:
    return 0 < row.baseline - before.baseline < _STEP * before.size and abs(row.size - before.size) < 0.08 * before.size


def contents_rows(rows: Sequence[Row]) -> frozenset[int]:
    """Return the places of the rows that are entries of a table of contents, and its title."""
    entries = [
        number for number, row in enumerate(rows) if _LEADERS.search(row.text) and _ENDS_IN_PAGE.search(row.text)
    ]
    title = next((number for number, row in enumerate(rows[:12]) if _TITLE.match(row.text.strip(" :"))), None)
    if title is not None:
        below = [number for number in range(title + 1, len(rows)) if _ENDS_IN_PAGE.search(rows[number].text)]
        below = [number for number in below if len(segments(rows[number], 1.0)) > 1 or number in entries]
        if 2 * len(below) >= len(rows) - title - 1:
            entries = sorted({*entries, *below})
    if len(entries) < _MIN_ENTRIES:
        return frozenset()
    found = set(entries)
    for before, after in itertools.pairwise(entries):
        if after - before <= 3:  # entries of several lines, titles of parts
            found.update(range(before, after))
    if title is not None and title < entries[0]:
        found.update(range(title, entries[0]) if entries[0] - title <= 4 else [title])
    return frozenset(found)
