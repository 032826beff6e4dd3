"""The row of a table with the highest or the lowest figure in one column, if the question asks for it and nothing is in doubt.

All of these must hold, else nothing is ranked: every word of the question is one of the heading of the column, of what names
the rows, of a cell that some rows have and others have not (only those rows are compared), or of what the table stands under;
only one column fits, by its heading or, if the question names it, by the units of its figures; every row has exactly one figure
there, all of one unit; and of several tables that fit, one is later than the others. Rows of totals are left out; nothing is
ranked if the best row may be one.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from index.blocks.block import Kind, Span
from index.blocks.unit import Unit
from index.chunking.units import document_units
from index.records import Document, Hit
from index.uris import file_words
from service.answering.evidence import LOOKED_UP
from service.answering.overview import as_passages
from service.answering.tables import MAX_ROWS, TableRow, compared_rows, may_be_total, rows_of, tables_of
from service.generators.protocol import Passage
from service.parts.figures import Figure, can_compare, in_cell, order
from service.parts.superlatives import Superlative, fits_measure, superlative_of
from service.scoring.reader import Reading, passage_context
from service.text.contradictions import CONTEXT_SEPARATOR, Evidence
from service.text.dates import dates
from service.text.recency import is_later
from service.text.terms import stems

MAX_TABLES = 8
_NAMES = stems("item name type kind category description product article title label position bezeichnung artikel name")
_MOST_BY_CHANCE = 3  # rows of which one may be the sum of the others by chance; of more, the first or last is a total
_RANKED_ABOVE = 10.0  # logits by which the row is above the others of its table

DocumentOf = Callable[[str, str], Document]
ChunksOf = Callable[[str], Sequence[Hit]]
"""Document id -> its chunks."""


@dataclass(frozen=True, slots=True)
class RankedRow:
    """A row that is compared: its name, where it begins in the document, and its figure, whose places count there too."""

    name: str
    start: int
    figure: Figure
    value: Span


@dataclass(frozen=True, slots=True)
class Ranking:
    """The rows that are compared, in the order of the table; `best` are the places of those with the highest or lowest figure.

    `passages` hold all of them; the first of the best answers better than every other row.
    """

    is_highest: bool
    rows: tuple[RankedRow, ...]
    best: tuple[int, ...]
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    rows: tuple[RankedRow, ...]
    best: tuple[int, ...]
    hit: Hit


def find_ranking(question: str, passages: Sequence[Passage], document: DocumentOf, chunks: ChunksOf) -> Ranking | None:
    """The ranking that the question asks for, over a table that one of the passages has a row of."""
    asked = superlative_of(question)
    if asked is None:
        return None
    found: list[_Found] = []
    seen: set[tuple[str, int]] = set()
    for hit, rows in tables_held(passages, document):
        place = (hit.chunk.document_id, rows[0].unit.start)
        if place in seen or len(seen) == MAX_TABLES:
            continue
        seen.add(place)
        ranked = _rank(asked, question, rows, hit)
        found += [_Found(*ranked, hit)] if ranked is not None else []
    chosen = _only(found)
    if chosen is None:
        return None
    starts = [row.start for row in chosen.rows]
    best = chosen.rows[chosen.best[0]].start
    held = holding(chosen.hit, starts, {best}, [*passages, *as_passages(chunks(chosen.hit.chunk.document_id))])
    return Ranking(asked.is_highest, chosen.rows, chosen.best, held) if held else None


def tables_held(passages: Sequence[Passage], document: DocumentOf) -> Iterator[tuple[Hit, list[TableRow]]]:
    """The tables that the passages have rows of, whole, in the order of the passages."""
    known: dict[tuple[str, str], tuple[str, list[list[Unit]]]] = {}
    for passage in passages:
        chunk = passage.hit.chunk
        starts = {one.unit.start for one in passage.rendering.units if one.unit.kind in (Kind.ROW, Kind.RECORD)}
        if not starts:
            continue
        place = (chunk.document_id, chunk.version)
        if place not in known:
            read = document(*place)
            known[place] = read.text, tables_of(read.text, document_units(read))
        text, tables = known[place]
        for table in tables:
            if len(table) <= MAX_ROWS and any(unit.start in starts for unit in table):
                yield passage.hit, rows_of(text, table)


def _rank(
    asked: Superlative, question: str, rows: Sequence[TableRow], hit: Hit
) -> tuple[tuple[RankedRow, ...], tuple[int, ...]] | None:
    """The rows to compare and the best of them; None in any doubt."""
    key = rows[0].name.heading
    if len(rows) < 2 or any(row.name.heading != key for row in rows):
        return None
    heading = _column(asked, question, rows)
    if heading is None:
        return None
    chosen, filters = compared_rows(asked, rows, heading)
    context = stems(f"{file_words(hit.uri)} {passage_context(hit)}")
    known = stems(key) | stems(heading) | filters | context
    is_named = bool(stems(key) & (asked.words | _NAMES)) or (not key and bool(context & asked.words))
    if not asked.words <= known or not is_named or len(chosen) < 2:
        return None
    ranked = [_ranked_row(row, heading) for row in chosen]
    figures = [row for row in ranked if row is not None]
    if len(figures) < len(ranked) or len({row.name for row in figures}) < len(figures):
        return None
    best = _best(figures, is_highest=asked.is_highest)
    return None if best is None or any(may_be_total(chosen[place]) for place in best) else (tuple(figures), best)


def _column(asked: Superlative, question: str, rows: Sequence[TableRow]) -> str | None:
    """The heading of the only column that fits best; None if there is none, or more than one."""
    wanted = dates(question)
    counts: dict[str, int] = {}
    for heading in dict.fromkeys(heading for row in rows for heading in row.values):
        own = stems(heading)
        cells = [row.values[heading].text for row in rows if heading in row.values]
        if any(stems(text) and stems(text) <= asked.words for text in cells):
            continue  # it chooses rows
        figures = [figure for text in cells for figure in in_cell(text, heading, "")]
        is_implied = bool(own & asked.implied)
        is_measured = bool(own & asked.words) and all(fits_measure(asked.implied, figure) for figure in figures)
        if asked.implied and not is_implied and not is_measured:
            continue
        stated = dates(heading)
        if wanted and stated and not any(one.fits(other) for one in wanted for other in stated):
            continue
        shared = len(own & asked.words) + is_implied
        if shared and figures:
            counts[heading] = shared
    most = max(counts.values(), default=0)
    best = [heading for heading, count in counts.items() if count == most]
    return best[0] if len(best) == 1 else None


def _ranked_row(row: TableRow, heading: str) -> RankedRow | None:
    cell = row.values.get(heading)
    found = in_cell(cell.text, heading, "") if cell is not None else []
    if cell is None or len(found) != 1 or cell.span.end - cell.span.start != len(cell.text):
        return None
    figure = replace(found[0], start=found[0].start + cell.span.start, end=found[0].end + cell.span.start)
    return RankedRow(row.name.text, row.unit.start, figure, cell.span)


def _best(rows: Sequence[RankedRow], *, is_highest: bool) -> tuple[int, ...] | None:
    """The places of the rows with the highest or lowest figure; None if they cannot be compared, or the highest sums up all."""
    first = rows[0].figure
    if not all(can_compare(first, row.figure) for row in rows[1:]):
        return None
    best = max(rows, key=lambda row: row.figure.low) if is_highest else min(rows, key=lambda row: row.figure.low)
    others = sum(row.figure.low for row in rows) - best.figure.low
    if len(rows) > _MOST_BY_CHANCE and best.figure.low == others and best in (rows[0], rows[-1]):
        return None
    return tuple(n for n, row in enumerate(rows) if order(row.figure, best.figure) == 0)


def _only(found: Sequence[_Found]) -> _Found | None:
    """The only table that was found, or the one that is later than every other."""
    latest = latest_of([one.hit for one in found])
    return None if latest is None else found[latest]


def latest_of(hits: Sequence[Hit]) -> int | None:
    """The place of the only hit, or of the one that is later than every other."""
    latest = [place for place, one in enumerate(hits) if all(one is other or _is_later(one, other) for other in hits)]
    return latest[0] if len(latest) == 1 else None


def _is_later(one: Hit, other: Hit) -> bool:
    first, second = (Evidence("", CONTEXT_SEPARATOR.join((hit.title, *hit.chunk.trail))) for hit in (one, other))
    return is_later(first, second)


def holding(
    hit: Hit, starts: Collection[int], best: Collection[int], passages: Sequence[Passage]
) -> tuple[Passage, ...]:
    """Passages of the document that together hold all the rows that begin at `starts`; empty if some row is in none.

    The rows that begin at `best` are raised above the others.
    """
    missing = set(starts)
    chosen: list[Passage] = []
    place = (hit.chunk.document_id, hit.chunk.version)
    for passage in passages:
        chunk = passage.hit.chunk
        held = {one.unit.start for one in passage.rendering.units} & missing
        if held and (chunk.document_id, chunk.version) == place:
            missing -= held
            raised = held & set(best)
            chosen.append(_raised(passage, raised) if raised else passage)
    return tuple(chosen) if not missing else ()


def _raised(passage: Passage, starts: Collection[int]) -> Passage:
    """The passage in which the rows that begin at `starts` answer best, and their names are the answer."""
    readings = list(passage.reading.sentences)
    highest = max(sentence.score for sentence in readings)
    for place, rendered in enumerate(passage.rendering.units):
        if rendered.unit.start in starts:
            [spans, *_] = (value.spans for value in rendered.named_values)
            name = Span(spans[0].start, spans[-1].end)
            found = readings[place]
            alone = max(LOOKED_UP, found.alone or LOOKED_UP)
            readings[place] = replace(found, score=highest + _RANKED_ABOVE, answer=name, alone=alone)
    relevance = max(LOOKED_UP, passage.reading.relevance)
    return Passage(replace(passage.hit, score=relevance), Reading(relevance, tuple(readings)))
