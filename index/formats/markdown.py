"""Markdown source -> blocks, headings and sections. Pure; the text does not change, so a quote is found in the file."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from index.blocks.sections import Section
from index.formats.markdown_blocks import markdown_blocks
from index.formats.parsed import Parsed


def read_markdown(text: str) -> Parsed:
    """Return the blocks of Markdown source (CommonMark with tables, strikethrough, footnotes, definition lists, front matter)."""
    return Parsed(text, markdown_blocks(text, _after_front_matter(text)), title=front_matter_title(text))


class Heading(NamedTuple):
    """A heading of `level` 1 to 6 whose line begins at code point `start`."""

    start: int
    level: int
    text: str


_LINE = re.compile(r"[^\n]*(?:\n|\Z)")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*\Z")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*\Z")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_MAY_BE_SETEXT = re.compile(r" {0,3}[^\s>|#*+\-`~]")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKS = re.compile(r"(\*\*|\*|`)(.+?)\1")


def markdown_headings(text: str) -> list[Heading]:
    """The headings of Markdown `text` in order, without Markdown marks."""
    headings: list[Heading] = []
    fence: str | None = None
    previous: tuple[int, str] | None = None  # start and text of the line before, if it may be a setext heading
    position = _after_front_matter(text)
    while position < len(text):
        match = _LINE.match(text, position)
        assert match is not None
        line, start, position = match.group().rstrip("\n"), position, match.end()
        marks = _FENCE.match(line)
        if fence is not None:
            closes = marks is not None and marks.group(1).startswith(fence) and not line.strip().strip(fence[0])
            fence = None if closes else fence
            previous = None
        elif marks is not None:
            fence, previous = marks.group(1), None
        elif (atx := _ATX.match(line)) is not None:
            headings.append(Heading(start, len(atx.group(1)), _plain(atx.group(2) or "")))
            previous = None
        elif previous is not None and (underline := _SETEXT.match(line)) is not None:
            headings.append(Heading(previous[0], 1 if underline.group(1)[0] == "=" else 2, _plain(previous[1])))
            previous = None
        else:
            previous = (start, line) if previous is None and _MAY_BE_SETEXT.match(line) else None
    return [heading for heading in headings if heading.text]


def sections(headings: Iterable[Heading]) -> tuple[Section, ...]:
    """A section for each heading, with the headings above it: `# A`, `## B` give the trails (A,) and (A, B)."""
    open_headings: list[Heading] = []
    result: list[Section] = []
    for heading in headings:
        while open_headings and open_headings[-1].level >= heading.level:
            open_headings.pop()
        open_headings.append(heading)
        result.append(Section(heading.start, tuple(above.text for above in open_headings)))
    return tuple(result)


def front_matter_title(text: str) -> str:
    """The `title:` of YAML front matter, or an empty string."""
    head = text[: _after_front_matter(text)]
    match = re.search(r"^title:[ \t]*(.+?)[ \t]*$", head, re.MULTILINE)
    return match.group(1).strip("\"'") if match else ""


def _after_front_matter(text: str) -> int:
    match = re.match(r"---[ \t]*\n(?:.*\n)*?(?:---|\.\.\.)[ \t]*(?:\n|\Z)", text)
    return match.end() if match else 0


def _plain(heading: str) -> str:
    return _MARKS.sub(r"\2", _LINK.sub(r"\1", heading)).strip()
