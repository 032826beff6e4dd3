"""Which rows and records a question asks for, and which of their values: by the words that it shares with them. Pure.

A reader of text tells the rows of a table apart by their key and finds the value under its heading. The reader network often
does not, since the rows read alike. Words decide here: a row that shares less with the question than another row of its table,
and nothing more, is another row; the value under the heading that the question names is the one it asks for.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from index.blocks.block import Kind, Span
from index.blocks.unit import RenderedUnit
from index.languages.frequent_words import FREQUENT_WORDS, likely_language
from service.generators.protocol import Passage
from service.scoring.reader import passage_context
from service.text.dates import Date, date_spans, dates
from service.text.terms import stem, stems

NAMED_UNITS = frozenset({Kind.ROW, Kind.RECORD, Kind.FIELD, Kind.MEANING})
"""The kinds of units that are named by their first value, their key or their term."""
_MAX_KEY = 80  # characters of a value that names its row
_WHY = re.compile(r"\b(?:why|how (?:do|can|should|to)|warum|wieso|pourquoi|por qué|perché)\b", re.IGNORECASE)
_POSSESSIVE = re.compile(r"['’]s?(?!\w)")
_FIRST_NOUN = re.compile(r"\W*(?:which|what|whose|welche[rsmn]?)\s+(?P<noun>[^\W\d_]+)", re.IGNORECASE)
_NEUTRAL = frozenset(
    """number amount value total figure name use hold report record post earn generate own spend list according stated given
    bring make show see incur recognize was
    sind war waren hat haben hatte kostet""".split()
)
"""Words of a question that a row need not share: they say that a value is asked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of a question, as stems, and its dates."""

    words: frozenset[str]
    dates: Mapping[str, frozenset[Date]]

    @classmethod
    def of(cls, question: str) -> "Asked":
        """The words of a question, without the endings of possessives. Those of a date count as that date."""
        spans = date_spans(question)
        rest = list(question)
        for start, end in spans:
            rest[start:end] = " " * (end - start)
        found = {f"\0{question[start:end]}": dates(question[start:end]) for start, end in spans}
        frequent = FREQUENT_WORDS.get(likely_language(question, 1), frozenset())
        words = stems(_POSSESSIVE.sub("", "".join(rest)))
        return cls((words - {stem(word) for word in frequent}) | found.keys(), found)

    def shared(self, text: str) -> frozenset[str]:
        """Those of its words and dates that a text holds."""
        own = dates(text) if self.dates else frozenset()
        fitting = (name for name, asked in self.dates.items() if any(a.fits(b) for a in asked for b in own))
        return (stems(text) & self.words) | frozenset(fitting)


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a row: what the question shares with its headings and with itself, and its place in the passage's text."""

    heading: str
    in_heading: frozenset[str]
    shared: frozenset[str]
    is_key: bool
    place: Span


@dataclass(frozen=True, slots=True)
class Row:
    """A row, record, field or definition as a question sees it: its values, and the words shared with what leads it.

    `name` is its first value in small letters; `is_led`: whether one of its leads stands in the question whole,
    `is_headed`: whether the innermost does, such as the row that heads a group of rows.
    """

    passage: int
    unit: int
    table: tuple[str, Kind]
    name: str
    values: tuple[Value, ...]
    in_lead: frozenset[str]
    is_led: bool
    is_headed: bool
    headings: frozenset[str]

    @property
    def shared(self) -> frozenset[str]:
        """The words of the question that its values and leads hold."""
        return self.in_lead.union(*(value.shared for value in self.values))


@dataclass(frozen=True, slots=True)
class RowChoice:
    """What the words of a question say of the rows: each by its passage and unit.

    `others` are not asked for: another row shares more with the question, or the value that is asked for is blank. `values`
    are the places of the values that are asked for. `found` are the rows whose key and heading the question names, if it
    names nothing else and they give one value: a figure may stand in the tables of several documents.
    """

    others: frozenset[tuple[int, int]]
    values: Mapping[tuple[int, int], Span]
    found: frozenset[tuple[int, int]]


def choose_rows(question: str, passages: Sequence[Passage], about: Sequence[str] = ()) -> RowChoice:
    """Compare the question with the rows, records, fields and definitions of the passages.

    `about` says for each passage what of the question all of its document is about, such as the company that reports.
    """
    asked = Asked.of(question)
    known = [stems(text) for text in about] or [frozenset[str]()] * len(passages)
    rows = [row for number, passage in enumerate(passages) for row in _rows(number, passage, asked)]
    tables: dict[tuple[str, Kind], list[Row]] = defaultdict(list)
    for row in rows:
        tables[row.table].append(row)
    named_first = _FIRST_NOUN.match(question)
    keys = {row.values[0].shared for row in rows if row.values and row.values[0].is_key}
    others: set[tuple[int, int]] = set()
    values: dict[tuple[int, int], Span] = {}
    found: dict[tuple[int, int], str] = {}
    for row in rows:
        siblings = [other for other in tables[row.table] if _is_sibling(row, other)]
        place = (row.passage, row.unit)
        columns = _asked_headings(row, siblings, named_first)
        column = columns[0] if len(columns) == 1 else ""
        asked_for = [value for value in row.values if value.heading in columns]
        if column and asked_for:
            values[place] = asked_for[0].place
        is_other = any(_shares_more(other, row) or _is_named_better(other, row) for other in siblings)
        if (column and not asked_for) or is_other or _adds_to_key(row, keys):
            others.add(place)
        elif asked_for and not _WHY.search(question):
            context = asked.shared(passage_context(passages[row.passage].hit)) | (known[row.passage] & asked.words)
            if _is_looked_up(row, siblings, asked_for, asked.words, context):
                text = passages[row.passage].text
                found[place] = " ".join("".join(text[slice(*value.place)].split()) for value in asked_for)
    return RowChoice(frozenset(others), values, frozenset(found) if len(set(found.values())) == 1 else frozenset())


