"""kreuzberg's output for old office files -> text with headings and pages. Pure."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple


class Heading(NamedTuple):
    """A heading of `level` 1 to 6 whose line begins at code point `start`."""

    start: int
    level: int
    text: str


class StructuredText(NamedTuple):
    """Text, its headings, and the (number, start, end) of its pages, in code points."""

    text: str
    headings: list[Heading]
    pages: list[tuple[int, int, int]]


def text_of_nodes(nodes: Iterable[Mapping[str, Any]]) -> StructuredText:
    """Text of the nodes in reading order, blocks separated by blank lines; table rows are lines, `| cell | cell |`."""
    text: list[str] = []
    headings: list[Heading] = []
    pages: dict[int, tuple[int, int]] = {}
    position = 0
    previous_kind = ""
    heading_start: int | None = None  # of headings without a page: they belong to the page of the next node
    for node in nodes:
        content = node["content"]
        kind = content["node_type"]
        block = _block(kind, content)
        if not block.strip():
            continue
        if text:
            gap = "\n" if kind == previous_kind == "list_item" else "\n\n"
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
        previous_kind = kind
    return StructuredText("".join(text), headings, _page_ranges(pages))


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


def _page_ranges(pages: Mapping[int, tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Pages ordered by start. None at all if two overlap (a note kept to the end): then no page can be trusted."""
    ranges = sorted(((number, *span) for number, span in pages.items()), key=lambda page: page[1])
    overlapping = any(later[1] < earlier[2] for earlier, later in pairwise(ranges))
    return [] if overlapping else ranges
