"""Writes a tree of nodes as the canonical text and its blocks. Pure.

Between blocks stands a blank line; between items, rows, records, fields, terms and meanings a line break. A row is
`| cell | cell |`; a blank cell is kept, and a cell that spans rows is written in each of them. A list item begins with its
marker, if it has one. Runs of white space count as one space, except in code; `LINE_BREAK` ends a line.
"""

import re
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from index.blocks.block import INLINE, Block, Kind, Span
from index.blocks.labels import with_labels
from index.formats.canonical import canonical
from index.formats.node_parts import flat, is_running, unwrapped, with_paragraphs
from index.formats.nodes import LINE_BREAK, Node, PageStart
from index.records import Page

MAX_DEPTH = 50
"""Blocks nested deeper are written as text of the block at that depth."""
_MOST_REPEATED = 100_000  # characters of cells that are written again, and ...
_REPEATED_SHARE = 10  # ... so many times the length of the other text

_LINES = frozenset({Kind.ITEM, Kind.ROW, Kind.RECORD, Kind.FIELD, Kind.TERM, Kind.MEANING})
_GROUPS = frozenset({Kind.LIST, Kind.TABLE, Kind.DEFINITION, Kind.QUOTATION, Kind.RECORD})
_OWN_TEXT = frozenset({Kind.ITEM, Kind.MEANING, Kind.NOTE, Kind.CAPTION, Kind.FIELD, Kind.TERM})
_GAPS = {"": 0, " ": 1, "\n": 2, "\n\n": 3}  # how wide
_SPACE = re.compile(r"[ \t\n\r\f\v]+")  # not the no-break space, which belongs to what it joins


class Written(NamedTuple):
    """A tree as canonical text, its blocks with their labels, and its pages, which are empty without a `PageStart`."""

    text: str
    blocks: tuple[Block, ...]
    pages: tuple[Page, ...]


def write_nodes(root: Node) -> Written:
    """Return the tree as text and blocks. A block without text is left out, but a cell."""
    writer = _Writer()
    writer.write_group(root, 0)
    return writer.finish()


@dataclass(slots=True)
class _Draft:
    """A block that is being written: its end is not known before all that it holds is written."""

    kind: Kind
    start: int
    end: int
    parent: int | None
    facts: dict[str, Any]


