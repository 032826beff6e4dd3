"""Lists: items by their markers, nested by how far they are indented. Pure."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from index.blocks.block import Kind
from index.formats.nodes import Node, PageStart
from index.formats.pdf.rows import Row

_BULLET = re.compile(r"[•‣◦▪●○■□➢➤✓✔❖·*–—\uf0b7\uf0a7-]\Z")
_NUMBER = re.compile(r"\(?(?P<value>\d{1,3}|[a-zA-Z]|[ivxlc]{1,6})[.)]\Z")
_DEEPER = 4.0  # points
_MAX_DEPTH = 12


class Marker(NamedTuple):
    """The marker of an item as shown, where it stands, and where the item's text begins."""

    text: str
    left: float
    text_left: float
    value: int  # of a number or letter, 0 of a bullet


def marker_of(row: Row) -> Marker | None:
    """Return the marker that the row begins with; None if it begins with none."""
    if len(row.words) < 2 or row.words[0].place in row.raised:
        return None
    first, second = row.words[:2]
    if second.touches:
        return None
    gap = second.left - first.right
    number = _NUMBER.match(first.text)
    if number is None:
        return Marker(first.text, first.left, second.left, 0) if _BULLET.match(first.text) else None
    value = number["value"]
    if value.isalpha() and first.text.endswith(".") and gap < 0.5 * row.size:
        return None
    count = int(value) if value.isdecimal() else ord(value[0].lower()) - ord("a") + 1
    return Marker(first.text, first.left, second.left, count)


class Lists:
    """The lists that are open, the outermost first."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self._open: list[tuple[Marker, Node, Node]] = []  # marker of the last item, list, last item

    @property
    def is_open(self) -> bool:
        """Whether an item may follow."""
        return bool(self._open)

    @property
    def text_left(self) -> float:
        """Where the text of the last item begins."""
        return self._open[-1][0].text_left

    def end(self) -> None:
        """End all lists."""
        self._open.clear()

    def expects(self, marker: Marker) -> bool:
        """Whether the marker is the next one of an open list."""
        return any(0 < marker.value == last.value + 1 for last, _, _ in self._open) or (
            marker.value == 0 and any(last.text == marker.text for last, _, _ in self._open)
        )

    def add(self, marker: Marker, due: Sequence[Node | PageStart]) -> Node:
        """Return a new item, in an open list that is indented as far, else in a new one. `due` is what stands before it."""
        while self._open and self._open[-1][0].left > marker.left + _DEEPER:
            self._open.pop()
        if self._open and marker.left > self._open[-1][0].left + _DEEPER and len(self._open) < _MAX_DEPTH:
            holder = self._open[-1][2].add(Kind.LIST)
        elif self._open:
            holder = self._open.pop()[1]
        else:
            self._root.content += due
            due = ()
            holder = self._root.add(Kind.LIST)
        holder.content += due
        item = holder.add(Kind.ITEM, marker=marker.text, level=len(self._open) + 1)
        self._open.append((marker, holder, item))
        return item
