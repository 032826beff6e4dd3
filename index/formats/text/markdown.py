"""Markdown source -> blocks. Pure; the text does not change, so a quote is found in the file."""

import re
from collections.abc import Sequence
from dataclasses import replace

from index.blocks.block import Block, Kind
from index.formats.parsed import Parsed
from index.formats.text.data_tree import NotRecords, tree_blocks
from index.formats.text.markdown_blocks import markdown_blocks
from index.formats.text.yaml_records import yaml_values

_FRONT_MATTER = re.compile(
    r"---[ \t]*\n((?:(?!---[ \t]*(?:\n|\Z)|\.\.\.[ \t]*(?:\n|\Z)).*\n)*+)(?:---|\.\.\.)[ \t]*(?:\n|\Z)"
)
_FACTS = {"author": "author", "authors": "author", "date": "created", "created": "created"}


def read_markdown(text: str) -> Parsed:
    """Return the blocks of Markdown source: CommonMark with tables, strikethrough, footnotes, definition lists, front matter.

    Front matter is a record, so that a question such as "Who wrote it?" finds its answer there.
    """
    match = _FRONT_MATTER.match(text)
    if match is None:
        return Parsed(text, markdown_blocks(text))
    front = _front_blocks(text, *match.span(1))
    facts = {
        text[block.labels[0].start : block.labels[0].end].lower(): " ".join(text[block.start : block.end].split())
        for block in front
        if block.kind is Kind.FIELD and len(block.labels) == 1
    }
    metadata = {_FACTS[name]: value for name, value in facts.items() if name in _FACTS}
    body = markdown_blocks(text, match.end())
    blocks = (*front, *(_moved(block, len(front)) for block in body))
    return Parsed(text, blocks, title=facts.get("title", ""), metadata=metadata)


def _front_blocks(text: str, start: int, end: int) -> Sequence[Block]:
    """The blocks of front matter; what is no YAML is not answered from."""
    if not text[start:end].strip():
        return ()
    try:
        roots, _ = yaml_values(text, start, end)
        return tree_blocks(text, roots)
    except NotRecords:
        return (Block(Kind.FURNITURE, start, end),)


def _moved(block: Block, number: int) -> Block:
    return block if block.parent is None else replace(block, parent=block.parent + number)
