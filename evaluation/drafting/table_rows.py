"""Tables as drafting reads them: rows with their cells by header, and the organisation that they are about. Pure."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from evaluation.drafting.periods import Header, header_of
from evaluation.drafting.proposal import DraftDocument
from evaluation.drafting.wording import one_line
from index.blocks.block import Block, Kind, Span

_COMPANY = re.compile(
    r"\b(?P<name>[A-Z][\w&’'-]+(?: [A-Z][\w&’'-]+){0,3}),? (?:Inc\.|Corporation|Corp\.|Ltd\b|GmbH|AG\b|plc\b|LLC\b|"
    r"CORPORATION|INC\.)"
)
_MIN_MENTIONS = 3


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its label, the heading inside the table above it, whether the same label stands under another
    one, its range, and its cells by header. `corner` is the header of the first column, which says what the rows are.
    """

    label: str
    group: str
    is_repeated: bool
    span: Span
    cells: tuple[tuple[Header, str], ...]
    corner: str


def owner_of(document: DraftDocument) -> str:
    """The organisation with a legal form that the document names most, without the form; empty if none stands out."""
    counts: dict[str, int] = {}
    for match in _COMPANY.finditer(document.document.text):
        name = match["name"].removeprefix("The ")
        name = name.title() if name.isupper() and len(name) > 4 else name
        counts[name] = counts.get(name, 0) + 1
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    if not ranked or ranked[0][1] < _MIN_MENTIONS or (len(ranked) > 1 and ranked[1][1] * 2 > ranked[0][1]):
        return ""
    return ranked[0][0]


def tables(document: DraftDocument) -> Iterator[list[Row]]:
    """The rows of each table, in order, without its header rows and the headings inside it."""
    blocks = document.document.blocks
    children: dict[int, list[int]] = {}
    for number, block in enumerate(blocks):
        if block.parent is not None:
            children.setdefault(block.parent, []).append(number)
    for number, block in enumerate(blocks):
        if block.kind is Kind.TABLE:
            rows = [child for child in children.get(number, ()) if blocks[child].kind is Kind.ROW]
            cells = [[blocks[c] for c in children.get(row, ()) if blocks[c].kind is Kind.CELL] for row in rows]
            found = list(_rows(document, [blocks[row] for row in rows], cells))
            labels = Counter(row.label.casefold() for row in found)
            yield [replace(row, is_repeated=labels[row.label.casefold()] > 1) for row in found]


def _rows(document: DraftDocument, rows: Sequence[Block], cells: Sequence[Sequence[Block]]) -> Iterator[Row]:
    group = ""
    for row, inside in zip(rows, cells, strict=True):
        filled = [cell for cell in inside if document.words(cell.span).strip()]
        if not filled or row.is_header or all(cell.is_header for cell in filled):
            continue
        first, *others = filled
        label = one_line(document.words(first.span))
        if not others:
            group = label.strip(" :") if first.column == 0 else group
            continue
        corner = " ".join(document.words(span) for span in first.labels if span != first.span)
        measured = tuple(_measured(document, first, others, corner))
        if first.column == 0:
            if label.casefold().startswith("total"):
                group = ""
            yield Row(label, group, False, row.span, measured, one_line(corner))


def _measured(
    document: DraftDocument, first: Block, others: Sequence[Block], corner: str
) -> Iterator[tuple[Header, str]]:
    for cell in others:
        labels = [document.words(span) for span in cell.labels if span not in (first.span, cell.span)]
        header = header_of(labels, corner) if labels else None
        if header is not None:
            yield header, document.words(cell.span).strip()
