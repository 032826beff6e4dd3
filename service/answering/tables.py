"""The tables of a document as rows of named cells, and which of their rows a question for the highest or lowest compares. Pure.

An answer is made and verified by the same functions: a ranking that leaves a row out is no ranking.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from index.blocks.block import Kind, Span
from index.blocks.unit import Unit
from service.parts.superlatives import Superlative
from service.text.plain import plain_line
from service.text.terms import stems

MAX_ROWS = 200  # of a table whose rows are compared
_ROWS = (Kind.ROW, Kind.RECORD)
_WORD = re.compile(r"[^\W\d_]+")
_TOTALS = frozenset("total totals subtotal subtotals altogether gesamt summe insgesamt".split())
_SUMMARIES = frozenset("sum overall average mean median all".split())
"""Words that name a summary of the other rows unless they belong to a name of their own: "All sports"."""


@dataclass(frozen=True, slots=True)
class TableCell:
    """A cell with the text of its headings, outermost first, and its place in the document."""

    heading: str
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row or record with its cells that are not empty, in order. The first names it; `values` are the others by heading.

    Two cells under one heading are no value of it.
    """

    unit: Unit
    cells: tuple[TableCell, ...]
    values: Mapping[str, TableCell]

    @property
    def name(self) -> TableCell:
        """The first cell."""
        return self.cells[0]


def tables_of(text: str, units: Sequence[Unit]) -> list[list[Unit]]:
    """The tables of a document, each with all its rows. Rows that follow each other are of one table if they share a header.

    A row lacks its empty cells; a table that goes on on the next page has its header twice.
    """
    tables: list[list[Unit]] = []
    known = set[tuple[Span, ...]]()
    headings = set[str]()
    last: Unit | None = None
    for unit in units:
        if unit.kind not in _ROWS:
            last = None
            continue
        names = {value.names for value in unit.named_values if value.names}
        new = names - known
        own = {_literal(text, spans) for spans in new}
        is_same = len(new) < len(names) or own <= headings or headings <= own
        if last is None or last.lead != unit.lead or not is_same:
            tables.append([])
            known, headings = set(), set()
            new, own = names, {_literal(text, spans) for spans in names}
        known |= new
        headings |= own
        tables[-1].append(unit)
        last = unit
    return tables


def rows_of(text: str, table: Sequence[Unit]) -> list[TableRow]:
    """The rows of a table with their cells."""
    return [_row(text, unit) for unit in table]


def _row(text: str, unit: Unit) -> TableRow:
    cells = tuple(
        TableCell(
            _literal(text, value.names),
            _literal(text, value.spans),
            Span(value.spans[0].start, value.spans[-1].end),
        )
        for value in unit.named_values
    )
    counts = Counter(cell.heading for cell in cells[1:])
    return TableRow(unit, cells, {cell.heading: cell for cell in cells[1:] if counts[cell.heading] == 1})


def _literal(text: str, spans: Sequence[Span]) -> str:
    return plain_line(" ".join(text[span.start : span.end] for span in spans))


def is_total(row: TableRow) -> bool:
    """Whether the row sums up others: "Total net sales", "All regions" under "Region"."""
    words = {word.casefold() for word in _WORD.findall(row.name.text)}
    others = words - _SUMMARIES
    return bool(words & _TOTALS) or (others < words and stems(" ".join(others)) <= stems(row.name.heading))


def may_be_total(row: TableRow) -> bool:
    """Whether the name of the row has a word that may say that it sums up others."""
    return any(word.casefold() in _SUMMARIES for word in _WORD.findall(row.name.text))


def compared_rows(asked: Superlative, rows: Sequence[TableRow], heading: str) -> tuple[list[TableRow], frozenset[str]]:
    """The rows that a question compares by the column under `heading`, and the words that choose them.

    All but totals; where the question names a cell that other rows lack ("in 2023"), the rows with that cell. The heading of
    such a cell may be named, too.
    """
    rows = [row for row in rows if not is_total(row)]
    chosen, said = list(rows), frozenset[str]()
    for column in dict.fromkeys(column for row in rows for column in row.values):
        if column == heading:
            continue
        texts = {row.values[column].text if column in row.values else "" for row in rows}
        named = {text for text in texts if stems(text) and stems(text) <= asked.words}
        if named and named < texts:
            chosen = [row for row in chosen if column in row.values and row.values[column].text in named]
            said |= stems(column).union(*map(stems, named))
    return chosen, said
