"""The styles of a Word document -> what they say about a paragraph, a run or a table, with what they are based on. Pure."""

import re
from dataclasses import dataclass, replace
from typing import Any

from index.formats.office.office_package import local_name

_HEADING = re.compile(r"heading ([1-9])\Z")
_FURNITURE = re.compile(r"(?:toc \d|toc heading|table of figures|table of authorities|index \d|header|footer)\Z")
_CODE = re.compile(r"html preformatted|macro|.*\b(?:source code|code block|preformatted text|listing)\b|code\Z|code ")
_MAX_BASES = 20
_OFF = ("0", "false", "off", "none")


@dataclass(frozen=True, slots=True)
class RunStyle:
    """How a run of text looks. None: it is not said, so what stands around it decides."""

    is_hidden: bool | None = None
    is_struck: bool | None = None
    is_bold: bool | None = None
    align: str | None = None

    def over(self, other: "RunStyle") -> "RunStyle":
        """Return this style, with what it does not say taken from `other`."""
        return RunStyle(
            other.is_hidden if self.is_hidden is None else self.is_hidden,
            other.is_struck if self.is_struck is None else self.is_struck,
            other.is_bold if self.is_bold is None else self.is_bold,
            other.align if self.align is None else self.align,
        )


@dataclass(frozen=True, slots=True)
class Style:
    """What a style says. `level`: of a heading, from 1; 0 for others. `numbering`: the number of its list, the level there."""

    name: str = ""
    level: int = 0
    numbering: tuple[str | None, int | None] = (None, None)
    run: RunStyle = RunStyle()
    heads_tables: bool = False

    @property
    def is_title(self) -> bool:
        """Whether the paragraph is the title of the document."""
        return self.name == "title"

    @property
    def is_caption(self) -> bool:
        """Whether the paragraph names a table or figure."""
        return self.name == "caption"

    @property
    def is_furniture(self) -> bool:
        """Whether the paragraph is a line of a contents page or the like."""
        return _FURNITURE.match(self.name) is not None

    @property
    def is_quotation(self) -> bool:
        """Whether the paragraph is quoted from elsewhere."""
        return self.name in ("quote", "intense quote", "block text", "quotations")

    @property
    def is_code(self) -> bool:
        """Whether the paragraph is a line of a program."""
        return _CODE.match(self.name) is not None


class Styles:
    """The styles of a document by their id."""

    def __init__(self, root: Any) -> None:
        self._elements: dict[str, Any] = {}
        self._found: dict[str, Style] = {"": Style()}
        self._defaults: dict[str, str] = {}
        for element in root.iterfind("{*}style") if root is not None else ():
            name = attribute(element, "styleId")
            self._elements[name] = element
            if attribute(element, "default") in ("1", "true", "on"):
                self._defaults[attribute(element, "type")] = name

    def of(self, name: str, kind: str = "paragraph") -> Style:
        """Return the style of that id, or the usual one of its kind."""
        name = name if name in self._elements else self._defaults.get(kind, "")
        if name not in self._found:
            self._found[name] = self._read(name)
        return self._found[name]

    def _read(self, name: str) -> Style:
        chain: list[Any] = []
        while name in self._elements and len(chain) < _MAX_BASES:
            chain.append(self._elements[name])
            name = value(chain[-1], "basedOn")
        style = Style()
        for element in reversed(chain):
            style = self._over(style, element)
        return style

    def _over(self, base: Style, element: Any) -> Style:
        name = value(element, "name").lower()
        run = run_style(element.find("{*}rPr")).over(base.run)
        level, numbering = base.level, base.numbering
        properties = element.find("{*}pPr")
        if properties is not None:
            stated = outline_level(properties)
            level = level if stated is None else stated
            numbering = merged_numbering(numbering_of(properties), numbering)
        named = _HEADING.match(name)
        level = int(named[1]) if named and not level else level
        heads = base.heads_tables or any(
            attribute(part, "type") == "firstRow" and any(local_name(inner) in ("b", "shd") for inner in part.iter())
            for part in element.iterfind("{*}tblStylePr")
        )
        return replace(base, name=name, level=level, numbering=numbering, run=run, heads_tables=heads)


def attribute(element: Any, name: str) -> str:
    """Return the attribute of that local name; an empty string if there is none."""
    for key, text in element.attrib.items():
        if key == name or key.endswith(f"}}{name}"):
            return str(text)
    return ""


def value(element: Any, name: str) -> str:
    """Return what the child of that name says in its attribute `val`; an empty string if there is no such child."""
    child = element.find(f"{{*}}{name}") if element is not None else None
    return attribute(child, "val") if child is not None else ""


def is_on(element: Any, name: str) -> bool | None:
    """Return whether the child of that name switches something on; None if there is no such child."""
    child = element.find(f"{{*}}{name}") if element is not None else None
    return None if child is None else attribute(child, "val") not in _OFF


def run_style(properties: Any) -> RunStyle:
    """Return what the properties of a run say."""
    if properties is None:
        return RunStyle()
    is_struck = is_on(properties, "strike")
    if is_struck is None or is_on(properties, "dstrike"):
        is_struck = is_on(properties, "dstrike") if is_struck is None else True
    return RunStyle(
        is_on(properties, "vanish"), is_struck, is_on(properties, "b"), value(properties, "vertAlign") or None
    )


def outline_level(properties: Any) -> int | None:
    """Return the level of a heading, from 1; 0 for body text, None if the properties do not say it."""
    level = value(properties, "outlineLvl")
    return None if not level.isdigit() else int(level) + 1 if int(level) < 9 else 0


def numbering_of(properties: Any) -> tuple[str | None, int | None]:
    """Return the number of the list and the level there, each None if the properties of a paragraph do not say it."""
    stated = properties.find("{*}numPr")
    if stated is None:
        return None, None
    number, level = value(stated, "numId"), value(stated, "ilvl")
    return number or None, int(level) if level.isdigit() and len(level) < 3 else None


def merged_numbering(
    own: tuple[str | None, int | None], base: tuple[str | None, int | None]
) -> tuple[str | None, int | None]:
    """Return the numbering of a paragraph: its own, with what it does not say taken from its style."""
    return base[0] if own[0] is None else own[0], base[1] if own[1] is None else own[1]


def marks_first_row(table: Any) -> bool:
    """Return whether the table lets its style show the first row as a header."""
    look = table.find("{*}tblPr/{*}tblLook")
    if look is None:
        return False
    bits = attribute(look, "val")
    is_number = bits != "" and set(bits) <= set("0123456789abcdefABCDEF")
    return attribute(look, "firstRow") in ("1", "true", "on") or (is_number and bool(int(bits, 16) & 0x20))
