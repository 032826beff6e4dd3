"""Sections: the text under each heading, with the headings above it."""

from collections.abc import Iterable
from dataclasses import dataclass

from index.blocks.block import Block, Kind


@dataclass(frozen=True, slots=True)
class Section:
    """The text under one heading: where it begins, and the headings above it, outermost first."""

    start: int
    trail: tuple[str, ...]


def sections(text: str, blocks: Iterable[Block]) -> tuple[Section, ...]:
    """Return a section for every title and heading, in order. A heading of level 2 closes those of levels 2 and below.

    Text before the first heading is in no section.
    """
    found: list[Section] = []
    trail: list[tuple[int, str]] = []
    for block in blocks:
        if block.kind not in (Kind.TITLE, Kind.HEADING):
            continue
        level = 0 if block.kind is Kind.TITLE else block.level
        name = " ".join(text[block.start : block.end].split()).strip("# ")
        trail = [*((above, heading) for above, heading in trail if above < level), (level, name)]
        found.append(Section(block.start, tuple(heading for _, heading in trail)))
    return tuple(found)
