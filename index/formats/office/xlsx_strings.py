"""The texts of a workbook: superscripts parted, struck-out runs marked, readings of characters left out. Pure."""

import re
from typing import Any

from index.formats.nodes import LINE_BREAK, Part
from index.formats.office.office_package import local_name, read_elements
from index.formats.office.stretches import Stretch, parts_of

_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")  # ECMA-376 writes characters that XML forbids so


def shared_strings(data: bytes) -> list[list[Part]]:
    """Return the texts that the cells of all sheets refer to by number."""
    return [rich_text(item) for item in read_elements(data, "si")] if data else []


def rich_text(item: Any) -> list[Part]:
    """Return the text of a cell from its runs."""
    if len(item) == 1 and local_name(item[0]) == "t":
        return [text] if (text := _lines(item[0].text)) else []
    stretches: list[Stretch] = []
    for child in item:
        kind = local_name(child)
        if kind == "t":
            stretches.append(Stretch(_lines(child.text)))
        elif kind == "r":
            text = _lines("".join(t.text or "" for t in child.iterchildren("{*}t")))
            stretches.append(_stretch(child.find("{*}rPr"), text))
    return parts_of(stretches)


def _stretch(properties: Any, text: str) -> Stretch:
    if properties is None:
        return Stretch(text)
    place = properties.find("{*}vertAlign")
    align = {"superscript": "up", "subscript": "down"}.get(place.get("val", "") if place is not None else "", "")
    strike = properties.find("{*}strike")
    return Stretch(text, align, strike is not None and strike.get("val", "1") in ("1", "true"))


def _lines(text: str | None) -> str:
    return _ESCAPED.sub(_character, text or "").replace("\r\n", "\n").replace("\n", LINE_BREAK)


def _character(match: re.Match[str]) -> str:
    return chr(int(match.group(1), 16))
