"""Paragraphs of a list one after the other, each with its depth and marker -> nested lists and items. Pure."""

from index.blocks.block import INLINE, Kind
from index.formats.nodes import Node, Part


class ListWriter:
    """Appends to a node: `item` adds an item to the list that is open, and any other block closes the list first."""

    def __init__(self, root: Node) -> None:
        self.root = root
        self._open: list[tuple[int, Node, Node]] = []  # depth, list, its last item

    def item(self, depth: int, marker: str, *content: Part) -> Node:
        """Append an item of that depth, which counts from 0, and return it."""
        last: Node | None = None
        while self._open and self._open[-1][0] > depth:
            last = self._open.pop()[1]
        if self._open and self._open[-1][0] == depth:
            listing = self._open.pop()[1]
        elif last is not None and not self._open:  # a list that began too deep goes on
            listing = last
        else:
            listing = (self._open[-1][2] if self._open else self.root).add(Kind.LIST)
        facts = {"marker": marker} if marker else {}
        item = listing.add(Kind.ITEM, *content, level=len(self._open) + 1, **facts)
        self._open.append((depth, listing, item))
        return item

    def close(self) -> None:
        """End the list that is open."""
        self._open.clear()

    def block(self, kind: Kind, *content: Part, **facts: object) -> Node:
        """End the list and append another block of text."""
        self.close()
        if kind in INLINE:
            return self.root.add(kind).add(Kind.PARAGRAPH, *content)
        return self.root.add(kind, *content, **facts)
