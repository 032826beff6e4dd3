"""Word documents (DOCX) -> text with its structure. Pure.

Read straight from the XML: mammoth, which makes HTML of a document, starts each list at 1, keeps hidden text, and drops page
headers, header rows and captions.
"""

from typing import Any

from index.blocks.block import Kind
from index.formats.list_nodes import ListWriter
from index.formats.node_writer import write_nodes
from index.formats.nodes import LINE_BREAK, Node, Part
from index.formats.office.chart import add_chart
from index.formats.office.docx_numbering import Mark, Numbering
from index.formats.office.docx_runs import RunReader
from index.formats.office.docx_styles import (
    RunStyle,
    Style,
    Styles,
    attribute,
    is_on,
    marks_first_row,
    merged_numbering,
    numbering_of,
    outline_level,
    value,
)  # fmt: skip
from index.formats.office.list_numbers import shown_number
from index.formats.office.office_package import Package, Relation, local_name, relation_id
from index.formats.parsed import Parsed
from index.formats.superscripts import raised
from index.formats.table_grid import GridCell, add_table, is_layout

_CARRIERS = frozenset({"sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag", "txbxContent"})
_NOTE_KINDS = {"footnote": ("footnotes", "decimal"), "endnote": ("endnotes", "lowerRoman")}


def read_docx(data: bytes) -> Parsed:
    """Return the document: insertions kept, deletions and hidden text left out, running heads first, notes at the end."""
    package = Package(data)
    name = package.main_part()
    root = Node()
    _Reader(package, name).write(root)
    title, facts = package.facts()
    written = write_nodes(root)
    return Parsed(written.text, written.blocks, title, metadata=facts)


