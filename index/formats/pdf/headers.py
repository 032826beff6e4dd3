"""The header rows of a table. Pure."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from index.formats.pdf.figures import is_plain_figure, is_quantity, is_year
from index.formats.pdf.table import Cell, Table, TableRow

_MAX_HEADERS = 8


def mark_headers(table: Table) -> None:
    """Mark the rows at the top that hold no figure but years, if figures follow; else the first, if it heads every column.

    That is a row of short names, above longer text or quantities ("14 m"), or the only one in bold. One row of times ("8
    years") may head columns; several are figures.
    """
    times = [row for row in table.rows[:_MAX_HEADERS] if _states_times(row)]
    for number, row in enumerate(table.rows):
        if any(is_plain_figure(cell.text) for cell in row.cells) or (len(times) > 1 and row is times[0]):
            heads = table.rows[: min(number, _MAX_HEADERS)]
            while heads and (
                heads[-1].cells[-1].column == 0 or (len(heads[-1].cells) == 1 and heads[-1].cells[0].column == 0)
            ):
                heads = heads[:-1]
            for head in heads:
                head.is_header = True
            _widen_headers(table, heads)
            if all(cell.lines for row in table.rows for cell in row.cells):  # no grid, which says what spans
                _widen_over_all(table, heads)
                _widen_over_repeated(table, heads)
            return
    first, rest = table.rows[0], table.rows[1:]
    is_short = all(len(cell.text.split()) <= 4 and not any(map(str.isdigit, cell.text)) for cell in first.cells)
    filled = [len(cell.text) for row in rest for cell in row.cells if cell.lines]
    lengths = sum(filled) / max(1, len(filled))
    is_above_longer = lengths > sum(len(cell.text) for cell in first.cells) / table.columns
    if len(first.cells) == table.columns and is_short:
        first.is_header = is_above_longer or _is_above_quantities(table) or _is_alone_in_bold(table)


def _states_times(row: TableRow) -> bool:
    """Whether all cells of a row but its name are times: "Operating leases", "8 years", "11 years"."""
    name, *others = row.cells
    return name.column == 0 and bool(others) and all(is_quantity(cell.text) for cell in others)


def _is_above_quantities(table: Table) -> bool:
    """Whether most cells of some column below the first row begin with a figure."""
    below: dict[int, list[bool]] = defaultdict(list)
    for row in table.rows[1:]:
        for cell in row.cells:
            if cell.lines:
                below[cell.column].append(cell.text[0].isdecimal())
    return any(2 * sum(column) > len(column) for column in below.values())


def _is_alone_in_bold(table: Table) -> bool:
    """Whether all words of the first row are emphatic, and those of no other row."""
    emphatic = [
        all(word.is_emphatic for cell in row.cells for line in cell.lines for word in line)
        for row in table.rows
        if any(cell.lines for cell in row.cells)
    ]
    return len(emphatic) > 1 and emphatic[0] and not any(emphatic[1:])


def _widen_headers(table: Table, heads: Sequence[TableRow]) -> None:
    """Let the headings of groups of columns span them: where the headings below repeat from group to group (2023, 2022;
    2023, 2022).

    Such a heading often stands at the right or in the middle of its group, over one column.
    """
    if len(heads) < 2:
        return
    below = {cell.column: cell.text for cell in heads[-1].cells if cell.column > 0 and cell.span == 1}
    names = [below.get(column, "") for column in range(1, table.columns)]
    widened: list[int] | None = None
    for head in heads[:-1]:
        cells = [cell for cell in head.cells if cell.column > 0]
        count = len(cells)
        if count < 2 or len(names) % count or len(names) == count:
            continue
        size = len(names) // count
        groups = [(cell.column - 1) // size for cell in cells]
        ends = [(cell.column + cell.span - 2) // size for cell in cells]
        columns = [cell.column for cell in cells]
        is_new = len({cell.text for cell in cells}) == count and names == names[:size] * count and all(names)
        if groups == ends == list(range(count)) and (is_new or columns == widened):
            widened = columns
            for cell, group in zip(cells, groups, strict=True):
                cell.column, cell.span = 1 + group * size, size


def _widen_over_all(table: Table, heads: Sequence[TableRow]) -> None:
    """Let the only heading of a row, in the middle above all columns of figures, span them."""
    others = [cell for row in table.rows for cell in row.cells if cell.column > 0]
    left, right = min(cell.left for cell in others), max(cell.right for cell in others)
    for head in heads[:-1]:
        cells = [cell for cell in head.cells if cell.column > 0]
        if len(cells) == 1 and abs(cells[0].left + cells[0].right - left - right) < 0.1 * (right - left):
            cells[0].column, cells[0].span = 1, table.columns - 1


def _widen_over_repeated(table: Table, heads: Sequence[TableRow]) -> None:
    """Let a heading at the right of its group span the columns before it: those with years, or with a heading that comes
    again, above which nothing stands."""
    if len(heads) < 2:
        return
    names = Counter(cell.text for cell in heads[-1].cells)
    lower = {cell.column for cell in heads[-1].cells}
    free = {cell.column for cell in heads[-1].cells if cell.column and (is_year(cell.text) or names[cell.text] > 1)}
    free -= {column for head in heads[:-1] for cell in head.cells for column in _columns(cell)}
    years = {cell.column for cell in heads[-1].cells if is_year(cell.text)}
    for head in heads[:-1]:
        is_sparse = 2 * len(head.cells) <= table.columns  # else it may be the upper line of headings of two lines
        for cell in head.cells:
            while cell.column in lower and cell.column - 1 in (free if is_sparse else free & years):
                cell.column, cell.span = cell.column - 1, cell.span + 1
                free -= {cell.column} - years


def _columns(cell: Cell) -> range:
    return range(cell.column, cell.column + cell.span)
