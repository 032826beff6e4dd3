"""Tables of HTML: the cells at their places with spans resolved as browsers do, and layout tables told from data. Pure."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from index.formats.html.element import Element
from index.formats.nodes import Node
from index.formats.table_grid import GridCell, add_table

_MAX_COLUMN_SPAN, _MAX_ROW_SPAN = 1_000, 65_534  # HTML 5.2, 4.9.11
_MAX_REPEATS = 100_000
_GROUPS = frozenset(("thead", "tbody", "tfoot"))
_BLOCKS_OF_LAYOUT = frozenset("h1 h2 h3 h4 h5 h6 table form section article".split())
_MAX_PARAGRAPHS = 2
_BOLD = frozenset(("b", "strong", "th"))


class Reader(Protocol):
    """What reads the content of cells."""

    def is_hidden(self, element: Element) -> bool:
        """Return whether nobody sees the element."""

    def fill(self, node: Node, content: Iterable[Element | str]) -> Node:
        """Read the content into `node` as blocks; return it."""


def add_html_table(reader: Reader, into: Node, table: Element) -> None:
    """Read the table into `into`; a table that only places things on the page is written as what it holds."""
    groups = list(_row_groups(reader, table))
    rows = [row for group in groups for row in group[1]]
    for part in _loose(table):
        reader.fill(into, [part])
    if _is_layout(reader, table, rows):
        for row in rows:
            for cell in _cells(reader, row):
                inner = reader.fill(Node(), cell.content)
                into.content.append(inner)
        return
    cells = [cell for cell in _grid(reader, groups) if cell is not None]
    captions = [part for part in table.content if isinstance(part, Element) and part.tag == "caption"]
    caption = reader.fill(Node(), captions[0].content).content if captions and not reader.is_hidden(captions[0]) else []
    if any(cell.content for cell in cells):
        add_table(into, cells, caption=[Node(None, caption)] if caption else [])
    elif caption:
        into.content.extend(caption)


def _row_groups(reader: Reader, table: Element) -> Iterator[tuple[str, list[Element]]]:
    """The name of each group of rows and its rows, in order; the foot stands last, as it is shown."""
    loose: list[Element] = []
    feet: list[Element] = []
    for part in table.content:
        if not isinstance(part, Element) or reader.is_hidden(part):
            continue
        if part.tag == "tr":
            loose.append(part)
        elif part.tag in _GROUPS:
            if loose:
                yield "tbody", loose
                loose = []
            rows = [
                row
                for row in part.content
                if isinstance(row, Element) and row.tag == "tr" and not reader.is_hidden(row)
            ]
            if part.tag == "tfoot":
                feet += rows
            else:
                yield part.tag, rows
    if loose:
        yield "tbody", loose
    if feet:
        yield "tfoot", feet


def _loose(table: Element) -> Iterator[Element | str]:
    """What stands in the table but in no cell, which browsers show above it."""
    inside = ("caption", "tr", "colgroup", "col", *_GROUPS)
    yield from (part for part in table.content if isinstance(part, str) or part.tag not in inside)
    for group in table.content:
        if isinstance(group, Element) and group.tag in (*_GROUPS, "tr"):
            yield from (
                part for part in group.content if isinstance(part, Element) and part.tag not in ("tr", "td", "th")
            )


def _cells(reader: Reader, row: Element) -> Iterator[Element]:
    for part in row.content:
        if isinstance(part, Element) and part.tag in ("td", "th") and not reader.is_hidden(part):
            yield part


def _is_layout(reader: Reader, table: Element, rows: list[Element]) -> bool:
    if table.get("role") in ("presentation", "none"):
        return True
    cells = [cell for row in rows for cell in _cells(reader, row)]
    if any(cell.tag == "th" for cell in cells) or any(
        isinstance(part, Element) and part.tag == "caption" for part in table.content
    ):
        return False
    if all(sum(1 for _ in _cells(reader, row)) <= 1 for row in rows):
        return True
    return any(_holds_page(cell) for cell in cells if cell.has_blocks)


def _holds_page(cell: Element) -> bool:
    """Whether the cell holds what a page holds: headings, tables, or many paragraphs."""
    paragraphs = 0
    for element in cell.elements():
        if element.tag in _BLOCKS_OF_LAYOUT:
            return True
        paragraphs += element.tag == "p"
        if paragraphs > _MAX_PARAGRAPHS:
            return True
    return False


def _grid(reader: Reader, groups: list[tuple[str, list[Element]]]) -> Iterator[GridCell]:
    """The cells at their places: a cell stands at the first column that no cell from above spans into."""
    number = 0
    repeats = 0
    for group, rows in groups:
        last = number + len(rows)
        taken: list[tuple[int, int, int]] = []  # column, end column, first row below, by column
        for row in rows:
            taken = [span for span in taken if span[2] > number]
            here: list[tuple[int, int, int]] = []
            column = place = 0
            for cell in _cells(reader, row):
                while place < len(taken) and taken[place][0] <= column:
                    column = max(column, taken[place][1])
                    place += 1
                width = min(max(1, _number(cell.get("colspan"), 1)), _MAX_COLUMN_SPAN)
                height = _number(cell.get("rowspan"), 1)
                height = last - number if height == 0 else min(height, _MAX_ROW_SPAN, last - number)
                if height > 1:
                    repeats += height
                    height = height if repeats <= _MAX_REPEATS else 1
                content = reader.fill(Node(), cell.content).content
                yield GridCell(
                    number, column, [Node(None, content)] if content else [], height, width,
                    is_header=cell.tag == "th" or group == "thead", is_strong=_is_strong(cell),
                )  # fmt: skip
                here.append((column, column + width, number + height))
                column += width
            taken = sorted([*taken, *(span for span in here if span[2] > number + 1)])
            number += 1


def _is_strong(cell: Element) -> bool:
    """Whether all text of the cell is bold."""
    parts = [part for part in cell.content if not isinstance(part, str) or part.strip()]
    while len(parts) == 1 and isinstance(parts[0], Element):
        if parts[0].tag in _BOLD:
            return True
        parts = [part for part in parts[0].content if not isinstance(part, str) or part.strip()]
    return False


def _number(value: str, default: int) -> int:
    digits = value.strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 10 else default
