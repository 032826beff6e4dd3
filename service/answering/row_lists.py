"""All the rows of a table that a question asks for or wants counted: "Which plans cost more than 20 euros?".

All of these must hold, else no rows are chosen: the rows are what the question names, by the heading of their names or by what
the table stands under; every other word of the question is the heading of a column, or of what the table stands under, or one
that the cells of one column have in some rows and not in others (only those rows are chosen); a limit is one of a single
column, in which every row has exactly one figure that can be compared with it; and of several tables that fit, one is later
than the others. Rows of totals are left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.blocks.block import Span
from index.blocks.statement import statement
from index.records import Hit
from index.uris import file_words
from service.answering.overview import as_passages
from service.answering.rankings import MAX_TABLES, ChunksOf, DocumentOf, holding, latest_of, tables_held
from service.answering.tables import TableCell, TableRow, is_total, may_be_total
from service.generators.extractive import ExtractiveGenerator
from service.generators.protocol import Draft, Passage, Quote
from service.generators.whole_lists import MAX_ITEMS
from service.parts.figures import in_cell
from service.parts.row_questions import Bound, RowQuestion, row_question
from service.parts.superlatives import fits_measure
from service.text.plain import plain_line
from service.text.terms import stems

_NAMES = stems("item name type kind category description title label position bezeichnung name")
"""Headings that say nothing of what the rows are."""


@dataclass(frozen=True, slots=True)
class RowList:
    """The names of the rows that are asked for, by where the rows begin in the document, in the order of the table.

    `counts`: how many they are is asked. `passages` hold them all.
    """

    counts: bool
    names: dict[int, TableCell]
    passages: tuple[Passage, ...]


def find_rows(question: str, passages: Sequence[Passage], document: DocumentOf, chunks: ChunksOf) -> RowList | None:
    """The rows that the question asks for, of a table that one of the passages has a row of."""
    asked = row_question(question)
    if asked is None:
        return None
    found: list[tuple[Hit, list[TableRow]]] = []
    seen: set[tuple[str, int]] = set()
    for hit, rows in tables_held(passages, document):
        place = (hit.chunk.document_id, rows[0].unit.start)
        if place in seen or len(seen) == MAX_TABLES:
            continue
        seen.add(place)
        chosen = rows_asked_for(asked, rows, table_context(hit.uri, hit.title, hit.chunk.trail))
        found += [(hit, chosen)] if chosen else []
    latest = latest_of([hit for hit, _ in found])
    if latest is None:
        return None
    hit, chosen = found[latest]
    names = {row.unit.start: row.name for row in chosen}
    held = holding(hit, names, names, [*passages, *as_passages(chunks(hit.chunk.document_id))])
    return RowList(asked.counts, names, held) if held else None


def table_context(uri: str, title: str, trail: Sequence[str]) -> str:
    """What a table stands under: the name of its file, the title of the document, and the headings."""
    return " ".join((file_words(uri), title, *trail))


def rows_asked_for(asked: RowQuestion, rows: Sequence[TableRow], context: str) -> list[TableRow]:
    """The rows of a table that a question asks for, at most MAX_ITEMS; none in any doubt. `context` is what it stands under."""
    key = rows[0].name.heading
    rows = [row for row in rows if not is_total(row)]
    if len(rows) < 2 or any(row.name.heading != key for row in rows) or may_be_total(rows[-1]):
        return []
    columns = list(dict.fromkeys(heading for row in rows for heading in row.values))
    own, about = stems(key), stems(context)
    if asked.noun not in own and (asked.noun not in about or not (own <= _NAMES or own & asked.words)):
        return []
    limited = _limited(asked, rows, columns)
    if limited is None:
        return []
    chosen, named = limited
    known = own | about | named | stems(" ".join(columns))
    for word in sorted(asked.words - known):
        fitting = [column for column in columns if _has(rows, column, word)]
        if len(fitting) != 1:
            return []
        [column] = fitting
        chosen = [row for row in chosen if column in row.values and word in stems(row.values[column].text)]
    return chosen if 0 < len(chosen) <= MAX_ITEMS else []


def _has(rows: Sequence[TableRow], column: str, word: str) -> bool:
    """Whether the cells of a column have the word in some rows and not in others."""
    having = [column in row.values and word in stems(row.values[column].text) for row in rows]
    return any(having) and not all(having)


def _limited(
    asked: RowQuestion, rows: Sequence[TableRow], columns: Sequence[str]
) -> tuple[list[TableRow], frozenset[str]] | None:
    """The rows within the limit of the question, and the words that name its column and unit; None in any doubt."""
    if asked.bound is None:
        return list(rows), frozenset()
    is_measured = not asked.implied or fits_measure(asked.implied, asked.bound.figure)
    naming = asked.implied | (asked.words if is_measured else frozenset())
    fitting = [column for column in columns if stems(column) & naming]
    found = [(column, within) for column in fitting if (within := _within(asked.bound, rows, column)) is not None]
    if len(found) != 1:
        return None
    [(column, within)] = found
    unit = stems(asked.bound.figure.after)
    return [row for row, holds in zip(rows, within, strict=True) if holds], asked.implied | stems(column) | unit


def _within(bound: Bound, rows: Sequence[TableRow], column: str) -> list[bool] | None:
    """For each row whether its figure in the column is within the limit; None if one row has none that can be compared."""
    within: list[bool] = []
    for row in rows:
        text = row.values[column].text if column in row.values else ""
        figures = in_cell(text, column, "")
        holds = bound.holds(figures[0], text) if len(figures) == 1 else None
        if holds is None:
            return None
        within.append(holds)
    return within


@dataclass(frozen=True, slots=True)
class RowsGenerator:
    """Quotes the rows that `find_rows` chose, one sentence for each."""

    rows: RowList
    name: str = ExtractiveGenerator.name

    def generate(self, question: str, passages: Sequence[Passage], parts: Sequence[str] = ()) -> Iterator[Draft]:
        """Yield the rows in the order of the table."""
        places = {
            one.unit.start: (number, place)
            for number, passage in reversed(list(enumerate(passages)))
            for place, one in enumerate(passage.rendering.units)
            if one.unit.start in self.rows.names and _is_of(passage, self.rows)
        }
        for start in self.rows.names:
            if start in places:
                number, place = places[start]
                passage = passages[number]
                rendered = passage.rendering.units[place]
                answer = passage.reading.sentences[place].answer
                quote = Quote(number, Span(rendered.start, rendered.end), answer)
                yield Draft(statement([rendered.unit], passage.literal, plain_line), (quote,))


def _is_of(passage: Passage, rows: RowList) -> bool:
    """Whether the passage is one of those that hold the rows."""
    return any(passage.hit.chunk.id == held.hit.chunk.id for held in rows.passages)
