"""What the styles of a page say about its elements: hidden, struck out, raised. Pure.

Of style sheets, rules for a class, an identifier or an element are read (`.old`, `#draft`, `p.old`), which is what pages use
to hide and to strike out; rules inside `@media` and the like are not.
"""

import re
from typing import NamedTuple

from index.formats.html.element import Element

_SELECTOR = re.compile(r"([a-zA-Z][\w-]*)?(?:([.#])([\w-]+))?\Z")
_BRACES = re.compile(r"([{}])")
_MAX_SHEET = 200_000
_PAGE = frozenset({"html", "body", "main", "*"})


class Style(NamedTuple):
    """What is said about an element."""

    is_hidden: bool = False
    is_struck: bool = False
    shift: str = ""  # "super" or "sub"
    list_type: str = ""


_NONE = Style()


class StyleSheet:
    """The rules of a page's style sheets, and those on its elements."""

    def __init__(self, root: Element) -> None:
        self._rules: dict[str, Style] = {}
        for element in root.elements():
            if element.tag == "style":
                self._read(element.text()[:_MAX_SHEET])

    def of(self, element: Element) -> Style:
        """Return what the styles say about the element; what stands on it counts most."""
        inline = element.attributes.get("style")
        if not self._rules:
            return _declared(inline) if inline else _NONE
        style = _NONE
        if element.tag not in _PAGE:
            names = [element.tag]
            for kind, values in ((".", element.classes), ("#", [element.get("id")])):
                names += [name for value in values for name in (f"{kind}{value}", f"{element.tag}{kind}{value}")]
            for name in names:
                if name in self._rules:
                    style = _joined(style, self._rules[name])
        return _joined(style, _declared(inline)) if inline else style

    def _read(self, sheet: str) -> None:
        bare = "".join(part.partition("*/")[2] if number else part for number, part in enumerate(sheet.split("/*")))
        depth = 0
        selectors = ""
        for part in _BRACES.split(bare):
            if part == "{":
                depth += 1
            elif part == "}":
                depth = max(0, depth - 1)
            elif not depth:
                selectors = part.rpartition(";")[2]
            elif depth == 1 and "@" not in selectors:
                style = _declared(part)
                if style != _NONE:
                    for selector in selectors.split(",")[:100]:
                        match = _SELECTOR.match(selector.strip())
                        if match and match[0] and match[0] not in _PAGE:
                            self._rules[match[0]] = _joined(self._rules.get(match[0], _NONE), style)


def _declared(declarations: str) -> Style:
    """What declarations such as `display: none; color: red` say."""
    lowered = declarations.lower()
    is_hidden = is_struck = False
    shift = list_type = ""
    for declaration in lowered.split(";"):
        name, _, value = declaration.partition(":")
        name, value = name.strip(), value.replace("!important", "").strip()
        if name in ("text-decoration", "text-decoration-line"):
            is_struck = "line-through" in value
        elif name == "display":
            is_hidden = is_hidden or value == "none"
        elif name == "visibility":
            is_hidden = is_hidden or value in ("hidden", "collapse")
        elif name == "mso-hide":
            is_hidden = is_hidden or value == "all"
        elif name == "vertical-align" and value in ("super", "sub"):
            shift = value
        elif name in ("list-style-type", "list-style"):
            list_type = value
    return Style(is_hidden, is_struck, shift, list_type)


def _joined(first: Style, later: Style) -> Style:
    return Style(
        first.is_hidden or later.is_hidden,
        first.is_struck or later.is_struck,
        later.shift or first.shift,
        later.list_type or first.list_type,
    )
