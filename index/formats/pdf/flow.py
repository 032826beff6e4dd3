"""Rows and tables of all pages, in reading order -> a tree of blocks. Pure.

A line goes on in the next if it is so full that the next word did not fit, or ends in the middle of a sentence; also
across columns and pages. What stands between, running lines and notes, never parts a sentence.
"""

import re
from collections.abc import Iterable, Sequence

from index.blocks.block import Kind
from index.formats.nodes import LINE_BREAK, Node, PageStart
from index.formats.pdf.fields import FormField
from index.formats.pdf.ink import Ink
from index.formats.pdf.lists import Lists, Marker, marker_of
from index.formats.pdf.rows import Row
from index.formats.pdf.styles import MAX_LEVEL, Styles, style_of
from index.formats.pdf.table import Cell, Table
from index.formats.pdf.tables import with_tables
from index.formats.pdf.wrapping import SENTENCE_END, full_lines, is_near, usual_step

_CAPTION = re.compile(
    r"(?:table|figure|fig\.|chart|exhibit|tabelle|abbildung|abb\.|tableau|tabla|figura|tabella)\s+[\dA-Z][\w.-]{0,6}"
    r"(?:[.:]|\s+[-–—]|\Z)",
    re.IGNORECASE,
)
_MAX_HEADING = 30  # words


