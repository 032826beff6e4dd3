"""Lines of plain text that are known to be a table, a log, a quotation or fields -> their blocks."""

import re
from collections.abc import Sequence

from index.blocks.block import Kind, Span
from index.blocks.lines import Line
from index.formats.text.block_builder import BlockBuilder
from index.formats.text.text_lines import field_of, is_log
from index.formats.text.text_tables import Row, header_rows

_QUOTE = re.compile(r"(?:>[ \t]?)+")
_MAX_FIELDS = 10  # of a record; more are fields of their own


def add_table(builder: BlockBuilder, rows: Sequence[Row], headers: int | None = None) -> None:
    """Add the rows as a table; without `headers`, the number of its header rows follows from what they hold."""
    texts = [[builder.text[cell.start : cell.end] for cell in row.cells] for row in rows]
    count = header_rows(texts) if headers is None else headers
    builder.open(Kind.TABLE, rows[0].start)
    for number, row in enumerate(rows):
        is_header = number < count
        builder.open(Kind.ROW, row.start, row=number, is_header=is_header)
        for start, end, column, span in row.cells:
            facts = {"row": number, "column": column, "column_span": span, "is_header": is_header}
            builder.add(Kind.CELL, start, end, **facts)
        builder.close(row.end)
    builder.close(rows[-1].end)


def add_log(builder: BlockBuilder, lines: Sequence[Line]) -> None:
    """Add a log as a list of its entries, each of which may go on over several lines."""
    builder.open(Kind.LIST, lines[0].text_start)
    begin = end = lines[0].text_start
    for line in lines:
        if is_log(line.text) and end > begin:
            builder.add(Kind.ITEM, begin, end, level=1)
            begin = line.text_start
        end = line.text_end
    builder.add(Kind.ITEM, begin, end, level=1)
    builder.close(end)


def add_quotation(builder: BlockBuilder, lines: Sequence[Line]) -> None:
    """Add lines behind quotation marks as paragraphs of a quotation."""
    builder.open(Kind.QUOTATION, lines[0].text_start)
    is_open = False
    end = lines[0].text_start
    for line in lines:
        mark = _QUOTE.match(line.text)
        assert mark is not None
        body = line.text_start + mark.end()
        if not line.text[mark.end() :].strip():
            if is_open:
                builder.close(end)
            is_open = False
            continue
        if is_open:
            builder.add(Kind.MARKUP, line.text_start, body)
        else:
            builder.open(Kind.PARAGRAPH, body)
            is_open = True
        end = line.text_end
    if is_open:
        builder.close(end)
    builder.close(lines[-1].text_end)


def add_fields(builder: BlockBuilder, lines: Sequence[Line]) -> None:
    """Add lines with labels as fields, and a few of them as one record."""
    found: list[tuple[Span, int, int]] = []
    for line in lines:
        places = field_of(line.text)
        if places is None:
            found[-1] = (*found[-1][:2], line.text_end)
        else:
            label = Span(line.text_start, line.text_start + places[0])
            found.append((label, line.text_start + places[1], line.text_end))
    is_record = 1 < len(found) <= _MAX_FIELDS
    if is_record:
        builder.open(Kind.RECORD, lines[0].text_start)
    for label, start, end in found:
        builder.add(Kind.FIELD, start, end, labels=(label,))
    if is_record:
        builder.close(lines[-1].text_end)
