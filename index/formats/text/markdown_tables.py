"""Tables written as HTML inside Markdown -> their rows and cells with their places. Pure; linear."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAG = re.compile(r"(?i)<(/?)(table|tr|t[dh])\b([^<>]*)>")
_SPAN = re.compile(r"""(?i)\b(col|row)span\s*=\s*["']?(\d{1,3})""")


class HtmlCell(NamedTuple):
    """A cell: its range without its tags and white space, its column, how many it covers, and whether it is a header."""

    start: int
    end: int
    column: int
    column_span: int
    is_header: bool


@dataclass(slots=True)
class HtmlRow:
    """A row with its range and its cells."""

    start: int
    end: int
    cells: list[HtmlCell] = field(default_factory=list)


@dataclass(slots=True)
class HtmlTable:
    """A table with its range and its rows."""

    start: int
    end: int
    rows: list[HtmlRow] = field(default_factory=list)


def html_tables(content: str) -> list[HtmlTable]:
    """Return the tables of a piece of HTML; none if one of them holds another or does not end in it."""
    reader = _Reader(content)
    plain = _COMMENT.sub(lambda match: " " * len(match.group()), content)
    for match in _TAG.finditer(plain):
        if not reader.read(match):
            return []
    return [table for table in reader.tables if table.rows] if reader.table is None else []


class _Reader:
    def __init__(self, content: str) -> None:
        self.tables: list[HtmlTable] = []
        self.table: HtmlTable | None = None
        self._content = content
        self._row: HtmlRow | None = None
        self._cell: tuple[int, bool, dict[str, int]] | None = None  # start, is_header, spans
        self._covered: dict[int, int] = {}  # by column: the rows below that a cell above still covers

    def read(self, tag: "re.Match[str]") -> bool:
        """Read a tag; return False for a table in a table."""
        is_closing, name = bool(tag.group(1)), tag.group(2).lower()
        if name == "table" and not is_closing:
            if self.table is not None:
                return False
            self.table = HtmlTable(tag.start(), tag.end())
            self._covered = {}
        elif self.table is not None:
            self._end_cell(tag.start())
            if name in ("table", "tr"):
                self._end_row(tag.end() if is_closing and name == "tr" else tag.start())
            if name == "table":
                self.table.end = tag.end()
                self.tables.append(self.table)
                self.table = None
            elif not is_closing:
                self._row = self._row or HtmlRow(tag.start(), tag.end())
                if name != "tr":
                    spans = {kind.lower(): int(size) for kind, size in _SPAN.findall(tag.group(3))}
                    self._cell = (tag.end(), name == "th", spans)
        return True

    def _end_cell(self, end: int) -> None:
        if self._cell is None or self._row is None:
            return
        start, is_header, spans = self._cell
        self._cell = None
        column = self._row.cells[-1].column + self._row.cells[-1].column_span if self._row.cells else 0
        while self._covered.get(column, 0) > 0:
            column += 1
        width = max(1, spans.get("col", 1))
        body = self._content[start:end]
        start += len(body) - len(body.lstrip()) if body.strip() else 0
        self._row.cells.append(HtmlCell(start, start + len(body.strip()), column, width, is_header))
        if spans.get("row", 1) > 1:
            # this row counts too, and is over before the next begins
            self._covered |= dict.fromkeys(range(column, column + width), spans["row"])

    def _end_row(self, end: int) -> None:
        if self._row is not None and self.table is not None and self._row.cells:
            self._row.end = self._row.start + len(self._content[self._row.start : end].rstrip())
            self.table.rows.append(self._row)
            self._covered = {column: left - 1 for column, left in self._covered.items() if left > 1}
        self._row = None
