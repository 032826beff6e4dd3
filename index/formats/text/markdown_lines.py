"""The lines of Markdown source: where the text of each stands, and where the running text that the parser read stands. Pure.

markdown-it-py tells the lines of each block and its text without the prefixes of lists and quotations. A line of that text is
always the end of its line in the source, so its place there follows. All places are places in the whole text.
"""

import re
from bisect import bisect_right
from itertools import pairwise
from typing import NamedTuple

_PREFIX = re.compile(r"[ \t>]*")
_INDENT = re.compile(r"[ \t]*")
_BAR = re.compile(r"(?<!\\)\|")
_ESCAPED_BAR = re.compile(r"\\\|")


class Running(NamedTuple):
    """Running text: its pieces, each an offset into it and its place in the source from there on, and its length."""

    pieces: tuple[tuple[int, int], ...]
    length: int

    @property
    def start(self) -> int:
        """Where it begins in the source."""
        return self.place(0)

    @property
    def end(self) -> int:
        """Where it ends in the source."""
        return self.place_end(self.length)

    def place(self, offset: int) -> int:
        """Return the place in the source of an offset into the running text."""
        begin, place = self.pieces[max(0, bisect_right(self.pieces, offset, key=lambda piece: piece[0]) - 1)]
        return place + max(0, offset - begin)

    def place_end(self, offset: int) -> int:
        """Return the place in the source where a range ends that ends at the offset."""
        return self.place(offset - 1) + 1 if offset else self.place(0)


class MarkdownLines:
    """The lines of `text[begin:]`, numbered from 0. `quotes` is how many quotations are open while they are read."""

    def __init__(self, text: str, begin: int) -> None:
        self.quotes = 0
        self._text = text
        self._starts = [begin, *(match.end() for match in re.compile("\n").finditer(text, begin))]
        self._after: dict[int, int] = {}  # line -> where the markers that were read on it end

    def __len__(self) -> int:
        return len(self._starts)

    def start(self, line: int) -> int:
        """Return where the line begins."""
        return self._starts[line]

    def end(self, line: int) -> int:
        """Return where the line ends, without its line break."""
        return self._starts[line + 1] - 1 if line + 1 < len(self._starts) else len(self._text)

    def text_end(self, line: int) -> int:
        """Return where the line ends, without white space."""
        start = self._starts[line]
        return start + len(self._text[start : self.end(line)].rstrip())

    def first_word(self, line: int) -> int:
        """Return where the text of the line begins after the markers that were read and those of open quotations."""
        pattern = _PREFIX if self.quotes and line not in self._after else _INDENT
        start = self._after.get(line, self._starts[line])
        match = pattern.match(self._text, start, self.end(line))
        return match.end() if match else start

    def skip(self, line: int, marker: "str | re.Pattern[str]") -> int:
        """Return where the marker stands on the line, after those that were read before it; it is read now."""
        position, end = self._after.get(line, self._starts[line]), self.end(line)
        if isinstance(marker, str):
            found = max(position, self._text.find(marker, position, end))
            self._after[line] = found + len(marker)
            return found
        match = marker.search(self._text, position, end)
        self._after[line] = match.end() if match else position
        return match.start() if match else position

    def suffix(self, line: int, body: str) -> int:
        """Return where the text stands that ends the line; a heading's may be followed by number signs."""
        start = self._starts[line]
        whole = self._text[start : self.end(line)]
        stripped = whole.rstrip()
        body = body.rstrip()
        if stripped.endswith(body):
            return start + len(stripped) - len(body)
        lead = len(body) - len(body.lstrip())
        if stripped.endswith(body[lead:]):  # a tab before it was made spaces
            return max(start, start + len(stripped) - len(body))
        found = whole.find(body, self._after.get(line, start) - start)
        return start + max(0, found)

    def running(self, content: str, first: int) -> Running:
        """Return where the running text stands that begins on the line `first`."""
        pieces: list[tuple[int, int]] = []
        offset = 0
        for number, line in enumerate(content.split("\n")):
            body = line.lstrip(" \t")
            lead = len(line) - len(body)
            pieces.append((offset + lead if pieces else 0, self.suffix(first + number, body if pieces else line)))
            offset += len(line) + 1
        return Running(tuple(pieces), len(content))

    def cells(self, line: int) -> list[Running]:
        """Return where the cells of a row stand; the backslash before a bar in a cell is no part of it."""
        begin = self.first_word(line)
        row = self._text[begin : self.text_end(line)]
        edges = [-1, *(match.start() for match in _BAR.finditer(row)), len(row)]
        ranges = [(left + 1, right) for left, right in pairwise(edges)]
        if ranges and not row[ranges[0][0] : ranges[0][1]].strip():
            ranges.pop(0)
        if ranges and not row[ranges[-1][0] : ranges[-1][1]].strip():
            ranges.pop()
        return [_cell(row[left:right], begin + left) for left, right in ranges]


def _cell(cell: str, place: int) -> Running:
    body = cell.strip()
    if not body:
        return Running(((0, place + min(1, len(cell))),), 0)
    place += len(cell) - len(cell.lstrip())
    pieces = [(0, place)]
    for read, match in enumerate(_ESCAPED_BAR.finditer(body)):
        pieces.append((match.start() - read, place + match.start() + 1))
    return Running(tuple(pieces), len(body) - len(pieces) + 1)
