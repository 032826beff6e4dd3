"""A raised or lowered piece of text -> how it stands in the canonical text; it never fuses with what is before it. Pure.

An exponent stands after `^` (`10^5`, `m^2`), an index after `_` if it would otherwise join a number, and the mark of a note in
square brackets (`250[1]`). The characters added are blocks of kind `INSERTED`, and a mark is a block of kind `MARK`, which is
left out when the text is read. Letters that belong to the word before them (`1st`, `2o`, `Mme`) stay as they are.
"""

import re

from index.blocks.block import Kind
from index.formats.nodes import Node, Part

_NOTE_MARK = re.compile(r"[\[(]?(?:\d{1,3}|[a-z]|[*†‡§¶#]{1,3})(?:[,;–-]\s?(?:\d{1,3}|[a-z]))*[\])]?\Z")
_NUMBER = re.compile(r"[+\-−–]?\d{1,4}(?:[.,]\d+)?\Z")
_ORDINAL = re.compile(r"(?:st|nd|rd|th|er|re|e|ème|eme|o|a|os|as|ª|º|TM|SM|®|™|©|℠)\Z", re.IGNORECASE)
_POWER_OF_TEN = re.compile(r"(?:[×x*·⋅]\s?|\b)10\Z|[×x*·⋅]\s?\d+\Z")
_UNIT = re.compile(r"(?:\d\s?|[/·⋅(\s])(?:k|c|m|d|µ|h|n)?(?:m|g|s|l|ft|in|yd|mi|sec|min|hr?|mol|K|A|V|W|N|J|Pa|Hz)\Z")
_VARIABLE = re.compile(r"(?:\A|[\s(=+\-*/·])[A-Za-zα-ωΑ-Ω]\Z")


def raised(before: str, text: str, *, is_note: bool = False) -> list[Part]:
    """Return the parts for the raised `text` after `before`, the text of the same block so far.

    `is_note` says that the file itself marks it as the reference of a note.
    """
    mark = text.strip()
    if not mark:
        return [text]
    if not is_note:
        if _ORDINAL.match(mark) and before[-1:].isalnum():
            return [text]
        if _is_exponent(before, mark):
            return [Node(Kind.INSERTED, ["^"]), mark]
    if is_note or _NOTE_MARK.match(mark):
        bare = mark.strip("[]()")
        opening = [mark[0]] if mark[:1] == "[" else [Node(Kind.INSERTED, ["["])]
        closing = [mark[-1]] if mark[-1:] == "]" else [Node(Kind.INSERTED, ["]"])]
        return [Node(Kind.MARK, [*opening, bare, *closing])]
    return [Node(Kind.INSERTED, ["^"]), text] if before[-1:].isalnum() else [text]


def lowered(before: str, text: str) -> list[Part]:
    """Return the parts for the lowered `text` after `before`: `H2O` and `CO2` stay, `log_2` and `10_2` are parted."""
    if before[-1:].isdecimal() and text[:1].isdecimal():
        return [Node(Kind.INSERTED, ["_"]), text]
    return [text]


def _is_exponent(before: str, mark: str) -> bool:
    if not _NUMBER.match(mark):
        return False
    is_small = mark in ("2", "3") or mark[0] in "+-−–"
    if _POWER_OF_TEN.search(before):
        return True
    return is_small and (_UNIT.search(before) is not None or _VARIABLE.search(before) is not None)
