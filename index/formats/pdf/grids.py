"""Lines drawn on a page -> grids, and the words in a grid -> the cells of a table.

A grid is a set of lines that touch: vertical and horizontal ones, or the edges of rectangles. A cell that no line parts
from the next one spans both.
"""

import ctypes
import itertools
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium

from index.formats.pdf.characters import View, fast
from index.formats.pdf.headers import mark_headers
from index.formats.pdf.rows import Row, Word, row_of
from index.formats.pdf.table import Cell, Table, TableRow, TableRowOfPage

_MAX_OBJECTS = 4_000  # of a page; a page of more is a drawing
_MAX_LINES = 1_500
_MAX_SEGMENTS = 400  # of one path
_THIN = 3.0
_NEAR = 2.5
_MAX_EDGES = 120


_ADDRESS = ctypes.c_size_t
_object = fast(pdfium.FPDFPage_GetObject, _ADDRESS, _ADDRESS, ctypes.c_int)
_kind = fast(pdfium.FPDFPageObj_GetType, ctypes.c_int, _ADDRESS)
_count_segments = fast(pdfium.FPDFPath_CountSegments, ctypes.c_int, _ADDRESS)
_segment = fast(pdfium.FPDFPath_GetPathSegment, _ADDRESS, _ADDRESS, ctypes.c_int)
_kind_of_segment = fast(pdfium.FPDFPathSegment_GetType, ctypes.c_int, _ADDRESS)
_point = fast(pdfium.FPDFPathSegment_GetPoint, ctypes.c_int, _ADDRESS, _ADDRESS, _ADDRESS)
_closes = fast(pdfium.FPDFPathSegment_GetClose, ctypes.c_int, _ADDRESS)


class Line(NamedTuple):
    """A horizontal or vertical line: where it stands across, and from where to where it runs."""

    at: float
    start: float
    end: float


