"""A presentation is read slide by slide: titles, bullets, tables, charts, groups and notes in the order people read them."""

import io
from collections.abc import Callable
from typing import Any

import pptx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from index.blocks.block import Kind
from index.formats.office.pptx import read_pptx
from index.formats.office.reading_order import Box, in_reading_order
from index.formats.parsed import Parsed, Unreadable

BLANK, TITLE_AND_BODY, TITLE_ONLY = 6, 1, 5


def read(fill: Callable[[Any], object], layout: int = TITLE_AND_BODY) -> Parsed:
    show = pptx.Presentation()
    fill(show.slides.add_slide(show.slide_layouts[layout]))
    return read_pptx(saved(show))


def saved(show: Any) -> bytes:
    buffer = io.BytesIO()
    show.save(buffer)
    return buffer.getvalue()


def texts(parsed: Parsed, *kinds: Kind) -> list[str]:
    return [parsed.text[block.start : block.end] for block in parsed.blocks if block.kind in kinds]


def add_box(slide: Any, text: str, left: float, top: float, width: float = 2, height: float = 0.5) -> Any:
    box = slide.shapes.add_textbox(Inches(left), Inches(top), Inches(width), Inches(height))
    box.text_frame.text = text
    return box


def test_each_slide_is_a_page_with_its_title_as_heading() -> None:
    show = pptx.Presentation()
    for title, body in (("Plans", "Build."), ("Results", "Built.")):
        slide = show.slides.add_slide(show.slide_layouts[TITLE_AND_BODY])
        slide.shapes.title.text, slide.placeholders[1].text = title, body
    parsed = read_pptx(saved(show))
    assert texts(parsed, Kind.HEADING) == ["Plans", "Results"]
    assert [parsed.text[page.start : page.end] for page in parsed.pages] == ["Plans\n\nBuild.", "Results\n\nBuilt."]


def test_bullets_are_list_items_with_their_depth() -> None:
    def fill(slide: Any) -> None:
        frame = slide.placeholders[1].text_frame
        frame.text = "Sails"
        for level, text in ((1, "Jib"), (1, "Main"), (0, "Ropes")):
            paragraph = frame.add_paragraph()
            paragraph.text, paragraph.level = text, level

    parsed = read(fill)
    items = [block for block in parsed.blocks if block.kind is Kind.ITEM]
    assert [(block.level, parsed.text[block.start : block.end].split("\n")[0]) for block in items] == [
        (1, "• Sails"), (2, "– Jib"), (2, "– Main"), (1, "• Ropes"),
    ]  # fmt: skip


def test_numbered_items_show_their_numbers() -> None:
    def fill(slide: Any) -> None:
        frame = slide.placeholders[1].text_frame
        frame.text = "Untie"
        frame.add_paragraph().text = "Row"
        for paragraph in frame.paragraphs:
            number = etree.SubElement(paragraph._p.get_or_add_pPr(), f"{{{paragraph._p.nsmap['a']}}}buAutoNum")
            number.set("type", "alphaLcParenR")
            number.set("startAt", "3")

    assert texts(read(fill), Kind.ITEM) == ["c) Untie", "d) Row"]


def test_shapes_are_read_by_their_place_and_groups_as_a_whole() -> None:
    def fill(slide: Any) -> None:
        add_box(slide, "Last.", 1, 6)
        group = slide.shapes.add_group_shape()
        for text, left, top in (("Third.", 1, 4), ("Second.", 1, 3)):
            inner = group.shapes.add_textbox(Inches(left), Inches(top), Inches(2), Inches(0.5))
            inner.text_frame.text = text
        add_box(slide, "First.", 1, 2)

    assert read(fill, BLANK).text == "First.\n\nSecond.\n\nThird.\n\nLast."


def test_columns_are_read_one_after_the_other() -> None:
    boxes = [Box(0, 0, 10, 2), Box(6, 3, 10, 9), Box(0, 3, 4, 5), Box(0, 6, 4, 9), Box(0, 10, 10, 11)]
    assert in_reading_order(boxes) == [0, 2, 3, 1, 4]


def test_a_short_first_line_heads_a_slide_without_title() -> None:
    def fill(slide: Any) -> None:
        add_box(slide, "Our harbours", 1, 1)
        add_box(slide, "There are three.", 1, 2)

    assert texts(read(fill, BLANK), Kind.HEADING, Kind.PARAGRAPH) == ["Our harbours", "There are three."]


