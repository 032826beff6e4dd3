"""Sections: the text under each heading, with the headings above it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from index.blocks.block import UNREAD, Block, Kind, Span
from index.blocks.lines import end_of_words

_MAX_NAME = 300  # characters


@dataclass(frozen=True, slots=True)
class Section:
    """The text under one heading: where it begins, and the headings above it, outermost first."""

    start: int
    trail: tuple[str, ...]


def sections(text: str, blocks: Sequence[Block]) -> tuple[Section, ...]:
    """Return a section for every title and heading, in order. A heading of level 2 closes those of levels 2 and below.

    Text before the first heading is in no section.
    """
    left_out = _left_out(blocks)
    found: list[Section] = []
    trail: list[tuple[int, str]] = []
    for number, block in enumerate(blocks):
        if block.kind not in (Kind.TITLE, Kind.HEADING):
            continue
        level = 0 if block.kind is Kind.TITLE else block.level
        name = _name(text, block, left_out[number])
        trail = [*((above, heading) for above, heading in trail if above < level), (level, name)]
        found.append(Section(block.start, tuple(heading for _, heading in trail)))
    return tuple(found)


def _left_out(blocks: Sequence[Block]) -> dict[int, list[Span]]:
    """The ranges inside each block that are not read, by the block's place."""
    found: dict[int, list[Span]] = defaultdict(list)
    for block in blocks:
        if block.kind in UNREAD and block.parent is not None:
            found[block.parent].append(block.span)
    return found


def _name(text: str, block: Block, left_out: Iterable[Span]) -> str:
    """The heading on one line, without what is not read and without Markdown's `#`; the first words of a long one."""
    parts: list[str] = []
    position = block.start
    for start, end in left_out:
        parts.append(text[position:start])
        position = max(position, end)
    name = " ".join("".join([*parts, text[position : block.end]]).split()).strip("# ")
    return name[: end_of_words(name, 0, _MAX_NAME)].rstrip() if len(name) > _MAX_NAME else name