class Grid(NamedTuple):
    """The lines of one table: the edges of its columns and rows, and which lines are drawn."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    verticals: tuple[Line, ...]
    horizontals: tuple[Line, ...]


def grids_of(page: Any, view: View) -> tuple[Grid, ...]:
    """Return the grids of a page that have at least two columns and two rows, from top to bottom."""
    count = pdfium.FPDFPage_CountObjects(page)
    if count > _MAX_OBJECTS:
        return ()
    verticals: list[Line] = []
    horizontals: list[Line] = []
    address = ctypes.cast(page, ctypes.c_void_p).value
    for drawn in map(_object, repeat(address), range(count)):
        if _kind(drawn) != pdfium.FPDF_PAGEOBJ_PATH:
            continue
        for left, top, right, bottom in _strokes(drawn, view):
            if right - left <= _THIN < bottom - top:
                verticals.append(Line((left + right) / 2, top, bottom))
            elif bottom - top <= _THIN < right - left:
                horizontals.append(Line((top + bottom) / 2, left, right))
        if len(verticals) + len(horizontals) > _MAX_LINES:
            return ()
    return tuple(_grids(verticals, horizontals))


def with_grids(rows: Sequence[Row], grids: Iterable[Grid]) -> list[Row]:
    """Return the rows of a page, with tables in place of the words that stand in grids."""
    found = list(rows)
    for grid in grids:
        found = _with_grid(found, grid)
    return found


def _strokes(address: int, view: View) -> Iterator[tuple[float, float, float, float]]:
    """The boxes of the straight lines of the path at an address; a rectangle is four."""
    count = _count_segments(address)
    drawn = ctypes.cast(address, pdfium.FPDF_PAGEOBJECT)
    matrix = pdfium.FS_MATRIX()
    if not 2 <= count <= _MAX_SEGMENTS or not pdfium.FPDFPageObj_GetMatrix(drawn, matrix):
        return
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDFPath_GetDrawMode(drawn, fill, stroke)
    x, y = ctypes.c_float(), ctypes.c_float()
    x_place, y_place = ctypes.addressof(x), ctypes.addressof(y)
    points: list[tuple[float, float]] = []
    for number in range(count):
        segment = _segment(address, number)
        kind = _kind_of_segment(segment)
        if kind == pdfium.FPDF_SEGMENT_BEZIERTO:
            return
        if kind == pdfium.FPDF_SEGMENT_MOVETO:
            yield from _boxes(points, view, bool(stroke.value))
            points = []
        _point(segment, x_place, y_place)
        points.append(
            (matrix.a * x.value + matrix.c * y.value + matrix.e, matrix.b * x.value + matrix.d * y.value + matrix.f)
        )
        if _closes(segment):
            points.append(points[0])
    yield from _boxes(points, view, bool(stroke.value))


def _boxes(
    points: Sequence[tuple[float, float]], view: View, is_stroked: bool
) -> Iterator[tuple[float, float, float, float]]:
    """The lines between the points; a thin rectangle is one line, and the edges of a coloured area without a line are none."""
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    if len(points) > 2 and min(max(xs) - min(xs), max(ys) - min(ys)) <= _THIN:  # a thin rectangle is one line
        yield view.shown(min(xs), min(ys), max(xs), max(ys))
        return
    if not is_stroked:
        return
    for (x, y), (to_x, to_y) in itertools.pairwise(points):
        yield view.shown(min(x, to_x), min(y, to_y), max(x, to_x), max(y, to_y))


def _grids(verticals: list[Line], horizontals: list[Line]) -> Iterator[Grid]:
    """The sets of lines that touch each other."""
    across = _joined(horizontals)
    down = _joined(verticals)
    if len(across) * len(down) > _MAX_LINES * 100:
        return
    group = list(range(len(across) + len(down)))

    def root(number: int) -> int:
        while group[number] != number:
            group[number] = group[group[number]]
            number = group[number]
        return number

    for number, line in enumerate(across):
        for other, vertical in enumerate(down):
            crosses = vertical.start - _NEAR <= line.at <= vertical.end + _NEAR
            if crosses and line.start - _NEAR <= vertical.at <= line.end + _NEAR:
                group[root(number)] = root(len(across) + other)
    members: dict[int, tuple[list[Line], list[Line]]] = {}
    for number, line in enumerate([*across, *down]):
        members.setdefault(root(number), ([], []))[0 if number < len(across) else 1].append(line)
    found: list[Grid] = []
    for rows, columns in members.values():
        xs, ys = _edges(line.at for line in columns), _edges(line.at for line in rows)
        if 3 <= len(xs) <= _MAX_EDGES and 3 <= len(ys) <= _MAX_EDGES:
            found.append(Grid(xs, ys, tuple(columns), tuple(rows)))
    yield from sorted(found, key=lambda grid: grid.ys[0])


def _joined(lines: Iterable[Line]) -> list[Line]:
    """The lines, with those joined that lie on each other or go on in each other."""
    found: list[Line] = []
    for line in sorted(lines, key=lambda line: (round(line.at / _NEAR), line.start)):
        last = found[-1] if found else None
        if last is not None and abs(last.at - line.at) <= _NEAR and line.start <= last.end + _NEAR:
            found[-1] = Line(last.at, min(last.start, line.start), max(last.end, line.end))
        else:
            found.append(line)
    return found


def _edges(places: Iterable[float]) -> tuple[float, ...]:
    """The places, from the least, without those near the one before."""
    found: list[float] = []
    for place in sorted(places):
        if not found or place - found[-1] > 2 * _NEAR:
            found.append(place)
    return tuple(found)


def _with_grid(rows: list[Row], grid: Grid) -> list[Row]:
    inside: list[Word] = []
    kept: list[Row] = []
    touched = outside = 0
    raised: set[int] = set()
    lowered: set[int] = set()
    for row in rows:
        words = [] if isinstance(row, TableRowOfPage) else [word for word in row.words if _is_inside(word, grid)]
        if not words:
            kept.append(row)
            continue
        inside.extend(words)
        raised |= row.raised
        lowered |= row.lowered
        touched += 1
        rest = [word for word in row.words if not _is_inside(word, grid)]
        if rest:
            outside += 1
            kept.append(row_of(rest))
    if outside * 3 > touched:  # lines around a part of a table only, such as its sums
        return rows
    table = _table(inside, grid, raised, lowered)
    if table is None:
        return rows
    first = min(inside, key=lambda word: word.baseline)
    place = next((number for number, row in enumerate(kept) if row.baseline > first.baseline), len(kept))
    stand_in = first._replace(text="", left=grid.xs[0], right=grid.xs[-1])
    kept.insert(place, TableRowOfPage([stand_in], first.baseline, first.height, grid.xs[0], grid.xs[-1], table=table))
    return kept


def _table(words: Sequence[Word], grid: Grid, raised: set[int], lowered: set[int]) -> Table | None:
    columns, rows = len(grid.xs) - 1, len(grid.ys) - 1
    of_cell: dict[tuple[int, int], list[Word]] = {}
    for word in words:
        place = _slot(grid.ys, (word.top + word.bottom) / 2), _slot(grid.xs, (word.left + word.right) / 2)
        of_cell.setdefault(place, []).append(word)
    cells: list[tuple[int, int, int, int]] = []  # row, column, rows, columns
    taken: set[tuple[int, int]] = set()
    for row in range(rows):
        for column in range(columns):
            if (row, column) not in taken:
                spans = _spans(grid, row, column, taken)
                cells.append((row, column, *spans))
                taken |= {(row + down, column + right) for down in range(spans[0]) for right in range(spans[1])}
    if len(cells) < 4 or sum(1 for place in of_cell if place) < 2:
        return None
    table = Table(columns=columns, rows=[TableRow([], []) for _ in range(rows)])
    for row, column, down, right in cells:
        held = [
            word
            for r in range(row, row + down)
            for c in range(column, column + right)
            for word in of_cell.get((r, c), ())
        ]
        lines = _lines(held, raised, lowered)
        table.rows[row].cells.append(Cell([line.words for line in lines], column, right, down))
        table.rows[row].source.extend(lines)
    if _is_layout(table):
        return None
    mark_headers(table)
    return table


def _is_layout(table: Table) -> bool:
    """Whether the lines frame text and are no table: all words stand in one column or one row."""
    filled = [(number, cell.column) for number, row in enumerate(table.rows) for cell in row.cells if cell.lines]
    return len({row for row, _ in filled}) < 2 or len({column for _, column in filled}) < 2


def _lines(words: Sequence[Word], raised: set[int], lowered: set[int]) -> list[Row]:
    """The words of a cell, line by line."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda word: word.baseline):
        if not lines or word.baseline - lines[-1][-1].baseline > 0.5 * word.height:
            lines.append([])
        lines[-1].append(word)
    found = [row_of(line) for line in lines]
    for row in found:
        row.raised = frozenset(word.place for word in row.words) & frozenset(raised)
        row.lowered = frozenset(word.place for word in row.words) & frozenset(lowered)
    return found


