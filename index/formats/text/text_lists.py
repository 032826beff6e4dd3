"""The lists that stand open while plain text is read: which item goes into which."""

from index.blocks.block import Kind
from index.blocks.lines import Line
from index.formats.text.block_builder import BlockBuilder
from index.formats.text.text_lines import is_bullet


class OpenLists:
    """The lists that may still get items, from the outermost to the innermost: where their markers stand, and their family."""

    def __init__(self, builder: BlockBuilder) -> None:
        self._builder = builder
        self._open: list[tuple[int, str]] = []

    def __bool__(self) -> bool:
        return bool(self._open)

    def has(self, family: str) -> bool:
        """Whether a list with markers of that family is open."""
        return any(family == open_family for _, open_family in self._open)

    def open_item(self, line: Line, marker: str, family: str) -> None:
        """Open an item, and the list that it begins; lists that stand deeper end."""
        while self._open and self._open[-1][0] > line.indent:
            self._close_one()
        families = [open_family for _, open_family in self._open]
        if families and families[-1] != family and self._open[-1][0] == line.indent:
            while family in families and self._open[-1][1] != family:
                self._close_one()
            if family not in families and is_bullet(families[-1]):
                self._close_one()
        if self._open and self._open[-1][1] == family:
            self._builder.close(0)
        else:
            self._builder.open(Kind.LIST, line.text_start)
            self._open.append((line.indent, family))
        self._builder.open(Kind.ITEM, line.text_start, marker=marker, level=len(self._open))

    def close(self, indent: int = -1) -> None:
        """Close the lists whose items do not hold a paragraph that is indented so far; all lists by default."""
        while self._open and self._open[-1][0] >= indent:
            self._close_one()

    def _close_one(self) -> None:
        self._open.pop()
        self._builder.close(0)
        self._builder.close(0)