class Flow:
    """Builds the tree of a document, page by page. `fields` are the form fields in the order of their nodes."""

    def __init__(self, ink: Ink, styles: Styles) -> None:
        self.root = Node()
        self.fields: list[tuple[int, FormField]] = []
        self._ink = ink
        self.styles = styles
        self._lists = Lists(self.root)
        self._open: Node | None = None  # heading, paragraph or item whose text may go on
        self._open_at = (0, 0)  # where it stands among the blocks and the words written
        self._level = 0  # of the open heading
        self._row: Row | None = None  # the last one
        self._is_full = False
        self._is_first = True  # the next line is the first of its run
        self._usual = 0.0
        self._left = 0.0  # of the run
        self._due: list[Node | PageStart] = []  # page starts and running lines before the next line
        self._notes: list[Node] = []
        self._notes_at = (0, 0)  # words written
        self._page = 0
        self.body = styles.body  # its size on the page
        self._right = styles.right
        self._above = 0  # the level of the line that names the page, above its headings
        self._has_heading = False

    def start_page(self, number: int, rows: Sequence[Row], *, is_named: bool = False) -> None:
        """Begin a page of these rows. `is_named`: one of its lines names it."""
        self._above = self._above if is_named else 0
        self._right = self.styles.right_of(rows)
        self.body = self.styles.body_of(rows)
        self._page = self._ink.page = number
        self._due.append(PageStart(number))

    def add_furniture(self, rows: Iterable[Row], kind: Kind = Kind.FURNITURE) -> None:
        """Add running lines, or lines of a contents page, or hidden ones."""
        for row in rows:
            node = Node(kind)
            self._ink.write(node, row.words, row)
            self._ink.finish(node)
            self._due.append(node)

    def add_name(self, row: Row, after: Sequence[Row]) -> None:
        """Add the line that names the page as a heading above all on it; as a running line if a sentence goes on below."""
        last = self._row if self._open is not None and self._open.kind is not Kind.HEADING else None
        if last is not None and after and after[0].text[:1].islower() and not SENTENCE_END.search(last.words[-1].text):
            self.add_furniture([row])
            return
        self._end()
        level = self._heading_level(row, is_full=False)
        self._above = 0 if level else self._above or (2 if self._has_heading else 1)
        self._has_heading = True
        heading = self.root.add(Kind.HEADING, level=level or self._above)
        self._ink.write(heading, row.words, row)
        self._ink.finish(heading)

    def add_run(self, rows: Sequence[Row], bound: float | None, fields: Sequence[FormField] = ()) -> None:
        """Add rows that are read one after the other, with the form fields that they name. `bound`: see `Run`."""
        self._usual = usual_step(rows)
        self._left = min(row.left for row in rows)
        full = full_lines(rows, self._right if bound is None else bound, self._usual)
        place_of = {id(row): place for place, row in enumerate(rows)}
        self._is_first = True
        for item in with_tables(rows):
            sources = [item] if isinstance(item, Row) else [source for row in item.rows for source in row.source]
            if isinstance(item, Row):
                self._add_line(item, full[place_of[id(item)]])
            else:
                self._add_table(item)
            places = {word.place for source in sources for word in source.words}
            self.add_fields(field for field in fields if field.label and field.label[-1].place in places)
            self._is_first = False

    def add_fields(self, fields: Iterable[FormField]) -> None:
        """Add the values of form fields."""
        for field in fields:
            self._end()
            self.root.add(Kind.FIELD, " ".join(field.value.split()))
            self.fields.append((self._page, field))

    def add_note(self, rows: Sequence[Row], mark: str) -> None:
        """Add a note at the foot of the page."""
        node = Node(Kind.NOTE, [], {"marker": mark})
        if not self._notes:
            self._notes_at = (self._ink.place, self._ink.place)
        for row in rows:
            self._ink.write(node, row.words, row)
        self._ink.finish(node)
        self._notes.append(node)
        self._notes_at = (self._notes_at[0], self._ink.place)

    def add_text(self, text: str) -> None:
        """Add paragraphs of text that blank lines part: recognised text, notes on the page."""
        self._end()
        for paragraph in re.split(r"\n\s*\n", text):
            if paragraph.strip():
                node = self.root.add(Kind.PARAGRAPH)
                for line in paragraph.splitlines():
                    self._ink.write_text(node, line)
                self._ink.finish(node)

    def finish(self) -> Node:
        """Return the tree."""
        self._end()
        return self.root

    def _add_line(self, row: Row, is_full: bool) -> None:
        level = self._heading_level(row, is_full)
        marker = None if level else marker_of(row)
        if self._goes_on(row, level, marker):
            self._go_on(row)
        else:
            due = self._close()
            words = row.words
            if marker is None or level:
                self.root.content += due
            self._open_at = (len(self.root.content), self._ink.place)
            if level:
                self._lists.end()
                self._has_heading = True
                self._open = self.root.add(Kind.HEADING, level=min(level + self._above, MAX_LEVEL))
            elif marker is not None:
                self._open = self._lists.add(marker, due)
                self._ink.mark(row.words[0])
                words = row.words[1:]
            else:
                self._lists.end()
                self._open = self.root.add(Kind.PARAGRAPH)
            self._level = level
            self._ink.write(self._open, words, row)
        self._row, self._is_full = row, is_full

    def _heading_level(self, row: Row, is_full: bool) -> int:
        stated = self.styles.outline_level(row.text, self._page)
        if stated:
            return stated
        level = self.styles.level(row, self.body)
        if level and not self.styles.is_larger(row, self.body):
            goes_on = self._is_full and self._row is not None and style_of(self._row) == style_of(row)
            return 0 if is_full or goes_on else level
        return level

    def _goes_on(self, row: Row, level: int, marker: Marker | None) -> bool:
        """Whether the open block goes on in the row."""
        last = self._row
        if self._open is None or last is None or (not self._is_first and not is_near(last, row, self._usual)):
            return False
        if self._open.kind is Kind.HEADING:
            return not self._is_first and self._heading_goes_on(self._open, last, row, level)
        if level or abs(row.size - last.size) > 0.08 * last.size:
            return False
        ends = SENTENCE_END.search(last.words[-1].text) is not None
        if marker is not None and (ends or not self._is_full or self._lists.expects(marker)):
            return False
        return self._sentence_goes_on(self._open, last, row, ends)

    def _sentence_goes_on(self, block: Node, last: Row, row: Row, ends: bool) -> bool:
        """Whether the last row's sentence, or its paragraph if the sentence `ends` there, goes on in the row."""
        if row.text[:1].islower() and (not ends or self._ink.breaks_off(block)):
            return True
        if not self._is_full or row.is_emphatic != last.is_emphatic:
            return False
        left = self._lists.text_left if block.kind is Kind.ITEM else self._left
        is_indented = row.left > min(last.left, left) + 0.7 * row.size
        return not ends or not (self._is_first or is_indented)

    def _heading_goes_on(self, heading: Node, last: Row, row: Row, level: int) -> bool:
        text = heading.plain()
        if style_of(row) != style_of(last) or len(text.split()) + len(row.words) > _MAX_HEADING:
            return False
        if self.styles.outline_level(text, self._page):
            return False
        if self.styles.begins_title(f"{text} {row.text}", self._page):
            return True
        return level > 0 and (self._is_full or row.text[:1].islower() or not last.is_emphatic)

    def _go_on(self, row: Row) -> None:
        """Write the row as more text of the open block; running lines before it stay inside, notes go before the block."""
        assert self._open is not None
        words = row.words
        if self._notes:
            block, place = self._open_at
            self.root.content[block:block] = self._notes
            self._ink.move(*self._notes_at, place)
            self._open_at = (block + len(self._notes), place + self._notes_at[1] - self._notes_at[0])
            self._notes = []
        if self._due and self._ink.breaks_off(self._open):
            self._ink.write(self._open, words[:1], row)
            words = words[1:]
        if self._due:
            self._ink.finish(self._open)
            for part in self._due:
                self._open.content += [LINE_BREAK, part] if isinstance(part, Node) else [part]
            self._open.content.append(LINE_BREAK)
            self._due = []
        self._ink.write(self._open, words, row)

    def _add_table(self, table: Table) -> None:
        caption = self._caption()
        self._end()
        node = self.root.add(Kind.TABLE)
        if caption is not None:
            self.root.content.remove(caption)
            node.content.append(Node(Kind.CAPTION, caption.content))
        spanning: dict[int, tuple[Cell, Node, int, int]] = {}  # by column: a cell, its last row, its first word written
        ends: dict[int, int] = {}
        for number, row in enumerate(table.rows):
            line = node.add(Kind.ROW, **({"is_header": True} if row.is_header else {}))
            own = {cell.column: cell for cell in row.cells}
            column = 0
            while column < table.columns:
                facts = {"row": number, "column": column, "is_header": row.is_header}
                cell = own.get(column)
                above = spanning.get(column)
                if cell is None and above is not None and number <= above[2]:
                    line.repeat(above[1], **facts, column_span=above[0].span)
                    self._ink.repeat(above[3], ends[column])
                    column += above[0].span
                    continue
                written = line.add(Kind.CELL, **facts)
                if cell is not None:
                    written.facts |= {"column_span": cell.span, "row_span": cell.row_span}
                    spanning[column] = (cell, written, number + cell.row_span - 1, self._ink.place)
                    self._write_cell(written, cell, row.source)
                    ends[column] = self._ink.place
                column += cell.span if cell is not None else 1
        self._row = None

    def _write_cell(self, node: Node, cell: Cell, sources: Sequence[Row]) -> None:
        """Write the words of a cell, each line with the row of the page that it comes from."""
        row_of_word = {word.place: source for source in sources for word in source.words}
        for words in cell.lines:
            self._ink.write(node, words, row_of_word[words[0].place])
        self._ink.finish(node)

    def _caption(self) -> Node | None:
        """The open paragraph if it is the caption of the table that follows."""
        is_caption = self._open is not None and self._open.kind in (Kind.PARAGRAPH, Kind.HEADING) and not self._due
        return self._open if is_caption and self._open is not None and _CAPTION.match(self._open.plain()) else None

    def _close(self) -> list[Node | PageStart]:
        """End the open block and return what is due after it."""
        if self._open is not None:
            self._ink.finish(self._open)
            self._open = None
        due: list[Node | PageStart] = [*self._notes]
        for part in self._due:
            last = due[-1] if due else None
            if not isinstance(part, Node):
                due.append(part)
            elif isinstance(last, Node) and last.kind is part.kind and isinstance(last.content[0], Node):
                last.content[0].content += [LINE_BREAK, *part.content]
            else:
                due.append(Node(part.kind, [Node(Kind.PARAGRAPH, part.content)]))
        self._notes, self._due = [], []
        return due

    def _end(self) -> None:
        """End the open block and all lists, and write what is due."""
        self.root.content += self._close()
        self._lists.end()