def _rows(number: int, passage: Passage, asked: Asked) -> Iterator[Row]:
    hit = passage.hit
    context = asked.shared(passage_context(hit))
    for place, rendered in enumerate(passage.rendering.units):
        unit = rendered.unit
        if unit.kind in NAMED_UNITS:
            values = tuple(_values(rendered, passage.text, asked, context))
            leads = [passage.literal(lead) for lead in unit.lead]
            in_lead = frozenset[str]().union(*(asked.shared(lead) for lead in leads))
            whole = [bool(stems(lead)) and stems(lead) <= asked.words for lead in leads]
            headings = frozenset(value.heading for value in values if value.heading)
            table = (hit.chunk.document_id, unit.kind)
            name = passage.text[slice(*values[0].place)].casefold() if values else ""
            yield Row(number, place, table, name, values, in_lead, any(whole), bool(whole) and whole[-1], headings)


def _values(rendered: RenderedUnit, text: str, asked: Asked, context: frozenset[str]) -> Iterator[Value]:
    """The values of a unit with their headings, where they stand in the text of the passage.

    What its `context`, the headings above, shares with the question tells no row from another, unless it names the row
    whole.
    """
    for number, (names, spans) in enumerate(rendered.named_values):
        heading = " ".join(text[start:end] for start, end in names)
        place = Span(spans[0].start, spans[-1].end)
        value = text[place.start : place.end]
        is_whole = stems(value) <= asked.words
        shared = asked.shared(value) if number == 0 and is_whole else asked.shared(value) - context
        is_key = place.end - place.start <= _MAX_KEY and bool(shared) and (is_whole or _is_date(shared))
        yield Value(heading, asked.shared(heading) | _agents(heading, asked), shared, is_key, place)


def _agents(heading: str, asked: Asked) -> frozenset[str]:
    """The verbs of a question for which a heading names who does it: Owner for "owns", Leader for "leads"."""
    own = stems(heading)
    return frozenset(word for word in asked.words if any(stem(word + ending) in own for ending in ("er", "or", "r")))


def _is_date(shared: frozenset[str]) -> bool:
    return any(word.startswith("\0") for word in shared)


def _is_sibling(row: Row, other: Row) -> bool:
    """Whether two rows are of the same table: most of their headings are the same, or none has any."""
    if not row.headings or not other.headings:
        return not row.headings and not other.headings and row.passage == other.passage
    return 2 * len(row.headings & other.headings) >= len(row.headings | other.headings)


def _shares_more(other: Row, row: Row) -> bool:
    """Whether another row shares all that this one does with the question, and more.

    Against a row that shares nothing, one of its values must stand in the question whole.
    """
    return row.shared < other.shared and (bool(row.shared) or any(value.is_key for value in other.values))


def _is_named_better(other: Row, row: Row) -> bool:
    """Whether the question gives the name of another row whole, and of this one less; or its group, of two of one name."""
    if not row.values or not other.values:
        return False
    if other.name == row.name:
        return other.is_headed and not row.is_headed
    key = other.values[0]
    return key.is_key and bool(row.values[0].shared) and row.values[0].shared < key.shared


def _adds_to_key(row: Row, keys: Collection[frozenset[str]]) -> bool:
    """Whether the name of a row adds to a key, which the question gives whole: "Percentage of total sales"."""
    own = row.values[0] if row.values else None
    return own is not None and not own.is_key and len(own.shared) > 1 and own.shared in keys


def _asked_headings(row: Row, siblings: Sequence[Row], noun: re.Match[str] | None) -> list[str]:
    """The headings that the question names, among those of the table, but for that of a key: several if equally well.

    The heading of the names of the rows is the one asked for only if the question asks which of them: `noun` is its first.
    """
    keys = {value.heading for value in row.values if value.shared}
    named = {
        value.heading: value.in_heading
        for other in siblings
        for value in other.values
        if value.in_heading and value.heading not in keys
    }
    best = [heading for heading, words in named.items() if not any(words < others for others in named.values())]
    names = row.values[0].heading if row.values else ""
    if len(best) > 1 and names in best:
        is_asked = noun is not None and stem(noun["noun"]) in named[names]
        best = [names] if is_asked else [heading for heading in best if heading != names]
    return best


def _is_looked_up(
    row: Row, siblings: Sequence[Row], own: Sequence[Value], words: frozenset[str], context: frozenset[str]
) -> bool:
    """Whether the question names the row and the headings of the values, and nothing besides."""
    is_alone = all(other is row for other in siblings)
    if not is_alone and not row.is_led and not any(value.is_key for value in row.values):
        return False
    known = (row.shared | context).union(*(value.in_heading for value in (*own, *row.values)))
    return words - _NEUTRAL_STEMS <= known


_NEUTRAL_STEMS = frozenset(stem(word) for word in _NEUTRAL)
