"""Stretches of text of one look each -> running text: raised and lowered ones parted, struck-out ones marked. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from index.blocks.block import Kind
from index.formats.nodes import Node, Part
from index.formats.superscripts import lowered, raised

_BEFORE = 40


class Stretch(NamedTuple):
    """Text of one look. `align`: "up", "down", or empty for the line itself; `is_note`: it is the mark of a note."""

    text: str
    align: str = ""
    is_struck: bool = False
    is_note: bool = False


def parts_of(stretches: Iterable[Stretch]) -> list[Part]:
    """Return the stretches of one paragraph as running text. Neighbours of one look are read together."""
    parts: list[Part] = []
    before = ""
    for stretch in _joined(stretches):
        inner: list[Part] = [stretch.text]
        if stretch.is_note or stretch.align == "up":
            inner = raised(before, stretch.text, is_note=stretch.is_note)
        elif stretch.align == "down":
            inner = lowered(before, stretch.text)
        parts += [Node(Kind.STRUCK, inner)] if stretch.is_struck and stretch.text.strip() else inner
        before = (before + stretch.text)[-_BEFORE:]
    return parts


def _joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    found: list[tuple[list[str], Stretch]] = []
    for stretch in stretches:
        if found and not stretch.is_note and found[-1][1][1:] == stretch[1:]:
            found[-1][0].append(stretch.text)
        elif stretch.text:
            found.append(([stretch.text], stretch))
    return [first._replace(text="".join(texts)) for texts, first in found]
