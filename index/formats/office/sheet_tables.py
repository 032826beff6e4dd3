"""The cells of a sheet -> its nodes: a heading, then its tables and lines of text in reading order. Pure.

Blank rows and columns part the tables of a sheet. A table goes on below a blank row if what follows has no header of its own.
A column that stands alone beside others belongs to them: it is a spacer's neighbour, not a table.
"""

from collections.abc import Iterable, Sequence

from index.blocks.block import Kind
from index.formats.nodes import Node, PageStart, Part
from index.formats.office.sheet import Area, Sheet
from index.formats.table_grid import GridCell, add_table, header_row_count

_MAX_CUTS = 8
_MAX_TABLES = 500  # named by a sheet; the cells of more are parted by blank rows and columns


def add_sheet(root: Node, sheet: Sheet, number: int) -> None:
    """Append the sheet as the page of that number."""
    root.content.append(PageStart(number))
    root.add(Kind.HEADING, sheet.name, level=1)
    regions: list[tuple[Area, list[GridCell], int | None]] = []
    rest = sheet.cells
    for table in sheet.tables[:_MAX_TABLES]:
        inside = [cell for cell in rest if _holds(table.area, cell)]
        if inside:
            rest = [cell for cell in rest if not _holds(table.area, cell)]
            regions.append((table.area, inside, table.header_rows))
    regions += [(_area(cells), cells, None) for cells in _parted(rest, 0)]
    regions.sort(key=lambda region: (region[0].first_row, region[0].first_column))
    for cells, header_rows in _joined(regions, sheet):
        _add_region(root, cells, header_rows, sheet)
    for text in sheet.texts:
        root.add(Kind.PARAGRAPH, text)
    for place, text in sheet.notes:
        root.add(Kind.NOTE, Node(Kind.INSERTED, [f"{place}: "]), text, marker=place)


def _add_region(root: Node, cells: list[GridCell], header_rows: int | None, sheet: Sheet) -> None:
    """Append a table. One column without a header, and lines above a table that fill one cell, are text."""
    caption: Sequence[Part] = ()
    if header_rows is None:
        lines, cells = _without_lines(cells)
        for line in lines[:-1] if cells else lines:
            root.add(Kind.PARAGRAPH, *line.content)
        if not cells:
            return
        caption = lines[-1].content if lines else ()
        header_rows = _stated_headers(cells, sheet)
    add_table(root, cells, caption=caption, header_rows=header_rows)


def _without_lines(cells: list[GridCell]) -> tuple[list[GridCell], list[GridCell]]:
    """The first rows that have a single cell while others have several, and the other cells. Text in one column is lines."""
    rows = _rows(cells)
    if len({cell.column for cell in cells}) == 1:
        if header_row_count(rows, 1):
            return [], cells
        return cells, []
    count = 0
    while count < len(rows) and len(rows[count]) == 1 and not rows[count][0].is_figure:
        count += 1
    if count == len(rows):
        return [], cells
    return [row[0] for row in rows[:count]], [cell for row in rows[count:] for cell in row]


def _stated_headers(cells: Sequence[GridCell], sheet: Sheet) -> int | None:
    """The header rows of the region that frozen rows or a filter show; None if neither does."""
    top = min(cell.row for cell in cells)
    rows = sorted({cell.row for cell in cells})
    if sheet.filtered is not None and sheet.filtered.first_row in rows[:4]:
        return rows.index(sheet.filtered.first_row) + 1
    frozen = sum(row < sheet.frozen_rows for row in rows[:5])
    return frozen if top < sheet.frozen_rows and 0 < frozen < min(5, len(rows)) else None


def _joined(
    regions: Iterable[tuple[Area, list[GridCell], int | None]], sheet: Sheet
) -> list[tuple[list[GridCell], int | None]]:
    """The regions; one that goes on below a blank row, without a header of its own, is joined to that above it."""
    found: list[tuple[Area, list[GridCell], int | None]] = []
    for area, cells, header_rows in regions:
        above = found[-1] if found else None
        if (
            above is not None
            and header_rows is None
            and above[2] is None
            and _goes_on(above[0], above[1], area, cells, sheet)
        ):
            joined = above[1] + cells
            found[-1] = (_area_over(above[0], area), joined, None)
        else:
            found.append((area, cells, header_rows))
    return [(cells, header_rows) for _, cells, header_rows in found]


