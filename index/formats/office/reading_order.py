"""Boxes on a page -> the order in which a person reads them: row by row, and within columns that run past rows. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

_MAX_DEPTH = 12


class Box(NamedTuple):
    """A rectangle; down and to the right is more."""

    left: int
    top: int
    right: int
    bottom: int


def in_reading_order(boxes: Sequence[Box]) -> list[int]:
    """Return the places of the boxes in reading order.

    They are cut where a gap runs across the whole page, else where one runs down it, and so on within each part.
    """
    return _ordered(boxes, list(range(len(boxes))), 0)


def _ordered(boxes: Sequence[Box], numbers: list[int], depth: int) -> list[int]:
    if len(numbers) > 1 and depth < _MAX_DEPTH:
        for is_row in (True, False):
            parts = _cut(boxes, numbers, is_row=is_row)
            if len(parts) > 1:
                return [number for part in parts for number in _ordered(boxes, part, depth + 1)]
    return sorted(numbers, key=lambda number: (boxes[number].top, boxes[number].left, number))


def _cut(boxes: Sequence[Box], numbers: list[int], *, is_row: bool) -> list[list[int]]:
    """The boxes in runs that no line between two runs touches; they may overlap by a tenth of the smaller one."""
    spans = {n: (boxes[n].top, boxes[n].bottom) if is_row else (boxes[n].left, boxes[n].right) for n in numbers}
    parts: list[list[int]] = []
    end = 0
    for number in sorted(numbers, key=lambda number: spans[number]):
        start, stop = spans[number]
        if not parts or start >= end - (stop - start) // 10:
            parts.append([])
            end = stop
        parts[-1].append(number)
        end = max(end, stop)
    return parts
