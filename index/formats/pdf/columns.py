"""Rows -> reading order: columns of prose are read one after the other, also where the file draws them row by row.
Pure.

A gutter is white space that runs down between words of several rows. It parts columns if both sides read as prose:
lines of several words that fill their side. Otherwise it parts cells, and the rows stay whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from index.formats.pdf.rows import Row, Word, parted, row_of, segments

_GUTTER = 0.8  # of the row's size: browsers part columns by 0.87
_BESIDE = 0.8  # of the row's size
_MIN_ROWS = 3
_MIN_WORDS = 3.0  # in a line of a column, on average
_MIN_FILL = 0.62  # of the widest line of the column, by half of the lines
_FULL = 0.85
_MANY_WORDS = 5.0
_MAX_DEPTH = 5
_MAX_GUTTERS = 40


@dataclass(slots=True)
class _Gutter:
    left: float
    right: float
    first: int
    last: int = 0  # row with words on both sides
    reach: int = 0  # row down to which the gutter stays white
    before: list[list[Word]] = field(default_factory=list)
    after: list[list[Word]] = field(default_factory=list)


class Run(NamedTuple):
    """Rows that are read one after the other. `bound` is the x that their lines reach up to, None if no column ends them."""

    rows: list[Row]
    bound: float | None


def reading_order(rows: Sequence[Row], bound: float | None = None, depth: int = 0) -> list[Run]:
    """Return the rows in runs, in reading order; each run has one left and right edge."""
    best = _best_gutter(rows)
    if best is None and depth == 0:
        level = _side_by_side(rows)
        best = _best_gutter(level) if len(level) < len(rows) else None
        rows = level if best is not None else rows
    if best is None or depth >= _MAX_DEPTH:
        return [Run(list(rows), bound)] if rows else []
    end = _end_of_columns(rows, best)
    x = (best.left + best.right) / 2
    pairs = [parted(row, x) for row in rows[best.first : end + 1]]
    left = [before for before, _ in pairs if before is not None]
    right = [after for _, after in pairs if after is not None]
    parts = ((rows[: best.first], bound), (left, best.left), (right, bound), (rows[end + 1 :], bound))
    return [run for part, edge in parts for run in (reading_order(part, edge, depth + 1) if part else [])]


def _best_gutter(rows: Sequence[Row]) -> _Gutter | None:
    prose = (gutter for gutter in _gutters(rows) if _parts_prose(gutter))
    return max(prose, key=lambda gutter: gutter.last - gutter.first, default=None)


def _side_by_side(rows: Sequence[Row]) -> list[Row]:
    """The rows, with those joined that stand beside each other without a common baseline, as in columns of their own rhythm."""
    found: list[Row] = []
    for row in rows:
        last = found[-1] if found else None
        is_text = type(row) is Row and type(last) is Row  # and none stands for a table
        if is_text and last is not None and row.baseline - last.baseline < _BESIDE * max(row.size, last.size):
            gap = _GUTTER * row.size
            if row.left - last.right > gap or last.left - row.right > gap:
                found[-1] = row_of([*last.words, *row.words])
                continue
        found.append(row)
    return found


def _gutters(rows: Sequence[Row]) -> list[_Gutter]:
    closed: list[_Gutter] = []
    active: list[_Gutter] = []
    for number, row in enumerate(rows):
        runs = segments(row, _GUTTER)
        ends = [(run[0].left, max(word.right for word in run)) for run in runs]
        still: list[_Gutter] = []
        for gutter in active:
            white = _white(gutter, ends, row.size)
            if white is None:
                closed.append(gutter)
                continue
            place, gutter.left, gutter.right = white
            gutter.reach = number
            if 0 < place < len(ends):
                gutter.last = number
            if place:
                gutter.before.append(runs[place - 1])
            if place < len(ends):
                gutter.after.append(runs[place])
            still.append(gutter)
        for place in range(1, len(ends)):
            left, right = ends[place - 1][1], ends[place][0]
            if not any(gutter.left < right and left < gutter.right for gutter in still) and len(still) < _MAX_GUTTERS:
                still.append(_Gutter(left, right, number, number, number, [runs[place - 1]], [runs[place]]))
        active = still
    return [*closed, *active]


def _white(gutter: _Gutter, ends: Sequence[tuple[float, float]], size: float) -> tuple[int, float, float] | None:
    """What is left of the gutter beside a row's words, and how many groups of words stand left of it; None if they block it."""
    best: tuple[int, float, float] | None = None
    for place in range(len(ends) + 1):
        left = max(gutter.left, ends[place - 1][1]) if place else gutter.left
        right = min(gutter.right, ends[place][0]) if place < len(ends) else gutter.right
        if right - left >= 0.6 * size and (best is None or right - left > best[2] - best[1]):
            best = place, left, right
    return best


def _parts_prose(gutter: _Gutter) -> bool:
    if gutter.last - gutter.first + 1 < _MIN_ROWS:
        return False
    return all(_is_prose(side) for side in (gutter.before, gutter.after))


def _is_prose(lines: Sequence[Sequence[Word]]) -> bool:
    if len(lines) < _MIN_ROWS:
        return False
    words = [word.text for line in lines for word in line]
    figures = sum(1 for word in words if not any(letter.isalpha() for letter in word))
    if len(words) < _MIN_WORDS * len(lines) or figures * 4 > len(words):
        return False
    widths = [line[-1].right - line[0].left for line in lines]
    full = sum(width >= _FULL * max(widths) for width in widths)
    is_short = full * 5 < 2 * len(lines) or len(words) < _MANY_WORDS * len(lines)  # paragraphs of two lines are not
    if median(widths) < _MIN_FILL * max(widths) and is_short:
        return False
    lefts = sorted(line[0].left for line in lines)
    middle = lefts[len(lefts) // 2]
    return sum(1 for left in lefts if abs(left - middle) < 4) * 2 >= len(lefts) or _is_ragged_list(lines, lefts[0])


def _is_ragged_list(lines: Sequence[Sequence[Word]], left: float) -> bool:
    """Whether most lines begin within two steps of indentation, as lists do."""
    return sum(1 for line in lines if line[0].left - left < 40) * 10 >= len(lines) * 8


def _end_of_columns(rows: Sequence[Row], gutter: _Gutter) -> int:
    """The last row of the columns: below their last common row, one column goes on as long as its lines stand close."""
    end = gutter.last
    steps = [after.baseline - before.baseline for before, after in pairwise(rows[gutter.first : end + 1])]
    usual = median(steps) if steps else 0.0
    while end + 1 <= gutter.reach and rows[end + 1].baseline - rows[end].baseline <= 1.5 * usual:
        end += 1
    return end
