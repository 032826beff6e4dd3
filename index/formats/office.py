"""kreuzberg's document nodes -> text with headings and pages. Pure.

For Word, OpenDocument, RTF, EPUB, e-mail and spreadsheets the nodes are better than the text that kreuzberg
makes of them: headings have levels, tables have cells, and a node of a spreadsheet knows its sheet. Slides come as text
with marks between them, since their nodes do not say which slide they stand on, and kreuzberg's byte offsets of slides
drift by one a slide.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from index.formats.markdown import Heading

SLIDE_MARK = "\n\n\x1e{page_num}\x1e\n\n"
"""Put before every slide; kreuzberg fills in the number. U+001E never survives in canonical text."""

_SLIDE = re.compile(r"\x1e(\d+)\x1e")
_LONGEST_TITLE = 150


class Flow(NamedTuple):
    """Text with its headings and (number, start, end) of its pages, in code points."""

    text: str
    headings: list[Heading]
    pages: list[tuple[int, int, int]]


def flow_of_nodes(nodes: Iterable[Mapping[str, Any]]) -> Flow:
    """Text of the nodes in reading order, blocks a blank line apart; table rows are lines, `| cell | cell |`."""
    text: list[str] = []
    headings: list[Heading] = []
    pages: dict[int, tuple[int, int]] = {}
    position = 0
    before = ""
    heading_start: int | None = None  # of headings that name no page: they stand on that of what follows
    for node in nodes:
        content = node["content"]
        kind = content["node_type"]
        block = _block(kind, content)
        if not block.strip():
            continue
        if text:
            gap = "\n" if kind == before == "list_item" else "\n\n"
            text.append(gap)
            position += len(gap)
        page = node.get("page")
        if kind in ("heading", "title"):
            headings.append(Heading(position, content.get("level") or 1, " ".join(block.split())))
            heading_start = position if heading_start is None else heading_start
        if page is not None:
            start = position if heading_start is None else heading_start
            pages[page] = (pages[page][0] if page in pages else start, position + len(block))
        if kind not in ("heading", "title") or page is not None:
            heading_start = None
        text.append(block)
        position += len(block)
        before = kind
    return Flow("".join(text), headings, _ordered(pages))


def flow_of_slides(text: str) -> Flow:
    """Slides parted at `SLIDE_MARK`; the first line of a slide, if short, is its heading. What stands before is on none."""
    parts = _SLIDE.split(text)
    slides = [(int(number), slide.strip("\n")) for number, slide in zip(["0", *parts[1::2]], parts[::2], strict=True)]
    written: list[str] = []
    headings: list[Heading] = []
    pages: list[tuple[int, int, int]] = []
    position = 0
    for number, slide in slides:
        if not number and not slide:
            continue
        title = slide.split("\n", 1)[0].strip()
        if title and len(title) <= _LONGEST_TITLE:
            headings.append(Heading(position, 1, title))
        if number:
            pages.append((number, position, position + len(slide)))
        written.append(slide)
        position += len(slide) + 2
    return Flow("\n\n".join(written), headings, pages)


def _block(kind: str, content: Mapping[str, Any]) -> str:
    if kind == "table":
        return _table(content["grid"])
    if kind == "metadata_block":
        return "\n".join(f"{name}: {value}" for name, value in content.get("entries", ()))
    if kind == "definition_item":
        return f"{content.get('term', '')}: {content.get('definition', '')}"
    text = str(content.get("text") or "")
    return f"- {text}" if kind == "list_item" else text


def _table(grid: Mapping[str, Any]) -> str:
    rows: list[list[str]] = [[] for _ in range(grid["rows"])]
    for cell in sorted(grid["cells"], key=lambda cell: (cell["row"], cell["col"])):
        rows[cell["row"]].append(" ".join(str(cell["content"]).split()))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows if any(row))


def _ordered(pages: Mapping[int, tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Pages by where they begin; where two overlap (a note kept to the end), none can be told and none is given."""
    found = sorted(((number, *span) for number, span in pages.items()), key=lambda page: page[1])
    overlapping = any(later[1] < earlier[2] for earlier, later in pairwise(found))
    return [] if overlapping else found
