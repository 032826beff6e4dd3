"""OpenDocument spreadsheets (ODS) -> text with its structure. Pure.

The file holds what each cell shows, as well as its value, so no number format is needed.
"""

from collections.abc import Iterator
from typing import Any

from index.blocks.block import Kind
from index.formats.canonical import canonical
from index.formats.node_writer import write_nodes
from index.formats.nodes import LINE_BREAK, Node, Part
from index.formats.office.office_package import local_name
from index.formats.office.open_document import OpenDocument, attribute, count
from index.formats.office.open_document_styles import Styles
from index.formats.office.open_document_text import TextReader
from index.formats.office.sheet import Area, Sheet, column_name, hidden_sheet_warning, hide, no_value, sheet_warnings
from index.formats.office.sheet_tables import add_sheet
from index.formats.parsed import Parsed
from index.formats.table_grid import GridCell

_MAX_ROWS, _MAX_COLUMNS = 1_048_576, 16_384
_MAX_REPEATED = 100_000  # cells that a file states once for many; more of them are read once
_NUMBERS = frozenset({"float", "percentage", "currency", "date", "time"})


def read_ods(data: bytes) -> Parsed:
    """Return the spreadsheet: each sheet a heading, its tables and its notes, and a page with the number of the sheet.

    Hidden sheets are left out, with a warning; hidden rows and columns are marked. A formula without a stored value is named in
    a warning, and its cell says so.
    """
    file = OpenDocument(data)
    styles = Styles(file)
    reader = _SheetReader(styles)
    body = file.body("spreadsheet")
    filters = dict(_filters(body))
    root = Node()
    warnings: list[str] = []
    for number, table in enumerate(body.iterchildren("{*}table"), 1):
        name = canonical(attribute(table, "name"))
        if styles.of(table, "table").is_hidden:
            warnings.append(hidden_sheet_warning(name))
            continue
        sheet = reader.read(name, table)
        sheet.filtered = filters.get(name)
        add_sheet(root, sheet, number)
        warnings += sheet_warnings(sheet)
    title, facts = file.facts()
    written = write_nodes(root)
    return Parsed(written.text, written.blocks, title, written.pages, facts, tuple(warnings))


class _SheetReader:
    def __init__(self, styles: Styles) -> None:
        self._styles = styles
        self._text = TextReader(styles)
        self._repeated = 0

    def read(self, name: str, table: Any) -> Sheet:
        """Return the sheet."""
        sheet = Sheet(name)
        hidden_columns = bytearray(_MAX_COLUMNS)
        self._read_columns(table, hidden_columns)
        number = 0
        for row in _rows(table):
            repeats = count(row, "number-rows-repeated")
            is_hidden = attribute(row, "visibility", "visible") != "visible"
            cells = self._read_row(row, number, sheet)
            for cell in cells:
                if is_hidden or hidden_columns[cell.column]:
                    hide(cell)
            sheet.cells += cells
            if cells and repeats > 1 and self._may_repeat(len(cells) * (repeats - 1)):
                sheet.cells += [_moved(cell, row=number + more) for more in range(1, repeats) for cell in cells]
            number += repeats
            if number >= _MAX_ROWS:
                break
        sheet.texts = self._shapes(table)
        return sheet

    def _read_columns(self, holder: Any, hidden: bytearray, start: int = 0) -> int:
        for element in holder:
            kind = local_name(element)
            if kind in ("table-columns", "table-column-group", "table-header-columns"):
                start = self._read_columns(element, hidden, start)
            elif kind == "table-column":
                end = min(start + count(element, "number-columns-repeated"), _MAX_COLUMNS)
                if attribute(element, "visibility", "visible") != "visible":
                    hidden[start:end] = b"\1" * (end - start)
                start = end
        return start

    def _read_row(self, row: Any, number: int, sheet: Sheet) -> list[GridCell]:
        cells: list[GridCell] = []
        column = 0
        for element in row:
            if local_name(element) not in ("table-cell", "covered-table-cell"):
                continue
            if column >= _MAX_COLUMNS:
                break
            repeats = count(element, "number-columns-repeated")
            cell = self._read_cell(element, number, column, sheet) if local_name(element) == "table-cell" else None
            if cell is not None:
                cells.append(cell)
                more = min(repeats, _MAX_COLUMNS - column) - 1
                if more and self._may_repeat(more):
                    cells += [_moved(cell, column=column + place + 1) for place in range(more)]
            column += repeats
        return cells

    def _may_repeat(self, cells: int) -> bool:
        self._repeated += cells
        return self._repeated <= _MAX_REPEATED

    def _read_cell(self, element: Any, row: int, column: int, sheet: Sheet) -> GridCell | None:
        content: list[Part] = []
        place = f"{column_name(column)}{row + 1}"
        style = self._styles.of(element, "table-cell")
        kind = attribute(element, "value-type")
        for child in element:
            if local_name(child) == "p":
                content += [*([LINE_BREAK] if content else []), *self._text.runs(child, style)]
            elif local_name(child) == "annotation":
                text = " ".join("".join(line.itertext()) for line in child.iterchildren("{*}p")).strip()
                sheet.notes += [(place, text)] if text else []
        if not Node(None, content).plain().strip():
            if attribute(element, "formula") and not kind:
                sheet.unvalued.append(place)
                content = no_value()
            else:
                stated = next((attribute(element, name) for name in _VALUES if attribute(element, name)), "")
                if not stated:
                    return None
                content = [stated] if element.find("{*}p") is None else [Node(Kind.HIDDEN, [stated])]
        cell = GridCell(row, column, content, is_strong=style.is_bold or style.is_filled, is_figure=kind in _NUMBERS)
        cell.row_span = min(count(element, "number-rows-spanned"), _MAX_ROWS)
        cell.column_span = min(count(element, "number-columns-spanned"), _MAX_COLUMNS)
        return cell

    def _shapes(self, table: Any) -> list[str]:
        texts = (
            " ".join("".join(line.itertext()) for line in box.iterchildren("{*}p")).strip()
            for shapes in table.iterchildren("{*}shapes")
            for box in shapes.iter("{*}text-box", "{*}custom-shape")
        )
        return [text for text in texts if text]


_VALUES = ("value", "date-value", "time-value", "boolean-value", "string-value")


def _moved(cell: GridCell, *, row: int | None = None, column: int | None = None) -> GridCell:
    """A copy of a cell that the file states once for many."""
    return GridCell(
        cell.row if row is None else row,
        cell.column if column is None else column,
        list(cell.content),
        1,
        1 if column is not None else cell.column_span,
        is_strong=cell.is_strong,
        is_figure=cell.is_figure,
        is_hidden=cell.is_hidden,
    )


def _rows(table: Any) -> Iterator[Any]:
    for element in table:
        kind = local_name(element)
        if kind == "table-row":
            yield element
        elif kind in ("table-rows", "table-row-group", "table-header-rows"):
            yield from _rows(element)


def _filters(body: Any) -> Iterator[tuple[str, Area]]:
    """The ranges with filters, by the name of their sheet."""
    for element in body.iterfind("{*}database-ranges/{*}database-range"):
        if attribute(element, "display-filter-buttons") != "true" or attribute(element, "contains-header") == "false":
            continue
        first, _, last = attribute(element, "target-range-address").partition(":")
        name, _, corner = first.rpartition(".")
        area = Area.named(f"{corner}:{last.rpartition('.')[2]}")
        if area is not None:
            yield name.strip("$'"), area
