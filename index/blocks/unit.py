"""Unit: what can be quoted, and its rendering: how it is read. Pure.

A unit is a sentence of a paragraph, a list item, a table row, a record, a definition, a field, or a code block. A person reads
it together with what names it, and so do the encoder and the reader: `Plan: Medium · Price per month: 29 euros`. This rendering
is made of literal ranges of the document with a little text inserted between them, so every place in it leads back.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from index.blocks.block import Kind, Span

_PROSE = (Kind.PARAGRAPH, Kind.HEADING)
GLUE, VALUE_GLUE = "; ", ": "
"""What is read between the cells of a row or the fields of a record, and between what names a value and the value."""


class NamedValue(NamedTuple):
    """A value of a unit: the literal ranges that name it, outermost first, and those that it is read from, in order.

    A cell is named by its header cells, a field by its keys, a meaning by its term.
    """

    names: tuple[Span, ...]
    spans: tuple[Span, ...]


class Piece(NamedTuple):
    """A literal range of the document, and the text that is inserted before it when it is read."""

    before: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Unit:
    """Something that can be quoted: `text[start:end]`, which its chunk holds. Headings are units too, but they never answer.

    `kind` is that of its block; a sentence has the kind of the block it stands in. `lead` are the ranges that introduce it,
    outermost first (a lead-in, a caption, an item above it): they are read before it unless they have just been read. `pieces`
    are the ranges that are read, in order, header cells, keys and terms among them; what is struck out is not.
    """

    kind: Kind
    start: int
    end: int
    pieces: tuple[Piece, ...]
    lead: tuple[Span, ...] = ()

    @property
    def context(self) -> tuple[Span, ...]:
        """The literal ranges outside of the unit that it is read with, in order, each once: lead, header cells, keys."""
        pieces = [Span(piece.start, piece.end) for piece in self.pieces if piece.start < piece.end]
        outside = (span for span in pieces if not self.start <= span.start < self.end)
        return tuple(dict.fromkeys((*self.lead, *outside)))

    @property
    def values(self) -> tuple[Span, ...]:
        """The ranges of its cells, the values of its fields, or its meaning; of any other unit, its own range."""
        return tuple(Span(value.spans[0].start, value.spans[-1].end) for value in self.named_values)

    @property
    def named_values(self) -> tuple[NamedValue, ...]:
        """Its cells, the values of its fields, or its meaning, each with what names it; of any other unit, its own text."""
        return _named_values((piece.before, Span(piece.start, piece.end)) for piece in self.pieces)


class Origin(NamedTuple):
    """Where a literal stretch of a rendering, `rendering.text[start:end]`, stands in the document: from `source` on."""

    start: int
    end: int
    source: int


class RenderedUnit(NamedTuple):
    """A unit inside a rendering: the unit, and the range of its own pieces there, without its lead."""

    unit: Unit
    start: int
    end: int

    @property
    def named_values(self) -> tuple[NamedValue, ...]:
        """The named values of the unit, with their ranges in the rendering."""
        return _named_values(self._places())

    def _places(self) -> Iterator[tuple[str, Span]]:
        """What is inserted before each piece of the unit, and where the piece stands."""
        position = self.start
        for piece in self.unit.pieces:
            begin = position + len(piece.before)
            position = begin + piece.end - piece.start
            yield piece.before, Span(begin, position)


def _named_values(pieces: Iterable[tuple[str, Span]]) -> tuple[NamedValue, ...]:
    """The values that pieces, each with what is inserted before it, are grouped into."""
    groups: list[NamedValue] = []
    for before, span in pieces:
        if not groups or before == GLUE:
            groups.append(NamedValue((), (span,)))
            continue
        names, spans = groups[-1]
        if before == VALUE_GLUE:
            groups[-1] = NamedValue((*names, *spans), (span,))
        elif span.start < span.end:
            groups[-1] = NamedValue(names, (*spans, span))
    return tuple(groups)


class Rendering(NamedTuple):
    """A run of units as a person would read it: the text, where each unit stands in it, and where its stretches come from."""

    text: str
    units: tuple[RenderedUnit, ...]
    origins: tuple[Origin, ...]

    def source_spans(self, start: int, end: int) -> list[Span]:
        """Return the document's ranges for `text[start:end]`, one for each literal stretch of it."""
        return [
            Span(origin.source + begin - origin.start, origin.source + stop - origin.start)
            for origin in self.origins
            if (begin := max(start, origin.start)) < (stop := min(end, origin.end))
        ]

    def source_span(self, start: int, end: int) -> Span | None:
        """Return the document's range for `text[start:end]`, clipped to one literal stretch (the longest); None without one."""
        return max(self.source_spans(start, end), key=lambda span: span.end - span.start, default=None)

    def source_range(self, start: int, end: int) -> Span:
        """Return the range of the document that `text[start:end]` quotes: of whole units, where it begins or ends with one."""
        first = next((unit.start for unit, begin, _ in self.units if begin == start), None)
        last = next((unit.end for unit, _, stop in self.units if stop == end), None)
        if first is None or last is None:
            inside = self.source_spans(start, end)
            first = min(span.start for span in inside) if first is None else first
            last = max(span.end for span in inside) if last is None else last
        return Span(first, last)

    def literal(self, span: Span) -> str:
        """Return the document's text of a range that is read in one stretch. `KeyError` if it is not."""
        for origin in self.origins:
            if origin.source <= span.start and span.end <= origin.source + origin.end - origin.start:
                return self.text[origin.start + span.start - origin.source : origin.start + span.end - origin.source]
        raise KeyError(span)

    def spans(self) -> list[Span]:
        """Return where its units stand in it, in order."""
        return [Span(rendered.start, rendered.end) for rendered in self.units]

    def units_in(self, start: int, end: int) -> list[Unit]:
        """Return the units that lie in `text[start:end]`, in order."""
        return [rendered.unit for rendered in self.units if start <= rendered.start and rendered.end <= end]

    def alone(self, number: int) -> str:
        """Return a unit as it is read by itself: after its lead."""
        unit, start, end = self.units[number]
        return "\n".join([*(self._lead(lead, unit) for lead in unit.lead), self.text[start:end]])

    def _lead(self, span: Span, of: Unit) -> str:
        """The text of a lead, as the unit that it belongs to is read, if that is here and is not the unit that it leads."""
        for unit, start, end in self.units:
            if unit is not of and unit.start <= span.start and span.end <= unit.end:
                return self.text[start:end]
        return self.literal(span)


