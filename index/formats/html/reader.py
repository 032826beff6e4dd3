"""Elements -> nodes: what a person sees of a page, with its structure. Pure.

Text that nobody sees is left out: `hidden`, `display: none`, `aria-hidden`, scripts, templates, comments. So is navigation.
Struck-out text is kept and marked. Running text between blocks is a paragraph.
"""

import re
from collections.abc import Callable, Iterable

from index.blocks.block import Kind
from index.formats.html.element import BLOCKS, Element
from index.formats.html.forms import Labels, checked_mark, field_value
from index.formats.html.structures import LISTS, Structures, two_letters
from index.formats.html.tables import add_html_table
from index.formats.nodes import LINE_BREAK, Node
from index.formats.superscripts import lowered, raised

_LEFT_OUT = frozenset("head link meta nav style svg title".split())
_LEFT_OUT_ROLES = frozenset(("navigation", "search"))
_LEFT_OUT_CLASSES = frozenset(("navheader", "navfooter", "headerlink"))
"""The classes of DocBook and Sphinx for links to other pages, and for the link mark after a heading."""
_CODE_CLASS = re.compile(r"(?:language-|lang-|highlight-|sourceCode )([a-z][\w+#-]*)")
_SIGNATURE_CLASSES = frozenset(("gmail_signature", "moz-signature"))
_NUMBERING = re.compile(r"\s*\d{1,3}(?:\.\d{1,3}){0,5}[.)]?\s*\Z")
"""The number of a heading or chapter, which everybody sees, and screen readers leave out."""
_MAX_RAISED = 60


class Reader(Structures):
    """Reads the elements of one page or mail into `root`. `main` is the node of its main part, if the page marks one.

    `language` is that of the page, if it does not state it itself.
    """

    def __init__(self, page: Element, language: str = "") -> None:
        super().__init__(page)
        self.language = two_letters(language)
        self.main: Node | None = None
        self._labels = Labels(page)
        self._handlers: dict[str, Callable[[Element], None]] = {
            "br": lambda _: self.break_line(), "hr": lambda _: self.end_line(), "sup": self._raise, "sub": self._lower,
            "a": self._link, "pre": self._code, "xmp": self._code, "listing": self._code, "table": self._table,
            "dl": self.definitions, "blockquote": self.quotation, "details": self.details, "input": self._field,
            "textarea": self._field, "select": self._field, "label": self._label, "math": self._formula,
            "li": self.stray_item, "figcaption": self._caption,
        }  # fmt: skip
        self._handlers |= dict.fromkeys(LISTS, self.list)
        self._handlers |= {f"h{level}": self.heading for level in range(1, 7)}
        self.read(page.content)
        self.close()

    def is_hidden(self, element: Element) -> bool:
        """Return whether nobody sees the element, or it only leads elsewhere."""
        attributes = element.attributes
        if element.tag in ("html", "body"):
            return False
        if element.tag in _LEFT_OUT:
            return True
        is_marked = bool(attributes) and (
            attributes.get("hidden", "until-found") != "until-found"
            or (attributes.get("aria-hidden") == "true" and not _NUMBERING.match(element.text()))
            or attributes.get("role") in _LEFT_OUT_ROLES
            or not _LEFT_OUT_CLASSES.isdisjoint(element.classes)
        )
        return is_marked or self.styles.of(element).is_hidden

    def read(self, content: Iterable[Element | str]) -> None:
        """Read the content."""
        for part in content:
            if isinstance(part, str):
                self.text(part)
            elif not self.is_hidden(part):
                self._element(part)

    def _element(self, element: Element) -> None:
        is_main = element.tag == "main" or element.get("role") == "main"
        shift = self.styles.of(element).shift
        with self.within(element):
            if is_main and self.main is None and not self.is_plain:
                self.close()
                self.main = self.add(None)
                self.fill(self.main, element.content)
            elif shift and not element.has_blocks:
                (self._raise if shift == "super" else self._lower)(element)
            else:
                self._block_or_text(element)

    def _block_or_text(self, element: Element) -> None:
        is_block = element.tag in BLOCKS
        if is_block and not self.is_plain and self.notes.is_note(element):
            self.close()
            if self.note(element):
                return
        handler = self._handlers.get(element.tag)
        if is_block and not self.is_plain and not _SIGNATURE_CLASSES.isdisjoint(element.classes):
            self.fill(self.add(Kind.FURNITURE), element.content)
        elif element.get("role") == "heading":
            self.heading(element)
        elif handler is not None:
            handler(element)
        elif is_block:
            self.paragraph(element)
        else:
            self.read(element.content)

    def _caption(self, element: Element) -> None:
        if element.has_blocks:
            self.paragraph(element)
        else:
            self.running(element, Kind.CAPTION)

    def _code(self, element: Element) -> None:
        text = element.text()
        if self.is_plain or not text.strip():
            self.text(text)
            return
        match = _CODE_CLASS.search(" ".join(part.get("class") for part in element.elements()))
        code = self.add(Kind.CODE, **({"marker": match[1]} if match else {}))
        code.write(text.removeprefix("\n"))

    def _table(self, element: Element) -> None:
        if self.is_plain:
            self.paragraph(element)
        else:
            self.close()
            add_html_table(self, self.into, element)

    def _raise(self, element: Element) -> None:
        text = element.text()
        if element.has_blocks or len(text) > _MAX_RAISED:
            self.read(element.content)
        else:
            self._write_raised(text, is_note=self.notes.is_reference(element))

    def _write_raised(self, text: str, *, is_note: bool) -> None:
        parts = raised(self.before, text, is_note=is_note)
        self.notes.see(parts, self.before)
        self.parts(parts)

    def _lower(self, element: Element) -> None:
        if element.has_blocks:
            self.read(element.content)
        else:
            self.parts(lowered(self.before, element.text()))

    def _link(self, element: Element) -> None:
        if self.notes.is_backlink(element):
            return
        if self.notes.is_reference(element) and not element.has_blocks:
            self._write_raised(element.text(), is_note=True)
        else:
            self.read(element.content)

    def _formula(self, element: Element) -> None:
        notation = next((part.text() for part in element.elements() if part.tag == "annotation"), "")
        self.text(notation or element.get("alttext") or element.text())

    def _field(self, element: Element) -> None:
        mark = checked_mark(element)
        value = field_value(element)
        label = self._labels.of(element)
        if mark:
            self.text(f"{mark} ")
        elif value and (self.is_plain or label is None):
            self.text(f" {value} ")
        elif value and label is not None:
            name = self.fill_plain(Node(), (part for part in label.content if part is not element))
            field = self.add(Kind.FIELD)
            field.label = " ".join(name.plain().split()).rstrip(" :")
            field.write(value.replace("\n", LINE_BREAK))

    def _label(self, element: Element) -> None:
        """Read a label, unless it is written with its field."""
        field = self._labels.field_of(element)
        if field is None or self.is_plain or not field_value(field):
            self.read(element.content)
        elif field in element.content:
            self._field(field)
