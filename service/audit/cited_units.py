"""What a citation's range states and how it is read, from the units of the cited document."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from index.blocks.block import Span
from index.blocks.statement import statement
from index.blocks.unit import Unit, render
from index.chunking.units import document_units
from index.records import Document
from service.generators.extractive import MIN_OVERLAP
from service.records import Citation
from service.text.plain import plain_line
from service.text.terms import figures, words

Opener = Callable[[str, str], Document | None]
"""(document id, version) -> that version, or another document with the same bytes; None if there is neither."""


def is_made_of(sentence: str, quotes: Sequence[str], stated: str | None = None) -> bool:
    """Whether a sentence is what its first quote states, and the other quotes say the same.

    `stated` is what the units of the first quote state, with their header cells and the like, if that is known; the quote as
    running text is right too. A further quote may be shorter than the first, which can begin a sentence earlier; it has its
    words and no other figure.
    """
    first, *others = quotes
    if sentence not in (plain_line(first), stated):
        return False
    said = f"{first} {stated or ''}"
    return all(
        figures(other) <= figures(said) and len(words(other) & words(said)) >= MIN_OVERLAP * len(words(other))
        for other in others
    )


class CitedUnits:
    """The units that citations cite; those of a document are found once, however many citations it has."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._units: dict[tuple[str, str], list[Unit]] = {}

    def statement(self, citation: Citation) -> str | None:
        """Return what the units in the cited range state; None without the document, or without a unit there."""
        document = self._opener(citation.document_id, citation.version)
        units = self._cited(citation)
        if document is None or not units:
            return None
        return statement(units, lambda span: document.text[span.start : span.end], plain_line)

    def text_as_read(self, citation: Citation) -> str:
        """Return the quote with its header cells and the like; the quote itself where its units are not known."""
        document = self._opener(citation.document_id, citation.version)
        units = self._cited(citation)
        if document is None or not units:
            return citation.quote
        return render(document.text, [replace(unit, lead=()) for unit in units]).text

    def touched(self, citation: Citation) -> list[Unit]:
        """Return the units, whole, that the cited range shares text with; none without the document."""
        units = self.of_document(citation.document_id, citation.version)
        return [unit for unit in units if unit.start < citation.end and citation.start < unit.end]

    def of_document(self, document_id: str, version: str) -> list[Unit]:
        """Return all units of the document, in order; none without it."""
        key = (document_id, version)
        if key not in self._units:
            document = self._opener(*key)
            self._units[key] = document_units(document) if document is not None else []
        return self._units[key]

    def _cited(self, citation: Citation) -> list[Unit]:
        """The units that are cited; of one that is cited in part, that part with the names that it is read with."""
        return [part for unit in self.touched(citation) if (part := _cited_part(unit, citation)).pieces]


def _cited_part(unit: Unit, citation: Citation) -> Unit:
    start, end = max(unit.start, citation.start), min(unit.end, citation.end)
    if (start, end) == (unit.start, unit.end):
        return unit
    named = {Span(excerpt.start, excerpt.end) for excerpt in citation.context}
    clipped = (
        piece
        if Span(piece.start, piece.end) in named
        else piece._replace(start=max(piece.start, start), end=min(piece.end, end))
        for piece in unit.pieces
    )
    pieces = [piece for piece in clipped if piece.start < piece.end]
    first = [piece._replace(before="") for piece in pieces[:1]]
    return replace(unit, start=start, end=end, pieces=(*first, *pieces[1:]))
