"""Words -> what a node holds, with superscripts parted and broken words joined; and where each word stands then. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from index.blocks.block import Span
from index.blocks.geometry import Box, PlacedWord
from index.formats.canonical import canonical
from index.formats.nodes import Node, Part
from index.formats.pdf.hyphens import Hyphenation
from index.formats.pdf.rows import Row, Word
from index.formats.pdf.words import HYPHEN_AT_LINE_END
from index.formats.superscripts import lowered, raised

_LEADERS = re.compile(r"[.·…_]{5,}")
_WINDOW = 200  # what readers insert between two words is shorter; after a word that is not found, more is searched
_SEARCHED = 20_000_000  # characters, in all
_BROKEN = re.compile(r"(?:[^\W\d_][-‐\x02]|[^\s\x02]\x02)\Z")
_JOINED = "\u2063"
_AFTER_NODE = "\u2060"


class _Written(NamedTuple):
    page: int
    text: str
    word: Word


class Ink:
    """Writes words into nodes, in the order of the tree; `move` says where that is not so."""

    def __init__(self, hyphenation: Hyphenation) -> None:
        self._hyphenation = hyphenation
        self._written: list[_Written] = []
        self.page = 0

    @property
    def place(self) -> int:
        """How many words have been written."""
        return len(self._written)

    def move(self, start: int, end: int, place: int) -> None:
        """Say that words `start` to `end` of those written stand in the tree before word `place`, which was written before."""
        moved = self._written[start:end]
        self._written[place:end] = moved + self._written[place:start]

    def repeat(self, start: int, end: int) -> None:
        """Say that words `start` to `end` of those written come next once more: a cell that spans rows."""
        self._written.extend(self._written[start:end])

    def mark(self, word: Word) -> None:
        """Say that the word comes next in the text, though no node holds it: the marker of an item."""
        self._written.append(_Written(self.page, canonical(word.text).strip(), word))

    def write(self, node: Node, words: Sequence[Word], row: Row) -> None:
        """Write words of a row. The last word before, in the same node, may be broken: then it is joined."""
        if not words:
            return
        before = self._joined(node, words[0].text)
        is_joined = before.endswith(_JOINED)
        line: list[str] = []  # what is due to be added to the node
        for number, word in enumerate(words):
            if before and not (is_joined if number == 0 else word.touches):
                line.append(" ")
            text = _LEADERS.sub(" ... ", word.text) if "." in word.text or not word.text.isascii() else word.text
            bare = text if text.isascii() and text.isprintable() else canonical(text.replace(HYPHEN_AT_LINE_END, ""))
            bare = bare.strip("()[] ") if word.place in row.raised else bare.strip()
            self._written.append(_Written(self.page, bare, word))
            if word.place in row.raised or word.place in row.lowered:
                before = _add(node, before, "".join(line))
                line.clear()
                before = _extend(node, before, (raised if word.place in row.raised else lowered)(before, text))
            else:
                line.append(text)
                before = before or text
        if line:
            node.content.append("".join(line))

    def write_text(self, node: Node, line: str) -> None:
        """Write a line without places. The last word before, in the same node, may be broken: then it is joined."""
        if not line.strip():
            return
        before = self._joined(node, line.split(maxsplit=1)[0])
        _add(node, before, "" if before.endswith(_JOINED) or not before else " ")
        _add(node, before, line.strip())

    def breaks_off(self, node: Node) -> bool:
        """Whether the node's last word is broken at a hyphen."""
        last = node.content[-1] if node.content else ""
        return isinstance(last, str) and _BROKEN.search(last) is not None

    def finish(self, node: Node) -> None:
        """Write the hyphen at the end of the node that no word followed."""
        if node.content and isinstance(node.content[-1], str):
            node.content[-1] = node.content[-1].replace(HYPHEN_AT_LINE_END, "-")

    def _joined(self, node: Node, word: str) -> str:
        """The end of what the node holds, ready for the word; it ends in `_JOINED` if the word goes on with the last one."""
        if not self.breaks_off(node):
            self.finish(node)
            return _tail(node)
        last = str(node.content[-1])
        if word[:1].isalpha() and not self._hyphenation.keeps(last[:-1], word):
            node.content[-1] = last[:-1]
        else:
            node.content[-1] = f"{last[:-1]}-"
        return _tail(node) + _JOINED

    def places(self, text: str) -> dict[int, list[tuple[int, PlacedWord]]]:
        """Return for each page where its words stand in the text: the number of each word on its page, and its place."""
        found: dict[int, list[tuple[int, PlacedWord]]] = {}
        cursor = failures = 0
        budget = _SEARCHED
        for page, written, word in self._written:
            for bare in (written, written.split(" ", 1)[0]):
                wide = _WINDOW * (1 + failures) if budget > 0 else _WINDOW
                start = text.find(bare, cursor, cursor + len(bare) + wide) if bare else -1
                budget -= wide if failures else 0
                if start >= 0:
                    break
            else:
                failures += 1
                continue
            failures = 0
            cursor = start + len(bare)
            box = Box(word.left, word.top, word.right, word.bottom)
            found.setdefault(page, []).append((word.place, PlacedWord(start, cursor, box)))
        return found


def span_of(places: Iterable[PlacedWord]) -> Span | None:
    """Return the range from the first of the words to the last; None without any."""
    ends = [(place.start, place.end) for place in places]
    return Span(min(start for start, _ in ends), max(end for _, end in ends)) if ends else None


def _tail(node: Node) -> str:
    """The end of what the node holds; empty at its start, and something that is no letter after a node."""
    last = node.content[-1] if node.content else ""
    return last[-60:] if isinstance(last, str) else _AFTER_NODE


def _add(node: Node, before: str, text: str) -> str:
    if not text:
        return before
    node.content.append(text)
    return (before + text)[-60:]


def _extend(node: Node, before: str, parts: list[Part]) -> str:
    for part in parts:
        if isinstance(part, str):
            before = _add(node, before, part)
        else:
            node.content.append(part)
            before = (before + _AFTER_NODE)[-60:]
    return before