def _spans(grid: Grid, row: int, column: int, taken: set[tuple[int, int]]) -> tuple[int, int]:
    """How many rows and columns the cell covers that begins there: up to the next line below and at its right."""
    right = 1
    while (
        column + right < len(grid.xs) - 1
        and (row, column + right) not in taken
        and not _has_line(grid.verticals, grid.xs[column + right], grid.ys[row], grid.ys[row + 1])
    ):
        right += 1
    down = 1
    while (
        row + down < len(grid.ys) - 1
        and all((row + down, column + c) not in taken for c in range(right))
        and not _has_line(grid.horizontals, grid.ys[row + down], grid.xs[column], grid.xs[column + right])
    ):
        down += 1
    return down, right


def _has_line(lines: Iterable[Line], at: float, start: float, end: float) -> bool:
    middle = (start + end) / 2
    return any(abs(line.at - at) <= 2 * _NEAR and line.start - _NEAR <= middle <= line.end + _NEAR for line in lines)


def _slot(edges: Sequence[float], place: float) -> int:
    return max(0, min(len(edges) - 2, sum(1 for edge in edges if edge <= place) - 1))


def _is_inside(word: Word, grid: Grid) -> bool:
    x, y = (word.left + word.right) / 2, (word.top + word.bottom) / 2
    return grid.xs[0] - 1 <= x <= grid.xs[-1] + 1 and grid.ys[0] - 1 <= y <= grid.ys[-1] + 1
