"""Units that a reader's blocks give, whatever they are -> units that lie apart, in order and in the text. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from index.blocks.unit import Piece, Unit
from index.chunking.sentences import trim_span


def units_apart(text: str, units: Sequence[Unit]) -> Iterator[Unit]:
    """Yield the units, sorted by their starts, each cut where the one before it ends; what then says nothing is left out."""
    end = 0
    for unit in units:
        rest = unit if end <= unit.start < unit.end <= len(text) else _within(text, unit, end)
        if rest is not None:
            yield rest
            end = rest.end


def _within(text: str, unit: Unit, begin: int) -> Unit | None:
    """What is left of a unit from `begin` to the end of the text, with what names it; None if it then says nothing."""
    start, end = trim_span(text, max(unit.start, begin), max(begin, min(unit.end, len(text))))
    pieces: list[Piece] = []
    for piece in unit.pieces:
        if not unit.start <= piece.start < unit.end:
            pieces.append(piece)
        elif max(piece.start, start) < min(piece.end, end):
            pieces.append(piece._replace(start=max(piece.start, start), end=min(piece.end, end)))
    if not any(start <= piece.start < end for piece in pieces):
        return None
    pieces[0] = pieces[0]._replace(before="")
    return replace(unit, start=start, end=end, pieces=tuple(pieces))
