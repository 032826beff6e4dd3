"""Numbered citations from quotes: numbers by first use, document offsets and pages; and conflicts between them. Pure."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from index.blocks.block import Kind, Span
from index.blocks.unit import Unit
from index.chunking.units import LONG_CHARACTERS
from index.records import Page
from service.generators.protocol import Passage, Quote
from service.records import Citation, Excerpt, QuotedUnit, QuotedValue
from service.text.cells import Cells
from service.text.contradictions import CONTEXT_SEPARATOR, Evidence, denies
from service.text.terms import Terms, gives_other_figures
from service.text.times import is_newer

_VALUED = frozenset({Kind.ROW, Kind.RECORD, Kind.FIELD, Kind.MEANING})


class Numbering:
    """Numbers the quoted places, from 1 by first use; a place that is quoted again keeps its number.

    `pages` maps (document id, version) to the pages of the documents that may be cited.
    """

    def __init__(self, passages: Sequence[Passage], pages: Mapping[tuple[str, str], Sequence[Page]]) -> None:
        self._passages = passages
        self._pages = pages
        self._by_place: dict[tuple[str, str, int, int], Citation] = {}

    def over(self, passages: Sequence[Passage]) -> "Numbering":
        """The same numbers for quotes of other passages."""
        other = Numbering(passages, self._pages)
        other._by_place = self._by_place
        return other

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The citations so far, in order of their numbers."""
        return tuple(self._by_place.values())

    def cite(self, quote: Quote) -> Citation:
        """The citation of a quote, new or already numbered."""
        passage = self._passages[quote.passage]
        chunk = passage.hit.chunk
        start, end = passage.rendering.source_range(*quote.span)
        place = (chunk.document_id, chunk.version, start, end)
        if place not in self._by_place:
            self._by_place[place] = Citation(
                number=len(self._by_place) + 1,
                document_id=chunk.document_id,
                version=chunk.version,
                title=passage.hit.title,
                uri=passage.hit.uri,
                page=citation_page(self._pages[chunk.document_id, chunk.version], start),
                start=start,
                end=end,
                quote=chunk.text[start - chunk.start : end - chunk.start],
                chunk_id=chunk.id,
                score=passage.hit.score,
                trail=chunk.trail,
                highlight=_highlight(passage, quote, start, end),
                context=_context(passage, quote, start, end),
                units=quoted_units(passage.rendering.units_in(*quote.span)),
            )
        return self._by_place[place]


def citation_page(pages: Sequence[Page], offset: int) -> int | None:
    """The number of the page that holds the code point at `offset`; None for a document without pages."""
    if not pages:
        return None
    place = bisect_right(pages, offset, key=lambda page: page.start) - 1
    return pages[max(place, 0)].number


def with_markers(text: str, numbers: Sequence[int]) -> str:
    """A sentence followed by its markers: `Seoul counts six. [1][2]`."""
    return f"{text} {''.join(f'[{number}]' for number in numbers)}" if numbers else text


def conflicts(citations: Sequence[Citation]) -> Iterator[tuple[Citation, Citation]]:
    """Pairs of quotes from different documents that do not say the same.

    They have nearly the same words, and each has a figure that the other lacks, or a word that decides differs; or they give
    one value at two times. Two rows have one name, and another value under one heading.
    """
    for one, other in combinations(citations, 2):
        if one.document_id == other.document_id:
            continue
        rows = [_cells(citation) for citation in (one, other)]
        if rows[0] is not None and rows[1] is not None:
            if rows[0].denies(rows[1]):
                yield one, other
            continue
        has_others = gives_other_figures(Terms.of(one.quote), Terms.of(other.quote))
        is_dated = is_newer(_evidence(one), _evidence(other)) is not None
        if is_dated or has_others or denies([_evidence(one)], other.quote):
            yield one, other


def newer_of(one: Citation, other: Citation) -> Citation | None:
    """The newer of two quotes that give one value at two times; None if dates do not tell."""
    newer = is_newer(_evidence(one), _evidence(other))
    return None if newer is None else one if newer else other


def _cells(citation: Citation) -> Cells | None:
    """The cells of a citation that quotes one row or record; None for any other."""
    if len(citation.units) != 1 or citation.units[0].kind not in (Kind.ROW, Kind.RECORD):
        return None
    return Cells.of(
        (" ".join(citation.text_at(*name) for name in value.names), " ".join(citation.text_at(*s) for s in value.spans))
        for value in citation.units[0].values
    )


def _evidence(citation: Citation) -> Evidence:
    return Evidence(citation.quote, CONTEXT_SEPARATOR.join((citation.title, *citation.trail)))


def _highlight(passage: Passage, quote: Quote, start: int, end: int) -> tuple[int, int] | None:
    """The answer in the document; None if it does not stand in the quote itself.

    In a row, a record, a field or a definition it is the whole cell, value or meaning that holds most of it.
    """
    if quote.highlight is None:
        return None
    span = _value(passage, quote.highlight) or passage.rendering.source_span(*quote.highlight)
    return (span.start, span.end) if span is not None and start <= span.start and span.end <= end else None


def _value(passage: Passage, highlight: Span) -> Span | None:
    """The value that holds most of the highlight; None in other units, and where only what names a value is highlighted."""
    rendering = passage.rendering
    inside = (unit for unit, start, end in rendering.units if start <= highlight.start and highlight.end <= end)
    unit = next(inside, None)
    if unit is None or unit.kind not in _VALUED:
        return None
    marked = rendering.source_spans(*highlight)
    shares = {
        value: sum(max(0, min(value.end, span.end) - max(value.start, span.start)) for span in marked)
        for value in unit.values
        if value.end - value.start <= LONG_CHARACTERS
    }
    best = max(shares, key=lambda value: shares[value], default=None)
    return best if best is not None and shares[best] else None


def _context(passage: Passage, quote: Quote, start: int, end: int) -> tuple[Excerpt, ...]:
    units = passage.rendering.units_in(*quote.span)
    spans = dict.fromkeys(span for unit in units for span in unit.context if not start <= span.start < end)
    return tuple(Excerpt(*span, passage.literal(span)) for span in spans)


def quoted_units(units: Sequence[Unit]) -> tuple[QuotedUnit, ...]:
    """The units as a citation tells them."""
    return tuple(
        QuotedUnit(
            unit.kind,
            unit.start,
            unit.end,
            tuple(
                QuotedValue(spans, value.names)
                for value in unit.named_values
                if (spans := tuple(span for span in value.spans if span.start < span.end))
            ),
        )
        for unit in units
    )
