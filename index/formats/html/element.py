"""HTML -> elements: a small tree made by libxml2's tolerant parser, in linear time and of bounded depth. Pure.

libxml2 (2.14) takes linear time but for one case: an end tag that ends nothing is compared with all open elements. `_flattened`
therefore removes tags beyond a depth that no page has. Its tree is not used, because it ends at a depth of 2,048, and with it
the text. lexbor, which follows HTML 5 in full, takes more than 20 s for 100,000 nested `<div>`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

MAX_DEPTH = 150
"""Elements nested deeper belong to the element at that depth."""

_MAX_OPEN = 1_000
_PIECE = 2**16
_STRIKE = re.compile(r"<(/?)(?:s|strike)(?=[\s/>])", re.IGNORECASE)
"""`<s>`, which libxml2 ends where a paragraph begins; `<del>` it does not."""
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/<>]*+)[^<>]*+>?")
_UNCOUNTED = frozenset(
    "area base body br col embed head hr html img input li link meta option p param source tbody td tfoot th thead tr track "
    "wbr".split()
)
"""Tags that are never closed, or are closed by the parser when the next one begins."""

_LEFT_OUT = frozenset(
    "audio button canvas iframe noembed noframes noscript object rp rt script svg template video".split()
)
_KEPT = frozenset(
    "alt alttext aria-hidden aria-level checked cite class colspan content datetime disabled encoding epub:type for headers "
    "hidden href id label lang name property reversed role rowspan scope selected start style type value xml:lang".split()
)
BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure footer "
    "form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu nav ol optgroup option p plaintext pre search "
    "section select summary table tbody td textarea tfoot th thead tr ul xmp".split()
)
"""The elements that stand on lines of their own."""

LINE_END = "\u2028"


@dataclass(slots=True, eq=False)
class Element:
    """An element: its name in lower case, its attributes and what it holds. `has_blocks`: some element of `BLOCKS` is in it."""

    tag: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    content: "list[Element | str]" = field(default_factory=list)
    has_blocks: bool = False

    def get(self, name: str) -> str:
        """Return the attribute of that name, empty if it is missing."""
        return self.attributes.get(name, "")

    @property
    def classes(self) -> list[str]:
        """Its classes."""
        return self.get("class").split()

    def elements(self) -> "Iterator[Element]":
        """Yield it and all elements in it, in document order."""
        stack = [self]
        while stack:
            element = stack.pop()
            yield element
            stack.extend(part for part in reversed(element.content) if isinstance(part, Element))

    def text(self) -> str:
        """Return all its text, as it is written."""
        parts: list[str] = []
        stack: list[Element | str] = [self]
        while stack:
            part = stack.pop()
            if isinstance(part, str):
                parts.append(part)
            else:
                stack.extend(reversed(part.content))
        return "".join(parts)


def parse_html(markup: str) -> Element:
    """Return the root of the elements. Comments, scripts, templates and the like are left out."""
    markup = _STRIKE.sub(r"<\1del", markup)
    builder = _Builder()
    if not _feed(builder, markup):
        builder = _Builder()
        _feed(builder, _flattened(markup), is_flat=True)
    return builder.root


def _feed(builder: "_Builder", markup: str, *, is_flat: bool = False) -> bool:
    """Parse the markup; stops and returns False if more elements are open than any page has, unless it is flat already."""
    if not markup.strip():
        return True
    parser = etree.HTMLParser(target=builder, huge_tree=True, recover=True)
    for start in range(0, len(markup), _PIECE):
        parser.feed(markup[start : start + _PIECE])
        if builder.most_open > _MAX_OPEN and not is_flat:
            return False
    parser.close()
    return True


class _Builder:
    """Receives the parser's events, in which every start has its end."""

    def __init__(self) -> None:
        self.root = Element("html")
        self._open = [self.root]
        self._left_out = 0  # how many open elements are left out
        self.most_open = 0

    def start(self, tag: str | bytes, attributes: Mapping[Any, Any]) -> None:
        """Open an element."""
        tag = str(tag)
        if self._left_out or tag in _LEFT_OUT:
            self._left_out += 1
            self.most_open = max(self.most_open, self._left_out)
            return
        above = self._open[-1]
        if len(self._open) > MAX_DEPTH:
            self.most_open = max(self.most_open, len(self._open))
            if tag in BLOCKS:
                above.content.append(LINE_END)
            self._open.append(above)
            return
        if tag in ("dt", "dd") and above.tag in ("dt", "dd") and len(self._open) > 1:
            above = self._open[-2] if self._open[-2].tag not in ("dt", "dd") else self._holder()
        kept = {name: value for name, value in attributes.items() if name in _KEPT} if attributes else {}
        element = Element(tag, kept)
        above.content.append(element)
        self._open.append(element)

    def end(self, tag: str | bytes) -> None:
        """Close the element that was opened last."""
        if self._left_out:
            self._left_out -= 1
            return
        element = self._open.pop()
        if element.tag in BLOCKS or element.has_blocks:
            self._open[-1].has_blocks = True

    def comment(self, text: str | bytes) -> None:
        """Leave out a comment."""

    def data(self, data: str | bytes) -> None:
        """Add text."""
        text = str(data)
        if not self._left_out:
            content = self._open[-1].content
            if content and isinstance(content[-1], str) and len(content[-1]) < 1_000:
                content[-1] += text
            else:
                content.append(text)

    def close(self) -> Element:
        """Return the root."""
        return self.root

    def _holder(self) -> Element:
        """The innermost open element that is no term or meaning: one that is left open does not hold the next."""
        return next(element for element in reversed(self._open) if element.tag not in ("dt", "dd"))


def _flattened(markup: str) -> str:
    """The markup without the tags that lie deeper than `_MAX_OPEN`; unchanged if none does."""
    nesting = _Nesting()
    if all(nesting.is_kept(match) for match in _TAG.finditer(markup)):
        return markup
    nesting = _Nesting(drops_stray_ends=True)
    return _TAG.sub(lambda match: match[0] if nesting.is_kept(match) else " ", markup)


class _Nesting:
    """Follows the tags of some markup, and says of each whether it is kept, in time proportional to their number."""

    def __init__(self, *, drops_stray_ends: bool = False) -> None:
        self._open: list[str] = []
        self._counts: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()
        self._drops_stray_ends = drops_stray_ends

    def is_kept(self, match: re.Match[str]) -> bool:
        """Whether the tag is kept; a start tag is not if too many elements are open, nor then is its end."""
        name = match[2].lower()
        if name in _UNCOUNTED or match[0].endswith("/>"):
            return True
        if not match[1]:
            if len(self._open) >= _MAX_OPEN:
                self._left_out[name] += 1
                return False
            self._open.append(name)
            self._counts[name] += 1
            return True
        if self._left_out[name]:
            self._left_out[name] -= 1
            return False
        if not self._counts[name]:
            return not self._drops_stray_ends
        while self._open[-1] != name:
            self._counts[self._open.pop()] -= 1
        self._counts[self._open.pop()] -= 1
        return True
