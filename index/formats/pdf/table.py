"""Table, TableRow and Cell: what the readers of tables find on a page."""

from dataclasses import dataclass, field

from index.formats.pdf.rows import Row, Word


@dataclass(slots=True)
class Cell:
    """A cell: its words by line, its first column, how many columns and rows it spans."""

    lines: list[list[Word]]
    column: int = 0
    span: int = 1
    row_span: int = 1

    @property
    def left(self) -> float:
        """The left edge of its words."""
        return min(words[0].left for words in self.lines)

    @property
    def right(self) -> float:
        """The right edge of its words."""
        return max(word.right for words in self.lines for word in words)

    @property
    def text(self) -> str:
        """Its words with spaces."""
        return " ".join(word.text for words in self.lines for word in words)


@dataclass(slots=True)
class TableRow:
    """The cells of a row that are not blank, from left to right, and the rows of the page that they are made of."""

    cells: list[Cell]
    source: list[Row]
    is_header: bool = False


@dataclass(slots=True)
class Table:
    """Rows of cells in `columns` columns."""

    rows: list[TableRow] = field(default_factory=list)
    columns: int = 0


@dataclass(slots=True)
class TableRowOfPage(Row):
    """Stands among the rows of a page in place of a table whose cells are known, as high as the table's first row."""

    table: Table = field(default_factory=Table)