def _goes_on(above: Area, upper: list[GridCell], area: Area, lower: list[GridCell], sheet: Sheet) -> bool:
    if not (above.first_column <= area.first_column and area.last_column <= above.last_column):
        return False
    if area.first_row - above.last_row != 2 or area.last_column == area.first_column:
        return False
    _, table = _without_lines(upper)
    if not table or area.first_column != min(cell.column for cell in table):
        return False
    rows = _rows(lower)
    has_header = _stated_headers(table, sheet) or header_row_count(_renumbered(table), _width(table))
    return bool(has_header) and len(rows[0]) > 1 and not header_row_count(_renumbered(lower), _width(lower))


def _renumbered(cells: Sequence[GridCell]) -> list[list[GridCell]]:
    """Copies of the cells by row with columns counted without gaps, for finding headers."""
    places = {column: place for place, column in enumerate(sorted({cell.column for cell in cells}))}
    return [
        [
            GridCell(cell.row, places[cell.column], cell.content, is_strong=cell.is_strong, is_figure=cell.is_figure)
            for cell in row
        ]
        for row in _rows(cells)[:200]
    ]


def _width(cells: Sequence[GridCell]) -> int:
    return len({cell.column for cell in cells})


def _rows(cells: Sequence[GridCell]) -> list[list[GridCell]]:
    rows: dict[int, list[GridCell]] = {}
    for cell in cells:
        rows.setdefault(cell.row, []).append(cell)
    return [rows[row] for row in sorted(rows)]


def _parted(cells: list[GridCell], cuts: int) -> list[list[GridCell]]:
    """The cells in the regions that blank rows and columns part, cut in turns until nothing is left to cut."""
    if not cells:
        return []
    bands = _bands(cells, by_row=True)
    found: list[list[GridCell]] = []
    for band in bands:
        sides = _sides(band)
        if len(sides) == 1 or cuts >= _MAX_CUTS:
            found += sides
        else:
            for side in sides:
                found += _parted(side, cuts + 1)
    return found


def _bands(cells: list[GridCell], *, by_row: bool) -> list[list[GridCell]]:
    """Runs of cells without a blank row, or column, inside."""
    bands: list[list[GridCell]] = []
    end = -1
    places = [((cell.row, cell.row_span) if by_row else (cell.column, cell.column_span)) for cell in cells]
    for number in sorted(range(len(cells)), key=lambda number: places[number][0]):
        cell, (start, span) = cells[number], places[number]
        if not bands or start > end + 1:
            bands.append([])
        bands[-1].append(cell)
        end = max(end, start + span - 1)
    return bands


def _sides(band: list[GridCell]) -> list[list[GridCell]]:
    """The tables that stand side by side in a band, parted by blank columns: each has two columns and its own row names."""
    sides: list[list[GridCell]] = []
    for run in _bands(band, by_row=False):
        if sides and not (_is_table(run) and _is_table(sides[-1])):
            sides[-1] += run
        else:
            sides.append(run)
    return sides


def _is_table(cells: list[GridCell]) -> bool:
    """Whether the cells can be a table of their own: two columns, and the first holds words below its first cell."""
    if _width(cells) < 2:
        return False
    first = min(cell.column for cell in cells)
    names = sorted((cell for cell in cells if cell.column == first), key=lambda cell: cell.row)
    below = names[1:] or names
    return 2 * sum(cell.is_figure for cell in below) <= len(below)


def _holds(area: Area, cell: GridCell) -> bool:
    return area.first_row <= cell.row <= area.last_row and area.first_column <= cell.column <= area.last_column


def _area(cells: Sequence[GridCell]) -> Area:
    return Area(
        min(cell.row for cell in cells),
        min(cell.column for cell in cells),
        max(cell.row + cell.row_span - 1 for cell in cells),
        max(cell.column + cell.column_span - 1 for cell in cells),
    )


def _area_over(one: Area, other: Area) -> Area:
    return Area(
        min(one.first_row, other.first_row),
        min(one.first_column, other.first_column),
        max(one.last_row, other.last_row),
        max(one.last_column, other.last_column),
    )
