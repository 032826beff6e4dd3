"""Sheet: what the readers of spreadsheets find in a sheet, and the sentences about what it lacks."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple

from index.blocks.block import Kind
from index.formats.nodes import Node, Part
from index.formats.table_grid import GridCell

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MERGE_BUDGET = 2_000_000  # rows of merged ranges that are looked at; ranges of more hide nothing
_MAX_NAMED = 12
NO_VALUE = "(formula without a stored value)"
"""What a cell reads as whose formula was never calculated. It is marked as inserted: the file does not say it."""


class Area(NamedTuple):
    """A range of cells, counted from 0, the last row and column included."""

    first_row: int
    first_column: int
    last_row: int
    last_column: int

    @classmethod
    def named(cls, name: str) -> "Area | None":
        """Return the range that a reference such as A1:C5 names; None if it names none."""
        first, _, last = name.replace("$", "").partition(":")
        places: list[int] = []
        for corner in (first, last or first):
            digits = corner.lstrip(_LETTERS)
            if not digits.isdecimal() or len(digits) > 7 or digits == corner:
                return None
            places += [int(digits) - 1, column_number(corner, 0)]
        top, left, bottom, right = places
        return cls(min(top, bottom), min(left, right), max(top, bottom), max(left, right))


class StatedTable(NamedTuple):
    """A table that the sheet itself names, and how many of its rows are headers."""

    area: Area
    header_rows: int


@dataclass(slots=True)
class Sheet:
    """A sheet: the cells that are not blank, spans resolved, and what it says about them.

    `frozen_rows` are the rows that stay on screen; `notes` are comments with the name of their cell; `unvalued` names the cells
    whose formula has no stored value.
    """

    name: str
    cells: list[GridCell] = field(default_factory=list)
    tables: list[StatedTable] = field(default_factory=list)
    frozen_rows: int = 0
    filtered: Area | None = None
    notes: list[tuple[str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)  # of shapes and charts
    unvalued: list[str] = field(default_factory=list)


def merge_cells(cells: dict[tuple[int, int], GridCell], merged: list[Area]) -> None:
    """Give the first cell of each merged range its span; the sheet shows no other cell of the range."""
    owners = [(area, cells[area.first_row, area.first_column]) for area in merged if (area[0], area[1]) in cells]
    by_row: dict[int, list[Area]] = {}
    rows = sorted({row for row, _ in cells})
    for area, cell in owners:
        cell.row_span = area.last_row - area.first_row + 1
        cell.column_span = area.last_column - area.first_column + 1
    budget = _MERGE_BUDGET
    for area, _ in owners:
        for row in rows[bisect_left(rows, area.first_row) : bisect_right(rows, area.last_row)]:
            by_row.setdefault(row, []).append(area)
            budget -= 1
            if not budget:
                return
    for row, column in list(cells):
        for area in by_row.get(row, ()):
            if area.first_column <= column <= area.last_column and (row, column) != (area.first_row, area.first_column):
                del cells[row, column]
                break


def sheet_warnings(sheet: Sheet) -> list[str]:
    """Return the sentences about what is not read from the sheet: formulas without a stored value, hidden cells."""
    warnings: list[str] = []
    if sheet.unvalued:
        named = ", ".join(sheet.unvalued[:_MAX_NAMED])
        more = f" and {len(sheet.unvalued) - _MAX_NAMED} more" if len(sheet.unvalued) > _MAX_NAMED else ""
        warnings.append(
            f"Sheet {sheet.name!r}: the formulas in {named}{more} have no stored value. "
            "Open the file in its own program, save it, and index it again."
        )
    hidden = sum(cell.is_hidden for cell in sheet.cells)
    if hidden:
        cells = "1 cell" if hidden == 1 else f"{hidden:,} cells"
        warnings.append(
            f"Sheet {sheet.name!r}: {cells} in hidden rows or columns will not be quoted. "
            "Unhide them and index the file again if they count."
        )
    return warnings


def hide(cell: GridCell) -> None:
    """Mark the cell as one of a hidden row or column."""
    if not cell.is_hidden:
        cell.content, cell.is_hidden = [Node(Kind.HIDDEN, cell.content)], True


def no_value() -> list[Part]:
    """Return the content of a cell whose formula has no stored value."""
    return [Node(Kind.INSERTED, [NO_VALUE])]


def column_name(column: int) -> str:
    """Return the letters of a column: 0 is A, 26 is AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_number(name: str, before: int) -> int:
    """Return the number of the column in the name of a cell such as C5; the one after `before` if it names none."""
    letters = name.rstrip("0123456789").upper()
    if not letters or len(letters) > 3 or not letters.isascii() or not letters.isalpha():
        return before + 1
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def hidden_sheet_warning(name: str) -> str:
    """Return the sentence about a sheet that is hidden."""
    return f"Sheet {name!r} is hidden and was left out. Unhide it and index the file again if it counts."