class _Reader:
    def __init__(self, package: Package, name: str) -> None:
        self._package = package
        self._name = name
        self._relations = package.relations(name)
        self._styles = Styles(self._related("styles"))
        self._numbering = Numbering(self._related("numbering"))
        self._settings = self._related("settings")
        self._runs = RunReader(self._styles, self._note_mark)
        self._marks: dict[tuple[str, str], str] = {}
        self._counts = dict.fromkeys(_NOTE_KINDS, 0)

    def write(self, root: Node) -> None:
        """Append the whole document."""
        body = self._package.tree(self._name).find("{*}body")
        self._write_running(root, "header")
        if body is not None:
            self._write_blocks(root, body)
        self._write_notes(root)
        self._write_running(root, "footer")

    def _related(self, kind: str) -> Any:
        part = next((relation.target for relation in self._relations.values() if relation.kind == kind), "")
        return self._package.tree(part) if part else None

    def _write_running(self, root: Node, kind: str) -> None:
        """Append the running heads or feet, each text once."""
        seen: set[str] = set()
        for relation in self._relations.values():
            tree = self._package.tree(relation.target) if relation.kind == kind and not relation.is_external else None
            if tree is None:
                continue
            holder = Node()
            self._write_blocks(holder, tree)
            text = " ".join(_spaced(holder).split())
            if text and text not in seen:
                seen.add(text)
                ListWriter(root).block(Kind.FURNITURE, text)

    def _note_mark(self, kind: str, number: str) -> str:
        """The mark of a note: notes count in the order of their references."""
        style = _NOTE_KINDS[kind][1]
        if self._settings is not None:
            style = value(self._settings.find(f"{{*}}{kind}Pr"), "numFmt") or style
        if (kind, number) not in self._marks:
            self._counts[kind] += 1
            self._marks[kind, number] = shown_number(self._counts[kind], style)
        return self._marks[kind, number]

    def _write_notes(self, root: Node) -> None:
        done = 0
        for kind, (part, _) in _NOTE_KINDS.items():
            tree = self._related(part)
            by_id = (
                {attribute(note, "id"): note for note in tree if local_name(note) == kind} if tree is not None else {}
            )
            while done < len(self._marks):
                pending = list(self._marks.items())[done:]
                done = len(self._marks)
                for (same, number), mark in pending:
                    if same == kind and number in by_id:
                        note = root.add(Kind.NOTE, marker=mark)
                        self._write_blocks(note, by_id[number])
                        first = next((part for part in note.content if isinstance(part, Node)), note)
                        first.content[:0] = [*raised("", mark, is_note=True), " "]
            done = 0

    def _write_blocks(self, root: Node, holder: Any) -> None:
        writer = ListWriter(root)
        caption: list[Part] | None = None
        listing = ""
        for element in _blocks(holder):
            is_table = local_name(element) == "tbl"
            if caption is not None and not is_table:
                writer.block(Kind.CAPTION, *caption)
                caption = None
            if is_table:
                writer.close()
                self._write_table(root, element, caption or [])
                caption = None
                continue
            style, run = self._style(element)
            parts, _ = self._runs.read(element, run)
            if style.is_caption and _has_text(parts):
                caption = parts
            else:
                listing = self._write_paragraph(writer, element, style, parts, listing)
            boxes, self._runs.boxes = self._runs.boxes, []
            for box in boxes:
                writer.close()
                self._write_box(root, box)
        if caption is not None:
            writer.block(Kind.CAPTION, *caption)

    def _style(self, paragraph: Any) -> tuple[Style, RunStyle]:
        style = self._styles.of(value(paragraph.find("{*}pPr"), "pStyle"))
        return style, style.run

    def _write_paragraph(self, writer: ListWriter, element: Any, style: Style, parts: list[Part], listing: str) -> str:
        """Append the paragraph; return the list that is open after it."""
        mark, level = self._numbered(element, style, has_text=_has_text(parts))
        if not _has_text(parts):
            return listing
        if _is_contents(element) or style.is_furniture:
            writer.block(Kind.FURNITURE, *parts)
        elif style.is_title:
            writer.block(Kind.TITLE, *_on_one_line(parts))
        elif level:
            number = [f"{mark.text} "] if mark is not None and any(map(str.isalnum, mark.text)) else []
            writer.block(Kind.HEADING, *number, *_on_one_line(parts), level=level)
        elif mark is not None:
            if mark.depth == 0 and listing and listing != mark.listing:
                writer.close()
            writer.item(mark.depth, mark.text, *parts)
            return mark.listing
        elif style.is_code:
            self._add_code(writer, parts)
        else:
            writer.block(Kind.QUOTATION if style.is_quotation else Kind.PARAGRAPH, *parts)
        return ""

    def _numbered(self, element: Any, style: Style, *, has_text: bool) -> tuple[Mark | None, int]:
        """The mark of a paragraph, and its level if it is a heading."""
        properties = element.find("{*}pPr")
        numbering, level = style.numbering, style.level
        if properties is not None:
            numbering = merged_numbering(numbering_of(properties), numbering)
            stated = outline_level(properties)
            level = level if stated is None else stated
        counts = has_text or (properties is not None and properties.find("{*}numPr") is not None)
        return (self._numbering.mark(*numbering) if counts else None), level

    def _add_code(self, writer: ListWriter, parts: list[Part]) -> None:
        """Append a line of code; lines that follow each other are one block."""
        last = writer.root.content[-1] if writer.root.content else None
        if isinstance(last, Node) and last.kind is Kind.CODE:
            last.content = [f"{last.plain()}\n{Node(None, parts).plain()}"]
        else:
            writer.block(Kind.CODE, Node(None, parts).plain())

    def _write_box(self, root: Node, box: Any) -> None:
        if local_name(box) == "txbxContent":
            self._write_blocks(root, box)
            return
        relation: Relation | None = self._relations.get(relation_id(box))
        tree = self._package.tree(relation.target) if relation is not None and not relation.is_external else None
        if tree is not None:
            add_chart(root, tree)

    def _write_table(self, root: Node, table: Any, caption: list[Part]) -> None:
        cells = self._cells(table)
        if is_layout(cells):
            root.content += [Node(Kind.CAPTION, caption)] if caption else []
            for cell in cells:
                root.add(None, *cell.content)
            return
        style = self._styles.of(value(table.find("{*}tblPr"), "tblStyle"), "table")
        if style.heads_tables and marks_first_row(table) and not any(cell.is_header for cell in cells):
            for cell in cells:
                cell.is_strong = cell.is_strong or cell.row == 0
        add_table(root, cells, caption=caption)

    def _cells(self, table: Any) -> list[GridCell]:
        cells: list[GridCell] = []
        spanning: dict[int, GridCell] = {}
        for number, row in enumerate(_inner(table, "tr")):
            properties = row.find("{*}trPr")
            if properties is not None and properties.find("{*}del") is not None:
                continue
            is_header = bool(is_on(properties, "tblHeader"))
            column = _whole(value(properties, "gridBefore"), 0)
            for element in _inner(row, "tc"):
                stated = element.find("{*}tcPr")
                width = max(1, min(_whole(value(stated, "gridSpan"), 1), 1000))
                merge = stated.find("{*}vMerge") if stated is not None else None
                if merge is not None and attribute(merge, "val") != "restart" and column in spanning:
                    spanning[column].row_span = number - spanning[column].row + 1
                else:
                    cell = self._cell(element, number, column, width, is_header=is_header)
                    cells.append(cell)
                    spanning.pop(column, None)
                    if merge is not None:
                        spanning[column] = cell
                column += width
        return cells

    def _cell(self, element: Any, row: int, column: int, width: int, *, is_header: bool) -> GridCell:
        holder = Node()
        self._write_blocks(holder, element)
        shade = element.find("{*}tcPr/{*}shd")
        is_filled = shade is not None and attribute(shade, "fill").lower() not in ("", "auto", "ffffff")
        paragraphs = [p for p in _blocks(element) if local_name(p) == "p" and any(t.text for t in p.iter("{*}t"))]
        is_bold = bool(paragraphs) and all(self._runs.read(p, self._style(p)[1])[1] for p in paragraphs[:3])
        self._runs.boxes = []
        return GridCell(row, column, holder.content, 1, width, is_header, is_filled or is_bold)


