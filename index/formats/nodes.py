"""Node: what a reader finds in a file, as a tree. `node_writer` makes the canonical text and its blocks of it.

root = Node()
root.add(Kind.HEADING, "Prices", level=1)
row = root.add(Kind.TABLE).add(Kind.ROW)
row.add(Kind.CELL, "Plan", row=0, is_header=True)
"""

from dataclasses import dataclass, field
from typing import Any

from index.blocks.block import Kind

LINE_BREAK = "\u2028"
"""In running text: the line ends here (`<br>`). In a cell it is a space."""


@dataclass(frozen=True, slots=True)
class PageStart:
    """A mark in the content of a node, also within its text: what follows stands on the page with that number."""

    number: int


@dataclass(slots=True)
class Node:
    """A block to be: its kind, what it holds in order, and fields of `Block`. Without a kind it only holds others together.

    `same_as`: a cell that repeats an earlier one, which spans into its row and is written again there. `label`: the name of a
    field, which is written before it on its line. `named_by`: nodes of a kind that name it, such as who wrote a quotation.
    """

    kind: Kind | None = None
    content: "list[Part]" = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    same_as: "Node | None" = None
    label: str = ""
    named_by: "list[Node]" = field(default_factory=list)

    def add(self, kind: Kind | None, *content: "Part", **facts: Any) -> "Node":
        """Append a node of that kind and return it."""
        node = Node(kind, list(content), facts)
        self.content.append(node)
        return node

    def write(self, text: str) -> None:
        """Append running text."""
        self.content.append(text)

    def repeat(self, cell: "Node", **facts: Any) -> None:
        """Append a cell that repeats `cell`, which must stand before it."""
        self.content.append(Node(Kind.CELL, [], facts, cell))

    def plain(self) -> str:
        """Return all its text in order, as it was given."""
        parts: list[str] = []
        stack: list[Part] = [self]
        while stack:
            part = stack.pop()
            if isinstance(part, str):
                parts.append(part)
            elif isinstance(part, Node):
                stack.extend(reversed(part.content))
        return "".join(parts)


Part = Node | str | PageStart
