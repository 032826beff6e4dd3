"""Blocks -> plain lists, as the extraction process sends them and the ledger stores them, and back.

A block is written as `[kind, start, end, parent, {other fields}]`. `start` counts from the start of the block before it, and
`parent` is how many places back the parent stands (0 for none), so that the numbers stay small and compress well.
"""

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from index.blocks.block import Block, Kind, Span

_COMPRESSION = 6
_DEFAULTS = {
    field.name: field.default for field in fields(Block) if field.name not in ("kind", "start", "end", "parent")
}


def to_lists(blocks: Iterable[Block]) -> list[list[Any]]:
    """Return the blocks as lists of numbers, strings and dictionaries."""
    rows: list[list[Any]] = []
    previous = 0
    for number, block in enumerate(blocks):
        others = {name: value for name, default in _DEFAULTS.items() if (value := getattr(block, name)) != default}
        back = 0 if block.parent is None else number - block.parent
        row: list[Any] = [block.kind.value, block.start - previous, block.end - block.start, back]
        rows.append([*row, others] if others else row)
        previous = block.start
    return rows


def from_lists(rows: Sequence[Sequence[Any]]) -> tuple[Block, ...]:
    """Return the blocks that `to_lists` wrote."""
    blocks: list[Block] = []
    previous = 0
    for number, (kind, ahead, length, back, *rest) in enumerate(rows):
        others = dict(rest[0]) if rest else {}
        if "labels" in others:
            others["labels"] = tuple(Span(*label) for label in others["labels"])
        start = previous + ahead
        blocks.append(Block(Kind(kind), start, start + length, number - back if back else None, **others))
        previous = start
    return tuple(blocks)


def pack(blocks: Iterable[Block]) -> bytes:
    """Return the blocks compressed."""
    return zlib.compress(json.dumps(to_lists(blocks), separators=(",", ":")).encode(), _COMPRESSION)


def unpack(data: bytes) -> tuple[Block, ...]:
    """Return the blocks that `pack` compressed."""
    return from_lists(json.loads(zlib.decompress(data)))
