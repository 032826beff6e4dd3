"""The paragraphs, lists, notes and tables of an OpenDocument file -> nodes. Pure."""

from collections.abc import Iterator
from typing import Any

from index.blocks.block import Kind
from index.formats.nodes import LINE_BREAK, Node, Part
from index.formats.office.office_package import local_name
from index.formats.office.open_document import attribute, count
from index.formats.office.open_document_lists import Counter
from index.formats.office.open_document_styles import Style, Styles
from index.formats.office.stretches import Stretch, parts_of
from index.formats.superscripts import raised
from index.formats.table_grid import GridCell, add_table, is_layout

_INDEXES = frozenset(
    "table-of-content illustration-index table-index object-index user-index alphabetical-index bibliography".split()
)
_WRAPPERS = frozenset({"section", "index-body", "index-title", "numbered-paragraph", "text-box", "g", "list-header"})
_LEFT_OUT = frozenset(
    {"annotation", "annotation-end", "tracked-changes", "hidden-text", "note", "ruby-text", "title", "desc"}
)
_MAX_DEPTH = 60
_MAX_BLANKS = 200_000


class TextReader:
    """Reads the blocks of one file. The notes that it meets are kept until `write_notes`."""

    def __init__(self, styles: Styles) -> None:
        self._styles = styles
        self._headings = Counter(styles.outline)
        self._counters: dict[str, Counter] = {}  # by the id or the style of their list
        self._notes: list[tuple[str, Any]] = []
        self._boxes: list[Any] = []

    def write(self, root: Node, holder: Any, depth: int = 0) -> None:
        """Append the blocks that the element holds."""
        for element in holder if depth < _MAX_DEPTH else ():
            self.write_block(root, element, depth)

    def write_block(self, root: Node, element: Any, depth: int = 0) -> None:
        """Append one block, if the element is one."""
        kind = local_name(element)
        if kind in ("p", "h"):
            self._write_paragraph(root, element, is_heading=kind == "h")
        elif kind == "list":
            self._write_list(root, element, 0, None, depth + 1)
        elif kind == "table":
            self._write_table(root, element, depth + 1)
        elif kind in _INDEXES:
            self.write(root.add(Kind.FURNITURE), element, depth + 1)
        elif kind == "frame":
            for inner in element:
                self.write_block(root, inner, depth + 1)
        elif kind in _WRAPPERS and attribute(element, "display") not in ("none", "condition"):
            self.write(root, element, depth + 1)

    def write_notes(self, root: Node) -> None:
        """Append the notes of the text read so far."""
        while self._notes:
            pending, self._notes = self._notes, []
            for mark, body in pending:
                note = root.add(Kind.NOTE, marker=mark)
                self.write(note, body)
                first = next((part for part in note.content if isinstance(part, Node)), note)
                first.content[:0] = [*raised("", mark, is_note=True), " "]

    def runs(self, paragraph: Any, style: Style) -> list[Part]:
        """Return the text of a paragraph."""
        return parts_of(
            Stretch(text, look.align, look.is_struck, is_note)
            for text, look, is_note in self._stretches(paragraph, style, 0)
        )

    def _write_paragraph(self, root: Node, element: Any, *, is_heading: bool) -> None:
        style = self._styles.of(element, "paragraph")
        parts = self.runs(element, style)
        boxes, self._boxes = self._boxes, []
        if Node(None, parts).plain().strip():
            self._add_paragraph(root, element, style, parts, is_heading=is_heading)
        for box in boxes:
            self.write_block(root, box, 1)

    def _add_paragraph(self, root: Node, element: Any, style: Style, parts: list[Part], *, is_heading: bool) -> None:
        if is_heading:
            level = min(count(element, "outline-level"), 10)
            mark = self._headings.mark(level - 1, attribute(element, "start-value"))
            line = [part.replace(LINE_BREAK, " ") if isinstance(part, str) else part for part in parts]
            root.add(Kind.HEADING, *([f"{mark} "] if any(map(str.isalnum, mark)) else []), *line, level=level)
        elif style.is_named("Title"):
            root.add(Kind.TITLE, *parts)
        elif style.is_named("Caption"):
            root.add(Kind.CAPTION, *parts)
        elif style.is_named("Quotations"):
            root.add(Kind.QUOTATION, *parts)
        elif style.is_code:
            last = root.content[-1] if root.content else None
            text = Node(None, parts).plain()
            if isinstance(last, Node) and last.kind is Kind.CODE:
                last.content = [f"{last.plain()}\n{text}"]
            else:
                root.add(Kind.CODE, text)
        else:
            root.add(Kind.PARAGRAPH, *parts)

    def _write_list(self, root: Node, element: Any, level: int, counter: Counter | None, depth: int) -> None:
        if depth > _MAX_DEPTH:
            return
        style = attribute(element, "style-name")
        if counter is None or (style in self._styles.lists and self._counters.get(style) is not counter):
            counter = self._counter(element)
        listing = root.add(Kind.LIST)
        for item in element:
            if local_name(item) not in ("list-item", "list-header"):
                continue
            own = [child for child in item if local_name(child) not in ("list", "soft-page-break")]
            mark = ""
            if local_name(item) == "list-item" and own:
                mark = counter.mark(level, attribute(item, "start-value"))
            facts = {"marker": mark} if mark else {}
            node = listing.add(Kind.ITEM, level=level + 1, **facts)
            for child in item:
                if local_name(child) == "list":
                    self._write_list(node, child, level + 1, counter, depth + 1)
                else:
                    self.write_block(node, child, depth + 1)
            if not own:  # an item that only holds a list deepens it
                listing.content[-1] = Node(None, node.content)

    def _counter(self, element: Any) -> Counter:
        """The counter of a list: a new one, unless the list goes on with an earlier one."""
        style = attribute(element, "style-name")
        earlier = attribute(element, "continue-list")
        if not earlier and attribute(element, "continue-numbering") == "true":
            earlier = style
        counter = self._counters.get(earlier) if earlier else None
        if counter is None:
            counter = Counter(self._styles.lists.get(style))
        self._counters[style] = counter
        for name, value in element.attrib.items():
            if name.endswith("}id"):
                self._counters[str(value)] = counter
        return counter

    def _write_table(self, root: Node, table: Any, depth: int) -> None:
        cells: list[GridCell] = []
        spanned: dict[int, int] = {}  # by column: the first row that no cell above covers
        for number, (row, is_header) in enumerate(_rows(table)):
            column = 0
            for element in row:
                while local_name(element) == "table-cell" and spanned.get(column, 0) > number:
                    column += 1  # some programs leave out the cells that a cell above covers
                kind, repeats = local_name(element), min(count(element, "number-columns-repeated"), 1000)
                if kind == "table-cell":
                    cell = self._cell(element, number, column, depth, is_header=is_header)
                    spanned |= dict.fromkeys(range(column, column + cell.column_span), number + cell.row_span)
                    cells.append(cell)
                    blanks = range(1, repeats if len(cells) < _MAX_BLANKS else 1)
                    cells += [GridCell(number, column + more, is_header=is_header) for more in blanks]
                column += repeats if kind in ("table-cell", "covered-table-cell") else 0
        if is_layout(cells):
            for cell in cells:
                root.add(None, *cell.content)
        elif cells:
            caption = root.content.pop() if root.content else None
            is_caption = isinstance(caption, Node) and caption.kind is Kind.CAPTION
            root.content += [caption] if caption is not None and not is_caption else []
            add_table(root, cells, caption=caption.content if isinstance(caption, Node) and is_caption else ())

    def _cell(self, element: Any, row: int, column: int, depth: int, *, is_header: bool) -> GridCell:
        holder = Node()
        self.write(holder, element, depth)
        height, width = (min(count(element, f"number-{axis}-spanned"), 1000) for axis in ("rows", "columns"))
        return GridCell(row, column, holder.content, height, width, is_header, self._is_strong(element))

    def _is_strong(self, cell: Any) -> bool:
        texts = [p for p in cell.iterchildren("{*}p") if p.text or len(p)]
        is_bold = bool(texts) and all(self._styles.of(p, "paragraph").is_bold or self._is_bold_span(p) for p in texts)
        return is_bold or self._styles.of(cell, "table-cell").is_filled

    def _is_bold_span(self, paragraph: Any) -> bool:
        spans = list(paragraph.iterchildren("{*}span"))
        return not (paragraph.text or "").strip() and bool(spans) and all(
            self._styles.of(span, "text").is_bold for span in spans
        )  # fmt: skip

    def _stretches(self, holder: Any, look: Style, depth: int) -> Iterator[tuple[str, Style, bool]]:
        """Stretches of text with their look; a mark of a note is one by itself."""
        if holder.text and not look.is_hidden:
            yield holder.text, look, False
        for child in holder:
            kind = local_name(child)
            if kind == "span" and depth < _MAX_DEPTH:
                yield from self._stretches(child, self._styles.of(child, "text").over(look), depth + 1)
            elif kind == "s":
                yield " " * min(count(child, "c"), 100), look, False
            elif kind in ("tab", "line-break"):
                yield "\t" if kind == "tab" else LINE_BREAK, look, False
            elif kind == "note" and not look.is_hidden:
                mark = (
                    "".join(child.find("{*}note-citation").itertext())
                    if child.find("{*}note-citation") is not None
                    else ""
                )
                body = child.find("{*}note-body")
                if mark.strip() and body is not None:
                    self._notes.append((mark.strip(), body))
                    yield mark.strip(), look, True
            elif kind in ("frame", "text-box", "g", "custom-shape"):
                self._boxes.append(child)
            elif kind not in _LEFT_OUT and attribute(child, "is-hidden") != "true" and depth < _MAX_DEPTH:
                yield from self._stretches(child, look, depth + 1)
            if child.tail and not look.is_hidden:
                yield child.tail, look, False


def _rows(table: Any, *, is_header: bool = False) -> Iterator[tuple[Any, bool]]:
    """The rows of a table, and whether each is a header row."""
    for element in table:
        kind = local_name(element)
        if kind == "table-row":
            yield element, is_header
        elif kind in ("table-rows", "table-row-group", "table-header-rows"):
            yield from _rows(element, is_header=is_header or kind == "table-header-rows")
