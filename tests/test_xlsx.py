"""An Excel workbook is read with its tables, spans, shown values, notes and hidden parts."""

import io
import zipfile
from collections.abc import Callable
from datetime import date, time, timedelta

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.table import Table

from index.blocks.block import Block, Kind
from index.formats.office.xlsx import read_xlsx
from index.formats.parsed import Parsed, Unreadable


def saved(book: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def read(*rows: tuple[object, ...], change: Callable[[openpyxl.worksheet.worksheet.Worksheet], object] = id) -> Parsed:
    book = openpyxl.Workbook()
    book.active.title = "Fleet"
    for row in rows:
        book.active.append(row)
    change(book.active)
    return read_xlsx(saved(book))


def rewritten(data: bytes, member: str, change: Callable[[str], str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, change(text.decode()).encode() if name == member else text)
    return buffer.getvalue()


def texts(parsed: Parsed, *kinds: Kind) -> list[str]:
    return [parsed.text[block.start : block.end] for block in parsed.blocks if block.kind in kinds]


def cell(parsed: Parsed, text: str) -> Block:
    return next(b for b in parsed.blocks if b.kind is Kind.CELL and parsed.text[b.start : b.end] == text)


def labels(parsed: Parsed, text: str) -> list[str]:
    return [parsed.text[start:end] for start, end in cell(parsed, text).labels]


def test_values_stand_as_the_sheet_shows_them() -> None:
    def formats(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
        for place, code in (
            ("B2", "0.0%"),
            ("C2", "d mmm yyyy"),
            ("D2", '#,##0.00 "NOK"'),
            ("E2", "h:mm"),
            ("F2", "[h]:mm"),
        ):
            sheet[place].number_format = code

    header = ("Boat", "Discount", "Built", "Price", "Leaves", "Trip", "Sold")
    parsed = read(
        header, ("Tern", 0.125, date(1998, 5, 17), 98765.4, time(6, 45), timedelta(hours=30), True), change=formats
    )
    assert "| Tern | 12.5% | 17 May 1998 | 98,765.40 NOK | 6:45 | 30:00 | TRUE |" in parsed.text
    assert labels(parsed, "98,765.40 NOK") == ["Price"]


def test_each_sheet_is_a_heading_and_a_page() -> None:
    book = openpyxl.Workbook()
    book.active.title = "Boats"
    book.active.append(["Tern", 3])
    book.create_sheet("Crews").append(["Ola", 4])
    parsed = read_xlsx(saved(book))
    assert texts(parsed, Kind.HEADING) == ["Boats", "Crews"]
    assert [(page.number, parsed.text[page.start : page.end]) for page in parsed.pages] == [
        (1, "Boats\n\n| Tern | 3 |"),
        (2, "Crews\n\n| Ola | 4 |"),
    ]


def test_a_merged_cell_names_each_row_that_it_covers() -> None:
    parsed = read(
        ("Region", "Depot", "Vans"), ("North", "Alta", 12), (None, "Bodo", 7),
        change=lambda sheet: sheet.merge_cells("A2:A3"),
    )  # fmt: skip
    norths = [
        block for block in parsed.blocks if block.kind is Kind.CELL and parsed.text[block.start : block.end] == "North"
    ]
    assert [(block.row, block.column, block.row_span) for block in norths] == [(1, 0, 2), (2, 0, 1)]
    assert parsed.text.endswith("| North | Alta | 12 |\n| North | Bodo | 7 |")


def test_headers_over_several_columns_name_the_cells_below_with_those_under_them() -> None:
    def merge(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
        sheet.merge_cells("B1:C1")
        sheet.merge_cells("D1:E1")

    rows = (("Depot", "Winter", None, "Summer", None), ("Name", "Vans", "Boats", "Cars", "Bikes"), ("Alta", 1, 2, 3, 4))
    parsed = read(*rows, change=merge)
    assert labels(parsed, "3") == ["Summer", "Cars"]


def test_blank_cells_keep_their_place() -> None:
    parsed = read(("Item", "Oslo", "Bergen"), ("Anchors", None, 12), ("Chains", 5, None))
    assert "| Anchors |  | 12 |\n| Chains | 5 |  |" in parsed.text
    assert labels(parsed, "12") == ["Bergen"]


def test_blank_rows_and_columns_part_tables() -> None:
    rows = (
        ("Item", "Price", None, "Crew", "Age"),
        ("Rope", 20, None, "Ola", 40),
        (None,) * 5,
        ("Port", "Depth", None, None, None),
        ("Moss", 7, None, None, None),
    )
    assert texts(read(*rows), Kind.TABLE) == [
        "| Item | Price |\n| Rope | 20 |", "| Crew | Age |\n| Ola | 40 |", "| Port | Depth |\n| Moss | 7 |",
    ]  # fmt: skip


def test_rows_below_a_blank_row_belong_to_the_table_above_unless_they_have_a_header() -> None:
    parsed = read(("Item", "Price"), ("Rope", 20), (None, None), ("Total", 25))
    assert len(texts(parsed, Kind.TABLE)) == 1
    assert labels(parsed, "25") == ["Price"]


def test_a_blank_column_between_names_and_figures_parts_nothing() -> None:
    parsed = read(("Item", None, "2023", "2024"), ("Rope", None, 20, 30), ("Sails", None, 5, 6))
    assert labels(parsed, "30") == ["2024"]


def test_a_line_above_a_table_is_its_caption_and_lines_elsewhere_are_text() -> None:
    parsed = read(("All prices in euros.",), (None,), ("Prices of 2024",), ("Item", "Price"), ("Rope", 20))
    assert texts(parsed, Kind.PARAGRAPH) == ["All prices in euros."]
    assert texts(parsed, Kind.CAPTION) == ["Prices of 2024"]
    assert labels(parsed, "20") == ["Price"]


@pytest.mark.parametrize("style", [{"font": Font(bold=True)}, {"fill": PatternFill("solid", "FFFF00")}])
def test_bold_or_filled_first_rows_are_headers(style: dict[str, object]) -> None:
    def mark(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
        for cell in sheet[1]:
            for name, value in style.items():
                setattr(cell, name, value)

    assert labels(read(("Name", "Role"), ("Ola", "Cook"), change=mark), "Cook") == ["Role"]
    assert labels(read(("Name", "Role"), ("Ola", "Cook")), "Cook") == []


def test_frozen_rows_filters_and_named_tables_state_their_headers() -> None:
    rows = (("Name", "Role"), ("Ola", "Cook"))
    assert labels(read(*rows, change=lambda sheet: setattr(sheet, "freeze_panes", "A2")), "Cook") == ["Role"]
    assert labels(read(*rows, change=lambda sheet: setattr(sheet.auto_filter, "ref", "A1:B2")), "Cook") == ["Role"]
    parsed = read(*rows, ("Port", "Moss"), change=lambda sheet: sheet.add_table(Table(displayName="Crew", ref="A1:B2")))
    assert labels(parsed, "Cook") == ["Role"]
    assert texts(parsed, Kind.TABLE) == ["| Name | Role |\n| Ola | Cook |", "| Port | Moss |"]


def test_a_formula_without_a_stored_value_is_named_and_is_no_answer() -> None:
    parsed = read(("Item", "Net", "Gross"), ("Tents", 4000, "=B2*1.25"), ("Lamps", 600, "=B3*1.25"))
    assert texts(parsed, Kind.INSERTED) == ["(formula without a stored value)"] * 2
    assert "| Tents | 4000 | (formula without a stored value) |" in parsed.text
    assert parsed.warnings == (
        "Sheet 'Fleet': the formulas in C2, C3 have no stored value. "
        "Open the file in its own program, save it, and index it again.",
    )


def test_the_stored_value_of_a_formula_is_read() -> None:
    book = openpyxl.Workbook()
    book.active.append(["=1+1", "=A1"])
    data = saved(book)
    stored = "<v>2</v></c>", '<c r="B1" t="str"><f>A1</f><v></v></c>'
    data = rewritten(
        data, "xl/worksheets/sheet1.xml",
        lambda text: text.replace("<v></v></c>", stored[0], 1).replace('<c r="B1"><f>A1</f><v></v></c>', stored[1]),
    )  # fmt: skip
    parsed = read_xlsx(data)
    assert parsed.text == "Sheet\n\n2"
    assert parsed.warnings == ()


def test_zeros_of_formulas_that_a_program_left_to_excel_are_no_values() -> None:
    book = openpyxl.Workbook()
    book.active.append(["Net", "=40+2"])
    book.calculation.fullCalcOnLoad = True
    data = rewritten(saved(book), "xl/worksheets/sheet1.xml", lambda text: text.replace("<v></v>", "<v>0</v>"))
    assert len(read_xlsx(data).warnings) == 1


def test_hidden_sheets_are_left_out_and_hidden_rows_and_columns_are_marked() -> None:
    book = openpyxl.Workbook()
    book.active.title = "Now"
    for row in (("Item", "Cost", "Price"), ("Rope", 11, 20), ("Sail", 66, 80)):
        book.active.append(row)
    book.active.column_dimensions["B"].hidden = True
    book.active.row_dimensions[3].hidden = True
    book.create_sheet("Old").append(["Boats", 99999])
    book["Old"].sheet_state = "hidden"
    parsed = read_xlsx(saved(book))
    assert "99999" not in parsed.text
    assert [warning.split(". ")[0] for warning in parsed.warnings] == [
        "Sheet 'Old' is hidden and was left out",
        "Sheet 'Now': 5 cells in hidden rows or columns will not be quoted",
    ]
    assert texts(parsed, Kind.HIDDEN) == ["Cost", "11", "Sail", "66", "80"]


def test_notes_superscripts_and_struck_out_values_are_marked() -> None:
    def change(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
        sheet["B2"].comment = Comment("Without tax.", "Ann")
        sheet["A3"] = CellRichText("250", TextBlock(InlineFont(vertAlign="superscript"), "1"))
        sheet["B3"].font = Font(strike=True)

    parsed = read(("Item", "Price"), ("Rope", 20), (None, 33), change=change)
    assert "250[1]" in parsed.text
    assert texts(parsed, Kind.STRUCK) == ["33"]
    assert texts(parsed, Kind.NOTE) == ["B2: Without tax."]
    assert [block.marker for block in parsed.blocks if block.kind is Kind.NOTE] == ["B2"]


def test_a_cell_far_away_and_a_range_of_the_whole_sheet_cost_nothing() -> None:
    def change(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
        sheet["XFD1048576"] = "Far"

    data = rewritten(
        saved(openpyxl.load_workbook(io.BytesIO(_far(change)))), "xl/worksheets/sheet1.xml",
        lambda text: text.replace("</sheetData>", '</sheetData><mergeCells><mergeCell ref="A1:XFC1048574"/></mergeCells>'),
    )  # fmt: skip
    assert read_xlsx(data).text == "Sheet\n\nNear\n\nFar"


def _far(change: Callable[[openpyxl.worksheet.worksheet.Worksheet], object]) -> bytes:
    book = openpyxl.Workbook()
    book.active["A1"] = "Near"
    change(book.active)
    return saved(book)


def test_what_is_no_workbook_is_refused_with_a_reason() -> None:
    with pytest.raises(Unreadable, match="it is encrypted"):
        read_xlsx(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))
    with pytest.raises(Unreadable, match="damaged or cut short"):
        read_xlsx(_far(id)[:-100])


@settings(max_examples=60)
@given(
    st.lists(
        st.lists(st.sampled_from(["", "Rope", "é", "12", "x | y"]), min_size=3, max_size=3), min_size=1, max_size=6
    )
)
def test_a_table_reads_back_as_it_was_written(rows: list[list[str]]) -> None:
    header, names = ["Name", "One", "Two", "Three"], [f"Row {number}" for number in range(len(rows))]
    table = [header, *([name, *row] for name, row in zip(names, rows, strict=True))]
    parsed = read(*(tuple(text or None for text in row) for row in table), change=_table(len(table)))
    found: dict[tuple[int, int], str] = {
        (block.row, block.column): parsed.text[block.start : block.end]
        for block in parsed.blocks
        if block.kind is Kind.CELL
    }
    assert found == {(row, column): text for row, cells in enumerate(table) for column, text in enumerate(cells)}
    for block in parsed.blocks:
        if block.kind is Kind.CELL and block.row:
            assert [parsed.text[start:end] for start, end in block.labels] == [header[block.column]]


def _table(rows: int) -> Callable[[openpyxl.worksheet.worksheet.Worksheet], None]:
    return lambda sheet: sheet.add_table(Table(displayName="T", ref=f"A1:D{rows}"))
