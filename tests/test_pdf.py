"""PDFs drawn here: words, lines, columns, tables, running lines, notes, forms, and where their words stand."""

import io
from collections.abc import Callable, Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import SimpleDocTemplate, Table

from index.blocks.block import Kind
from index.blocks.geometry import boxes
from index.formats.parsed import OnlyPictures, Parsed, Unreadable
from index.formats.pdf.furniture import EdgeLine, Edges, running_lines
from index.formats.pdf.hyphens import Hyphenation
from index.formats.pdf.names import PageName, page_names
from index.formats.pdf.reader import read_pdf
from index.formats.pdf.rendering import MAX_PIXELS, render_page

WIDTH, HEIGHT = 595, 842


def drawn(*pages: Callable[[Canvas], object]) -> bytes:
    """A PDF of A4 pages, each drawn by a function."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=(WIDTH, HEIGHT))
    for page in pages:
        canvas.setFont("Helvetica", 11)
        page(canvas)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def lines(rows: Iterable[str], x: float = 60, top: float = 780, step: float = 14) -> Callable[[Canvas], None]:
    """Draws lines below each other."""

    def draw(canvas: Canvas) -> None:
        for number, row in enumerate(rows):
            canvas.drawString(x, top - step * number, row)

    return draw


def read(*pages: Callable[[Canvas], object]) -> Parsed:
    return read_pdf(drawn(*pages), recognise=False)


def texts(parsed: Parsed, *kinds: Kind) -> list[str]:
    return [parsed.text[block.start : block.end] for block in parsed.blocks if block.kind in kinds]


def rows_of(parsed: Parsed) -> list[list[str]]:
    """The cells of each row of the tables."""
    rows: dict[int, list[str]] = {}
    for block in parsed.blocks:
        if block.kind is Kind.CELL and block.parent is not None:
            rows.setdefault(block.parent, []).append(parsed.text[block.start : block.end])
    return list(rows.values())


def named(parsed: Parsed, cell: str) -> list[str]:
    """What names the cell with that text."""
    block = next(b for b in parsed.blocks if b.kind is Kind.CELL and parsed.text[b.start : b.end] == cell)
    return [parsed.text[span.start : span.end] for span in block.labels]


def test_a_hyphen_at_the_end_of_a_line_stays_where_the_other_words_say_so() -> None:
    known = Hyphenation(
        [
            "The bureaus agree. A state-sponsored act. The class is in. best-in-class third party risk by a third person "
            "of a party, and no other third or party."
        ]
    )
    assert not known.keeps("bu", "reaus")
    assert known.keeps("state", "sponsored")
    assert known.keeps("best-in", "class")
    assert not known.keeps("tack", "ling")
    assert known.keeps("third", "party")
    assert known.keeps("13a", "15(f)")


def test_a_broken_word_is_joined() -> None:
    found = read(
        lines(
            [
                "The breakwater was rein-",
                "forced with gran-",
                "ite blocks by a state-",
                "owned firm of state-owned workers.",
            ]
        )
    )
    assert (
        found.text == "The breakwater was reinforced with granite blocks by a state-owned firm of state-owned workers."
    )


def test_words_without_spaces_between_them_are_parted_by_their_places() -> None:
    def draw(canvas: Canvas) -> None:
        x = 60.0
        for word in ["The", "Department", "of", "State", "paid"]:
            canvas.drawString(x, 700, word)
            x += canvas.stringWidth(word) + 2

    assert read(draw).text == "The Department of State paid"


def test_dot_leaders_shrink_and_make_a_contents_page() -> None:
    entries = [f"Chapter {word} {'.' * 40} {page}" for word, page in (("one", 3), ("two", 9), ("three", 12))]
    found = read(lines(["Contents", *entries]), lines(["The bridge opened in 1932."]))
    assert texts(found, Kind.FURNITURE) == ["Contents\nChapter one ... 3\nChapter two ... 9\nChapter three ... 12"]
    assert found.text.endswith("The bridge opened in 1932.")


def edges(pages: Iterable[tuple[Sequence[str], Sequence[str]]]) -> list[Edges]:
    return [
        (
            [EdgeLine(text, 10.0 * number, 1) for number, text in enumerate(top)],
            [EdgeLine(text, 800 - 10.0 * number, 1) for number, text in enumerate(bottom)],
        )
        for top, bottom in pages
    ]


def test_equal_lines_and_numbers_that_count_the_pages_run() -> None:
    pages = edges(
        [(["Report 2022", f"Text of {word}"], [str(number), f"More {word}"]) for number, word in enumerate("abcd", 7)]
    )
    assert running_lines(pages) == [(1, 1)] * 4


@pytest.mark.parametrize("foot", ["Page {} of 4", "- {} -", "Harbour Ltd | {}", "Seite {}", "{}"])
def test_page_numbers_run_in_many_forms(foot: str) -> None:
    assert running_lines(edges(([], [foot.format(number)]) for number in range(1, 5))) == [(0, 1)] * 4


def test_roman_numbers_count_pages_too() -> None:
    assert running_lines(edges(([], [number]) for number in ("i", "ii", "iii", "iv", "v"))) == [(0, 1)] * 5


@pytest.mark.parametrize(
    "line", ["Invoice number: {}", "Article {}", "Total due: {} EUR", "Pump KX-{}", "Date: {}.05.2025", "Weight: {} kg"]
)
def test_lines_whose_numbers_are_their_content_do_not_run(line: str) -> None:
    assert (
        running_lines(edges(([line.format(number)], [line.format(number)]) for number in range(11, 15))) == [(0, 0)] * 4
    )


def test_figures_below_each_other_are_no_page_numbers() -> None:
    pages = edges(([], [str(number), "20", "10"]) for number in range(4))
    assert running_lines(pages) == [(0, 1)] * 4


def test_two_equal_pages_are_no_pattern() -> None:
    assert running_lines(edges([(["Report"], []), (["Report"], [])])) == [(0, 0), (0, 0)]


def test_pages_of_one_or_two_lines_have_no_running_lines() -> None:
    for rows in (["This is a leaf."], ["Leaf", "Word"]):
        assert texts(read(*[lines(rows)] * 9), Kind.FURNITURE) == []


def test_a_line_that_names_its_page_is_a_heading_above_what_stands_on_it() -> None:
    numbers = ("2025-0811", "2025-0812", "2025-0812", "2025-0813")
    pages = [
        ["Havn Linen", f"Invoice {number}", "Pillows were sent.", f"Total due: {number[-2:]} EUR", f"Page {place}"]
        for place, number in enumerate(numbers, start=1)
    ]
    found = read(*[lines(page, step=40) for page in pages])
    assert texts(found, Kind.HEADING) == ["Invoice 2025-0811", "Invoice 2025-0812", "Invoice 2025-0813"]
    assert {block.level for block in found.blocks if block.kind is Kind.HEADING} == {1}
    assert "Havn Linen" in texts(found, Kind.FURNITURE)


@pytest.mark.parametrize(
    "line",
    [
        "Article {}",
        "Pump KX-{}0",
        "Invoice number: {}",
        "Minutes of {} May 2025",
        "Datasheet P-{}",
        "{} Harbour Street",
    ],
)
def test_numbers_at_the_top_that_are_content_name_their_page(line: str) -> None:
    pages = edges(([line.format(number), "Text"], []) for number in range(3, 7))
    assert page_names(pages, running_lines(pages)) == [PageName(0, is_new=True)] * 4


@pytest.mark.parametrize(
    "line", ["Page {} of 9", "{}", "Seite {}", "Harbour Ltd | {}", "Weight: {} kg", "Total: {}.00", "Date: {}.05.2025"]
)
def test_page_numbers_and_values_name_no_page(line: str) -> None:
    pages = edges(([line.format(number), "Text"], []) for number in range(3, 7))
    assert page_names(pages, running_lines(pages)) == [None] * 4


def test_headings_of_a_named_page_stand_below_its_name() -> None:
    def draw(number: int) -> Callable[[Canvas], None]:
        def on(canvas: Canvas) -> None:
            canvas.drawString(60, 780, f"Datasheet P-{number}")
            canvas.setFont("Helvetica", 18)
            canvas.drawString(60, 740, "Technical data")
            canvas.setFont("Helvetica", 11)
            lines(["The pump is delivered with a cable.", "Store it where it does not freeze."], top=700, step=40)(
                canvas
            )

        return on

    found = read(*[draw(number) for number in (40, 55, 70)])
    headings = [(found.text[b.start : b.end], b.level) for b in found.blocks if b.kind is Kind.HEADING]
    assert headings[:2] == [("Datasheet P-40", 1), ("Technical data", 2)]
    assert headings[4:] == [("Datasheet P-70", 1), ("Technical data", 2)]


def test_running_lines_stay_in_the_text_and_part_no_sentence() -> None:
    pages = [
        ["Harbour handbook", "The archive holds the letters of", "Page 1 of 3"],
        ["Harbour handbook", "three families of the town.", "Page 2 of 3"],
        ["Harbour handbook", "Nobody read them.", "Page 3 of 3"],
    ]
    found = read(*[lines(page, step=60) for page in pages])
    sentence = "The archive holds the letters of\nPage 1 of 3\nHarbour handbook\nthree families of the town."
    assert sentence in texts(found, Kind.PARAGRAPH)
    assert [found.text[page.start : page.end] for page in found.pages] == [
        "Harbour handbook\n\nThe archive holds the letters of\nPage 1 of 3",
        "Harbour handbook\nthree families of the town.\n\nPage 2 of 3",
        "Harbour handbook\n\nNobody read them.\n\nPage 3 of 3",
    ]


@pytest.mark.parametrize("by_row", [True, False])
def test_columns_are_read_one_after_the_other(by_row: bool) -> None:
    left = [
        "The wardens of the lagoon count",
        "the flamingos every spring. In the",
        "last count they found 1,840 birds,",
        "which is more than before.",
    ]
    right = [
        "Visitors need a permit, which the",
        "harbour office issues within three",
        "days. The permit costs 15 euros and",
        "is valid for one week.",
    ]

    def draw(canvas: Canvas) -> None:
        places = [(60, row, text) for row, text in enumerate(left)] + [
            (320, row, text) for row, text in enumerate(right)
        ]
        for x, row, text in sorted(places, key=lambda place: place[1]) if by_row else places:
            canvas.drawString(x, 780 - 13 * row, text)

    assert read(draw).text == f"{' '.join(left)}\n\n{' '.join(right)}"


def table(
    rows: Sequence[Sequence[str]], places: Sequence[float], top: float = 700, *, right: bool = False, step: float = 16
) -> Callable[[Canvas], None]:
    """Draws cells at places, left-aligned; right-aligned but for the first column with `right`."""

    def draw(canvas: Canvas) -> None:
        for number, row in enumerate(rows):
            for place, cell in zip(places, row, strict=True):
                put = canvas.drawRightString if right and place != places[0] else canvas.drawString
                put(place, top - step * number, cell)

    return draw


def test_cells_without_lines_around_them_are_a_table_and_blanks_stay() -> None:
    rows = [
        ["Ship", "Flag", "Draught (m)", "Built"],
        ["Aurora", "NO", "5.2", ""],
        ["Boreas", "", "6.8", "1998"],
        ["Cygnus", "DK", "", "2011"],
    ]
    found = read(table(rows, [60, 160, 240, 340]))
    assert rows_of(found) == rows
    assert named(found, "6.8") == ["Draught (m)"]
    assert named(found, "2011") == ["Built"]


def ruled(rows: Sequence[Sequence[str]], spans: Sequence[tuple[int, int, int]] = ()) -> bytes:
    """A PDF with a ruled table; `spans` are the column, first and last row of cells that span rows."""
    target = io.BytesIO()
    style = [("GRID", (0, 0), (-1, -1), 0.5, "black"), *(("SPAN", (c, first), (c, last)) for c, first, last in spans)]
    SimpleDocTemplate(target, pagesize=(WIDTH, HEIGHT)).build([Table([list(row) for row in rows], style=style)])
    return target.getvalue()


words = st.text("abcdefghij", min_size=1, max_size=5)
cells = st.one_of(
    st.just(""), words, st.lists(words, min_size=2, max_size=2).map(" ".join), st.integers(0, 9999).map(str)
)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """Tables whose first row and first column are filled; other cells may be blank."""
    width = draw(st.integers(2, 5))
    rows = draw(st.lists(st.lists(cells, min_size=width - 1, max_size=width - 1), min_size=2, max_size=6))
    head = draw(st.lists(words, min_size=width, max_size=width))
    return [head, *([draw(words), *row] for row in rows)]


@given(tables())
def test_a_ruled_table_is_read_back_as_it_was_drawn(rows: list[list[str]]) -> None:
    found = read_pdf(ruled(rows), recognise=False)
    assert rows_of(found) == rows
    assert all(0 <= block.start <= block.end <= len(found.text) for block in found.blocks)


@given(tables(), st.data())
def test_a_table_without_lines_is_read_back_as_it_was_drawn(rows: list[list[str]], data: st.DataObject) -> None:
    filled = [[row[0], row[1] or "x", *row[2:]] for row in rows]  # a row with one cell may be a line of text
    count = len(rows[0])
    sides = st.lists(st.sampled_from("lrc"), min_size=count - 1, max_size=count - 1)
    aligned = ["l", *data.draw(sides)], ["l", *data.draw(sides)]
    step = data.draw(st.sampled_from([16, 22]))
    assert rows_of(read(aligned_table(filled, [100] * count, *aligned, step=step))) == filled


def aligned_table(
    rows: Sequence[Sequence[str]],
    widths: Sequence[float],
    heads: Iterable[str],
    cells: Iterable[str],
    *,
    step: float = 16,
) -> Callable[[Canvas], None]:
    """Draws cells at the left, right or centre (l, r, c) of columns of these widths, 15 points apart; the first row's by
    `heads`."""
    lefts = [60 + sum(widths[:number]) for number in range(len(widths))]
    head, body = [*heads], [*cells]

    def draw(canvas: Canvas) -> None:
        for number, row in enumerate(rows):
            for left, width, side, cell in zip(lefts, widths, body if number else head, row, strict=True):
                put = {"l": canvas.drawString, "r": canvas.drawRightString, "c": canvas.drawCentredString}[side]
                put(left + {"l": 0.0, "r": width - 15, "c": (width - 15) / 2}[side], 700 - step * number, cell)

    return draw


@pytest.mark.parametrize("heads", ["lll", "lrr", "lcc", "lrl", "llr"])
@pytest.mark.parametrize("cells", ["lrr", "lcr", "lrc"])
def test_a_header_names_the_figures_of_its_column_wherever_they_stand(heads: str, cells: str) -> None:
    rows = [
        ["Goods", "Qty", "Unit price"],
        ["bath towels", "40", "8.20"],
        ["bed sheets", "", "14.00"],
        ["robes", "1,250", ""],
        ["Total", "1,290", "22.20"],
    ]
    found = read(aligned_table(rows, [110, 140, 160], heads, cells))
    assert rows_of(found) == rows
    assert named(found, "8.20") == named(found, "22.20") == ["Unit price"]
    assert named(found, "1,250") == ["Qty"]


def test_headers_longer_than_their_cells_name_them() -> None:
    rows = [
        ["Port", "Greatest length over all", "Deepest draught", "Cranes", "Water", "Fuel"],
        ["Bodo", "90", "5", "2", "yes", "no"],
        ["Alta", "120", "", "1", "", "yes"],
    ]
    found = read(aligned_table(rows, [45, 145, 105, 60, 60, 60], "lrrrrr", "lrrrll"))
    assert rows_of(found) == rows
    assert named(found, "120") == ["Greatest length over all"]


def test_rows_typed_with_spaces_between_their_cells_are_counted() -> None:
    pages = [
        ["Description        Quantity      Unit price", "Bath towels    40    8.20", "Bed sheets    25    14.00"],
        ["Description        Quantity      Unit price", "Pillows    30    11.50", "Robes    12    29.00"],
        ["Description        Quantity      Unit price", "Bath robes    18    35.00", "Soap    60    3.10"],
    ]
    found = read(*[lines(page) for page in pages])
    assert rows_of(found) == [cells_typed(row) for page in pages for row in page]
    assert named(found, "3.10") == ["Unit price"]


def cells_typed(row: str) -> list[str]:
    return [cell.strip() for cell in row.split("  ") if cell.strip()]


def test_rows_in_lower_case_are_rows_and_lines_closer_than_rows_go_on() -> None:
    rows = [["ship", "cargo", "port"], ["aurora", "oak", "bodo"], ["boreas", "tin", ""], ["cygnus", "tar", "alta"]]
    assert rows_of(read(table(rows, [60, 160, 260]))) == rows

    def draw(canvas: Canvas) -> None:
        table([["Ship", "Cargo", "Port"]], [60, 160, 260])(canvas)
        table([["Aurora of", "oak and", "Bodo"], ["the north", "tin", ""]], [60, 160, 260], 680, step=12)(canvas)
        table([["Boreas", "tar", "Alta"]], [60, 160, 260], 648)(canvas)

    assert rows_of(read(draw))[1:] == [["Aurora of the north", "oak and tin", "Bodo"], ["Boreas", "tar", "Alta"]]


def test_a_cell_that_spans_rows_is_repeated_in_each() -> None:
    rows = [["Region", "Town", "Boats"], ["North", "Bodo", "7"], ["", "Molde", "9"], ["South", "Mandal", "4"]]
    found = read_pdf(ruled(rows, [(0, 1, 2)]), recognise=False)
    assert rows_of(found) == [rows[0], rows[1], ["North", "Molde", "9"], rows[3]]
    assert found.text.endswith("| North | Bodo | 7 |\n| North | Molde | 9 |\n| South | Mandal | 4 |")


def test_letters_too_small_to_be_seen_are_hidden() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(60, 780, "The bridge opened in 1932.")
        canvas.setFont("Helvetica", 1)
        canvas.drawString(60, 760, "PLACEHOLDER_7")

    assert texts(read(draw), Kind.HIDDEN) == ["PLACEHOLDER_7"]


def test_headings_over_several_rows_and_columns_name_the_figures_below() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawCentredString(350, 732, "Three Months Ended")
        table([["", "June 25,", "June 26,"], ["", "2022", "2021"]], [60, 320, 420], 716, right=True)(canvas)
        rows = [
            ["Net sales:", "", ""],
            ["Products", "63,355", "63,948"],
            ["Services", "19,604", "17,486"],
            ["Total net sales", "82,959", "81,434"],
        ]
        table(rows, [60, 320, 420], 684, right=True)(canvas)
        for x in (270, 370):
            canvas.drawString(x, 668, "$")

    found = read(draw)
    assert rows_of(found)[-3:] == [
        ["Products", "$ 63,355", "$ 63,948"],
        ["Services", "19,604", "17,486"],
        ["Total net sales", "82,959", "81,434"],
    ]
    assert named(found, "17,486") == ["Three Months Ended", "June 26,", "2021"]


def test_a_heading_in_the_middle_names_all_columns_and_ends_the_table_above() -> None:
    def draw(canvas: Canvas) -> None:
        for top, day, figure in ((732, "June 25, 2022", 10), (600, "May 30, 2021", 50)):
            canvas.drawCentredString(372, top, day)
            rows = [
                ["", "Cost", "Gains", "Value"],
                ["Cash", str(figure), str(figure + 1), str(figure + 2)],
                ["Bonds", str(figure + 3), str(figure + 4), str(figure + 5)],
            ]
            table(rows, [60, 320, 390, 460], top - 16, right=True)(canvas)

    found = read(draw)
    assert len(texts(found, Kind.TABLE)) == 2
    assert named(found, "13") == ["June 25, 2022", "Cost"]
    assert named(found, "55") == ["May 30, 2021", "Value"]


def test_a_heading_at_the_right_of_its_years_names_all_of_them() -> None:
    rows = [
        ["", "", "Three Months", "Change", "", "Six Months", "Change"],
        ["", "2022", "2021", "", "2022", "2021", ""],
        ["Revenue", "52", "51", "2%", "102", "97", "6%"],
        ["Margin", "35", "34", "1%", "69", "66", "5%"],
    ]
    found = read(table(rows, [60, 150, 230, 300, 370, 450, 520], right=True))
    assert rows_of(found)[2:] == rows[2:]
    assert named(found, "35") == ["Three Months", "2022"]
    assert named(found, "66") == ["Six Months", "2021"]
    assert named(found, "6%") == ["Change"]


def test_a_label_of_two_lines_is_one_cell() -> None:
    rows = [
        ["", "2022", "2021"],
        ["Cash used in the purchase of", "", ""],
        ["marketable securities", "(1,200)", "(900)"],
        ["Other", "30", "40"],
    ]
    found = read(table(rows, [60, 320, 420], right=True))
    assert rows_of(found)[1] == ["Cash used in the purchase of marketable securities", "(1,200)", "(900)"]


def test_labels_of_two_lines_are_one_where_they_break_after_a_comma_or_head_other_rows() -> None:
    rows = [
        ["", "2022", "2021"],
        ["Paid for amounts in the", "", ""],
        ["measurement of leases:", "", ""],
        ["Operating leases", "690", "726"],
        ["Change of value, net of tax of $3,", "", ""],
        ["$(11), and $2", "34", "8"],
    ]
    found = read(table(rows, [60, 320, 420], right=True, step=13))
    assert rows_of(found)[1:] == [
        ["Paid for amounts in the measurement of leases:", "", ""],
        ["Operating leases", "690", "726"],
        ["Change of value, net of tax of $3, $(11), and $2", "34", "8"],
    ]


def test_rows_of_times_are_figures_under_the_headings_of_the_table() -> None:
    rows = [
        ["", "March 31,", "June 30,"],
        ["", "2023", "2022"],
        ["Finance leases", "$16,463", "$14,902"],
        ["Remaining term", "", ""],
        ["Operating leases", "8 years", "9 years"],
        ["Finance leases", "11 years", "12 years"],
    ]
    found = read(table(rows, [60, 320, 420], right=True))
    assert rows_of(found) == rows
    assert named(found, "11 years") == ["March 31,", "2023"]
    assert named(read(table(rows[3:], [60, 320, 420], right=True)), "11 years") == []


def test_prose_on_a_page_full_of_smaller_rows_is_no_heading() -> None:
    prose = "The following table shows the wardens of the lagoon and the birds that they counted in each of the past springs"
    below = [
        f"Warden number {number} counted the birds of the lagoon and wrote {number * 7} down" for number in range(20)
    ]

    def small(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 9)
        lines([prose, "in the northern part of the lagoon."], step=11)(canvas)
        canvas.setFont("Helvetica", 8)
        lines(below, top=740, step=10)(canvas)

    def large(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 9)
        lines([prose] * 40, step=11)(canvas)

    assert texts(read(large, small), Kind.HEADING) == []


def test_superscripts_are_parted_from_figures_and_lead_to_their_note() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(60, 780, "The subscription is 120")
        end = 60 + canvas.stringWidth("The subscription is 120")
        canvas.setFont("Helvetica", 7)
        canvas.drawString(end, 785, "3")
        canvas.setFont("Helvetica", 11)
        canvas.drawString(end + 4, 780, " francs.")
        canvas.setFont("Helvetica", 7)
        canvas.drawString(60, 92, "3")
        canvas.setFont("Helvetica", 9)
        canvas.drawString(65, 88, "Children travel free.")

    found = read(draw)
    assert found.text == "The subscription is 120[3] francs.\n\n[3] Children travel free."
    assert [(block.kind, block.marker) for block in found.blocks if block.kind is Kind.NOTE] == [(Kind.NOTE, "3")]
    assert texts(found, Kind.MARK) == ["[3]", "[3]"]


def test_superscripts_as_large_as_browsers_draw_them_stand_in_their_line() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 12)
        canvas.drawString(60, 780, "The boiler gives 5 x 10")
        end = 60 + canvas.stringWidth("The boiler gives 5 x 10")
        canvas.setFont("Helvetica", 10)
        canvas.drawString(end, 784, "6")
        canvas.setFont("Helvetica", 12)
        canvas.drawString(end + 9, 780, "joules.")

    assert read(draw).text == "The boiler gives 5 x 10^6 joules."


def test_columns_that_a_narrow_gap_parts_are_read_one_after_the_other() -> None:
    left = [
        "The ferry leaves the old quay at half past",
        "ten in summer.",
        "It takes thirty cars and carries all of their",
        "drivers.",
    ]
    right = [
        "A guide walks through the old town at half",
        "past one.",
        "Her tour ends at the old stone mill on a",
        "hill.",
    ]

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 10)
        start = 60 + max(map(canvas.stringWidth, left)) + 10
        for row, (one, two) in enumerate(zip(left, right, strict=True)):
            canvas.drawString(60, 780 - 13 * row, one)
            canvas.drawString(start, 780 - 13 * row, two)

    assert " ".join(read(draw).text.split()) == f"{' '.join(left)} {' '.join(right)}"


def test_a_row_of_names_above_quantities_is_a_header() -> None:
    found = read_pdf(
        ruled([["Buoy", "Depth", "Weight"], ["Alpha", "14 m", ""], ["Bravo", "", "650 kg"]]), recognise=False
    )
    assert named(found, "650 kg") == ["Weight"]


def test_list_items_have_their_markers_and_depth() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(60, 780, "Bring these things:")
        for number, (x, text) in enumerate(
            [
                (60, "1. a warm coat for the long"),
                (74, "way over the ice"),
                (80, "(a) with a hood"),
                (80, "(b) with pockets"),
                (60, "2. boots"),
            ]
        ):
            canvas.drawString(x, 764 - 14 * number, text)

    found = read(draw)
    items = [block for block in found.blocks if block.kind is Kind.ITEM]
    assert [(item.marker, item.level) for item in items] == [("1.", 1), ("(a)", 2), ("(b)", 2), ("2.", 1)]
    assert texts(found, Kind.ITEM)[0].startswith("1. a warm coat for the long way over the ice\n(a) with a hood")
    outer = next(block for block in found.blocks if block.kind is Kind.LIST)
    assert [found.text[span.start : span.end] for span in outer.labels] == ["Bring these things:"]


def test_large_and_bold_lines_are_headings_and_the_outline_gives_their_level() -> None:
    body = ["The wardens count the flamingos of the lagoon every spring, and the", "birds scatter after heavy rain."]

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 18)
        canvas.drawString(60, 780, "The lagoon")
        canvas.setFont("Helvetica-Bold", 11)
        canvas.drawString(60, 750, "Counting birds")
        canvas.setFont("Helvetica", 11)
        lines(body, top=734)(canvas)
        canvas.drawString(60, 690, "Plain chapter")
        lines(body, top=670)(canvas)
        canvas.bookmarkPage("plain")
        canvas.addOutlineEntry("Plain chapter", "plain", 0)

    found = read(draw)
    headings = [
        (found.text[block.start : block.end], block.level) for block in found.blocks if block.kind is Kind.HEADING
    ]
    assert headings == [("The lagoon", 1), ("Counting birds", 2), ("Plain chapter", 1)]
    assert texts(found, Kind.PARAGRAPH) == [" ".join(body)] * 2


def test_lines_in_capitals_are_headings_above_bold_ones() -> None:
    body = ["The wardens count the flamingos of the lagoon every spring, and the", "birds scatter after heavy rain."]

    def draw(canvas: Canvas) -> None:
        for top, note, bold in ((780, "NOTE 1 — COUNTING BIRDS", "In spring"), (680, "NOTE 2 — RAIN", "In autumn")):
            canvas.setFont("Helvetica", 11)
            canvas.drawString(60, top, note)
            canvas.setFont("Helvetica-Bold", 11)
            canvas.drawString(60, top - 20, bold)
            canvas.setFont("Helvetica", 11)
            lines(body * 2, top=top - 36)(canvas)
        lines(body * 18, top=560)(canvas)

    found = read(draw)
    headings = [(found.text[b.start : b.end], b.level) for b in found.blocks if b.kind is Kind.HEADING]
    assert headings == [("NOTE 1 — COUNTING BIRDS", 1), ("In spring", 2), ("NOTE 2 — RAIN", 1), ("In autumn", 2)]


def test_form_fields_have_values_and_labels() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(60, 780, "Application for a mooring")
        for y, label, value in ((740, "Name of the vessel:", "Stormy Petrel"), (700, "Length over all:", "11.4 m")):
            canvas.drawString(60, y, label)
            canvas.acroForm.textfield(name=label, value=value, x=200, y=y - 6, width=200, height=20)
        canvas.acroForm.checkbox(name="shore", checked=True, x=60, y=660, size=14)
        canvas.drawString(80, 662, "Shore power wanted")

    found = read(draw)
    fields = {
        found.text[label.start : label.end]: found.text[block.start : block.end]
        for block in found.blocks
        if block.kind is Kind.FIELD
        for label in block.labels
    }
    assert fields == {
        "Name of the vessel:": "Stormy Petrel",
        "Length over all:": "11.4 m",
        "Shore power wanted": "yes",
    }


def picture(canvas: Canvas) -> None:
    from reportlab.lib.utils import ImageReader

    canvas.drawImage(ImageReader(Image.new("L", (200, 200), 90)), 60, 500, 300, 300)


def test_a_page_that_is_a_picture_is_named_where_nothing_can_read_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    found = read(lines(["The policy ends in 2027."]), picture, picture)
    assert found.warnings == (
        "Pages 2, 3 are pictures without characters, and their text was not read. "
        "Install Tesseract (tesseract-ocr), then index again",
    )
    with pytest.raises(OnlyPictures, match="no text layer: its pages are pictures"):
        read(picture)


def test_every_word_has_its_box() -> None:
    found = read(
        lines(["The bridge opened in 1932.", "", "It was closed in 1999 again."]), lines(["A new one stands."])
    )
    for page in found.geometry:
        assert (page.width, page.height) == (WIDTH, HEIGHT)
    assert [found.text[word.start : word.end] for page in found.geometry for word in page.words()] == found.text.split()
    start = found.text.index("closed")
    ((page, box),) = boxes(found.geometry, start, start + len("closed in 1999"))
    assert page == 1
    assert box.left == pytest.approx(60 + Canvas("x").stringWidth("It was ", "Helvetica", 11), abs=0.2)
    assert box.top < HEIGHT - (780 - 28) < box.bottom


def test_a_page_is_drawn_at_the_width_asked_for() -> None:
    data = drawn(lines(["The bridge opened in 1932."]))
    image = Image.open(io.BytesIO(render_page(data, 1, 300)))
    assert (image.format, image.width, image.mode) == ("PNG", 300, "RGB")
    darkest, _ = image.convert("L").getextrema()
    assert darkest < 100
    large = Image.open(io.BytesIO(render_page(data, 1, 1_000_000)))
    assert large.width * large.height <= 1.01 * MAX_PIXELS
    with pytest.raises(IndexError, match="page 2 of 1"):
        render_page(data, 2, 300)


def test_a_damaged_file_cannot_be_read() -> None:
    with pytest.raises(Unreadable, match="damaged or cut short"):
        read_pdf(b"%PDF-1.7 and nothing else", recognise=False)
