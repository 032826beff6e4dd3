"""The blocks that a range of the text touches, as a tree of their own."""

from collections.abc import Sequence
from dataclasses import replace

from index.blocks.block import Block


def blocks_between(blocks: Sequence[Block], start: int, end: int) -> tuple[Block, ...]:
    """Return the blocks that the range `start:end` touches; `parent` is the place in the tuple returned.

    With a row come its blank cells, and those that begin in a row above, whose text may lie outside the range.
    """
    found: list[Block] = []
    places: dict[int, int] = {}
    for number, block in enumerate(blocks):
        parent = None
        if block.parent is not None:
            if block.parent not in places:
                continue
            parent = places[block.parent]
        holder = None if block.parent is None else blocks[block.parent]
        is_blank = block.start == block.end and (holder is not None or start <= block.start <= end)
        is_from_above = holder is not None and not holder.start <= block.start < holder.end
        if is_blank or is_from_above or (block.start < end and block.end > start):
            places[number] = len(found)
            found.append(replace(block, parent=parent))
    return tuple(found)
