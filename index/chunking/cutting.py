"""A unit that is too long for a chunk -> parts of it. Pure.

A row or record is cut between its cells, and every part begins with the first cell, which names it. Anything else, and a cell
that is too long by itself, is cut at the best position inside: the end of a line, else of a clause, else of a word.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from index.blocks.block import Kind
from index.blocks.unit import Piece, Unit
from index.chunking.sentences import trim_span

TARGET = 200
"""The size of a chunk that is aimed at, in word pieces."""

MAX_CHARACTERS_PER_PIECE = 20
"""A word piece counts for every so many characters, if there are fewer: a tokeniser may read a huge "word" as one piece."""

_CLAUSE_ENDS = ("\n", "; ", ": ", ", ", " ")
_MAX_NAME = TARGET // 4


@dataclass(frozen=True, slots=True)
class SizedUnit:
    """A unit, or a part of one that is too long, with its size in word pieces, and what it costs to end a chunk after it."""

    unit: Unit
    size: int
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class _Segment:
    """A piece of the unit itself, and the header cells or keys that are read before it."""

    names: tuple[Piece, ...]
    piece: Piece
    size: int

    @property
    def pieces(self) -> tuple[Piece, ...]:
        return (*self.names, self.piece)


def min_size(characters: int) -> int:
    """The least size of so many characters, in word pieces."""
    return -(-characters // MAX_CHARACTERS_PER_PIECE)


def cut_unit(text: str, unit: Unit, begins: NDArray[np.int64]) -> Iterator[SizedUnit]:
    """Parts of the unit, each of about `TARGET` at most. `begins` are the starts of its word pieces, as it is read."""
    segments = list(_segments(text, unit, begins))
    name = segments[0] if unit.kind in (Kind.ROW, Kind.RECORD) and segments[0].size <= _MAX_NAME else None
    part: list[_Segment] = []
    size = 0
    for segment in segments:
        if part and size + segment.size > TARGET:
            yield _part(unit, name, part, size)
            part, size = [], name.size if name is not None else 0
        part.append(segment)
        size += segment.size
    yield _part(unit, name, part, size)


def _part(unit: Unit, name: _Segment | None, segments: Sequence[_Segment], size: int) -> SizedUnit:
    named = [name] if name is not None and segments[0] is not name else []
    pieces = [piece for segment in (*named, *segments) for piece in segment.pieces]
    pieces[0] = pieces[0]._replace(before="")
    start, end = segments[0].piece.start, segments[-1].piece.end
    return SizedUnit(replace(unit, start=start, end=end, pieces=tuple(pieces)), max(size, 1))


def _segments(text: str, unit: Unit, begins: NDArray[np.int64]) -> Iterator[_Segment]:
    names: list[Piece] = []
    position = 0
    for piece in unit.pieces:
        start = position + len(piece.before)
        position = start + piece.end - piece.start
        if piece.start == piece.end:
            continue  # a full stop that is inserted at the end of a row
        if not unit.start <= piece.start < unit.end:
            names.append(piece)
            continue
        inside = begins[np.searchsorted(begins, start) : np.searchsorted(begins, position)] - start + piece.start
        extra = sum(min_size(len(name.before) + name.end - name.start) for name in names)
        for place, (part, size) in enumerate(_cut_piece(text, piece, inside)):
            before = part._replace(before=piece.before if not place or names else "")
            yield _Segment(tuple(names), before, size + extra)
        names = []


def _cut_piece(text: str, piece: Piece, begins: NDArray[np.int64]) -> Iterator[tuple[Piece, int]]:
    """The piece, or parts of it of at most `TARGET`, with their sizes. `begins` are offsets of the document."""
    start = piece.start
    while start < piece.end:
        left = int(np.searchsorted(begins, start))
        end = min(piece.end, start + TARGET * MAX_CHARACTERS_PER_PIECE)
        if left + TARGET < len(begins):
            end = min(end, int(begins[left + TARGET]))
        if end < piece.end:
            end = _best_cut(text, start, end)
        part = trim_span(text, start, end)
        if part.start < part.end:
            count = int(np.searchsorted(begins, part.end)) - left
            yield Piece(piece.before, *part), max(count, min_size(part.end - part.start))
        start = end


def _best_cut(text: str, start: int, end: int) -> int:
    """The last good position to cut in the second half of `text[start:end]`, else `end` itself."""
    half = start + (end - start) // 2
    for mark in _CLAUSE_ENDS:
        position = text.rfind(mark, half, end)
        if position > start:
            return position + len(mark)
    return end
