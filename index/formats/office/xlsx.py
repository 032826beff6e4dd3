"""Excel workbooks (XLSX, XLSM) -> text with its structure. Pure.

Read straight from the XML, each sheet once. openpyxl gives a formula or its stored value, so it has to read a workbook
twice; it refuses workbooks with small faults in their styles, and fills every cell of a merged range however large it is.
"""

from typing import Any

from index.blocks.block import Kind
from index.formats.canonical import canonical
from index.formats.node_writer import write_nodes
from index.formats.nodes import Node, Part
from index.formats.office.number_formats import is_date_code, shown
from index.formats.office.office_package import Package, local_name, read_elements, relation_id
from index.formats.office.sheet import (
    Area,
    Sheet,
    StatedTable,
    column_name,
    column_number,
    hide,
    merge_cells,
    no_value,
    sheet_warnings,
)
from index.formats.office.sheet_tables import add_sheet
from index.formats.office.xlsx_strings import rich_text, shared_strings
from index.formats.office.xlsx_styles import Styles, read_styles
from index.formats.parsed import Parsed
from index.formats.table_grid import GridCell

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LAST = (1_048_575, 16_383)


def read_xlsx(data: bytes) -> Parsed:
    """Return the workbook: each sheet a heading, its tables and its notes, and a page with the number of the sheet.

    Hidden sheets are left out, with a warning; hidden rows and columns are marked. A formula without a stored value is named in
    a warning, and its cell says so.
    """
    package = Package(data)
    book_name = package.main_part()
    book = package.tree(book_name)
    relations = package.relations(book_name)
    by_kind = {relation.kind: relation.target for relation in relations.values()}
    strings = shared_strings(package.read(by_kind.get("sharedStrings", "")))
    styles = read_styles(package.tree(by_kind.get("styles", "")))
    reader = _SheetReader(package, strings, styles, is_1904=_is_on(book.find("{*}workbookPr"), "date1904"))
    root = Node()
    warnings: list[str] = []
    sheets: list[tuple[int, Sheet]] = []
    for number, element in enumerate(book.iterfind("{*}sheets/{*}sheet"), 1):
        name = canonical(element.get("name", ""))
        relation = relations.get(relation_id(element))
        if element.get("state", "visible") != "visible":
            warnings.append(
                f"Sheet {name!r} is hidden and was left out. Unhide it and index the file again if it counts."
            )
        elif relation is not None and relation.kind in ("worksheet", "chartsheet"):
            sheets.append((number, reader.read(name, relation.target)))
    if _is_on(book.find("{*}calcPr"), "fullCalcOnLoad") and reader.are_formulas_zero:
        for _, sheet in sheets:
            reader.forget_values(sheet)
    for number, sheet in sheets:
        add_sheet(root, sheet, number)
        warnings += sheet_warnings(sheet)
    title, facts = package.facts()
    written = write_nodes(root)
    return Parsed(written.text, written.blocks, title, written.pages, facts, tuple(warnings))


