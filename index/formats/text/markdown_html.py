"""A block of HTML inside Markdown -> paragraphs and tables over the unchanged source. Pure."""

from typing import Any

from index.blocks.block import Kind
from index.formats.table_grid import heads_columns
from index.formats.text.block_builder import BlockBuilder
from index.formats.text.inline_marks import markup_marks
from index.formats.text.markdown_lines import Running
from index.formats.text.markdown_tables import HtmlTable, html_tables
from index.formats.text.text_tables import header_rows


def add_html(builder: BlockBuilder, content: str, running: Running) -> None:
    """Add the blocks of the HTML `content`, which stands at `running` in the source."""
    whole = len(content.rstrip())
    if any(mark.kind is Kind.HIDDEN and mark.start == 0 and mark.end >= whole for mark in markup_marks(content)):
        builder.add(Kind.HIDDEN, running.start, running.end)
        return
    position = 0
    for table in html_tables(content):
        _add_part(builder, Kind.PARAGRAPH, content, running, position, table.start)
        _add_table(builder, table, content, running)
        position = table.end
    _add_part(builder, Kind.PARAGRAPH, content, running, position, len(content))


def _add_table(builder: BlockBuilder, table: HtmlTable, content: str, running: Running) -> None:
    texts = [[content[cell.start : cell.end].strip() for cell in row.cells] for row in table.rows]
    is_marked = any(cell.is_header for row in table.rows for cell in row.cells)
    headers = 0 if is_marked else header_rows(texts)
    builder.open(Kind.TABLE, running.place(table.start))
    for number, row in enumerate(table.rows):
        marked = [(cell.is_header, not text) for cell, text in zip(row.cells, texts[number], strict=True)]
        is_header = number < headers or heads_columns(marked)
        builder.open(Kind.ROW, running.place(row.start), row=number, is_header=is_header)
        for cell in row.cells:
            facts = {"column": cell.column, "column_span": cell.column_span, "row": number}
            heads = is_header or cell.is_header
            _add_part(builder, Kind.CELL, content, running, cell.start, cell.end, is_header=heads, **facts)
        builder.close(running.place_end(row.end))
    builder.close(running.place_end(table.end))


def _add_part(
    builder: BlockBuilder, kind: Kind, content: str, running: Running, start: int, end: int, **facts: Any
) -> None:
    """Add a stretch of the HTML, with its tags as marks. A blank cell is kept, a blank paragraph is not."""
    body = content[start:end]
    if not body.strip():
        if kind is Kind.CELL:
            builder.add(kind, running.place(start), running.place(start), **facts)
        return
    start, body = start + len(body) - len(body.lstrip()), body.strip()
    builder.open(kind, running.place(start), **facts)
    for mark in markup_marks(body):
        left, right = running.place(start + mark.start), running.place_end(start + mark.end)
        if left < right:
            builder.add(mark.kind, left, right, marker=mark.marker)
    builder.close(running.place_end(start + len(body)))
