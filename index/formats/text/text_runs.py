"""Runs of lines in plain text that are no prose, and what parts one block from the next. Pure.

Each `..._lines` function returns how many lines, from the one with that number on, belong together; 0 if they are other lines.
"""

import re
from collections.abc import Callable, Sequence

from index.blocks.lines import Line, Stretch, is_break, is_row
from index.formats.text.text_lines import (
    field_of,
    is_bullet,
    is_capitals,
    is_code,
    is_command,
    is_contents,
    is_heading,
    is_log,
    is_sentence,
    marker_of,
)
from index.formats.text.text_tables import Row, column_table, has_gaps, parted_rows, rows_in

_STANDS_ALONE = re.compile(r"#{1,6}[ \t]|\||```")
_SIGNATURE = re.compile(r"(?:By:?\s*)?/s/\s")
_UNDERLINES = {"=": 1, "-": 2, "~": 3, "*": 1, "+": 3}


def parts(previous: Line, line: Line, width: int, *, is_figures: bool) -> bool:
    """Return whether the break between two lines ends a paragraph."""
    if marker_of(line.text) or _STANDS_ALONE.match(line.text) or _STANDS_ALONE.match(previous.text):
        return True
    return is_break(previous, line, width, is_row=is_figures)


def family_of(marker: str) -> str:
    """What the mark of an item has in common with those of its list: "3." is `0.`, "(b)" and "(iv)" are `(a)`."""
    if not marker or is_bullet(marker):
        return marker
    return re.sub(r"[a-zA-Z]+", "a", re.sub(r"\d+", "0", marker))


def heading_level(stretch: Stretch, before: Stretch | None, after: Stretch | None, *, numbered: bool) -> int:
    """The level of the heading that the stretch is; 0 if it is none."""
    lines = stretch.lines
    first = lines[0].text
    if len(lines) <= 3 and all(is_capitals(line.text) for line in lines) and not marker_of(first):
        return 1 if after is not None else 0
    if len(lines) > 1:
        return 0
    rule = stretch.rule
    is_underline = len(set(rule)) == 1 and rule[0] in _UNDERLINES and len(rule) <= 2 * len(first) + 4
    if is_underline and len(first) < 100 and not is_sentence(first):
        return _UNDERLINES[rule[0]]
    return _lone_heading_level(lines[0], before, after, numbered=numbered) if after is not None else 0


def _lone_heading_level(line: Line, before: Stretch | None, after: Stretch, *, numbered: bool) -> int:
    """The level of a heading that is one only by its look and by the prose or the table below it; 0 if it is none."""
    marker = marker_of(line.text)
    is_numbered_on = numbered or is_bullet(marker) or (before is not None and marker_of(before.lines[0].text))
    is_other = is_row(line.text) or is_contents(line.text) or is_log(line.text) or (marker and is_numbered_on)
    if is_other or not is_heading(line.text[len(marker) :].strip()):
        return 0
    below = after.lines
    is_prose = is_sentence(below[-1].text) and sum(len(other.text) for other in below) > len(line.text)
    is_table = len(below) > 1 and all(map(has_gaps, below))
    if marker_of(below[0].text) or not (is_prose or is_table or is_contents(below[0].text)):
        return 0
    return len(re.findall(r"\d+", marker)) or 2


def is_shown_code(lines: Sequence[Line], before: Stretch | None) -> bool:
    """Whether the lines are code or a command by their place: indented, below a line that ends in a colon."""
    if before is None or not before.lines[-1].text.endswith(":") or any(marker_of(line.text) for line in lines):
        return False
    is_indented = min(line.indent for line in lines) >= before.lines[0].indent + 2
    is_prose = is_sentence(lines[-1].text) and sum(len(line.text.split()) for line in lines) >= 8
    return is_indented and not is_prose and not (len(lines) > 1 and all(map(has_gaps, lines)))


def contents_lines(lines: Sequence[Line], number: int) -> int:
    """Lines of a table of contents."""
    return _while(lines, number, lambda line: is_contents(line.text))


def log_lines(lines: Sequence[Line], number: int) -> int:
    """Entries of a log, with the indented lines that belong to them."""
    if not is_log(lines[number].text):
        return 0
    return 1 + _while(lines, number + 1, lambda line: is_log(line.text) or line.indent > lines[number].indent)


def quoted_lines(lines: Sequence[Line], number: int) -> int:
    """Lines that somebody else wrote, each after ">"."""
    return _while(lines, number, lambda line: line.text.startswith(">"))


def parted_lines(lines: Sequence[Line], number: int) -> int:
    """Rows of a table whose cells are parted by bars or tabs."""
    return rows_in(lines, number, "|") or rows_in(lines, number, "\t")


def column_lines(lines: Sequence[Line], number: int) -> int:
    """Rows of a table whose cells stand in columns."""
    count = _while(lines, number, has_gaps)
    is_start = number == 0 or not has_gaps(lines[number - 1])
    return count if count > 1 and is_start and column_table(lines[number : number + count]) else 0


def field_lines(lines: Sequence[Line], number: int) -> int:
    """Lines `Label: value`, with indented lines that continue a value."""
    line = lines[number]
    if number and not is_sentence(lines[number - 1].text):
        return 0
    if field_of(line.text) is None or marker_of(line.text):
        return 0
    count = _while(lines, number, lambda other: _continues_fields(other, line.indent))
    values = [other.text for other in lines[number : number + count] if field_of(other.text)]
    sentences = sum(text.endswith((".", "!", "?", ",")) or len(text.split()) > 14 for text in values)
    return count if 2 * sentences < len(values) and (len(values) > 1 or count == len(lines) - number) else 0


def _continues_fields(line: Line, indent: int) -> bool:
    return line.indent > indent or (line.indent == indent and field_of(line.text) is not None)


def signature_lines(lines: Sequence[Line], number: int) -> int:
    """A signature, and the short lines below it that say whose it is."""
    if not _SIGNATURE.match(lines[number].text):
        return 0
    return _while(lines, number, lambda line: len(line.text) <= 90 and not line.text.endswith((".", "!", "?")))


def code_lines(lines: Sequence[Line], number: int) -> int:
    """Commands, or lines below a colon that are indented, or a whole stretch of code."""
    if number == 0 and len(lines) > 1 and is_code(lines):
        return len(lines)
    count = _while(lines, number, lambda line: is_command(line.text))
    if count or not number or not lines[number - 1].text.endswith(":"):
        return count
    indent = lines[number - 1].indent + 2
    count = _while(lines, number, lambda line: line.indent >= indent and not marker_of(line.text))
    return 0 if count and is_sentence(lines[number + count - 1].text) else count


def _while(lines: Sequence[Line], number: int, is_part: Callable[[Line], bool]) -> int:
    """How many lines from that one on are part of it."""
    count = 0
    while number + count < len(lines) and is_part(lines[number + count]):
        count += 1
    return count


def rows_of(lines: Sequence[Line]) -> list[Row]:
    """Return the rows of lines that are a table."""
    for mark in ("|", "\t"):
        if rows_in(lines, 0, mark) == len(lines):
            return parted_rows(lines, mark)
    return column_table(lines)
