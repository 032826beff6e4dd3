"""An Excel workbook of the old format is read with its formats, spans, notes and hidden parts."""

import datetime
import io

import pytest
import xlwt

from index.blocks.block import Kind
from index.formats.office.xls import read_xls
from index.formats.parsed import Parsed, Unreadable


def saved(book: xlwt.Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def texts(parsed: Parsed, *kinds: Kind) -> list[str]:
    return [parsed.text[block.start : block.end] for block in parsed.blocks if block.kind in kinds]


def test_values_stand_as_the_sheet_shows_them() -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Fleet")
    for column, text in enumerate(("Boat", "Discount", "Built", "Price", "Sold")):
        sheet.write(0, column, text)
    for column, (value, code) in enumerate(
        (
            ("Tern", "General"),
            (0.125, "0.0%"),
            (datetime.date(1998, 5, 17), "d mmm yyyy"),
            (98765.4, '#,##0.00 "NOK"'),
            (True, "0"),
        )
    ):
        sheet.write(1, column, value, xlwt.easyxf(num_format_str=code))
    parsed = read_xls(saved(book))
    assert parsed.text == (
        "Fleet\n\n| Boat | Discount | Built | Price | Sold |\n| Tern | 12.5% | 17 May 1998 | 98,765.40 NOK | TRUE |"
    )
    price = next(b for b in parsed.blocks if b.kind is Kind.CELL and parsed.text[b.start : b.end] == "98,765.40 NOK")
    assert [parsed.text[start:end] for start, end in price.labels] == ["Price"]


def test_merged_cells_superscripts_and_hidden_parts() -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Now")
    for column, text in enumerate(("Region", "Depot", "Vans", "Cost")):
        sheet.write(0, column, text)
    sheet.write_merge(1, 2, 0, 0, "North")
    for row, depot in ((1, "Alta"), (2, "Bodo")):
        sheet.write(row, 1, depot)
        sheet.write(row, 3, 77)
    sheet.write(1, 2, 12)
    small = xlwt.easyfont("escapement superscript")
    sheet.write_rich_text(2, 2, [("250", xlwt.Font()), ("1", small)])
    sheet.col(3).hidden = True
    book.add_sheet("Old").write(0, 0, "99999")
    book.get_sheet(1).visibility = 1
    parsed = read_xls(saved(book))
    assert parsed.text.endswith("| North | Alta | 12 | 77 |\n| North | Bodo | 250[1] | 77 |")
    assert texts(parsed, Kind.CELL).count("North") == 2
    assert texts(parsed, Kind.HIDDEN) == ["Cost", "77", "77"]
    assert [warning.split(". ")[0] for warning in parsed.warnings] == [
        "Sheet 'Now': 3 cells in hidden rows or columns will not be quoted",
        "Sheet 'Old' is hidden and was left out",
    ]
    assert [page.number for page in parsed.pages] == [1]


def test_what_is_no_workbook_is_refused_with_a_reason() -> None:
    book = xlwt.Workbook()
    book.add_sheet("Now").write(0, 0, "x")
    with pytest.raises(Unreadable, match="damaged or cut short"):
        read_xls(saved(book)[:600])
