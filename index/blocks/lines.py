"""The lines of a text without blocks, and what their breaks show. Pure.

The reader of plain text makes blocks by these rules, and `index.chunking.sentences` finds sentences by them in a text that has
none, such as what a language model wrote. Everything here takes time in proportion to the length of the text.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_LINE = re.compile(r"[^\n\r\f\v\x85\u2028\u2029]*(?:\r\n|[\n\r\f\v\x85\u2028\u2029]|\Z)")
_RULE = re.compile(r"[-*_=~+|:. \t]{3,}+\Z")
_FIGURE = re.compile(r"[-–—+(]*+[$€£¥]?[-–(]*+[0-9][0-9.,:/'’]*+[)%*x]*+\Z|[$€£¥%—–)-]++\Z|(?i:n/?[am])\Z")
_RUNS_ON = (",", ";", "-", "–", "—", "/", "&")
_MAX_FILL = 0.8  # of the usual line width: a line and the next word that are shorter were broken on purpose


class Line(NamedTuple):
    """A line with a word or mark on it: where it begins, its end after the line break, and its text without white space."""

    start: int
    end: int
    text: str
    indent: int

    @property
    def text_start(self) -> int:
        """Where its text begins."""
        return self.start + self.indent

    @property
    def text_end(self) -> int:
        """Where its text ends."""
        return self.start + self.indent + len(self.text)


class Stretch(NamedTuple):
    """Lines between blank lines, rules and form feeds, and the rule that ends them, if one does."""

    lines: list[Line]
    rule: str = ""


def stretches(text: str) -> Iterator[Stretch]:
    """Return the runs of lines between blank lines, rules and form feeds."""
    lines: list[Line] = []
    position = 0
    while position < len(text):
        match = _LINE.match(text, position)
        assert match is not None
        line = match.group()
        content = line.strip()
        if content and not _RULE.match(line.rstrip()):
            lines.append(Line(position, match.end(), content, len(line) - len(line.lstrip())))
        elif lines:
            yield Stretch(lines, content)
            lines = []
        position = match.end()
        if line.endswith("\f") and lines:
            yield Stretch(lines)
            lines = []
    if lines:
        yield Stretch(lines)


def usual_width(lines: Sequence[Line]) -> int:
    """Return the width to which the lines are filled, if they are."""
    return sorted(len(line.text) for line in lines)[len(lines) * 9 // 10]


def is_row(line: str) -> bool:
    """Whether the line is a row of a table without columns: it ends in a figure, and figures are much of it."""
    tokens = line.split()
    if len(tokens) < 3 or not _FIGURE.match(tokens[-1]):
        return False
    figures = sum(1 for token in tokens if _FIGURE.match(token))
    return figures >= 2 and figures >= 0.4 * len(tokens)


def is_figure(text: str) -> bool:
    """Whether every word of the text is a figure, a currency sign, a dash or the like."""
    return bool(text) and all(_FIGURE.match(token) for token in text.split())


def is_break(previous: Line, line: Line, width: int, *, is_row: bool) -> bool:
    """Whether the break between two lines is meant and no wrapping: a row follows, or the next word would have fitted.

    `width` is that of the lines around them, in characters.
    """
    if line.text[0].islower() or previous.text.endswith(_RUNS_ON):
        return False
    if is_row:
        return True
    word = line.text.split(None, 1)[0]
    return len(previous.text) + 1 + len(word) < _MAX_FILL * width


def end_of_words(text: str, start: int, most: int) -> int:
    """Return the end of the words that begin at `start` and fit into `most` characters.

    A word that is longer than half of them is cut.
    """
    stop = start + most
    return next((place for place in range(stop, stop - most // 2, -1) if text[place : place + 1].isspace()), stop)
