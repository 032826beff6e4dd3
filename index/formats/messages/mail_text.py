"""The plain text of a mail -> nodes: paragraphs, lists, and quotations behind `>`. Pure."""

import re
from collections.abc import Iterator

from index.blocks.block import Kind
from index.formats.nodes import LINE_BREAK, Node

_MARKS = re.compile(r"(?:>[ \t]?)+")
_ITEM = re.compile(r"[ \t]{0,8}([-*+•·–]|\(?(?:\d{1,3}|[a-zA-Z])[.)])[ \t]+(?=\S)")
_MAX_LEVEL = 20
_WRAPPED = 50  # a line of an item that is shorter was not broken to fit, so what follows it is no part of the item


def add_mail_text(parent: Node, text: str, *, is_flowed: bool = False) -> None:
    """Append the text to `parent`. `is_flowed`: a line that ends in a space goes on in the next (RFC 3676)."""
    open_nodes = [parent]
    run: Node | None = None  # the open paragraph or item
    goes_on = False
    length = 0  # of the line before
    for level, line in _levelled(text):
        if level != len(open_nodes) - 1:
            run = None
            del open_nodes[level + 1 :]
            while len(open_nodes) <= level:
                open_nodes.append(open_nodes[-1].add(Kind.QUOTATION))
        content = line.strip()
        if not content:
            run = None
            continue
        holder = open_nodes[-1]
        is_past_item = run is not None and run.kind is Kind.ITEM and not line[0].isspace() and length < _WRAPPED
        if content == "--" or (is_past_item and not goes_on):
            run = None
        item = None if goes_on and run is not None else _ITEM.match(line)
        if item is not None and (run is None or run.kind is Kind.ITEM or _begins_list(item[1], run)):
            last = holder.content[-1] if holder.content else None
            is_next = isinstance(last, Node) and last.kind is Kind.LIST
            listed = last if is_next and isinstance(last, Node) else holder.add(Kind.LIST)
            run = listed.add(Kind.ITEM, content[len(item[1]) :].lstrip(), marker=item[1], level=1)
        elif run is None:
            run = holder.add(Kind.PARAGRAPH, content)
        else:
            run.write((" " if goes_on else LINE_BREAK) + content)
        goes_on = is_flowed and line.endswith(" ") and content != "--"
        length = len(content)


def _levelled(text: str) -> Iterator[tuple[int, str]]:
    """Each line without its quotation marks, with their number."""
    for line in text.split("\n"):
        marks = _MARKS.match(line)
        if marks is None:
            yield 0, line
        else:
            yield min(marks[0].count(">"), _MAX_LEVEL), line[marks.end() :]


def _begins_list(marker: str, run: Node) -> bool:
    """Whether a line with the marker begins a list in the middle of a paragraph: after a colon, or as the first of its kind."""
    return run.plain().rstrip().endswith(":") or marker in ("-", "*", "•", "1.", "1)", "(1)", "a)", "(a)")