def test_tables_keep_blank_cells_spans_and_headers() -> None:
    def fill(slide: Any) -> None:
        table = slide.shapes.add_table(3, 3, Inches(1), Inches(2), Inches(5), Inches(2)).table
        for row, cells in enumerate((("Boat", "Low", "High"), ("Tern", "", "30"), ("", "40", ""))):
            for column, text in enumerate(cells):
                table.cell(row, column).text = text
        table.cell(1, 0).merge(table.cell(2, 0))

    parsed = read(fill, TITLE_ONLY)
    cells = [block for block in parsed.blocks if block.kind is Kind.CELL]
    assert texts(parsed, Kind.TABLE) == ["| Boat | Low | High |\n| Tern |  | 30 |\n| Tern | 40 |  |"]
    assert {(block.row, block.column) for block in cells if parsed.text[block.start : block.end] == "Tern"} == {
        (1, 0),
        (2, 0),
    }
    forty = next(block for block in cells if parsed.text[block.start : block.end] == "40")
    assert [parsed.text[start:end] for start, end in forty.labels] == ["Low"]


def test_raised_and_struck_out_runs_never_join_a_figure() -> None:
    def fill(slide: Any) -> None:
        paragraph = add_box(slide, "It covers 65", 1, 2).text_frame.paragraphs[0]
        mark, rest = paragraph.add_run(), paragraph.add_run()
        mark.text, rest.text = "4", " miles, not 70."
        mark._r.get_or_add_rPr().set("baseline", "30000")
        rest._r.get_or_add_rPr().set("strike", "sngStrike")

    parsed = read(fill, BLANK)
    assert parsed.text == "It covers 65[4] miles, not 70."
    assert texts(parsed, Kind.STRUCK) == ["miles, not 70."]


def test_notes_charts_furniture_and_hidden_slides_are_marked() -> None:
    def fill(slide: Any) -> None:
        slide.shapes.title.text = "Catch"
        slide.notes_slide.notes_text_frame.text = "In tonnes."
        data = CategoryChartData(number_format="0.0")
        data.categories = ["2023", "2024"]
        data.add_series("Cod", (1.25, 3))
        slide.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, Inches(1), Inches(2), Inches(4), Inches(3), data)
        number = add_box(slide, "7", 8, 7)
        place = etree.SubElement(number._element.nvSpPr.find(f"{{{number._element.nsmap['p']}}}nvPr"), _ph(number))
        place.set("type", "sldNum")
        slide._element.set("show", "0")

    parsed = read(fill, TITLE_ONLY)
    assert texts(parsed, Kind.TABLE) == ["|  | Cod |\n| 2023 | 1.3 |\n| 2024 | 3.0 |"]
    assert texts(parsed, Kind.NOTE) == ["In tonnes."]
    assert texts(parsed, Kind.FURNITURE) == ["7"]
    assert texts(parsed, Kind.HIDDEN) == [parsed.text]


def _ph(shape: Any) -> str:
    return f"{{{shape._element.nsmap['p']}}}ph"


def test_what_is_no_presentation_is_refused_with_a_reason() -> None:
    with pytest.raises(Unreadable, match="damaged or cut short"):
        read_pptx(saved(pptx.Presentation())[:-100])


@settings(max_examples=30)
@given(
    st.lists(st.lists(st.sampled_from(["", "Rope", "é", "12"]), min_size=3, max_size=3), min_size=2, max_size=5),
    st.integers(0, 3), st.integers(0, 2), st.integers(1, 3), st.integers(1, 3),
)  # fmt: skip
def test_a_table_with_a_span_reads_back(rows: list[list[str]], top: int, left: int, height: int, width: int) -> None:
    top = min(top, len(rows) - 1)
    bottom, right = min(top + height, len(rows)) - 1, min(left + width, 3) - 1
    span = {(row, column) for row in range(top, bottom + 1) for column in range(left, right + 1)}
    cells = {(row, column): text for row, texts in enumerate(rows) for column, text in enumerate(texts)}
    cells |= dict.fromkeys(span, "") | {(top, left): "Span"}
    begun = (cells.keys() - span) | {(top, left)}
    kept_rows, kept_columns = (sorted({place[axis] for place in begun}) for axis in (0, 1))
    expected = {
        (number, at): "Span" if (row, column) in span else cells[row, column]
        for number, row in enumerate(kept_rows)
        for at, column in enumerate(kept_columns)
    }

    def fill(slide: Any) -> None:
        table = slide.shapes.add_table(len(rows), 3, Inches(1), Inches(2), Inches(5), Inches(2)).table
        for (row, column), text in cells.items():
            table.cell(row, column).text = text
        if len(span) > 1:
            table.cell(top, left).merge(table.cell(bottom, right))

    parsed = read(fill, TITLE_ONLY)
    found = {
        (row, column): parsed.text[block.start : block.end]
        for block in parsed.blocks
        if block.kind is Kind.CELL
        for row in range(block.row, block.row + block.row_span)
        for column in range(block.column, block.column + block.column_span)
    }
    assert found == expected
