"""Block: a part of a document's structure, with its range in the canonical text.

The blocks of a document form a tree, written as a list in reading order: a block stands after the block that holds it, and
`parent` is that block's place in the list. Every range lies inside its parent's; only the ranges in `labels` may lie anywhere.
A cell that spans rows is written again in each row it covers, so that the text of every row is whole.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Span(NamedTuple):
    """Half-open range of code points, `text[start:end]`."""

    start: int
    end: int


class Kind(StrEnum):
    """What a block is. The last six stand inside other blocks, at any place of their text."""

    TITLE = "title"
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST = "list"  # holds items
    ITEM = "item"  # its own text, then what it holds: lists, paragraphs, code
    TABLE = "table"  # holds a caption, rows
    ROW = "row"  # holds cells
    CELL = "cell"
    CAPTION = "caption"  # of the table, figure or code beside it
    RECORD = "record"  # one row of CSV, one entry of JSON, YAML, TOML, XML or INI; holds fields
    FIELD = "field"  # a value; its labels are its key and the keys above it, or the label of a form field
    DEFINITION = "definition"  # holds terms, then meanings
    TERM = "term"
    MEANING = "meaning"
    CODE = "code"
    QUOTATION = "quotation"  # what somebody else wrote; its label says who
    NOTE = "note"  # a footnote or an endnote; its marker is the mark
    FURNITURE = (
        "furniture"  # running heads and feet, page numbers, contents pages: kept in the text, never answered from
    )
    HIDDEN = "hidden"  # hidden sheets, rows and columns: kept in the text, never answered from
    STRUCK = "struck"  # struck out: kept in the text, left out when it is read
    MARK = "mark"  # the mark of a note: kept in the text, left out when it is read
    INSERTED = "inserted"  # not in the source: the separator before a superscript
    MARKUP = (
        "markup"  # marks of a language such as Markdown, kept in the text; its marker, often empty, is read instead
    )


INLINE = frozenset({Kind.STRUCK, Kind.MARK, Kind.INSERTED, Kind.MARKUP, Kind.FURNITURE, Kind.HIDDEN})
"""The kinds that may stand inside the text of other blocks."""

UNREAD = frozenset({Kind.STRUCK, Kind.MARK, Kind.MARKUP, Kind.FURNITURE, Kind.HIDDEN})
"""The kinds whose text is left out when a block is read."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the structure of a document version.

    `level`: of a heading, 1 is the outermost; of an item, its depth from 1. `marker`: the mark of an item or note as shown,
    "3." or "(b)"; the language of code. `row` and `column` count from 0; a cell covers `row_span` rows and `column_span`
    columns from there. `is_header` marks header cells, and rows that hold nothing else. `labels` are the literal ranges that
    name the block, outermost first: a cell's header cells, a field's keys, a list's lead-in, a table's caption, a meaning's
    terms. `language` is an ISO 639-1 code, empty if unknown.
    """

    kind: Kind
    start: int
    end: int
    parent: int | None = None
    level: int = 0
    marker: str = ""
    row: int = 0
    column: int = 0
    row_span: int = 1
    column_span: int = 1
    is_header: bool = False
    labels: tuple[Span, ...] = ()
    language: str = ""

    @property
    def span(self) -> Span:
        """Its range in the canonical text."""
        return Span(self.start, self.end)
