"""Excel workbooks of the old format (XLS) -> text with its structure, read by xlrd. Pure."""

import io
import struct
from typing import Any

import xlrd
from xlrd.compdoc import CompDocError

from index.blocks.block import Kind
from index.formats.canonical import canonical
from index.formats.node_writer import write_nodes
from index.formats.nodes import LINE_BREAK, Node, Part
from index.formats.office.format_codes import built_in_code
from index.formats.office.number_formats import shown
from index.formats.office.office_package import NO_PASSWORD, damaged
from index.formats.office.sheet import Area, Sheet, column_name, hidden_sheet_warning, hide, merge_cells, sheet_warnings
from index.formats.office.sheet_tables import add_sheet
from index.formats.office.stretches import Stretch, parts_of
from index.formats.parsed import Parsed, Unreadable
from index.formats.table_grid import GridCell

_FAULTS = (
    xlrd.XLRDError, CompDocError, struct.error, AssertionError, IndexError, KeyError, ValueError, TypeError, AttributeError,
    OverflowError,
)  # fmt: skip
_SYSTEM_DATES = (14, 22)
_RAISED, _LOWERED = 1, 2


def read_xls(data: bytes) -> Parsed:
    """Return the workbook: each sheet a heading, its tables and its notes, and a page with the number of the sheet.

    Hidden sheets are left out, with a warning; hidden rows and columns are marked.
    """
    try:
        book = xlrd.open_workbook(file_contents=data, formatting_info=True, ragged_rows=True, logfile=io.StringIO())
        sheets = [(number, sheet, _sheet(book, sheet)) for number, sheet in enumerate(book.sheets(), 1)]
    except _FAULTS as error:
        if "encrypt" in str(error).lower():
            raise Unreadable("it is encrypted", NO_PASSWORD) from error
        raise damaged(error) from error
    root = Node()
    warnings: list[str] = []
    for number, source, sheet in sheets:
        if source.visibility:
            warnings.append(hidden_sheet_warning(sheet.name))
        else:
            add_sheet(root, sheet, number)
            warnings += sheet_warnings(sheet)
    written = write_nodes(root)
    return Parsed(written.text, written.blocks, pages=written.pages, warnings=tuple(warnings))


def _sheet(book: Any, source: Any) -> Sheet:
    sheet = Sheet(canonical(source.name))
    if source.visibility:
        return sheet
    cells: dict[tuple[int, int], GridCell] = {}
    for row in range(source.nrows):
        is_hidden = row in source.rowinfo_map and source.rowinfo_map[row].hidden
        for column in range(source.row_len(row)):
            cell = _cell(book, source, row, column)
            if cell is None:
                continue
            column_facts = source.colinfo_map.get(column)
            if is_hidden or (column_facts is not None and column_facts.hidden):
                hide(cell)
            cells[row, column] = cell
    merged = [Area(top, left, bottom - 1, right - 1) for top, bottom, left, right in source.merged_cells]
    merge_cells(cells, merged)
    sheet.cells = [cells[place] for place in sorted(cells)]
    sheet.frozen_rows = source.horz_split_pos if source.panes_are_frozen else 0
    for (row, column), note in sorted(source.cell_note_map.items()):
        text = note.text.strip()
        sheet.notes += [(f"{column_name(column)}{row + 1}", text)] if text else []
    return sheet


def _cell(book: Any, source: Any, row: int, column: int) -> GridCell | None:
    kind, value = source.cell_type(row, column), source.cell_value(row, column)
    if kind in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK) or value == "":
        return None
    style = book.xf_list[source.cell_xf_index(row, column)]
    font = book.font_list[style.font_index]
    code = book.format_map[style.format_key].format_str
    if style.format_key in _SYSTEM_DATES:
        code = built_in_code(style.format_key)
    cell = GridCell(row, column, is_strong=bool(font.bold or font.weight >= 700 or style.background.fill_pattern))
    if kind == xlrd.XL_CELL_TEXT:
        runs = source.rich_text_runlist_map.get((row, column))
        cell.content = (
            _rich_text(book, value, runs) if runs else [shown(_lines(value), code) or Node(Kind.HIDDEN, [value])]
        )
    elif kind == xlrd.XL_CELL_BOOLEAN:
        cell.content = ["TRUE" if value else "FALSE"]
    elif kind == xlrd.XL_CELL_ERROR:
        cell.content = [xlrd.error_text_from_code.get(value, "#N/A")]
    else:
        text = shown(float(value), code, is_1904=bool(book.datemode))
        cell.content, cell.is_figure = [text or Node(Kind.HIDDEN, [shown(float(value), "General")])], True
    if font.struck_out:
        cell.content = [Node(Kind.STRUCK, cell.content)]
    return cell


def _rich_text(book: Any, text: str, runs: list[tuple[int, int]]) -> list[Part]:
    """The text of a cell whose letters have several fonts; the first run begins where its font first differs."""
    stretches = [Stretch(_lines(text[: runs[0][0]]))]
    for (start, number), (end, _) in zip(runs, [*runs[1:], (len(text), 0)], strict=True):
        font = book.font_list[number]
        align = {_RAISED: "up", _LOWERED: "down"}.get(font.escapement, "")
        stretches.append(Stretch(_lines(text[start:end]), align, bool(font.struck_out)))
    return parts_of(stretches)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", LINE_BREAK)
