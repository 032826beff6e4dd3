"""The figures at the places that a citation quotes, each with its literal range in the document. Pure.

A figure in a cell is read under the name of its column, so that it has a unit.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from index.blocks.block import Kind, Span
from service.parts.figures import Figure, figures_of, in_cell
from service.records import Citation, Operand, QuotedUnit

_NAMED = frozenset({Kind.ROW, Kind.RECORD, Kind.FIELD})


class CitedFigure(NamedTuple):
    """A figure that a citation quotes: its range counts in the document, and `value` is the range of its cell."""

    citation: Citation
    figure: Figure
    value: Span

    @property
    def quote(self) -> str:
        """The figure as it is written."""
        return self.citation.quote[self.figure.start - self.citation.start : self.figure.end - self.citation.start]

    def operand(self, label: str) -> Operand:
        """The figure as the operand of a derivation."""
        return Operand(self.citation.number, self.figure.start, self.figure.end, self.quote, label)


def figures_in(citation: Citation) -> list[CitedFigure]:
    """The figures that a citation quotes, in order. Without its units (an answer of an earlier release) none."""
    return [found for unit in citation.units for found in figures_of_unit(citation, unit)]


def figures_of_unit(citation: Citation, unit: QuotedUnit) -> Iterator[CitedFigure]:
    """The figures of one unit of a citation."""
    if unit.kind not in _NAMED:
        start, end = max(unit.start, citation.start), min(unit.end, citation.end)
        for figure in figures_of(citation.quote[start - citation.start : end - citation.start]):
            yield CitedFigure(citation, _moved(figure, start), Span(start, end))
        return
    row = f"{citation.document_id}:{unit.start}"
    for value in unit.values:
        header = citation.text_at(*value.names[-1]) if value.names else ""
        for start, end in value.spans:
            if citation.start <= start and end <= citation.end:
                for figure in in_cell(citation.quote[start - citation.start : end - citation.start], header, row):
                    yield CitedFigure(citation, _moved(figure, start), Span(start, end))


def _moved(figure: Figure, offset: int) -> Figure:
    return replace(figure, start=figure.start + offset, end=figure.end + offset)