class _SheetReader:
    """Reads the sheets of one workbook."""

    def __init__(self, package: Package, strings: list[list[Part]], styles: Styles, *, is_1904: bool) -> None:
        self._package = package
        self._strings = strings
        self._styles = styles
        self._is_1904 = is_1904
        self.are_formulas_zero = True  # as programs write them that calculate nothing
        self._formulas: dict[str, list[tuple[str, GridCell]]] = {}

    def read(self, name: str, part: str) -> Sheet:
        """Return the sheet of that name in that part."""
        sheet = Sheet(name)
        data = self._package.read(part)
        cells: dict[tuple[int, int], GridCell] = {}
        merged: list[Area] = []
        hidden_columns = bytearray(_LAST[1] + 1)
        row = -1
        for element in read_elements(data, "col", "row", "mergeCell", "pane", "autoFilter"):
            kind = local_name(element)
            if kind == "row":
                row = _row_number(element, row)
                self._read_row(element, row, cells, sheet)
            elif kind == "col" and _is_on(element, "hidden"):
                first, last = (min(_whole(element.get(name), 1), _LAST[1] + 1) for name in ("min", "max"))
                hidden_columns[first - 1 : last] = b"\1" * max(0, last - first + 1)
            elif kind == "mergeCell":
                merged += [area for area in (Area.named(element.get("ref", "")),) if area]
            elif kind == "pane" and element.get("state", "").startswith("frozen"):
                sheet.frozen_rows = _whole(element.get("ySplit"), 0)
            elif kind == "autoFilter":
                sheet.filtered = Area.named(element.get("ref", ""))
        merge_cells(cells, merged)
        for cell in cells.values():
            if hidden_columns[cell.column]:
                hide(cell)
        sheet.cells = [cells[place] for place in sorted(cells)]
        self._read_relations(sheet, part)
        return sheet

    def forget_values(self, sheet: Sheet) -> None:
        """Take the values of the sheet's formulas as not stored."""
        for place, cell in self._formulas.get(sheet.name, ()):
            cell.content = no_value()
            sheet.unvalued.append(place)

    def _read_row(self, element: Any, row: int, cells: dict[tuple[int, int], GridCell], sheet: Sheet) -> None:
        is_hidden = _is_on(element, "hidden")
        column = -1
        for item in element.iterchildren(f"{_MAIN}c", "{*}c"):
            column = column_number(item.get("r", ""), column)
            if row > _LAST[0] or column > _LAST[1]:
                continue
            cell = self._read_cell(item, row, column, sheet)
            if cell is not None:
                if is_hidden:
                    hide(cell)
                cells[row, column] = cell

    def _read_cell(self, item: Any, row: int, column: int, sheet: Sheet) -> GridCell | None:
        style = self._styles.of(item.get("s"))
        kind = item.get("t", "n")
        value = formula = inline = None
        for child in item:
            name = local_name(child)
            if name == "v":
                value = child.text or ""
            elif name == "f":
                formula = child
            elif name == "is":
                inline = child
        cell = GridCell(row, column, is_strong=style.is_strong)
        if formula is not None and not value and kind != "str":
            cell.content = no_value()
            sheet.unvalued.append(f"{column_name(column)}{row + 1}")
            return cell
        if inline is not None:
            cell.content = rich_text(inline)
        elif kind == "s":
            place = _whole(value, -1)
            cell.content = list(self._strings[place]) if 0 <= place < len(self._strings) else []
        elif value:
            cell.content, cell.is_figure = self._shown(value, kind, style.code)
        if formula is not None:
            self._formulas.setdefault(sheet.name, []).append((f"{column_name(column)}{row + 1}", cell))
            self.are_formulas_zero = self.are_formulas_zero and value == "0"
        if style.is_struck and cell.content:
            cell.content = [Node(Kind.STRUCK, cell.content)]
        return cell if any(isinstance(part, Node) or part for part in cell.content) else None

    def _shown(self, value: str, kind: str, code: str) -> tuple[list[Part], bool]:
        """What the sheet shows for a value, and whether it is a figure."""
        if kind == "b":
            return ["TRUE" if value == "1" else "FALSE"], False
        if kind in ("e", "d"):
            return [value.replace("T00:00:00", "")], kind == "d"
        if kind == "str":
            return [shown(canonical(value), code) or Node(Kind.HIDDEN, [value])], False
        try:
            number = float(value)
        except ValueError:
            return [value], False
        text = shown(number, code, is_1904=self._is_1904)
        return [text or Node(Kind.HIDDEN, [shown(number, "General")])], not (is_date_code(code) and len(text) > 20)

    def _read_relations(self, sheet: Sheet, part: str) -> None:
        """Add the tables, notes and the text of shapes and charts that belong to the sheet."""
        for relation in self._package.relations(part).values():
            if relation.is_external:
                continue
            if relation.kind == "table":
                self._add_table(sheet, self._package.tree(relation.target))
            elif relation.kind in ("comments", "threadedComment"):
                self._add_notes(sheet, self._package.tree(relation.target))
            elif relation.kind == "drawing":
                sheet.texts += _drawn_texts(self._package.tree(relation.target))

    def _add_table(self, sheet: Sheet, table: Any) -> None:
        area = Area.named(table.get("ref", "")) if table is not None else None
        if area is not None:
            sheet.tables.append(StatedTable(area, _whole(table.get("headerRowCount"), 1)))

    def _add_notes(self, sheet: Sheet, root: Any) -> None:
        for note in root.iter("{*}comment", "{*}threadedComment") if root is not None else ():
            text = "".join(
                t.text or "" for t in note.iter("{*}t", "{*}text") if local_name(t) == "t" or not len(t)
            ).strip()
            if text and not text.startswith("[Threaded comment]"):
                sheet.notes.append((note.get("ref", ""), text))


def _drawn_texts(root: Any) -> list[str]:
    """The texts of the shapes on a sheet, one a shape."""
    texts: list[str] = []
    for body in root.iter("{*}txBody") if root is not None else ():
        lines = ("".join(t.text or "" for t in line.iter("{*}t")) for line in body.iterchildren("{*}p"))
        text = " ".join(line.strip() for line in lines if line.strip())
        texts += [text] if text else []
    return texts


def _whole(stated: str | None, default: int) -> int:
    return int(stated) if stated and stated.isdecimal() and len(stated) < 9 else default


def _row_number(element: Any, before: int) -> int:
    stated = element.get("r", "")
    return _whole(stated, before + 2) - 1 if stated != "0" else before + 1


def _is_on(element: Any, name: str) -> bool:
    return element is not None and element.get(name, "0") in ("1", "true", "on")
