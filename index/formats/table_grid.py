"""The cells of a table with their places -> its node: spans repeated in each row, blanks kept, header rows found. Pure."""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

from index.blocks.block import Kind
from index.formats.nodes import Node, Part
from index.formats.periods import PERIOD, has_period_header

_FIGURE = re.compile(r"\W*\d")
_MAX_HEADER_CHARS = 60
_MAX_HEADER_ROWS = 4
_MANY_BLOCKS = 4
_DIFFERS = 1.3  # cells that are longer than their header by this factor are not of its kind
_ANY_AREA = 1_000_000
_MAX_FILLING = 8  # blank or repeated cells for each cell; a larger table leaves them out


@dataclass(slots=True)
class GridCell:
    """A cell at its place. `is_strong`: bold or filled, as headers are; `is_figure`: a number, not text;
    `is_hidden`: its content is marked as hidden already."""

    row: int
    column: int
    content: list[Part] = field(default_factory=list)
    row_span: int = 1
    column_span: int = 1
    is_header: bool = False
    is_strong: bool = False
    is_figure: bool = False
    is_hidden: bool = False

    def text(self) -> str:
        """Return its text."""
        return " ".join(Node(None, self.content).plain().split())


def add_table(
    parent: Node, cells: Sequence[GridCell], *, caption: Sequence[Part] = (), header_rows: int | None = None
) -> Node:
    """Append the table to `parent` and return it. Without `header_rows`, header cells count as stated, else are found.

    Rows and columns in which no cell begins are left out, and the rest are numbered from 0.
    """
    table = parent.add(Kind.TABLE)
    if caption:
        table.add(Kind.CAPTION, *caption)
    rows, width = _compact(cells)
    count = header_rows if header_rows is not None else _stated_rows(rows)
    if count is None:
        count = header_row_count(rows, width)
    most = max(_ANY_AREA, _MAX_FILLING * len(cells))
    keeps_blanks = len(rows) * width <= most
    repeats = sum(cell.row_span - 1 for cell in cells) <= most
    nodes: dict[int, Node] = {}
    spanning: dict[int, GridCell] = {}  # by column: cells of rows above that still run on
    for number, row in enumerate(rows):
        is_header = number < count
        line = table.add(Kind.ROW, row=number, is_header=is_header)
        own = {cell.column: cell for cell in row}
        spanning = {at: cell for at, cell in spanning.items() if cell.row + cell.row_span > number and at not in own}
        column = 0
        for at in sorted({*own, *spanning}):
            if at < column:
                continue
            if keeps_blanks:
                for blank in range(column, at):
                    line.add(Kind.CELL, row=number, column=blank, is_header=is_header)
            cell = own.get(at) or spanning[at]
            facts = {
                "row": number,
                "column": at,
                "column_span": cell.column_span,
                "is_header": is_header or cell.is_header,
            }
            if at in own:
                node = line.add(Kind.CELL, *cell.content, **facts, row_span=cell.row_span)
                nodes[id(cell)] = node
                if cell.row_span > 1 and repeats:
                    spanning[at] = cell
            else:
                line.repeat(nodes[id(cell)], **facts)
            column = at + cell.column_span
        if keeps_blanks:
            for blank in range(column, width):
                line.add(Kind.CELL, row=number, column=blank, is_header=is_header)
    return table


def heads_columns(row: Sequence[tuple[bool, bool]]) -> bool:
    """Whether the cells of a row, each (is a header, is blank), head the columns: all are headers, or all but blank ones.

    A blank cell in the corner or between headers is often not marked as one. A header before blank cells alone is that of
    its row.
    """
    if all(is_header for is_header, _ in row):
        return bool(row)
    return all(is_header or is_blank for is_header, is_blank in row) and any(
        is_header and not is_blank for is_header, is_blank in row[1:]
    )


def is_layout(cells: Sequence[GridCell]) -> bool:
    """Whether the table only places text: one column, or cells that hold tables or many paragraphs and no header."""
    if any(cell.is_header for cell in cells):
        return False
    if len({cell.column for cell in cells}) < 2:
        return True
    blocks = [sum(isinstance(part, Node) for part in cell.content) for cell in cells]
    holds_tables = any(isinstance(part, Node) and part.kind is Kind.TABLE for cell in cells for part in cell.content)
    return holds_tables or (len({cell.row for cell in cells}) == 1 and max(blocks) >= _MANY_BLOCKS)


