"""Rows -> tables by alignment: cells under each other are columns, whether or not lines are drawn around them. Pure.

A cell begins after a gap that no sentence has. `$` and `%` that stand apart belong to the figure beside them. Blanks
stay blank: a cell belongs to the column that it overlaps, not to the next one that is free. A heading over several
columns spans them.
"""

import itertools
import re
from collections.abc import Iterator, Sequence

from index.formats.pdf.alignment import place_cells
from index.formats.pdf.figures import CURRENCIES, is_figure, is_plain_figure, is_quantity
from index.formats.pdf.headers import mark_headers
from index.formats.pdf.rows import Row, Word
from index.formats.pdf.table import Cell, Table, TableRow, TableRowOfPage

_GAP = 1.0  # of the row's size
_BESIDE_FIGURE = 0.75  # between a word and a figure
_FIGURE_GAP = 0.45  # between figures
_MAX_STEP = 3.2  # from row to row, of their size
_APART = 1.7  # times the usual step: a label so far below begins something else
_CLOSER = 0.9  # than the widest step of the table: lines of one row
_MAX_LABELS = 3  # rows with one cell that may follow one another in a table
_LOOK_AHEAD = 12  # rows below a heading of columns that show where the first column begins

_OPENING = re.compile(r"(?:[$€£¥]|US\$|[A-Z]{3})?\s*\(?\Z")
_CLOSING = re.compile(r"[%)]+|pts?\.?\Z")
_PART = re.compile(r"(?:item|note|part|section|article|chapter)\s+\w{1,4}[.:]?\Z", re.IGNORECASE)
_MARKER = re.compile(r"(?:[•‣◦▪●○■□➢✓✔❖*–—-]|\(?(?:\d{1,3}|[a-zA-Z]|[ivxlc]{1,6})[.)]|\d{1,2}(?:\.\d{1,2}){1,4}\.?)\Z")


def with_tables(rows: Sequence[Row]) -> Iterator[Row | Table]:
    """Yield the rows of a run, and tables in place of the rows that form them."""
    cells = [_cells(row) for row in rows]
    place = 0
    while place < len(rows):
        row = rows[place]
        if isinstance(row, TableRowOfPage):
            yield row.table
            place += 1
            continue
        end = _end_of_table(rows, cells, place)
        table = _table(rows[place:end], cells[place:end]) if end - place >= 2 else None
        if table is None:
            yield rows[place]
            place += 1
        else:
            yield table
            place = end


def _cells(row: Row) -> list[Cell]:
    """The cells that the row seems to have; none in place of a table whose cells are known."""
    if isinstance(row, TableRowOfPage):
        return []
    groups: list[list[Word]] = []
    end = 0.0
    for word in row.words:
        gap = word.left - end
        is_new = not groups or (not word.touches and gap > _GAP * row.size)
        if not is_new and not word.touches and gap > _FIGURE_GAP * row.size:
            figures = is_figure(groups[-1][-1].text), is_figure(word.text) or word.text in CURRENCIES
            is_new = all(figures) or (any(figures) and gap > _BESIDE_FIGURE * row.size)
        if is_new:
            groups.append([])
            end = word.right
        groups[-1].append(word)
        end = max(end, word.right)
    joined: list[list[Word]] = []
    for group in groups:
        text = " ".join(word.text for word in group)
        before = " ".join(word.text for word in joined[-1]) if joined else ""
        opens = bool(joined) and _OPENING.match(before) is not None and text[:1].isdigit() | (text[:1] in "(—–-+")
        closes = bool(joined) and _CLOSING.match(text) is not None and is_figure(before)
        if (opens or closes) and (before in CURRENCIES or group[0].left - joined[-1][-1].right < 8 * row.size):
            joined[-1].extend(group)
        else:
            joined.append(group)
    if len(joined) == 2 and not is_figure(joined[1][0].text):
        first = " ".join(word.text for word in joined[0])
        if _MARKER.match(first) or _PART.match(first):
            joined = [joined[0] + joined[1]]
    return [Cell([group]) for group in joined]


