"""The texts of a workbook: superscripts parted, struck-out runs marked, readings of characters left out. Pure."""

import re
from typing import Any

from index.blocks.block import Kind
from index.formats.nodes import LINE_BREAK, Node, Part
from index.formats.office_package import local_name, read_elements
from index.formats.superscripts import lowered, raised

_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")  # ECMA-376 writes characters that XML forbids so


def shared_strings(data: bytes) -> list[list[Part]]:
    """Return the texts that the cells of all sheets refer to by number."""
    return [rich_text(item) for item in read_elements(data, "si")] if data else []


def rich_text(item: Any) -> list[Part]:
    """Return the text of a cell from its runs."""
    parts: list[Part] = []
    before = ""
    for child in item:
        kind = local_name(child)
        if kind == "t":
            parts.append(_lines(child.text))
        elif kind == "r":
            text = _lines("".join(t.text or "" for t in child.iterchildren("{*}t")))
            parts += _run(child.find("{*}rPr"), before, text)
        before = Node(None, parts).plain()[-40:] if kind == "r" else before
    return parts


def _run(properties: Any, before: str, text: str) -> list[Part]:
    if properties is None:
        return [text]
    place = properties.find("{*}vertAlign")
    align = place.get("val", "") if place is not None else ""
    parts: list[Part] = [text]
    if align == "superscript":
        parts = raised(before, text)
    elif align == "subscript":
        parts = lowered(before, text)
    strike = properties.find("{*}strike")
    if strike is not None and strike.get("val", "1") in ("1", "true"):
        return [Node(Kind.STRUCK, parts)]
    return parts


def _lines(text: str | None) -> str:
    return _ESCAPED.sub(_character, text or "").replace("\r\n", "\n").replace("\n", LINE_BREAK)


def _character(match: re.Match[str]) -> str:
    return chr(int(match.group(1), 16))
