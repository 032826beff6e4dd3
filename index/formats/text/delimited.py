"""CSV and TSV -> one record for each row, its fields labelled with the header cells. Pure; linear.

The separator is the one that gives most rows the same number of cells, quoted cells respected, or what the first line states
(`sep=;`). A row may hold line breaks in quotes. Above the header stand titles, rows with a single cell that says something, and
comments behind "#".
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from index.blocks.block import Kind, Span
from index.formats.parsed import Parsed
from index.formats.periods import has_period_header
from index.formats.text.block_builder import BlockBuilder
from index.formats.text.plain_text import as_text, read_plain_text

_SEPARATORS = (",", ";", "\t", "|")
_SAMPLE_ROWS = 100
_MAX_QUOTED = 100_000  # characters of a quoted cell; a longer one has lost its closing quote
_MAX_HEADER_CHARACTERS = 60
_MOST_TITLES = 20  # rows above a header
_STATED = re.compile(r'"?sep=([,;\t|])"?[ \t]*\n')
_FIGURE = re.compile(r"[-+$€£]?\s?\d[\d.,:/ '%-]*[%€$]?\Z|\d{4}-\d\d-\d\d.*|(?i:true|false|yes|no|n/?a)\Z")


class _Cell(NamedTuple):
    """A cell: its range without quotes and white space, and whether doubled quotes stand in it."""

    start: int
    end: int
    is_quoted: bool = False


class _Row(NamedTuple):
    start: int
    end: int
    cells: list[_Cell]


def read_delimited(text: str, separator: str | None = None) -> Parsed:
    """Return the records of the text. Without a separator it is found; text without columns is read as plain text."""
    stated = _STATED.match(text)
    found = separator if separator is not None and separator in text else None
    found = stated.group(1) if stated else found or _separator_of(text)
    if found is None:
        if separator is None and not any(mark in text for mark in _SEPARATORS):
            return read_plain_text(text)
        return as_text(text, "table", ValueError("its rows have no cells in common"))
    begin = stated.end() if stated else 0
    rows = [row for row in _rows(text, found, begin) if any(cell.end > cell.start for cell in row.cells)]
    first = _first_row(text, rows)
    builder = BlockBuilder(text)
    if stated:
        builder.add(Kind.FURNITURE, *stated.span())
    for row in rows[:first]:
        cells = [cell for cell in row.cells if cell.end > cell.start]
        is_title = row is rows[0] and len(cells) == 1 and not text.startswith("#", row.start)
        facts = {"level": 1} if is_title else {}
        builder.add(Kind.HEADING if is_title else Kind.PARAGRAPH, cells[0].start, cells[-1].end, **facts)
    header: Sequence[_Cell] = ()
    if _is_header(text, rows[first : first + _SAMPLE_ROWS]):
        header = rows[first].cells
        builder.add(Kind.FURNITURE, rows[first].start, rows[first].end)
        first += 1
    for number, row in enumerate(rows[first:]):
        _add_record(builder, text, row, number, header)
    return Parsed(text, builder.finish())


def _add_record(builder: BlockBuilder, text: str, row: _Row, number: int, header: Sequence[_Cell]) -> None:
    builder.open(Kind.RECORD, row.start, row=number)
    for column, cell in enumerate(row.cells):
        name = header[column] if column < len(header) else None
        labels = (Span(name.start, name.end),) if name is not None and name.end > name.start else ()
        if cell.end == cell.start:
            continue
        builder.open(Kind.FIELD, cell.start, row=number, column=column, labels=labels)
        if cell.is_quoted:
            position = text.find('""', cell.start, cell.end)
            while position >= 0:
                builder.add(Kind.MARKUP, position, position + 1)
                position = text.find('""', position + 2, cell.end)
        builder.close(cell.end)
    builder.close(row.end)


def _first_row(text: str, rows: Sequence[_Row]) -> int:
    """The place of the first row of the table: the header below titles and comments if there is one."""
    width = max(2, _usual([len(row.cells) for row in rows]))
    first = next((place for place, row in enumerate(rows) if len(row.cells) >= width), 0)
    for place, row in enumerate(rows[first : first + _MOST_TITLES], first):
        is_comment = text.startswith("# ", row.start)
        if not is_comment and sum(cell.end > cell.start for cell in row.cells) > 1 and len(row.cells) >= width:
            below = rows[place : place + _SAMPLE_ROWS]
            return place if _is_header(text, below) and (place == first or _has_figures(text, below[1:])) else first
    return first


def _rows(text: str, separator: str, begin: int = 0) -> Iterator[_Row]:
    """The rows of the text from `begin` on, blank ones left out."""
    plain = re.compile(rf"[^{re.escape(separator)}\n]*+")
    position, length = begin, len(text)
    while position < length:
        start = position
        cells: list[_Cell] = []
        while True:
            cell, position = _cell(text, position, plain)
            cells.append(cell)
            if position >= length or text[position] == "\n":
                break
            position += 1
        if len(cells) > 1 or cells[0].end > cells[0].start:
            yield _Row(start, position, cells)
        position += 1


def _cell(text: str, position: int, plain: "re.Pattern[str]") -> tuple[_Cell, int]:
    """The cell at the position, and the place of the separator or line break after it."""
    match = plain.match(text, position)
    assert match is not None
    body = match.group()
    lead = len(body) - len(body.lstrip())
    if body.lstrip()[:1] == '"':
        start = position + lead + 1
        end = _closing_quote(text, start)
        if end is not None:
            rest = plain.match(text, end + 1)
            assert rest is not None
            if not rest.group().strip():
                return _Cell(start, end, True), rest.end()
    stripped = body.strip()
    start = position + (lead if stripped else 0)
    return _Cell(start, start + len(stripped)), match.end()


def _closing_quote(text: str, start: int) -> int | None:
    position = start
    while True:
        position = text.find('"', position, start + _MAX_QUOTED)
        if position < 0 or not text.startswith('"', position + 1):
            return None if position < 0 else position
        position += 2


def _separator_of(text: str) -> str | None:
    """The separator with which most rows have the same number of cells, more than one; of equals that with most cells."""
    best: tuple[float, int] = (0.0, 1)
    found: str | None = None
    for separator in _SEPARATORS:
        rows = list(islice(_rows(text, separator), _SAMPLE_ROWS))
        widths = [len(row.cells) for row in rows if len(row.cells) > 1]
        if not widths:
            continue
        width = _usual(widths)
        share = widths.count(width) / len(rows)
        if share >= 0.5 and (round(share, 1), width) > best:
            best, found = (round(share, 1), width), separator
    return found


def _usual(counts: Sequence[int]) -> int:
    return Counter(counts).most_common(1)[0][0] if counts else 0


def _is_header(text: str, rows: Sequence[_Row]) -> bool:
    """Whether the first row names the columns: short words, no figures but periods, the same twice only above figures."""
    if len(rows) < 2:
        return False
    if has_period_header([[text[cell.start : cell.end] for cell in row.cells] for row in rows]):
        return True
    names = [text[cell.start : cell.end].strip() for cell in rows[0].cells]
    filled = [name for name in names if name]
    has_figures = _has_figures(text, rows[1:])
    if len(filled) < max(1, min(len(names) - 1, len(names) / 2 if has_figures else len(names))):
        return False
    counts = Counter(filled)
    if any(counts[name] > 1 and not _is_of_figures(text, rows[1:], place) for place, name in enumerate(names)):
        return False
    if any(len(name) > _MAX_HEADER_CHARACTERS or _FIGURE.match(name) or name.endswith((".", "!")) for name in filled):
        return False
    return has_figures or not set(filled) & set(_values(text, rows[1:]))


def _has_figures(text: str, rows: Sequence[_Row]) -> bool:
    return any(map(_FIGURE.match, _values(text, rows)))


def _is_of_figures(text: str, rows: Sequence[_Row], column: int) -> bool:
    """Whether most values of a column are figures."""
    values = list(_values(text, [row._replace(cells=row.cells[column : column + 1]) for row in rows]))
    return 2 * sum(_FIGURE.match(value) is not None for value in values) > len(values)


def _values(text: str, rows: Sequence[_Row]) -> Iterator[str]:
    """What the cells of the rows hold, blank ones left out."""
    return (value for row in rows for cell in row.cells if (value := text[cell.start : cell.end].strip()))
