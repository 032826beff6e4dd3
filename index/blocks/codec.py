"""Blocks and renderings -> plain lists, as the extraction process sends them and the ledger stores them, and back.

A block is written as `[kind, start, end, parent, {other fields}]`. `start` counts from the start of the block before it, and
`parent` is how many places back the parent stands (0 for none), so that the numbers stay small and compress well.
"""

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import fields
from itertools import pairwise
from operator import attrgetter
from typing import Any

from index.blocks.block import Block, Kind, Span
from index.blocks.unit import Origin, Piece, RenderedUnit, Rendering, Unit

_COMPRESSION = 6
_KINDS = {kind.value: kind for kind in Kind}
_DEFAULTS = {
    field.name: field.default for field in fields(Block) if field.name not in ("kind", "start", "end", "parent")
}
_DEFAULT_FACTS = tuple(_DEFAULTS.values())
_FACTS = attrgetter(*_DEFAULTS)


def to_lists(blocks: Iterable[Block]) -> list[list[Any]]:
    """Return the blocks as lists of numbers, strings and dictionaries."""
    rows: list[list[Any]] = []
    previous = 0
    for number, block in enumerate(blocks):
        facts = _FACTS(block)
        back = 0 if block.parent is None else number - block.parent
        row: list[Any] = [block.kind.value, block.start - previous, block.end - block.start, back]
        if facts != _DEFAULT_FACTS:
            pairs = zip(_DEFAULTS.items(), facts, strict=True)
            row.append({name: value for (name, default), value in pairs if value != default})
        rows.append(row)
        previous = block.start
    return rows


def from_lists(rows: Sequence[Sequence[Any]]) -> tuple[Block, ...]:
    """Return the blocks that `to_lists` wrote."""
    blocks: list[Block] = []
    shared: dict[tuple[Span, ...], tuple[Span, ...]] = {}  # the cells of a column have the same labels
    previous = 0
    for number, (kind, ahead, length, back, *rest) in enumerate(rows):
        others = dict(rest[0]) if rest else {}
        if "labels" in others:
            labels = tuple(Span(*label) for label in others["labels"])
            others["labels"] = shared.setdefault(labels, labels)
        start = previous + ahead
        blocks.append(Block(_KINDS[kind], start, start + length, number - back if back else None, **others))
        previous = start
    return tuple(blocks)


def pack(blocks: Iterable[Block]) -> bytes:
    """Return the blocks compressed."""
    return zlib.compress(json.dumps(to_lists(blocks), separators=(",", ":")).encode(), _COMPRESSION)


def unpack(data: bytes) -> tuple[Block, ...]:
    """Return the blocks that `pack` compressed."""
    return from_lists(json.loads(zlib.decompress(data)))


def unpack_languages(data: bytes) -> list[tuple[int, str]]:
    """Return the languages in blocks that `pack` compressed: where each begins, in order; it reaches to the next.

    A block without a language has that of the block that holds it.
    """
    found: list[tuple[int, str]] = []
    holders: list[tuple[int, str]] = []  # the end and the language of each block that holds this one and has a language
    start = 0
    for _, ahead, length, _, *others in json.loads(zlib.decompress(data)) if data else ():
        start += ahead
        while holders and holders[-1][0] <= start:
            end, _ = holders.pop()
            if holders:
                found.append((end, holders[-1][1]))
        language = others[0].get("language") if others else None
        if language:
            holders.append((start + length, language))
            found.append((start, language))
    return [(place, language) for (_, before), (place, language) in pairwise([(0, ""), *found]) if language != before]


def dump_rendering(rendering: Rendering, start: int, text: str) -> str:
    """Return a chunk's rendering as JSON without its text; `start` and `text` are the chunk's. Prose is only places."""
    units = [rendered.unit for rendered in rendering.units]
    if rendering.text == text and all(_is_plain(unit) for unit in units):
        places = [number for unit in units for number in (unit.start - start, unit.end - unit.start)]
        return json.dumps([places, [place for place, unit in enumerate(units) if unit.kind is Kind.HEADING]])
    rows = [
        [
            unit.kind.value,
            unit.start - start,
            unit.end - unit.start,
            [[piece.before, piece.start - start, piece.end - piece.start] for piece in unit.pieces],
            [[lead.start - start, lead.end - lead.start] for lead in unit.lead],
            begin,
            end - begin,
        ]
        for unit, begin, end in rendering.units
    ]
    origins = [[origin.start, origin.end - origin.start, origin.source - start] for origin in rendering.origins]
    return json.dumps({"units": rows, "origins": origins}, ensure_ascii=False, separators=(",", ":"))


def load_rendering(data: str, start: int, text: str) -> Rendering:
    """Return the rendering that `dump_rendering` wrote; `text` is the rendering's own."""
    rows = json.loads(data)
    if isinstance(rows, list):
        places, headings = rows
        units = []
        for place, (ahead, length) in enumerate(zip(places[::2], places[1::2], strict=True)):
            kind = Kind.HEADING if place in headings else Kind.PARAGRAPH
            first, last = start + ahead, start + ahead + length
            units.append(RenderedUnit(Unit(kind, first, last, (Piece("", first, last),)), ahead, ahead + length))
        return Rendering(text, tuple(units), (Origin(0, len(text), start),))
    found = [
        RenderedUnit(
            Unit(
                _KINDS[kind],
                start + ahead,
                start + ahead + length,
                tuple(Piece(before, start + at, start + at + size) for before, at, size in pieces),
                tuple(Span(start + at, start + at + size) for at, size in leads),
            ),
            begin,
            begin + size,
        )
        for kind, ahead, length, pieces, leads, begin, size in rows["units"]
    ]
    origins = (Origin(begin, begin + size, start + source) for begin, size, source in rows["origins"])
    return Rendering(text, tuple(found), tuple(origins))


def _is_plain(unit: Unit) -> bool:
    return (
        unit.kind in (Kind.PARAGRAPH, Kind.HEADING)
        and not unit.lead
        and unit.pieces == (Piece("", unit.start, unit.end),)
    )