def _end_of_table(rows: Sequence[Row], cells: Sequence[list[Cell]], start: int) -> int:
    """The place after the last row of the table that begins at `start`; `start` if none does."""
    first = _first_row_of_cells(rows, cells, start)
    if first is None:
        return start
    end, labels = first, 0
    data_left = float("inf")  # of the cells after the first
    usual = 0.0  # the smallest step from row to row
    has_figures = False
    for place in range(first, len(rows)):
        step = _step(rows, place) if place > first else 0.0
        if not cells[place] or step > _MAX_STEP * max(rows[place].size, rows[place - 1].size):
            break
        if len(cells[place]) > 1:
            of_figures = any(is_plain_figure(cell.text) or is_quantity(cell.text) for cell in cells[place])
            widest = max(_step(rows, number) for number in range(end, place + 1)) if place > first else 0.0
            if has_figures and not of_figures and widest > _APART * max(usual, rows[place].size):
                break  # the head of another table
            end, labels = place + 1, 0
            has_figures = has_figures or of_figures
            data_left = min(data_left, cells[place][1].left)
            usual = min(usual or step, step) if step else usual
            continue
        labels += 1
        only = cells[place][0]
        is_wide = only.left < data_left - rows[place].size and only.right > data_left + rows[place].size
        if labels > _MAX_LABELS or is_wide:
            break
    return end


def _first_row_of_cells(rows: Sequence[Row], cells: Sequence[list[Cell]], start: int) -> int | None:
    """The first row with several cells: `start`, or below a few rows that head its columns only."""
    for place in range(start, min(start + 4, len(rows))):
        if place > start and _step(rows, place) > _MAX_STEP * rows[place].size:
            return None
        if len(cells[place]) > 1:
            heads = [row[0] for row in cells[start:place] if len(row) == 1]
            left = min(row.left for row in rows[start : place + _LOOK_AHEAD])
            below = [cell for row in cells[place : place + 4] if len(row) > 1 for cell in row if cell.left > left + 20]
            first = min((cell.left for cell in below), default=0.0) - 20
            last = max((cell.right for cell in below), default=0.0) + 20
            are_above = all(head.left > left + 20 and head.left > first and head.right < last for head in heads)
            return place if len(heads) == place - start and are_above else None
    return None


def _step(rows: Sequence[Row], place: int) -> float:
    return rows[place].baseline - rows[place - 1].baseline


def _table(rows: Sequence[Row], cells: Sequence[list[Cell]]) -> Table | None:
    if sum(1 for row in cells if len(row) > 1) < 2:
        return None
    columns = place_cells(cells)
    if not columns:
        return None
    table = Table([TableRow(list(row), [source]) for row, source in zip(cells, rows, strict=True)], columns)
    mark_headers(table)
    table.rows = _with_wrapped_lines(table)
    return table


def _with_wrapped_lines(table: Table) -> list[TableRow]:
    """The rows, with the lines of one cell that goes on over several joined."""
    rows: list[TableRow] = []
    body = [row.source[0].baseline for row in table.rows if not row.is_header]
    apart = max((below - above for above, below in itertools.pairwise(body)), default=0.0)
    for row in table.rows:
        before = rows[-1] if rows else None
        if before is None or before.is_header or row.is_header:
            rows.append(row)
            continue
        step = row.source[0].baseline - before.source[-1].baseline
        is_close = step < 1.35 * row.source[0].size
        first = row.cells[0]
        only_label = len(before.cells) == 1 and before.cells[0].column == 0 and before.cells[0].span == 1
        if is_close and only_label and first.column == 0 and first.span == 1 and _goes_on(before.cells[0], row.cells):
            first.lines = before.cells[0].lines + first.lines
            row.source = before.source + row.source
            rows[-1] = row
        elif is_close and _is_rest(before, row, is_closer=step < _CLOSER * apart):
            for cell in row.cells:
                next(c for c in before.cells if c.column == cell.column).lines.extend(cell.lines)
            before.source.extend(row.source)
        else:
            rows.append(row)
    return rows


def _goes_on(label: Cell, cells: Sequence[Cell]) -> bool:
    """Whether a label without figures goes on in the first of the cells below: in lower case, or because it is full.

    One that ends in a comma goes on, too.
    """
    if label.text.endswith(":"):
        return False
    is_open = cells[0].text[:1].islower() or label.text.endswith(",")
    return is_open or (len(cells) > 1 and label.right > cells[1].left - 20)


def _is_rest(before: TableRow, row: TableRow, *, is_closer: bool) -> bool:
    """Whether the row's cells only go on with cells of the row before: no figures, and no new first cell.

    Lines of several cells go on only where they stand closer than rows do.
    """
    columns = {cell.column for cell in before.cells}
    if any(is_figure(cell.text) or cell.column not in columns for cell in row.cells):
        return False
    if row.cells[0].column == 0 and not (row.cells[0].text[:1].islower() and (is_closer or len(row.cells) == 1)):
        return False
    return len(before.cells) > len(row.cells)
