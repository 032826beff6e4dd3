"""BlockBuilder: collects the blocks of a file whose own text is the canonical text. Pure."""

from typing import Any

from index.blocks.block import Block, Kind
from index.blocks.labels import with_labels


class BlockBuilder:
    """Blocks in reading order. What is added stands inside the block that was opened last and is not yet closed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._blocks: list[tuple[Kind, int, int | None, dict[str, Any]]] = []  # kind, start, parent, other fields
        self._ends: list[int] = []
        self._open: list[int] = []
        self._filled: set[int] = set()

    def open(self, kind: Kind, start: int, **facts: Any) -> None:
        """Begin a block that holds the following ones."""
        self.add(kind, start, start, **facts)
        self._open.append(len(self._blocks) - 1)

    def close(self, end: int) -> None:
        """End the block that was opened last. It reaches at least as far as what it holds."""
        number = self._open.pop()
        self._ends[number] = end = max(end, self._ends[number])
        self._reach(end)

    def add(self, kind: Kind, start: int, end: int, **facts: Any) -> None:
        """Add a block that holds nothing."""
        parent = self._open[-1] if self._open else None
        if parent is not None and kind is not Kind.MARKUP:
            self._filled.add(parent)
        self._blocks.append((kind, start, parent, facts))
        self._ends.append(end)
        self._reach(end)

    def extend(self, end: int, *, fill: bool = False) -> None:
        """Let the block that was opened last reach at least to `end`. With `fill` it counts as filled by text of its own."""
        self._reach(end)
        if fill:
            self._filled.add(self._open[-1])

    @property
    def is_filled(self) -> bool:
        """Whether the block that was opened last holds other blocks already, markup apart."""
        return bool(self._open) and self._open[-1] in self._filled

    @property
    def innermost(self) -> Kind | None:
        """The kind of the block that was opened last and is not yet closed."""
        return self._blocks[self._open[-1]][0] if self._open else None

    def finish(self) -> tuple[Block, ...]:
        """Return the blocks with their labels."""
        found = zip(self._blocks, self._ends, strict=True)
        return with_labels(self.text, [Block(kind, start, end, up, **facts) for (kind, start, up, facts), end in found])

    def _reach(self, end: int) -> None:
        if self._open and self._ends[self._open[-1]] < end:
            self._ends[self._open[-1]] = end
