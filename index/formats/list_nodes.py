"""Paragraphs of a list one after the other, each with its depth and marker -> nested lists and items. Pure."""

from index.blocks.block import Kind
from index.formats.nodes import Node, Part


class ListWriter:
    """Appends to a node: `item` adds an item to the list that is open, and any other block closes the list first."""

    def __init__(self, root: Node) -> None:
        self.root = root
        self._open: list[tuple[int, Node, Node]] = []  # depth, list, its last item

    def item(self, depth: int, marker: str, *content: Part) -> Node:
        """Append an item of that depth, which counts from 0, and return it."""
        while self._open and self._open[-1][0] > depth:
            self._open.pop()
        if self._open and self._open[-1][0] == depth:
            listing = self._open.pop()[1]
        else:
            listing = (self._open[-1][2] if self._open else self.root).add(Kind.LIST)
        facts = {"marker": marker} if marker else {}
        item = listing.add(Kind.ITEM, *content, level=len(self._open) + 1, **facts)
        self._open.append((depth, listing, item))
        return item

    def close(self) -> None:
        """End the list that is open."""
        self._open.clear()

    def block(self, kind: Kind | None, *content: Part, **facts: object) -> Node:
        """End the list and append another block."""
        self.close()
        return self.root.add(kind, *content, **facts)
