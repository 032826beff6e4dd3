"""Cells of rows -> columns: what stands under each other is one column. Pure.

A header need not overlap what it heads: it may stand at the left of a column whose figures stand at the right. Then it
belongs to the nearest column without a header. Rows typed with spaces between their cells have no columns to see: if
all have as many cells as the first, the cells are counted.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.formats.pdf.figures import is_figure, is_plain_figure
from index.formats.pdf.table import Cell

_MAX_COLUMNS = 60
_MAX_HEADS = 8


def place_cells(cells: Sequence[list[Cell]]) -> int:
    """Set the column and span of the cells of these rows; return how many columns there are, 0 if it is no table."""
    if _is_typed(cells):
        for row in cells:
            for number, cell in enumerate(row):
                cell.column = number
        return len(cells[0])
    columns = _with_headers(_columns(cells), cells)
    if not 2 <= len(columns) <= _MAX_COLUMNS or sum(1 for column in columns if len(column.rows) > 1) < 2:
        return 0
    for row in cells:
        for cell in row:
            _place(cell, columns)
        for before, cell in itertools.pairwise(row):
            if cell.column < before.column + before.span:
                before.span = max(1, cell.column - before.column)
                cell.column = max(cell.column, before.column + before.span)
        if row and row[-1].column >= len(columns):
            return 0
    return len(columns)


def _is_typed(cells: Sequence[list[Cell]]) -> bool:
    """Whether every row has as many cells as the first, a row of headers, with figures under the same ones, while the
    cells of one column do not stand under each other."""
    count = len(cells[0])
    if len(cells) < 3 or count < 2 or any(len(row) != count for row in cells):
        return False
    if any(is_plain_figure(cell.text) for cell in cells[0]):
        return False
    kinds = [{is_figure(row[number].text) for row in cells[1:]} for number in range(count)]
    if any(len(kind) > 1 for kind in kinds) or {True} not in kinds:
        return False
    edges = [(max(row[n].right for row in cells), min(row[n + 1].left for row in cells)) for n in range(count - 1)]
    return any(right > left for right, left in edges)


@dataclass(slots=True)
class _Column:
    left: float
    right: float
    rows: set[int]


def _columns(cells: Sequence[list[Cell]]) -> list[_Column]:
    """The columns, from left to right: narrow cells make them, and a cell over two columns that one row fills spans them."""
    columns: list[_Column] = []
    every = sorted(
        ((cell.right - cell.left, number, cell) for number, row in enumerate(cells) for cell in row if len(row) > 1),
        key=lambda c: c[:2],
    )
    for _, number, cell in every:
        over = [column for column in columns if min(column.right, cell.right) - max(column.left, cell.left) > -0.5]
        if not over:
            columns.append(_Column(cell.left, cell.right, {number}))
            if len(columns) > _MAX_COLUMNS:
                return columns
            continue
        if any(one.rows & other.rows for place, one in enumerate(over) for other in over[place + 1 :]):
            continue
        merged = over[0]
        for other in over[1:]:
            merged.rows |= other.rows
            merged.left, merged.right = min(merged.left, other.left), max(merged.right, other.right)
            columns.remove(other)
        merged.rows.add(number)
        merged.left, merged.right = min(merged.left, cell.left), max(merged.right, cell.right)
    return sorted(columns, key=lambda column: column.left)


def _place(cell: Cell, columns: Sequence[_Column]) -> None:
    """Set the cell's column and span."""
    over = [
        number
        for number, column in enumerate(columns)
        if min(column.right, cell.right) - max(column.left, cell.left)
        > 0.2 * min(column.right - column.left, cell.right - cell.left)
    ]
    if over:
        cell.column, cell.span = over[0], over[-1] - over[0] + 1
        return
    middle = (cell.left + cell.right) / 2
    before = [number for number, column in enumerate(columns) if (column.left + column.right) / 2 <= middle]
    after = [number for number, column in enumerate(columns) if (column.left + column.right) / 2 > middle]
    if (
        before
        and after
        and before[-1] > 0
        and cell.left > columns[before[-1]].right
        and cell.right < columns[after[0]].left
    ):
        cell.column, cell.span = before[-1], 2
        return
    cell.column = min(
        range(len(columns)), key=lambda number: abs((columns[number].left + columns[number].right) / 2 - middle)
    )


def _with_headers(columns: list[_Column], cells: Sequence[list[Cell]]) -> list[_Column]:
    """The columns, with those that hold only headers joined to the nearest one beside them that has none."""
    heads = next((n for n, row in enumerate(cells) if any(is_plain_figure(cell.text) for cell in row)), 1)
    if not columns or not 0 < heads <= _MAX_HEADS:
        return columns
    alone = sum(1 for column in columns if max(column.rows) < heads)
    bare = sum(1 for column in columns if min(column.rows) >= heads)
    start = 1 if bare > alone and min(columns[0].rows) >= heads else 0  # the column of labels seldom has a header
    joined = list(columns)
    for place in _pairs(columns, start, heads):
        before, after = columns[place], columns[place + 1]
        after.left, after.rows = before.left, after.rows | before.rows
        joined.remove(before)
    return joined


def _pairs(columns: Sequence[_Column], start: int, heads: int) -> Iterator[int]:
    """The places of columns that are one with the next: in order where headers and columns alternate, else the nearest."""
    place = start
    while place < len(columns) - 1:
        end = place
        while end < len(columns) - 1 and (
            _heads(columns[end], columns[end + 1], heads) or _heads(columns[end + 1], columns[end], heads)
        ):
            end += 1
        if (end - place) % 2:
            yield from range(place, end, 2)
        else:
            taken: set[int] = set()
            for near in sorted(range(place, end), key=lambda n: columns[n + 1].left - columns[n].right):
                if near not in taken and near + 1 not in taken:
                    taken |= {near, near + 1}
                    yield near
        place = end + 1


def _heads(head: _Column, column: _Column, heads: int) -> bool:
    """Whether the first of two columns holds headers only, and the other only cells below them."""
    return max(head.rows) < min(heads, *column.rows)
