"""HTML as people see it: numbers of lists, places of cells, notes and their marks, hidden and struck-out text, forms."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.blocks.block import Block, Kind
from index.formats.html.page import read_html
from index.formats.parsed import Parsed


def text(page: Parsed, block: Block) -> str:
    return page.text[block.start : block.end]


def labels(page: Parsed, block: Block) -> list[str]:
    return [page.text[start:end] for start, end in block.labels]


def of(page: Parsed, kind: Kind) -> list[Block]:
    return [block for block in page.blocks if block.kind is kind]


def texts(page: Parsed, kind: Kind) -> list[str]:
    return [text(page, block) for block in of(page, kind)]


def table(page: Parsed) -> list[list[str]]:
    """The rows of the tables of a page, a spanned cell in each row that it covers."""
    rows = [number for number, block in enumerate(page.blocks) if block.kind is Kind.ROW]
    return [[text(page, cell) for cell in of(page, Kind.CELL) if cell.parent == row] for row in rows]


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ("<ol start=3><li>x<li>y</ol>", "3. x\n4. y"),
        ("<ol reversed><li>x<li>y</ol>", "2. x\n1. y"),
        ("<ol type=a start=26><li>x<li>y</ol>", "z. x\naa. y"),
        ("<ol type=I><li value=4>x<li>y</ol>", "IV. x\nV. y"),
        ("<ol style='list-style-type: lower-roman' start=9><li>x</ol>", "ix. x"),
        ("<ol><li>x<li hidden>gone<li>y</ol>", "1. x\n3. y"),
        ("<ol start=-1><li>x<li>y<li>z</ol>", "-1. x\n0. y\n1. z"),
        ("<ol start=99999999999999999999><li value=q>x</ol>", "1. x"),
        ("<ul><li>x<ol><li>y</ol><li>z</ul>", "- x\n1. y\n- z"),
        ("<ul><li>x<ul><li>y</ul></ul>", "- x\n- y"),
        ("<ul><li>x</li><ul><li>y</li></ul></ul>", "- x\n- y"),
        ("<li>x<li>y", "- x\n- y"),
    ],
)
def test_items_have_the_markers_that_a_browser_shows(markup: str, shown: str) -> None:
    assert read_html(markup).text == shown


def test_nested_items_have_their_depth_and_what_introduces_them() -> None:
    page = read_html("<p>The kit holds:</p><ul><li>food<ol><li>bread<li>cheese</ol><li>rope</ul>")
    assert [(block.level, block.marker) for block in of(page, Kind.ITEM)] == [(1, "-"), (2, "1."), (2, "2."), (1, "-")]
    outer, inner = of(page, Kind.LIST)
    assert (labels(page, outer), labels(page, inner)) == (["The kit holds:"], ["- food"])


def test_code_keeps_its_lines_and_what_introduces_it() -> None:
    page = read_html("<p>Then run:</p><pre class=language-sh><code>\nhutctl \\\n\n  --reset\n</code></pre>")
    [code] = of(page, Kind.CODE)
    assert (text(page, code), code.marker, labels(page, code)) == ("hutctl \\\n\n  --reset", "sh", ["Then run:"])


def test_blank_and_spanned_cells_stay_in_their_columns() -> None:
    page = read_html(
        "<table><caption>Fees</caption><thead><tr><th rowspan=2>Zone<th colspan=2>Fee<tr><th>Car<th>Van</thead><tbody>"
        "<tr><th rowspan=0>Town<td>4<td><tr><td><td>7</tbody><tbody><tr><td>Sea<td rowspan=9>2<td>3<tr><td>Hill<td>5</table>"
    )
    assert table(page) == [
        ["Zone", "Fee"], ["Zone", "Car", "Van"], ["Town", "4", ""], ["Town", "", "7"], ["Sea", "2", "3"], ["Hill", "2", "5"],
    ]  # fmt: skip
    cells = {(cell.row, cell.column): labels(page, cell) for cell in of(page, Kind.CELL)}
    assert cells[3, 2] == ["Fee", "Van"]
    assert cells[5, 1] == ["Fee", "Car"]
    assert texts(page, Kind.CAPTION) == ["Fees"]


@pytest.mark.parametrize(
    "markup",
    [
        "<table role=presentation><tr><td>One.<td>Two.</table>",
        "<table><tr><td>One.<tr><td>Two.</table>",
        "<table><tr><td><h2>One.</h2><td><p>Two.</table>",
    ],
)
def test_a_table_that_only_places_things_is_what_it_holds(markup: str) -> None:
    page = read_html(markup)
    assert page.text == "One.\n\nTwo."
    assert of(page, Kind.TABLE) == []


def test_text_between_rows_stands_before_the_table() -> None:
    assert read_html("<table>Loose.<tr><th>A<th>B<tr><td>1<td>2</table>").text == "Loose.\n\n| A | B |\n| 1 | 2 |"


def test_definitions_hold_all_terms_and_meanings() -> None:
    page = read_html(
        "<dl><div><dt>warden<dt>keeper<dd>Runs the hut.<dd><p>Keeps accounts.</div><dt>stove<dd>Burns.</dl>"
    )
    assert [(labels(page, block), text(page, block)) for block in of(page, Kind.MEANING)] == [
        (["warden", "keeper"], "Runs the hut."), (["warden", "keeper"], "Keeps accounts."), (["stove"], "Burns."),
    ]  # fmt: skip


def test_a_folded_answer_belongs_to_its_question() -> None:
    page = read_html("<details><summary>Is there parking?</summary><p>Yes, forty places.</details>")
    [answer] = of(page, Kind.MEANING)
    assert (labels(page, answer), text(page, answer)) == (["Is there parking?"], "Yes, forty places.")
    assert read_html("<details><summary>All</summary><h2>One</h2><p>Text.</details>").text == "All\n\nOne\n\nText."


def test_raised_text_does_not_fuse_and_notes_are_tied_to_their_marks() -> None:
    page = read_html(
        "<p>It costs 250<sup>1</sup> euros, 3 &times; 10<sup>5</sup> litres, 1<sup>st</sup>, H<sub>2</sub>O.</p>"
        "<p><sup>1</sup> Students pay half.</p>"
    )
    assert page.text == "It costs 250[1] euros, 3 × 10^5 litres, 1st, H2O.\n\n[1] Students pay half."
    assert [(block.marker, text(page, block)) for block in of(page, Kind.NOTE)] == [("1", "[1] Students pay half.")]


def test_linked_notes_are_tied_to_their_marks() -> None:
    page = read_html(
        "<p>Open daily<sup><a id=r href='#n'>3</a></sup> and free<a id=s href='#o'><sup>4</sup></a>.</p><ol start=3>"
        "<li id=n><p>But Monday. <a href='#r'>↩</a></p><li id=o>For pupils. <a href='#s'>^</a></ol>"
    )
    assert page.text == "Open daily[3] and free[4].\n\n3. But Monday.\n\n4. For pupils."
    assert [(block.marker, text(page, block)) for block in of(page, Kind.NOTE)] == [
        ("3", "3. But Monday."), ("4", "4. For pupils."),
    ]  # fmt: skip


def test_struck_out_text_is_marked() -> None:
    page = read_html(
        "<style>/* } */ .old, p.out { color: red; text-decoration: line-through }</style><p>Costs <del>145</del> <s>130</s> "
        "<span style='text-decoration:line-through'>120</span> 118 euros.<s><p>All gone.</s><p class=old>Old.<p class=out>Out."
    )
    assert texts(page, Kind.STRUCK) == ["145", "130", "120", "All gone.", "Old.", "Out."]
    assert page.text.startswith("Costs 145 130 120 118 euros.")


@pytest.mark.parametrize(
    "hidden",
    [
        "<p hidden>Secret.",
        "<div style='color:red; display : none !important'><p>Secret.</div>",
        "<p style=visibility:hidden>Secret.",
        "<p aria-hidden=true>Secret.",
        "<style>@media print { .a { color: red } } .gone { display: none }</style><p class='x gone'>Secret.",
        "<template><p>Secret.</template>",
        "<noscript>Secret.</noscript>",
        "<script>Secret.</script>",
        "<!-- <p>Secret. -->",
        "<input type=hidden value=Secret.>",
        "<ul><li>Open.<li hidden>Secret.</ul>",
        "<table><tr><th>A<th hidden>Secret.<tr><td>1<td>2</table>",
        "<dl><dt>A<dd hidden>Secret.</dl>",
    ],
)
def test_what_nobody_sees_is_left_out(hidden: str) -> None:
    page = read_html(f"<p>Shown.</p>{hidden}</p><p>Shown, too.")
    assert "Secret" not in page.text
    assert page.text.startswith("Shown.\n\n")
    assert page.text.endswith("Shown, too.")


def test_what_is_hidden_only_in_print_or_until_it_is_found_is_read() -> None:
    page = read_html("<style>@media print { .a { display: none } }</style><p class=a>One.<p hidden=until-found>Two.")
    assert page.text == "One.\n\nTwo."


def test_fields_of_forms_have_their_labels() -> None:
    page = read_html(
        "<form><label for=n>Vessel:</label> <input id=n value='Stormy Petrel'>"
        "<label>Berth <input value=7></label>"
        "<label for=s>Stay</label><select id=s><option>day<option selected>week</select>"
        "<label for=e>Flag</label><input id=e><label for=r>Remarks</label><textarea id=r>Late.\nNo power.</textarea>"
        "<label><input type=checkbox checked> Water</label>"
        "<input type=submit value=Send></form>"
    )
    assert [(labels(page, block), text(page, block)) for block in of(page, Kind.FIELD)] == [
        (["Vessel"], "Stormy Petrel"), (["Berth"], "7"), (["Stay"], "week"), (["Remarks"], "Late.\nNo power."),
    ]  # fmt: skip
    assert "Flag" in page.text
    assert page.text.endswith("☑ Water")


def test_a_quotation_is_named_by_its_last_line() -> None:
    page = read_html("<blockquote><p>I came.</p><p>I saw.</p><footer>— Caesar</footer></blockquote>")
    [quotation] = of(page, Kind.QUOTATION)
    assert labels(page, quotation) == ["— Caesar"]


def test_the_language_of_a_part_is_stated_where_it_changes() -> None:
    page = read_html("<html lang=en-GB><p>One.<p lang=de>Zwei.<ul lang=fr><li>trois<li lang=x-klingon>four</ul>")
    assert [block.language for block in page.blocks if block.parent is None] == ["en", "de", "fr"]


def test_title_author_and_date_are_those_of_the_head() -> None:
    page = read_html(
        "<title>Of  sails</title><meta name=Author content='Per Dahl'><meta property='article:published_time' "
        "content='2025-05-05'><meta name=date content='last week'><p>Text."
    )
    assert (page.title, page.metadata) == ("Of sails", {"author": "Per Dahl", "created": "2025-05-05"})


def test_formulas_are_read_in_the_notation_that_they_were_written_in() -> None:
    formula = "<math alttext='x^2'><msup><mi>x</mi><mn>2</mn></msup></math>"
    assert read_html(f"<p>Area {formula}.").text == "Area x^2."


def test_every_row_is_whole_where_a_cell_spans_rows() -> None:
    page = read_html(
        "<table><tr><th rowspan=2>Lot<th>Rent<tr><th>Van<tr><td rowspan=2>Old <b>town</b><sup>2</sup><td>7 EUR<tr><td>9</table>"
    )
    assert page.text == "| Lot | Rent |\n| Lot | Van |\n| Old town[2] | 7 EUR |\n| Old town[2] | 9 |"
    assert [labels(page, cell) for cell in of(page, Kind.CELL)][-2:] == [["Lot"], ["Rent", "Van"]]


def test_a_long_cell_over_many_rows_is_not_repeated_without_end() -> None:
    markup = (
        "<table><tr><td rowspan=65534>" + "Lot 4 was let. " * 2_000 + "<td>x" + "<tr><td>Deep." * 5_000 + "</table>"
    )
    assert len(read_html(markup).text) < 20 * len(markup)


@pytest.mark.parametrize(
    "markup",
    [
        "<div>" * 100_000 + "Deep." + "</b>" * 20_000,
        "<table><tr><td>" * 40_000 + "Deep.",
        "<blockquote>" * 50_000 + "Deep.",
        "<ul><li>" * 50_000 + "Deep.",
        "<b><i><s><a href=x>" * 20_000 + "Deep.",
        "".join(f"<font color={n}>" for n in range(20_000)) + "<p>" * 5_000 + "Deep.",
        "<table><tr>" + "<td rowspan=65534 colspan=1000>x" * 2_000 + "<tr>" * 20_000 + "</table>Deep.",
        "<p " + " ".join(f"a{n}=1" for n in range(50_000)) + ">Deep.",
        "<style>" + "/*" * 50_000 + "</style>Deep.",
        "<!--" * 50_000 + "--><p>Deep.",
        "<style>" + "{" * 50_000 + "</style>" + "<" * 50_000 + " Deep.",
    ],
)  # fmt: skip
def test_text_is_found_in_hostile_markup(markup: str) -> None:
    assert read_html(markup).text.endswith("Deep.")


_WORDS = (
    st.text(st.sampled_from("abc é語😀&<"), min_size=1, max_size=6)
    .map(lambda word: " ".join(word.split()))
    .filter(bool)
)
_ROWS = st.lists(st.lists(st.one_of(st.just(""), _WORDS), min_size=3, max_size=3), min_size=1, max_size=5)


@given(_ROWS, st.lists(_WORDS, min_size=3, max_size=3, unique=True))
def test_the_cells_of_a_table_are_read_back(rows: list[list[str]], header: list[str]) -> None:
    lines = ["".join(f"<th>{html.escape(cell)}" for cell in header)]
    lines += ["".join(f"<td>{html.escape(cell)}" for cell in row) for row in rows]
    page = read_html("<table>" + "".join(f"<tr>{line}" for line in lines) + "</table>")
    assert table(page) == [header, *rows]
    for cell in of(page, Kind.CELL):
        assert labels(page, cell) == ([header[cell.column]] if cell.row else [])


@pytest.mark.parametrize("blank", ["<td>", "<td>&nbsp;", "<th>"])
def test_a_blank_corner_not_marked_as_a_header_hides_no_headers(blank: str) -> None:
    page = read_html(f"<table><tr>{blank}<th>Summer<td><th>Winter<tr><th>Pier<td>12<td><td>7</table>")
    assert {
        text(page, cell): labels(page, cell) for cell in of(page, Kind.CELL) if cell.row and not cell.is_header
    } == {
        "12": ["Summer"],
        "": [],
        "7": ["Winter"],
    }
    assert [row.is_header for row in of(page, Kind.ROW)] == [True, False]


def test_the_header_of_a_row_of_blanks_heads_no_columns() -> None:
    page = read_html("<table><tr><th>Phone<td><tr><th>Street<td>Pier 4</table>")
    assert [row.is_header for row in of(page, Kind.ROW)] == [False, False]


_SPANS = st.lists(st.lists(st.tuples(_WORDS, st.integers(0, 4)), min_size=1, max_size=4), min_size=1, max_size=5)


@given(_SPANS)
def test_spanned_cells_stand_where_a_browser_puts_them(rows: list[list[tuple[str, int]]]) -> None:
    markup = ["".join(f"<th rowspan={down}>{html.escape(word)}" for word, down in row) for row in rows]
    page = read_html("<table>" + "".join(f"<tr>{row}" for row in markup) + "</table>")
    taken: dict[tuple[int, int], str] = {}
    for number, row in enumerate(rows):
        for word, down in row:
            column = next(column for column in range(100) if (number, column) not in taken)
            last = min(len(rows), number + down) if down else len(rows)
            taken |= {(covered, column): word for covered in range(number, last)}
    width = 1 + max(column for _, column in taken)
    assert table(page) == [[taken.get((row, column), "") for column in range(width)] for row in range(len(rows))]


_TREE = st.recursive(_WORDS, lambda inner: st.lists(inner, min_size=1, max_size=3), max_leaves=12)


@given(st.lists(_TREE, min_size=1, max_size=4))
def test_nested_lists_are_read_back(tree: list[object]) -> None:
    def markup(items: list[object]) -> str:
        return (
            "<ul>"
            + "".join(f"<li>x{markup(i) if isinstance(i, list) else html.escape(str(i))}" for i in items)
            + "</ul>"
        )

    def flat(items: list[object], depth: int) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        for item in items:
            found += [(depth, "x"), *flat(item, depth + 1)] if isinstance(item, list) else [(depth, f"x{item}")]
        return found

    page = read_html(markup(tree))
    items = [(block.level, text(page, block).partition("\n")[0].removeprefix("- ")) for block in of(page, Kind.ITEM)]
    assert items == flat(tree, 1)


_TAGS = """<p> </p> <table> <tr> <td> </table> <ul> <li> </ul> <dl> <dt> <dd> <b> </b> <sup> 1 </sup> <details> <summary> <pre>
</pre> <s> <main> <h2> <label> <blockquote> </div> <div> <select> <caption> <th> &amp; <br> <math> x \u2028""".split()
_TAGS += [
    "<td rowspan=3 colspan=2>",
    "<a href='#x'>",
    "<p id=x>",
    "<input value=v>",
    "<option selected>",
    "<ol start=9>",
]


@given(st.lists(st.sampled_from(_TAGS), max_size=25))
def test_any_markup_is_read(pieces: list[str]) -> None:
    page = read_html(" ".join(pieces))
    for block in page.blocks:
        assert 0 <= block.start <= block.end <= len(page.text)
        if block.parent is not None and block.kind is not Kind.CELL:
            assert page.blocks[block.parent].start <= block.start <= block.end <= page.blocks[block.parent].end