class _Writer:
    def __init__(self) -> None:
        self._parts: list[str] = []
        self._blocks: list[_Draft] = []
        self._places: dict[int, int] = {}  # of blocks, by the id of their node
        self._named: list[tuple[int, list[Node]]] = []  # the place of a block, and what names it
        self._open: list[int] = []
        self._length = 0
        self._repeated = 0  # characters of cells that were written again
        self._gap = ""  # due before the next text
        self._in_cell = False
        self._in_code = False
        self._is_again = False  # while a cell is repeated: the pages in it have begun
        self._pages: list[Page] = []
        self._pages_due: list[int] = []

    def finish(self) -> Written:
        for number, nodes in self._named:
            naming = [self._blocks[self._places[id(node)]] for node in nodes if id(node) in self._places]
            labels = tuple(Span(draft.start, draft.end) for draft in naming if draft.start < draft.end)
            self._blocks[number].facts = {**self._blocks[number].facts, "labels": labels}
        kept: list[Block] = []
        places: dict[int | None, int | None] = {None: None}
        for number, draft in enumerate(self._blocks):
            if draft.start == draft.end and draft.kind is not Kind.CELL:
                places[number] = places[draft.parent]
            else:
                places[number] = len(kept)
                kept.append(Block(draft.kind, draft.start, draft.end, places[draft.parent], **draft.facts))
        text = "".join(self._parts)
        ends = [*(page.start for page in self._pages), len(text)][1:]
        pages = [
            replace(page, end=page.start + len(text[page.start : end].rstrip()))
            for page, end in zip(self._pages, ends, strict=True)
        ]
        return Written(text, with_labels(text, kept), tuple(pages))

    def write_group(self, node: Node, depth: int) -> None:
        """Write what the node holds as blocks; running text among them becomes paragraphs."""
        for part in with_paragraphs(node):
            if isinstance(part, PageStart):
                self._pages_due.append(part.number)
            else:
                self._write_block(part, depth)

    def _write_block(self, node: Node, depth: int) -> None:
        assert node.kind is not None
        if depth > MAX_DEPTH:
            self._write_text(node.plain())
            return
        number = self._begin(node, node.facts)
        self._places[id(node)] = number
        if node.named_by:
            self._named.append((number, node.named_by))
        if node.kind is Kind.ROW:
            self._write_row(node, depth)
        elif node.kind in _GROUPS or (node.kind in INLINE and not is_running(node)):
            self.write_group(node, depth + 1)
        else:
            self._write_running(node, depth + 1)
        self._end(number)

    def _write_row(self, node: Node, depth: int) -> None:
        self._put("|")
        column = 0
        for cell in node.content:
            if isinstance(cell, PageStart):
                self._pages_due.append(cell.number)
            if not isinstance(cell, Node) or cell.kind is not Kind.CELL:
                continue
            facts = {"column": column, **cell.facts}
            column = facts["column"] + facts.get("column_span", 1)
            self._put(" ")
            number = self._begin(cell, facts)
            self._places[id(cell)] = number
            self._in_cell = True
            if cell.same_as is None:
                self._write_running(cell, depth + 1)
            else:
                self._write_again(cell.same_as, depth + 1)
            self._in_cell = False
            self._gap = ""
            self._end(number)
            self._put(" |")

    def _write_again(self, cell: Node, depth: int) -> None:
        """Write what an earlier cell holds once more, unless so much has been repeated that it can only mean harm."""
        first = self._blocks[self._places[id(cell)]]
        length = first.end - first.start
        if self._repeated + length > _MOST_REPEATED + _REPEATED_SHARE * (self._length - self._repeated):
            return
        self._repeated += length
        self._is_again = True
        self._write_running(cell, depth)
        self._is_again = False

    def _write_running(self, node: Node, depth: int) -> None:
        """Write running text and inline blocks. Other blocks follow on lines of their own; in a cell, after a space."""
        was_code, self._in_code = self._in_code, self._in_code or node.kind is Kind.CODE
        if node.kind is Kind.ITEM and node.facts.get("marker"):
            self._write_text(f"{node.facts['marker']} ")
        parts = unwrapped(node) if node.kind in _OWN_TEXT else list(flat(node))
        for part in parts:
            if isinstance(part, str):
                self._write_text(part)
            elif isinstance(part, PageStart):
                if not self._is_again:
                    self._pages_due.append(part.number)
            elif part.kind in INLINE and is_running(part):
                self._write_inline(part, depth)
            elif self._in_cell or depth > MAX_DEPTH:
                self._owe(" ")
                if depth > MAX_DEPTH:
                    self._write_text(part.plain())
                else:
                    self._write_running(Node(None, part.content), depth + 1)
                self._owe(" ")
            else:
                self._write_block(part, depth)
        self._in_code = was_code

    def _write_inline(self, node: Node, depth: int) -> None:
        if not node.plain().strip():
            self._write_text(node.plain())
            return
        first = node.content[0]
        if isinstance(first, str) and first[:1].isspace():
            self._owe(" ")
        self._put(self._take_gap())
        number = self._begin(node, node.facts)
        self._write_running(Node(None, node.content), depth)
        self._end(number)

    def _begin(self, node: Node, facts: dict[str, Any]) -> int:
        assert node.kind is not None
        if node.kind is not Kind.CELL and not (node.kind in INLINE and is_running(node)):
            self._owe(self._gap_before(node.kind))
            self._put(self._take_gap())
        parent = self._open[-1] if self._open else None
        if node.label:
            label = " ".join(canonical(node.label).split())
            facts = {**facts, "labels": (Span(self._length, self._length + len(label)),)}
            self._put(f"{label}: ")
        self._blocks.append(_Draft(node.kind, self._length, self._length, parent, facts))
        self._open.append(len(self._blocks) - 1)
        return self._open[-1]

    def _end(self, number: int) -> None:
        self._open.pop()
        block = self._blocks[number]
        block.end = self._length
        if block.kind not in INLINE and block.kind is not Kind.CELL and block.start < self._length:
            is_nested = block.kind is Kind.LIST and bool(self._open) and self._blocks[self._open[-1]].kind is Kind.ITEM
            self._owe("\n" if block.kind in _LINES or is_nested else "\n\n")

    def _gap_before(self, kind: Kind) -> str:
        if not self._length or self._is_first():
            return ""
        is_nested = kind is Kind.LIST and bool(self._open) and self._blocks[self._open[-1]].kind is Kind.ITEM
        return "\n" if kind in _LINES or is_nested else "\n\n"

    def _is_first(self) -> bool:
        """Whether nothing has been written in the innermost block."""
        return bool(self._open) and self._blocks[self._open[-1]].start == self._length and not self._gap

    def _write_text(self, text: str) -> None:
        text = canonical(text)
        if self._in_code and not self._in_cell:
            code = text.replace(LINE_BREAK, "\n").strip("\n")
            self._put(self._take_gap() + code if code else "")
            return
        if text.isascii() and text.isprintable() and "  " not in text and text.strip(" ") == text:  # most texts
            if text:
                self._put(self._take_gap() + text)
            return
        for number, line in enumerate(text.split(LINE_BREAK)):
            if number:
                self._owe(" " if self._in_cell else "\n")
            collapsed = _SPACE.sub(" ", line)
            if collapsed[:1] == " ":
                self._owe(" ")
            body = collapsed.strip(" ")
            if body:
                self._put(self._take_gap() + body)
                if collapsed[-1] == " ":
                    self._owe(" ")

    def _take_gap(self) -> str:
        """The gap that is due; none at the start of the document or of a block's own text."""
        gap, self._gap = self._gap, ""
        if not self._length:
            return ""
        is_start = bool(self._open) and self._blocks[self._open[-1]].start == self._length
        return "" if is_start else gap

    def _owe(self, gap: str) -> None:
        """Note a gap that is due before the next text. Of several, the widest counts: a blank line, a line break, a space."""
        if _GAPS[gap] > _GAPS[self._gap]:
            self._gap = gap

    def _put(self, text: str) -> None:
        if self._pages_due and text.strip():
            start = self._length + len(text) - len(text.lstrip())
            self._pages += [Page(number, start, start) for number in self._pages_due]
            self._pages_due.clear()
        self._parts.append(text)
        self._length += len(text)
