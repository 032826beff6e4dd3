"""The styles of an OpenDocument file -> what they say about text, paragraphs, cells, sheets and slides. Pure."""

import re
from dataclasses import dataclass, replace
from typing import Any

from index.formats.office.office_package import local_name
from index.formats.office.open_document import OpenDocument, attribute

_MAX_PARENTS = 20
_CODE = re.compile(r"(?i)preformatted|source|code\b")
_PERCENT = re.compile(r"(-?\d+)%")


@dataclass(frozen=True, slots=True)
class Style:
    """What a style says. `names`: its own and those of the styles that it is based on."""

    names: tuple[str, ...] = ()
    align: str = ""  # "up", "down" or the line itself
    is_struck: bool = False
    is_hidden: bool = False
    is_bold: bool = False
    is_filled: bool = False
    listing: str = ""

    def over(self, other: "Style") -> "Style":
        """Return this style for text inside text of another."""
        return replace(
            self,
            align=self.align or other.align,
            is_struck=self.is_struck or other.is_struck,
            is_hidden=self.is_hidden or other.is_hidden,
            is_bold=self.is_bold or other.is_bold,
        )

    def is_named(self, *names: str) -> bool:
        """Whether the style, or one that it is based on, has one of these names."""
        return any(name in names for name in self.names)

    @property
    def is_code(self) -> bool:
        """Whether it is the style of programs."""
        return any(_CODE.search(name) for name in self.names)


class Styles:
    """The styles of a file by family and name."""

    def __init__(self, file: OpenDocument) -> None:
        self._elements: dict[tuple[str, str], Any] = {}
        self._found: dict[tuple[str, str], Style] = {}
        self.lists: dict[str, Any] = {}
        self.outline: Any = None
        for root in (file.styles, file.content):
            for holder in root if root is not None else ():
                if local_name(holder) in ("styles", "automatic-styles"):
                    self._add(holder)

    def of(self, element: Any, family: str) -> Style:
        """Return the style that the element names."""
        return self.named(family, attribute(element, "style-name"))

    def named(self, family: str, name: str) -> Style:
        """Return the style of that family and name."""
        key = family, name
        if key not in self._found:
            self._found[key] = self._read(family, name)
        return self._found[key]

    def _add(self, holder: Any) -> None:
        for element in holder:
            kind = local_name(element)
            if kind == "style":
                self._elements[attribute(element, "family"), attribute(element, "name")] = element
            elif kind == "list-style":
                self.lists[attribute(element, "name")] = element
            elif kind == "outline-style":
                self.outline = element

    def _read(self, family: str, name: str) -> Style:
        chain: list[Any] = []
        while (family, name) in self._elements and len(chain) < _MAX_PARENTS:
            chain.append(self._elements[family, name])
            name = attribute(chain[-1], "parent-style-name")
        style = Style(
            (*(attribute(element, "name").replace("_20_", " ") for element in chain), name.replace("_20_", " "))
        )
        for element in reversed(chain):
            style = _over(style, element)
        return style


def _over(base: Style, element: Any) -> Style:
    style = replace(base, listing=attribute(element, "list-style-name") or base.listing)
    for properties in element:
        kind = local_name(properties)
        if kind == "text-properties":
            style = _with_text(style, properties)
        elif kind in ("table-properties", "drawing-page-properties"):
            is_hidden = attribute(properties, "display") == "false" or attribute(properties, "visibility") == "hidden"
            style = replace(style, is_hidden=style.is_hidden or is_hidden)
        elif kind == "table-cell-properties":
            colour = attribute(properties, "background-color")
            style = replace(
                style, is_filled=colour not in ("", "transparent", "#ffffff") if colour else style.is_filled
            )
    return style


def _with_text(style: Style, properties: Any) -> Style:
    position = attribute(properties, "text-position").split(" ")[0]
    if position:
        percent = _PERCENT.match(position)
        up = position == "super" or (percent is not None and int(percent[1]) > 0)
        down = position == "sub" or (percent is not None and int(percent[1]) < 0)
        style = replace(style, align="up" if up else "down" if down else "")
    line = attribute(properties, "text-line-through-style") or attribute(properties, "text-line-through-type")
    weight = attribute(properties, "font-weight")
    display = attribute(properties, "display")
    return replace(
        style,
        is_struck=line != "none" if line else style.is_struck,
        is_bold=weight in ("bold", "600", "700", "800", "900") if weight else style.is_bold,
        is_hidden=display == "none" if display else style.is_hidden,
    )
