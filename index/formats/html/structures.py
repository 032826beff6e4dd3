"""Lists, definition lists, quotations, folded parts, headings and notes of HTML -> nodes. Pure."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from index.blocks.block import Kind
from index.formats.html.element import Element
from index.formats.html.flow import Flow
from index.formats.html.lists import BULLET, item_markers
from index.formats.html.notes import Notes
from index.formats.html.styles import StyleSheet
from index.formats.nodes import Node

LISTS = frozenset(("ul", "ol", "menu", "dir"))
_STRUCK = frozenset(("del", "s", "strike"))
_SOURCES = frozenset(("footer", "cite", "figcaption"))
_MAX_SUMMARY = 200


class Structures(Flow):
    """Reads the blocks that hold others. Within a block of running text only, they are lines."""

    def __init__(self, page: Element) -> None:
        super().__init__()
        self.styles = StyleSheet(page)
        self.notes = Notes(page)
        self._depth = 0  # of lists

    @abstractmethod
    def read(self, content: Iterable[Element | str]) -> None:
        """Read the content."""

    @abstractmethod
    def is_hidden(self, element: Element) -> bool:
        """Return whether nobody sees the element."""

    def finish_paragraph(self, paragraph: Node) -> None:
        """Make a note of a paragraph that begins with the mark of one."""
        self.notes.mark_paragraph(paragraph)

    def fill(self, node: Node, content: Iterable[Element | str]) -> Node:
        """Read the content into `node` as blocks; return it."""
        with self.inside(node):
            self.read(content)
            self.close()
        return node

    def fill_plain(self, node: Node, content: Iterable[Element | str]) -> Node:
        """Read the content into `node` as running text; return it."""
        with self.inside(node, plain=True):
            self.read(content)
        return node

    @contextmanager
    def within(self, element: Element) -> Iterator[None]:
        """Read what the element holds: struck out or in another language if the element says so."""
        was = self.is_struck, self.language
        self.is_struck = self.is_struck or element.tag in _STRUCK or self.styles.of(element).is_struck
        self.language = _language(element) or self.language
        yield
        self.is_struck, self.language = was

    def running(self, element: Element, kind: Kind, **facts: object) -> None:
        """Read a block that holds running text only."""
        if self.is_plain:
            self.paragraph(element)
        else:
            self.fill_plain(self.add(kind, **facts), element.content)

    def paragraph(self, element: Element) -> None:
        """Read a block that is no more than its lines."""
        self.end_line()
        self.read(element.content)
        self.end_line()

    def heading(self, element: Element) -> None:
        """Read a heading."""
        level = element.tag[1] if element.tag[1:].isdecimal() else element.get("aria-level")
        self.running(element, Kind.HEADING, level=int(level) if level in tuple("123456789") else 2)

    def quotation(self, element: Element) -> None:
        """Read a quotation, whose last line may say who wrote it."""
        if self.is_plain:
            self.paragraph(element)
            return
        quotation = self.fill(self.add(Kind.QUOTATION), element.content)
        filled = [part for part in element.content if not isinstance(part, str) or part.strip()]
        last = quotation.content[-1] if quotation.content else None
        if filled and isinstance(filled[-1], Element) and filled[-1].tag in _SOURCES and len(quotation.content) > 1:
            quotation.named_by = [last] if isinstance(last, Node) and last.kind is not None else []

    def list(self, element: Element) -> None:
        """Read a list; items that are notes are no items."""
        if self.is_plain:
            self.paragraph(element)
            return
        self.close()
        listed = self.node(Kind.LIST)
        rest: list[Element | str] = []
        markers = item_markers(element, self.styles)
        self._depth += 1
        with self.inside(listed):
            for part in element.content:
                if isinstance(part, str):
                    rest += [part] if part.strip() else []
                elif part.tag == "li":
                    marker = next(markers)
                    if not self.is_hidden(part):
                        self._item(part, marker)
                elif part.tag in LISTS and listed.content and not self.is_hidden(part):
                    last = listed.content[-1]
                    assert isinstance(last, Node)
                    last.content.append(self.fill(Node(), [part]))
                else:
                    rest.append(part)
        self._depth -= 1
        notes = [part for part in listed.content if isinstance(part, Node) and part.kind is Kind.NOTE]
        if len(notes) == len(listed.content):
            self.into.content.extend(notes)
        else:
            self.into.content.append(listed)
        if rest:
            self.read(rest)
            self.close()

    def _item(self, element: Element, marker: str) -> None:
        with self.within(element):
            if not (self.notes.is_note(element) and self.note(element, marker)):
                item = self.node(Kind.ITEM, marker=marker, level=self._depth)
                self.into.content.append(self.fill(item, element.content))

    def stray_item(self, element: Element) -> None:
        """Read an item outside of a list."""
        if self.is_plain:
            self.paragraph(element)
            return
        self.close()
        last = self.into.content[-1] if self.into.content else None
        listed = last if isinstance(last, Node) and last.kind is Kind.LIST else self.add(Kind.LIST)
        item = self.node(Kind.ITEM, marker=BULLET, level=self._depth + 1)
        listed.content.append(self.fill(item, element.content))

    def definitions(self, element: Element) -> None:
        """Read a definition list: terms and the meanings that follow them are one definition."""
        if self.is_plain:
            self.paragraph(element)
            return
        self.close()
        entry: Node | None = None
        for part in _entries(element):
            if isinstance(part, str) or self.is_hidden(part):
                continue
            if part.tag not in ("dt", "dd"):
                self.read([part])
                self.close()
                entry = None
                continue
            if self.notes.is_note(part) and self.note(part):
                continue
            is_term = part.tag == "dt"
            if entry is None or (
                is_term and any(isinstance(p, Node) and p.kind is Kind.MEANING for p in entry.content[-1:])
            ):
                entry = self.add(Kind.DEFINITION)
            with self.within(part):
                if is_term:
                    self.fill_plain(entry.add(Kind.TERM), part.content)
                else:
                    self.fill(entry.add(Kind.MEANING), part.content)

    def details(self, element: Element) -> None:
        """Read a folded part: a question with its answer is a definition; a longer one stands as it is."""
        if self.is_plain:
            self.paragraph(element)
            return
        self.close()
        summary = next((part for part in element.content if isinstance(part, Element) and part.tag == "summary"), None)
        answer = self.fill(Node(), [part for part in element.content if part is not summary])
        is_simple = all(isinstance(part, Node) and part.kind in (Kind.PARAGRAPH, Kind.LIST) for part in answer.content)
        if summary is None:
            self.into.content.append(answer)
        elif answer.content and is_simple and not summary.has_blocks and len(summary.text()) <= _MAX_SUMMARY:
            entry = self.add(Kind.DEFINITION)
            self.fill_plain(entry.add(Kind.TERM), summary.content)
            entry.add(Kind.MEANING, *answer.content)
        else:
            self.paragraph(summary)
            self.into.content.append(answer)

    def note(self, element: Element, marker: str = "") -> bool:
        """Read the text of a note, with its mark. Returns whether it has a text."""
        note = self.node(Kind.NOTE, marker=self.notes.mark_of(element) or marker.rstrip("."))
        self.fill(note, element.content)
        if not note.plain().strip():
            return False
        first = note.content[0]
        if marker and isinstance(first, Node):
            first.content.insert(0, Node(Kind.MARK, [f"{marker} "]))
        self.into.content.append(note)
        return True


def _language(element: Element) -> str:
    """The language that the element states, as two letters."""
    return two_letters(element.get("lang") or element.get("xml:lang")) if element.attributes else ""


def two_letters(language: str) -> str:
    """Return the ISO 639-1 code of a language such as `en-GB`; empty if it has none."""
    code = language.split("-", maxsplit=1)[0].split("_", maxsplit=1)[0].lower()
    return code if len(code) == 2 and code.isascii() and code.isalpha() else ""


def _entries(element: Element) -> Iterator[Element | str]:
    """What a definition list holds; a `<div>` around entries is left out."""
    for part in element.content:
        if isinstance(part, Element) and part.tag == "div":
            yield from part.content
        else:
            yield part
