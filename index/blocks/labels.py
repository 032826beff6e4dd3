"""Fill in the labels of blocks: what introduces a list, names a table, heads a column. Every reader's blocks pass through."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter

from index.blocks.block import INLINE, UNREAD, Block, Kind, Span

_LED = frozenset({Kind.LIST, Kind.TABLE, Kind.CODE, Kind.QUOTATION})
_LEADS = frozenset({Kind.PARAGRAPH, Kind.ITEM, Kind.MEANING})
_COLON = re.compile(r"[:：]\s*+(?:\[[^\]\s]{1,6}\]\s*+)?[*_]*+\s*+\Z")
_SENTENCE_END = re.compile(r"[.!?。！？][\"'”’)\]]*\s+")
_MAX_LEAD_IN = 600
IDENTITY = re.compile(r"(?i)(?:.*[_\W])?(?:name|title|id|key|label|code)\Z")
"""What the key of a value is called that says what its record is about."""

_MOST_HEADERS = 20  # that name one column; of more, the first and the last half do
_NAMES = [field.name for field in fields(Block)]
_FACTS = attrgetter(*_NAMES)
_PLACE_OF_LABELS = _NAMES.index("labels")


def with_labels(text: str, blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Return the blocks with the labels that follow from their order; labels that a reader has set stay.

    - A list, table, code block or quotation is introduced by the paragraph before it if that ends in a colon, and by the own
      text of the item or meaning that holds it.
    - A table is named by its caption.
    - A cell is named by the header cells of its columns and its row, outermost first.
    - A meaning is named by the terms before it.
    """
    labels: dict[int, tuple[Span, ...]] = {}
    children: dict[int | None, list[int]] = defaultdict(list)
    for number, block in enumerate(blocks):
        children[block.parent].append(number)
    for number, block in enumerate(blocks):
        if block.kind is Kind.TABLE:
            labels |= _cell_labels(blocks, [blocks_of for row in children[number] for blocks_of in children[row]])
        if block.kind is Kind.DEFINITION:
            terms = tuple(blocks[child].span for child in children[number] if blocks[child].kind is Kind.TERM)
            labels |= {child: terms for child in children[number] if blocks[child].kind is Kind.MEANING}
    for siblings in children.values():
        for place, number in enumerate(siblings):
            if blocks[number].kind in _LED and not blocks[number].labels:
                labels[number] = _introduction(text, blocks, children, siblings, place)
    return tuple(
        _labelled(block, labels[number]) if labels.get(number) and not block.labels else block
        for number, block in enumerate(blocks)
    )


def own_text(text: str, blocks: Sequence[Block], number: int, children: Sequence[int]) -> Span:
    """Return the range of a block before the first block that it holds, inline blocks apart, but not those at its end."""
    block = blocks[number]
    inner = (
        blocks[child].start for child in children if blocks[child].kind in _LED | {Kind.PARAGRAPH, Kind.DEFINITION}
    )
    end = max(block.start, min((start for start in inner), default=block.end))
    for child in reversed(children):
        last = blocks[child]
        if last.start < end and last.kind in UNREAD:
            if text[last.end : end].strip():
                break
            end = last.start
    return Span(block.start, end)


def lead_in(text: str, span: Span) -> Span | None:
    """Return the sentence at the end of the range if it ends in a colon and so introduces what follows; else None."""
    body = text[span.start : span.end].rstrip()
    if not _COLON.search(body):
        return None
    begin = max(0, len(body) - _MAX_LEAD_IN)
    for match in _SENTENCE_END.finditer(body, begin, len(body) - 1):
        begin = match.end()
    begin += len(body[begin:]) - len(body[begin:].lstrip())
    return Span(span.start + begin, span.start + len(body))


def _introduction(
    text: str,
    blocks: Sequence[Block],
    children: dict[int | None, list[int]],
    siblings: Sequence[int],
    place: int,
) -> tuple[Span, ...]:
    block = blocks[siblings[place]]
    found: list[Span] = []
    earlier = (blocks[siblings[number]] for number in range(place - 1, -1, -1))
    before = next((other for other in earlier if other.kind not in _SKIPPED), None)
    if before is not None and before.kind is Kind.PARAGRAPH:
        introduced = lead_in(text, before.span)
        found += [introduced] if introduced else []
    parent = block.parent
    if not found and before is None and parent is not None and blocks[parent].kind in _LEADS:
        own = own_text(text, blocks, parent, children[parent])
        body = text[own.start : own.end].rstrip()
        found += [Span(own.start, own.start + len(body))] if body else []
    if block.kind is Kind.TABLE:
        found += [blocks[child].span for child in children[siblings[place]] if blocks[child].kind is Kind.CAPTION]
    return tuple(found)


_SKIPPED = INLINE | {Kind.CAPTION}


def _labelled(block: Block, labels: tuple[Span, ...]) -> Block:
    """The block with those labels; `dataclasses.replace` takes three times as long."""
    facts = list(_FACTS(block))
    facts[_PLACE_OF_LABELS] = labels
    return Block(*facts)


def _cell_labels(blocks: Sequence[Block], numbers: Sequence[int]) -> dict[int, tuple[Span, ...]]:
    """Return the ranges of the header cells above each cell; empty ones, and those that repeat one above, name nothing."""
    cells = sorted(
        ((number, blocks[number]) for number in numbers if blocks[number].kind is Kind.CELL),
        key=lambda pair: pair[1].row,
    )
    header_rows = {cell.row for _, cell in cells} - {cell.row for _, cell in cells if not cell.is_header}
    above: dict[int, list[Block]] = defaultdict(list)
    covered: dict[int, int] = {}  # by column: the first row below the headers above
    known: dict[tuple[int, int], tuple[Span, ...]] = {}  # by columns, until the next header
    found: dict[int, tuple[Span, ...]] = {}
    for number, cell in cells:
        columns = range(cell.column, cell.column + cell.column_span)
        if cell.row not in header_rows:
            place = (cell.column, cell.column_span)
            if place not in known:
                naming = sorted((h for column in columns for h in above[column]), key=lambda h: (h.row, h.column))
                known[place] = tuple(dict.fromkeys(header.span for header in naming))
            if known[place]:
                found[number] = known[place]
        elif cell.start < cell.end:
            known.clear()
            for column in columns:
                if covered.get(column, 0) <= cell.row:
                    above[column].append(cell)
                    covered[column] = cell.row + cell.row_span
                    if len(above[column]) > _MOST_HEADERS:
                        del above[column][_MOST_HEADERS // 2]
    return found
