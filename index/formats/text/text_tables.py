"""Tables in plain text: columns parted by blanks, bars, tabs, or only by figures -> cells with their places. Pure."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from index.blocks.lines import Line, is_figure, is_row
from index.formats.periods import has_period_header

_CHUNK = re.compile(r"\S+(?: \S+)*")
_MAX_HEADER_CHARACTERS = 40
_MAX_SPANNING_ROWS = 2
_MAX_CHARACTERS = 300  # of a line of a table in columns
_MIN_ALIGNED = 0.75  # of the wide gaps of a table's lines stand between its columns; in justified prose few do


class Cell(NamedTuple):
    """A cell: its range in the text, its column, and how many it covers."""

    start: int
    end: int
    column: int
    span: int = 1


class Row(NamedTuple):
    """A row with its range and its cells; a blank cell is an empty range."""

    start: int
    end: int
    cells: tuple[Cell, ...]


class TextTable(NamedTuple):
    """A table: its rows, and how many of them at the top are header rows."""

    rows: list[Row]
    header_rows: int


def parted_rows(lines: Sequence[Line], mark: str) -> list[Row]:
    """Return the rows of lines whose cells are parted by a bar or a tab."""
    rows: list[Row] = []
    for line in lines:
        edges = [-1, *(place for place, letter in enumerate(line.text) if letter == mark), len(line.text)]
        if mark == "|":
            edges = edges[1:] if line.text.startswith(mark) else edges
            edges = edges[:-1] if line.text.endswith(mark) else edges
        cells: list[Cell] = []
        for column, (left, right) in enumerate(pairwise(edges)):
            body = line.text[left + 1 : right]
            start = line.text_start + left + 1 + (len(body) - len(body.lstrip()) if body.strip() else 0)
            cells.append(Cell(start, start + len(body.strip()), column))
        rows.append(Row(line.text_start, line.text_end, tuple(cells)))
    return rows


def figure_row(start: int, text: str) -> Row:
    """Return a row whose words and figures only single blanks part: its name, then each figure with its sign."""
    tokens = [(match.start(), match.end()) for match in re.finditer(r"\S+", text)]
    first = next((place for place in range(len(tokens)) if all(is_figure(text[a:b]) for a, b in tokens[place:])), 0)
    cells: list[Cell] = []
    if first:
        cells.append(Cell(start, start + tokens[first - 1][1], 0))
    held: int | None = None  # a currency sign waits for its figure
    for left, right in tokens[first:]:
        begin = left if held is None else held
        if text[left:right] in ("$", "€", "£", "¥") and right < len(text):
            held = begin
            continue
        cells.append(Cell(start + begin, start + right, len(cells) if first else len(cells) + 1))
        held = None
    return Row(start, start + len(text), tuple(cells))


def column_table(lines: Sequence[Line]) -> list[Row]:
    """Return the rows of lines whose cells stand in columns; none if the lines have no columns in common."""
    chunks = [[(line.indent + m.start(), line.indent + m.end()) for m in _CHUNK.finditer(line.text)] for line in lines]
    if len(lines) < 2 or sum(len(found) > 1 for found in chunks) < 2:
        return []
    best: list[tuple[int, int]] = []
    for skipped in range(min(_MAX_SPANNING_ROWS, len(lines) - 2) + 1):
        columns = _columns(chunks[skipped:])
        if len(columns) > max(1, len(best)):
            best = columns
    if len(best) < 2 or not _is_aligned(chunks, best, lines):
        return []
    return [_column_row(line, found, best) for line, found in zip(lines, chunks, strict=True)]


def header_rows(texts: Sequence[Sequence[str]]) -> int:
    """Return how many rows at the top are headers, by the texts of their cells."""
    if len(texts) < 2 or has_period_header(texts):
        return int(len(texts) > 1)
    count = 0
    while count < min(_MAX_SPANNING_ROWS, len(texts) - 1) and texts[count] and not texts[count][0]:
        count += 1
    if count and all(row and row[0] for row in texts[count:]):
        return count
    first, body = texts[0], texts[1:]
    if sum(map(bool, first)) < max(1, len(first) - 1) or any(len(cell) > _MAX_HEADER_CHARACTERS for cell in first):
        return 0
    if any(any(map(str.isdecimal, cell)) for cell in first) or any(cell.endswith((".", "!", "?")) for cell in first):
        return 0
    for column, name in enumerate(first):
        below = [row[column] for row in body if column < len(row) and row[column]]
        has_figures = any(any(map(str.isdecimal, cell)) for cell in below)
        if has_figures or any(len(cell) > len(name) + 10 for cell in below) or len(set(below)) < len(below):
            return 1
    return 0


def rows_in(lines: Sequence[Line], first: int, mark: str) -> int:
    """Return how many lines, from that one on, hold the mark as often as it does; 0 for fewer than two lines."""
    count = lines[first].text.count(mark)
    if not count or (mark == "|" and count < 2 and not lines[first].text.startswith("|")):
        return 0
    last = first
    while last < len(lines) and lines[last].text.count(mark) == count:
        last += 1
    return last - first if last - first > 1 else 0


def has_gaps(line: Line) -> bool:
    """Whether the line may be part of a table in columns: two blanks stand inside."""
    return "  " in line.text and "\t" not in line.text and len(line.text) <= _MAX_CHARACTERS


def is_figures(lines: Sequence[Line]) -> bool:
    """Whether any of the lines is a row of figures."""
    return any(is_row(line.text) for line in lines)


def _columns(chunks: Sequence[Sequence[tuple[int, int]]]) -> list[tuple[int, int]]:
    """The ranges of columns: what no line leaves out, merged where the text of any line stands."""
    merged: list[tuple[int, int]] = []
    for left, right in sorted(chunk for line in chunks for chunk in line):
        if merged and left < merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(right, merged[-1][1]))
        else:
            merged.append((left, right))
    return merged


def _is_aligned(
    chunks: Sequence[Sequence[tuple[int, int]]], columns: Sequence[tuple[int, int]], lines: Sequence[Line]
) -> bool:
    """Whether the lines truly stand in these columns."""
    gaps = aligned = 0
    for found in chunks:
        for (_, right), (left, _) in pairwise(found):
            gaps += 1
            aligned += any(right <= second[0] and left >= first[1] for first, second in pairwise(columns))
    filled = sum(len(found) for found in chunks) / (len(chunks) * len(columns))
    held = 0
    for column in columns:
        inside = [chunk for found in chunks for chunk in found if column[0] <= chunk[0] and chunk[1] <= column[1]]
        sides = (Counter(left for left, _ in inside), Counter(right for _, right in inside))
        middles = Counter((left + right + 1) // 4 for left, right in inside)
        held += max(max(counts.values(), default=0) for counts in (*sides, middles))
    return (
        gaps > 0
        and aligned >= _MIN_ALIGNED * gaps
        and filled >= 0.4
        and held >= 0.5 * sum(map(len, chunks))
        and (len(lines) > 2 or len(columns) > 2 or is_figures(lines))
    )


def _column_row(line: Line, chunks: Sequence[tuple[int, int]], columns: Sequence[tuple[int, int]]) -> Row:
    """The cells of a line: each column has one; a stretch of text over several columns covers them."""
    cells: list[Cell] = []
    column = 0
    for left, right in chunks:
        covered = [place for place, (a, b) in enumerate(columns) if left < b and a < right]
        covered = [place for place in covered if place >= column] or [min(column, len(columns) - 1)]
        while column < covered[0]:
            cells.append(Cell(line.start + left, line.start + left, column))
            column += 1
        if cells and cells[-1].column == covered[0]:
            cells[-1] = cells[-1]._replace(end=line.start + right)
            continue
        cells.append(Cell(line.start + left, line.start + right, covered[0], len(covered)))
        column = covered[-1] + 1
    while column < len(columns):
        cells.append(Cell(line.text_end, line.text_end, column))
        column += 1
    return Row(line.text_start, line.text_end, tuple(cells))
