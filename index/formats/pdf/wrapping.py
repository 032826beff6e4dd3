"""Which lines are full, so that the sentence goes on in the next one, and which end where their writer ended them.
Pure.

A line is full if the first word of the next line did not fit on it. Lines that stand close form a group. In a group in
which every line ends a sentence, or in which lines end early in the middle of a sentence (an address, a list without
markers), no line counts as full.
"""

import itertools
import re
from collections.abc import Sequence
from statistics import median

from index.formats.pdf.rows import Row

SENTENCE_END = re.compile(r"[.!?:;。！？][\"'”’)\]]*\Z")

_STEP = 1.3  # times the usual step from line to line
_CREDIBLE = 0.75  # of the lines that end within a sentence are full
_OWN_BOUND_ROWS = 4


def usual_step(rows: Sequence[Row]) -> float:
    """Return the distance between lines of one paragraph: the median of a run, if that is not wide, else by the size."""
    size = median(row.size for row in rows)
    steps = [after.baseline - row.baseline for row, after in itertools.pairwise(rows)]
    near = [step for step in steps if 0.7 * size < step < 2.6 * size]
    if not near:
        return 1.2 * size
    usual = median(near)
    is_even = sum(1 for step in near if abs(step - usual) < 0.05 * usual) * 5 >= len(steps) * 3
    if is_even or usual < 1.5 * size:
        return max(usual, 1.15 * size)
    return min(max(min(near), 1.15 * size), 1.5 * size)


def is_near(row: Row, after: Row, usual: float) -> bool:
    """Whether the second row stands under the first as a line of the same paragraph does."""
    is_text = bool(row.words[0].text) and bool(after.words[0].text)  # and none stands for a table
    return (
        is_text and 0 < after.baseline - row.baseline <= _STEP * usual and abs(row.size - after.size) <= 0.08 * row.size
    )


def full_lines(rows: Sequence[Row], bound: float, usual: float) -> list[bool]:
    """Return for each row whether its line is full; for the last one, whether hardly a word would fit."""
    full = [False] * len(rows)
    start = 0
    for place in range(1, len(rows) + 1):
        if place < len(rows) and is_near(rows[place - 1], rows[place], usual):
            continue
        _mark_group(rows, full, start, place, bound)
        start = place
    return full


def _mark_group(rows: Sequence[Row], full: list[bool], start: int, end: int, bound: float) -> None:
    group = rows[start:end]
    edge = max(row.right for row in group)
    if edge < bound - 2 * group[0].size:
        inner = [row.right for row in group[:-1]]
        if len(inner) < _OWN_BOUND_ROWS or min(inner) < edge - 5 * group[0].size:
            return
        bound = edge
    bound = max(bound, edge) if len(group) > 2 else bound
    fits = [_is_full(row, after, bound) for row, after in itertools.pairwise(group)]
    inside = [SENTENCE_END.search(row.words[-1].text) is None for row in group[:-1]]
    within = [is_full for is_full, is_inside in zip(fits, inside, strict=True) if is_inside]
    if fits and (not within or sum(within) < _CREDIBLE * len(within)):
        return
    full[start : end - 1] = fits
    full[end - 1] = group[-1].right > bound - 4 * group[-1].size


def _is_full(row: Row, after: Row, bound: float) -> bool:
    first = after.words[0]
    return row.right + 0.25 * row.size + (first.right - first.left) > bound - 0.3 * row.size