def header_row_count(rows: Sequence[Sequence[GridCell]], width: int) -> int:
    """Return how many of the first rows are headers, for a table that does not say it.

    They are if they alone are bold or filled; or if the first holds only short words or periods in every place (the first
    may be blank), and the cells below are figures or longer. Below a header that spans columns, a row of words is one too.
    """
    if len(rows) < 2 or width < 1:
        return 0
    strong = 0
    while strong < min(len(rows) - 1, _MAX_HEADER_ROWS) and _is_strong(rows[strong]):
        strong += 1
    if strong and not _is_strong(rows[strong]):
        return strong
    is_plain = width > 1 and len(rows[0]) == width
    if is_plain and has_period_header([[cell.text() for cell in row] for row in rows[:200]]):
        return 1
    if width < 2 or not _is_worded(rows[0], width):
        return 0
    count = 1
    while count < min(len(rows) - 1, _MAX_HEADER_ROWS) and any(cell.column_span > 1 for cell in rows[count - 1]):
        if not all(_heads(cell) for cell in rows[count]):
            break
        count += 1
    return next((found for found in range(count, 0, -1) if _differ(rows[found - 1], rows[found:])), 0)


def _compact(cells: Sequence[GridCell]) -> tuple[list[list[GridCell]], int]:
    """The cells by row, renumbered so that some cell begins in every row and column; and the number of columns."""
    row_places = {row: place for place, row in enumerate(sorted({cell.row for cell in cells}))}
    column_places = {column: place for place, column in enumerate(sorted({cell.column for cell in cells}))}
    row_starts, column_starts = list(row_places), list(column_places)
    rows: list[list[GridCell]] = [[] for _ in row_places]
    for cell in cells:
        row, column = row_places[cell.row], column_places[cell.column]
        cell.row_span = _span(row_starts, row, cell.row + cell.row_span)
        cell.column_span = _span(column_starts, column, cell.column + cell.column_span)
        cell.row, cell.column = row, column
        rows[row].append(cell)
    return rows, len(column_places)


def _span(starts: Sequence[int], place: int, end: int) -> int:
    """How many of the sorted starts, from the one at `place`, are below `end`: at least one."""
    return max(1, bisect_left(starts, end, place) - place)


def _stated_rows(rows: Sequence[Sequence[GridCell]]) -> int | None:
    """How many rows at the top are stated to be headers; None if no cell is."""
    if not any(cell.is_header for row in rows for cell in row):
        return None
    count = 0
    while count < len(rows) and heads_columns([(cell.is_header, not cell.text()) for cell in rows[count]]):
        count += 1
    return count


def _is_strong(row: Sequence[GridCell]) -> bool:
    filled = [cell for cell in row if cell.content]
    return bool(filled) and all(cell.is_strong for cell in filled) and sum(cell.is_figure for cell in filled) <= 1


def _heads(cell: GridCell) -> bool:
    text = cell.text()
    return len(text) <= _MAX_HEADER_CHARS and (PERIOD.match(text) is not None or not _is_figure(cell))


def _is_figure(cell: GridCell) -> bool:
    return cell.is_figure or _FIGURE.match(cell.text()) is not None


def _is_worded(row: Sequence[GridCell], width: int) -> bool:
    filled = [cell for cell in row if cell.text()]
    covered = sum(cell.column_span for cell in filled)
    is_complete = covered >= width or (covered == width - 1 and width > 2 and all(cell.column for cell in filled))
    return is_complete and all(_heads(cell) for cell in filled) and len({cell.text() for cell in filled}) == len(filled)


def _differ(header: Sequence[GridCell], body: Sequence[Sequence[GridCell]]) -> bool:
    """Whether some column below the header holds mostly figures that are no periods, or longer text."""
    below: dict[int, list[GridCell]] = defaultdict(list)
    for row in body[:200]:
        for cell in row:
            if cell.text():
                below[cell.column].append(cell)
    for head in header:
        for column in range(head.column, head.column + head.column_span):
            found = below.get(column, ())
            if not found:
                continue
            if 2 * sum(_is_figure(cell) and not PERIOD.match(cell.text()) for cell in found) > len(found):
                return True
            is_period = PERIOD.match(head.text()) is not None
            if not is_period and 2 * sum(_is_figure(cell) for cell in found) > len(found):
                return True
            if fmean(len(cell.text()) for cell in found) > _DIFFERS * max(3, len(head.text())):
                return True
    return False