def _blocks(holder: Any) -> list[Any]:
    """The paragraphs and tables of a body, cell, note or box, those in content controls and insertions too."""
    found: list[Any] = []
    for child in holder:
        kind = local_name(child)
        if kind in ("p", "tbl"):
            found.append(child)
        elif kind in _CARRIERS:
            found += _blocks(child)
    return found


def _inner(holder: Any, kind: str) -> list[Any]:
    """The rows of a table or the cells of a row, those in content controls and insertions too."""
    found: list[Any] = []
    for child in holder:
        name = local_name(child)
        if name == kind:
            found.append(child)
        elif name in _CARRIERS:
            found += _inner(child, kind)
    return found


def _is_contents(paragraph: Any) -> bool:
    """Whether the paragraph stands in a table of contents that Word keeps."""
    for holder in paragraph.iterancestors():
        gallery = holder.find("{*}sdtPr/{*}docPartObj/{*}docPartGallery") if local_name(holder) == "sdt" else None
        if gallery is not None and attribute(gallery, "val") == "Table of Contents":
            return True
    return False


def _has_text(parts: list[Part]) -> bool:
    return bool(Node(None, parts).plain().strip())


def _on_one_line(parts: list[Part]) -> list[Part]:
    return [part.replace(LINE_BREAK, " ") if isinstance(part, str) else part for part in parts]


def _spaced(node: Node) -> str:
    """The text of the node with a space between its blocks."""
    return " ".join(_spaced(part) if isinstance(part, Node) else str(part) for part in node.content)


def _whole(text: str, default: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 6 else default
