"""BlockBuilder: collects the blocks of a file whose own text is the canonical text. Pure."""

from dataclasses import replace
from typing import Any

from index.blocks.block import Block, Kind
from index.blocks.labels import with_labels


class BlockBuilder:
    """Blocks in reading order. What is added stands inside the block that was opened last and is not yet closed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.blocks: list[Block] = []
        self._open: list[int] = []
        self._filled: set[int] = set()

    def open(self, kind: Kind, start: int, **facts: Any) -> int:
        """Begin a block that holds the following ones, and return its number."""
        self.add(kind, start, start, **facts)
        self._open.append(len(self.blocks) - 1)
        return self._open[-1]

    def close(self, end: int) -> None:
        """End the block that was opened last. It reaches at least as far as what it holds."""
        number = self._open.pop()
        block = self.blocks[number]
        end = max(end, block.end, block.start)
        self.blocks[number] = replace(block, end=end)
        self._reach(end)

    def add(self, kind: Kind, start: int, end: int, **facts: Any) -> int:
        """Add a block that holds nothing, and return its number."""
        parent = self._open[-1] if self._open else None
        if parent is not None and kind is not Kind.MARKUP:
            self._filled.add(parent)
        self.blocks.append(Block(kind, start, end, parent, **facts))
        self._reach(end)
        return len(self.blocks) - 1

    @property
    def innermost(self) -> Block | None:
        """The block that was opened last and is not yet closed."""
        return self.blocks[self._open[-1]] if self._open else None

    def extend(self, end: int, *, fill: bool = False) -> None:
        """Let the block that was opened last reach at least to `end`. With `fill` it counts as filled by text of its own."""
        self._reach(end)
        if fill:
            self._filled.add(self._open[-1])

    @property
    def is_filled(self) -> bool:
        """Whether the block that was opened last holds other blocks already, markup apart."""
        return bool(self._open) and self._open[-1] in self._filled

    def finish(self) -> tuple[Block, ...]:
        """Return the blocks with their labels."""
        return with_labels(self.text, self.blocks)

    def _reach(self, end: int) -> None:
        if self._open and self.blocks[self._open[-1]].end < end:
            number = self._open[-1]
            self.blocks[number] = replace(self.blocks[number], end=end)
