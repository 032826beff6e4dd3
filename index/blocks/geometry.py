"""Geometry: where the words of a PDF or picture stand on its pages, with their offsets into the canonical text. Pure.

All lengths are points (1/72 inch) from the top left corner of the page as it is shown. Words are kept packed: a page of
500 words takes about 4 KB.
"""

import base64
import json
import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

_UNITS_PER_POINT = 20
_LIMIT = 2**30 - 1
_FACTS = 6  # of a word: start, length, left, top, width, height


class Box(NamedTuple):
    """A rectangle on a page, in points from its top left corner."""

    left: float
    top: float
    right: float
    bottom: float


class PlacedWord(NamedTuple):
    """A word: its range in the canonical text, and its box."""

    start: int
    end: int
    box: Box


class PlacedBox(NamedTuple):
    """A rectangle on the page with that number (from 1)."""

    page: int
    box: Box


@dataclass(frozen=True, slots=True)
class PageGeometry:
    """The size of one page (number from 1) and its words, packed. `start` and `end` are the range that its words lie in."""

    number: int
    width: float
    height: float
    start: int = 0
    end: int = 0
    packed: bytes = b""

    def words(self) -> tuple[PlacedWord, ...]:
        """Return the words in the order of the text, each box within 1/40 point."""
        if not self.packed:
            return ()
        numbers = _array(zlib.decompress(self.packed))
        count = len(numbers) // _FACTS
        ahead, lengths, *edges = (numbers[place * count : (place + 1) * count] for place in range(_FACTS))
        words: list[PlacedWord] = []
        start = self.start
        for step, length, left, top, width, height in zip(ahead, lengths, *edges, strict=True):
            start += step
            corners = (left, top, left + width, top + height)
            words.append(PlacedWord(start, start + length, Box(*(corner / _UNITS_PER_POINT for corner in corners))))
        return tuple(words)


def page_geometry(number: int, width: float, height: float, words: Iterable[PlacedWord]) -> PageGeometry:
    """Return the geometry of a page with these words."""
    ordered = sorted(words)
    size = (round(width, 2), round(height, 2))
    if not ordered:
        return PageGeometry(number, *size)
    first = ordered[0].start
    starts = [word.start for word in ordered]
    edges = [_units(values) for values in zip(*(word.box for word in ordered), strict=True)]
    left, top, right, bottom = edges
    columns = (
        [after - before for before, after in zip([first, *starts], starts, strict=False)],
        [word.end - word.start for word in ordered],
        left,
        top,
        [end - begin for begin, end in zip(left, right, strict=True)],
        [end - begin for begin, end in zip(top, bottom, strict=True)],
    )
    data = b"".join(_bytes(array("i", column)) for column in columns)
    return PageGeometry(number, *size, first, max(word.end for word in ordered), zlib.compress(data, 6))


def boxes(pages: Iterable[PageGeometry], start: int, end: int) -> tuple[PlacedBox, ...]:
    """Return the boxes of the words that the range `start:end` touches: one for each line, in the order of the text."""
    found: list[PlacedBox] = []
    for page in pages:
        if page.end <= start or page.start >= end:
            continue
        for word in page.words():
            if word.end <= start or word.start >= end:
                continue
            last = found[-1] if found else None
            if last is not None and last.page == page.number and _on_one_line(last.box, word.box):
                found[-1] = PlacedBox(page.number, _around(last.box, word.box))
            else:
                found.append(PlacedBox(page.number, word.box))
    return tuple(found)


def to_lists(pages: Iterable[PageGeometry]) -> list[list[Any]]:
    """Return the pages as lists of numbers and strings for JSON: number, width, height, start, end, words in base64."""
    return [
        [page.number, page.width, page.height, page.start, page.end, base64.b64encode(page.packed).decode()]
        for page in pages
    ]


def from_lists(rows: Iterable[Sequence[Any]]) -> tuple[PageGeometry, ...]:
    """Return the pages that `to_lists` wrote."""
    return tuple(
        PageGeometry(number, width, height, start, end, base64.b64decode(words))
        for number, width, height, start, end, words in rows
    )


def pack(pages: Iterable[PageGeometry]) -> bytes:
    """Return the pages as bytes, as the ledger stores them."""
    heads: list[list[Any]] = []
    bodies: list[bytes] = []
    for page in pages:
        heads.append([page.number, page.width, page.height, page.start, page.end, len(page.packed)])
        bodies.append(page.packed)
    return b"\n".join((json.dumps(heads, separators=(",", ":")).encode(), b"".join(bodies)))


def unpack(data: bytes) -> tuple[PageGeometry, ...]:
    """Return the pages that `pack` wrote."""
    head, _, body = data.partition(b"\n")
    pages: list[PageGeometry] = []
    place = 0
    for number, width, height, start, end, length in json.loads(head):
        pages.append(PageGeometry(number, width, height, start, end, body[place : place + length]))
        place += length
    return tuple(pages)


def _on_one_line(before: Box, box: Box) -> bool:
    """Whether a box goes on to the right in the line of the box before."""
    shared = min(before.bottom, box.bottom) - max(before.top, box.top)
    lower = min(before.bottom - before.top, box.bottom - box.top)
    return shared > lower / 2 and box.left >= before.left


def _around(one: Box, other: Box) -> Box:
    return Box(
        min(one.left, other.left), min(one.top, other.top), max(one.right, other.right), max(one.bottom, other.bottom)
    )


def _units(edges: Iterable[float]) -> list[int]:
    return [max(-_LIMIT, min(_LIMIT, round(edge * _UNITS_PER_POINT))) for edge in edges]


def _bytes(column: "array[int]") -> bytes:
    return _little_endian(column).tobytes()


def _array(data: bytes) -> "array[int]":
    column = array("i")
    column.frombytes(data)
    return _little_endian(column)


def _little_endian(column: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column
