"""Notes of a page: which links are marks of notes, which blocks are notes, and which mark belongs to which. Pure."""

import re
from collections.abc import Sequence

from index.blocks.block import Kind
from index.formats.html.element import Element
from index.formats.nodes import Node, Part

_NOTE_ROLES = frozenset(("doc-footnote", "doc-endnote", "footnote", "endnote", "rearnote"))
_REFERENCE_ROLES = frozenset(("doc-noteref", "noteref"))
_REFERENCE_CLASS = re.compile(r"(?:foot|end)?note-?_?ref(?:erence)?\Z|footnote-reference\Z|noteref\Z", re.IGNORECASE)
_BACKLINK = re.compile(r"[\s↩↑⏎^⬆︎\ufe0e\ufe0f←[\]]*\Z")
_MARK = re.compile(r"[\[(]?\s*([\w*†‡§¶#]{1,5})\s*[\])]?\Z")
_HOLDERS = frozenset(("li", "p", "div", "aside", "dd", "td", "section"))


class Notes:
    """The notes of a page, found by the links to them."""

    def __init__(self, page: Element) -> None:
        self._references: set[Element] = set()
        self._marks: dict[str, str] = {}  # by the id of the note
        self._sources: set[str] = set()  # the ids of marks, to which notes link back
        self._seen: set[str] = set()
        stack: list[tuple[Element, Element | None]] = [(page, None)]
        while stack:
            element, raising = stack.pop()
            raising = element if element.tag == "sup" else raising
            if element.tag == "a" and element.get("href"):
                self._read_link(element, raising)
            stack += [(part, raising) for part in reversed(element.content) if isinstance(part, Element)]

    def is_reference(self, element: Element) -> bool:
        """Return whether the element is the mark of a note."""
        return element in self._references

    def is_backlink(self, element: Element) -> bool:
        """Return whether the link leads from a note back to its mark and says nothing."""
        target = element.get("href")
        is_back = target.startswith("#") and target[1:] in self._sources
        return (is_back or element.get("role") == "doc-backlink") and _BACKLINK.match(element.text()) is not None

    def is_note(self, element: Element) -> bool:
        """Return whether the block is the text of a note."""
        if element.attributes:
            if element.get("role") in _NOTE_ROLES or not _NOTE_ROLES.isdisjoint(element.get("epub:type").split()):
                return True
            if self._marks and element.get("id") in self._marks and element.tag in _HOLDERS:
                return True
        return bool(self._marks) and element.tag in _HOLDERS and _anchor(element) in self._marks

    def mark_of(self, element: Element) -> str:
        """Return the mark that leads to the note; empty if none does."""
        return self._marks.get(element.get("id")) or self._marks.get(_anchor(element), "")

    def see(self, parts: Sequence[Part], before: str) -> None:
        """Note the marks that stand in running text."""
        if before.strip():
            self._seen.update(mark for part in parts if (mark := _bare(part)))

    def mark_paragraph(self, paragraph: Node) -> None:
        """Make a note of a paragraph that begins with a mark that was seen in the text before."""
        first = next((part for part in paragraph.content if not (isinstance(part, str) and not part.strip())), None)
        mark = _bare(first) if first is not None else ""
        if mark and mark in self._seen and paragraph.kind is Kind.PARAGRAPH and len(paragraph.content) > 1:
            paragraph.kind = Kind.NOTE
            paragraph.facts["marker"] = mark

    def _read_link(self, link: Element, raising: Element | None) -> None:
        match = _MARK.match(link.text().strip())
        if match is None:
            return
        inner = next((part for part in link.content if isinstance(part, Element)), None)
        is_raised = raising is not None or (inner is not None and inner.tag == "sup")
        says_so = (
            link.get("role") in _REFERENCE_ROLES
            or not _REFERENCE_ROLES.isdisjoint(link.get("epub:type").split())
            or any(_REFERENCE_CLASS.match(name) for name in link.classes)
        )
        path, hash_sign, target = link.get("href").partition("#")
        if not hash_sign or not (says_so or is_raised):
            return
        self._references.update(element for element in (link, raising) if element is not None)
        if not path:
            self._marks.setdefault(target, match[1])
        for element in (link, raising, inner):
            if element is not None and element.get("id"):
                self._sources.add(element.get("id"))


def _anchor(element: Element) -> str:
    """The id of the first element in the block, if no text stands before it."""
    for part in element.content:
        if isinstance(part, Element):
            return part.get("id") or part.get("name")
        if part.strip():
            return ""
    return ""


def _bare(part: Part) -> str:
    """The mark without its brackets, if the part is one."""
    return part.plain().strip("[]() ") if isinstance(part, Node) and part.kind is Kind.MARK else ""