def render(text: str, units: Sequence[Unit]) -> Rendering:
    """Return the units of a document with the canonical text `text` as they are read one after the other.

    Between sentences and headings that only white space parts, that white space is kept, so prose reads as it is written. Other
    units stand on lines of their own. A lead is read before the first unit that needs it.
    """
    writer = _Writer(text)
    leads: tuple[Span, ...] = ()
    for unit in units:
        if unit.lead != leads:
            leads = unit.lead
            for lead in leads:
                writer.add_lead(lead)
        writer.add_unit(unit)
    return Rendering("".join(writer.parts), tuple(writer.units), tuple(writer.origins))


class _Writer:
    """Writes a rendering."""

    def __init__(self, text: str) -> None:
        self.parts: list[str] = []
        self.units: list[RenderedUnit] = []
        self.origins: list[Origin] = []
        self._rendered = _Cover()  # what is in it, as units or as leads
        self._text = text
        self._length = 0
        self._end: int | None = None  # where the sentence before ends in the document

    def add_unit(self, unit: Unit) -> None:
        """Read the unit's pieces, after a gap."""
        gap = self._text[self._end : unit.start] if self._end is not None and self._end <= unit.start else None
        is_prose = unit.kind in _PROSE and gap is not None and not gap.strip()
        if is_prose and gap:
            self._write(Piece("", unit.start - len(gap), unit.start))
        elif self._length and not is_prose:
            self._insert("\n")
        start = self._length
        for piece in unit.pieces:
            self._write(piece)
        self.units.append(RenderedUnit(unit, start, self._length))
        self._rendered.add(unit.start, unit.end)
        self._end = unit.end if unit.kind in _PROSE else None

    def add_lead(self, lead: Span) -> None:
        """Read the range on a line of its own, unless it has been read."""
        if self._rendered.holds(lead.start, lead.end):
            return
        self._rendered.add(lead.start, lead.end)
        if self._length:
            self._insert("\n")
        self._write(Piece("", lead.start, lead.end))
        self._end = None

    def _write(self, piece: Piece) -> None:
        before, source, stop = piece
        if before:
            self._insert(before)
        if source >= stop:
            return
        begin = self._length
        self._insert(self._text[source:stop])
        if self.origins:
            first, last, origin = self.origins[-1]
            if last == begin and origin + last - first == source:
                self.origins[-1] = Origin(first, self._length, origin)
                return
        self.origins.append(Origin(begin, self._length, source))

    def _insert(self, text: str) -> None:
        self.parts.append(text)
        self._length += len(text)


class _Cover:
    """Ranges; those that lie inside another are left out, so that with their starts their ends rise too."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def holds(self, start: int, end: int) -> bool:
        """Whether the range lies inside one of these."""
        place = bisect_right(self._starts, start) - 1
        return place >= 0 and end <= self._ends[place]

    def add(self, start: int, end: int) -> None:
        """Add a range."""
        if self.holds(start, end):
            return
        first = bisect_left(self._starts, start)
        last = bisect_right(self._ends, end, lo=first)
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]
