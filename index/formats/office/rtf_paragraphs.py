"""The paragraphs and rows of an RTF file, as they end -> nodes. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from index.blocks.block import Kind
from index.formats.list_nodes import ListWriter
from index.formats.nodes import LINE_BREAK, Node, Part
from index.formats.office.list_numbers import bullet
from index.formats.office.rtf_tables import CellPlan, Row, grid_of, is_filled
from index.formats.office.stretches import Stretch, parts_of
from index.formats.superscripts import raised
from index.formats.table_grid import add_table, is_layout

_HEADING = re.compile(r"heading ([1-9])\Z")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """What a paragraph says of itself. `outline`: its level among headings, from 0; 9 and more are text."""

    style: int = 0
    outline: int = 9
    depth: int = 0
    in_table: bool = False


class Writer:
    """Collects the paragraphs of the body, of a note or of the running heads."""

    def __init__(self, styles: Mapping[int, str]) -> None:
        self._styles = styles
        self._root = Node()
        self._list = ListWriter(self._root)
        self._cell = Node()
        self._cell_list = ListWriter(self._cell)
        self._stretches: list[Stretch] = []
        self._mark = ""
        self._row = Row()
        self._rows: list[Row] = []
        self._is_bold = True
        self._is_cell_bold = True
        self.properties = Paragraph()
        self.is_header_row = False

    def write(self, stretch: Stretch, *, is_bold: bool) -> None:
        """Add text to the paragraph."""
        self._stretches.append(stretch)
        if stretch.text.strip():
            self._is_bold = self._is_bold and is_bold

    def set_mark(self, text: str) -> None:
        """Give the paragraph the mark of a list item, as shown."""
        self._mark = text.strip()

    def end_paragraph(self) -> None:
        """End the paragraph, in its cell or outside of tables."""
        parts = parts_of(self._stretches)
        is_bold, mark = self._is_bold, self._mark
        self._stretches, self._is_bold, self._mark = [], True, ""
        if not Node(None, parts).plain().strip():
            return
        if self.properties.in_table:
            self._is_cell_bold = self._is_cell_bold and is_bold
            self._add(self._cell_list, parts, mark)
            return
        self._end_table()
        self._add(self._list, parts, mark)

    def end_cell(self) -> None:
        """End a cell of the row."""
        self.properties = replace(self.properties, in_table=True)
        self.end_paragraph()
        self._row.cells.append(self._cell.content)
        self._row.bold.append(self._is_cell_bold and bool(self._cell.content))
        self._cell = Node()
        self._cell_list = ListWriter(self._cell)
        self._is_cell_bold = True

    def end_row(self, plan: list[CellPlan]) -> None:
        """End the row, whose cells stand as in the plan."""
        row, self._row = self._row, Row()
        row.plan, row.is_header = plan, self.is_header_row
        if row.cells:
            self._rows.append(row)

    def finish(self, root: Node) -> None:
        """Append what was collected."""
        self.end_paragraph()
        if self._cell.content:
            self.end_cell()
        if self._row.cells:
            self.end_row([])
        self._end_table()
        root.content += self._root.content

    def write_note(self, root: Node, mark: str) -> None:
        """Append what was collected as a note."""
        note = root.add(Kind.NOTE, marker=mark)
        self.finish(note)
        first = next((part for part in note.content if isinstance(part, Node)), note)
        first.content[:0] = [*raised("", mark, is_note=True), " "]

    def write_running(self, root: Node) -> None:
        """Append what was collected as running heads and feet, each text once."""
        self.finish(Node())
        seen: set[str] = set()
        for part in self._root.content:
            text = part.plain().strip() if isinstance(part, Node) else ""
            if text and text not in seen:
                seen.add(text)
                ListWriter(root).block(Kind.FURNITURE, text)

    def _add(self, writer: ListWriter, parts: list[Part], mark: str) -> None:
        style = self._styles.get(self.properties.style, "")
        heading = _HEADING.match(style)
        level = int(heading[1]) if heading else self.properties.outline + 1
        if style == "title":
            writer.block(Kind.TITLE, *_on_one_line(parts))
        elif level <= 9 and not self.properties.in_table:
            number = [f"{mark} "] if any(map(str.isalnum, mark)) else []
            writer.block(Kind.HEADING, *number, *_on_one_line(parts), level=level)
        elif mark:
            writer.item(self.properties.depth, mark if any(map(str.isalnum, mark)) else bullet(mark), *parts)
        elif style == "caption":
            writer.block(Kind.CAPTION, *parts)
        else:
            writer.block(Kind.QUOTATION if style in ("quote", "intense quote") else Kind.PARAGRAPH, *parts)

    def _end_table(self) -> None:
        rows, self._rows = self._rows, []
        if not any(map(is_filled, rows)):
            return
        cells = grid_of(rows)
        self._list.close()
        if is_layout(cells):
            for cell in cells:
                self._root.add(None, *cell.content)
            return
        last = self._root.content[-1] if self._root.content else None
        is_caption = isinstance(last, Node) and last.kind is Kind.CAPTION
        caption = self._root.content.pop() if is_caption else None
        add_table(self._root, cells, caption=caption.content if isinstance(caption, Node) else ())


def _on_one_line(parts: list[Part]) -> list[Part]:
    return [part.replace(LINE_BREAK, " ") if isinstance(part, str) else part for part in parts]
