"""OpenDocument texts, spreadsheets and presentations are read with their lists, tables, notes and hidden parts."""

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.blocks.block import Kind
from index.formats.office.odp import read_odp
from index.formats.office.ods import read_ods
from index.formats.office.odt import read_odt
from index.formats.parsed import Parsed, Unreadable

_OPEN = "urn:oasis:names:tc:opendocument:xmlns:"
_SPACES = "".join(
    f' xmlns:{short}="{_OPEN}{name}:1.0"'
    for short, name in (
        ("office", "office"), ("text", "text"), ("table", "table"), ("style", "style"), ("draw", "drawing"),
        ("presentation", "presentation"), ("fo", "xsl-fo-compatible"), ("svg", "svg-compatible"), ("meta", "meta"),
    )
)  # fmt: skip


def made(kind: str, body: str, styles: str = "", page: str = "", **parts: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        archive.writestr(
            "content.xml",
            f"<office:document-content{_SPACES}><office:automatic-styles>{styles}</office:automatic-styles>"
            f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>",
        )
        if page:
            archive.writestr(
                "styles.xml",
                f"<office:document-styles{_SPACES}><office:master-styles><style:master-page>{page}</style:master-page>"
                "</office:master-styles></office:document-styles>",
            )
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/") + ".xml", content)
    return buffer.getvalue()


def style(name: str, properties: str, family: str = "text") -> str:
    return f'<style:style style:name="{name}" style:family="{family}">{properties}</style:style>'


def span(text: str, name: str) -> str:
    return f'<text:span text:style-name="{name}">{text}</text:span>'


def p(text: str, name: str = "") -> str:
    return f'<text:p text:style-name="{name}">{text}</text:p>'


def texts(parsed: Parsed, *kinds: Kind) -> list[str]:
    return [parsed.text[block.start : block.end] for block in parsed.blocks if block.kind in kinds]


def labels(parsed: Parsed, text: str) -> list[str]:
    cell = next(b for b in parsed.blocks if b.kind is Kind.CELL and parsed.text[b.start : b.end] == text)
    return [parsed.text[start:end] for start, end in cell.labels]


def test_raised_struck_out_and_hidden_text() -> None:
    styles = (
        style("up", '<style:text-properties style:text-position="super 58%"/>')
        + style("out", '<style:text-properties style:text-line-through-style="solid"/>')
        + style("off", '<style:text-properties text:display="none"/>')
    )
    deleted = f"<text:tracked-changes><text:changed-region>{p('Gone.')}</text:changed-region></text:tracked-changes>"
    line = p(f"The rent is {span('500', 'out')} 480{span('2', 'up')} euros{span(' secretly', 'off')}.")
    parsed = read_odt(made("text", deleted + line, styles))
    assert parsed.text == "The rent is 500 480[2] euros."
    assert texts(parsed, Kind.STRUCK) == ["500"]


def test_headings_notes_and_running_heads() -> None:
    note = (
        '<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation>'
        f"<text:note-body>{p('Steel hulls double.')}</text:note-body></text:note>"
    )
    body = f'<text:h text:outline-level="2">Grants</text:h>{p(f"The grant is 75{note} euros.")}'
    contents = f"<text:table-of-content><text:index-body>{p('Grants 3')}</text:index-body></text:table-of-content>"
    page = f"<style:header>{p('Harbour office')}</style:header>"
    parsed = read_odt(made("text", contents + body, page=page))
    assert parsed.text == "Harbour office\n\nGrants 3\n\nGrants\n\nThe grant is 75[1] euros.\n\n[1] Steel hulls double."
    assert texts(parsed, Kind.FURNITURE) == ["Harbour office", "Grants 3"]
    assert [block.level for block in parsed.blocks if block.kind is Kind.HEADING] == [2]


def test_lists_show_their_numbers_and_go_on_where_they_say_so() -> None:
    levels = (
        '<text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix="."/>'
        '<text:list-level-style-number text:level="2" style:num-format="a" style:num-suffix=")"/>'
        '<text:list-level-style-bullet text:level="3" text:bullet-char="–"/>'
    )
    inner = (
        f"<text:list><text:list-item>{p('Left.')}<text:list><text:list-item>{p('Slowly.')}</text:list-item></text:list>"
        f"</text:list-item><text:list-item>{p('Right.')}</text:list-item></text:list>"
    )
    body = (
        f'<text:list text:style-name="L"><text:list-item>{p("Stop.")}{inner}</text:list-item>'
        f"<text:list-item>{p('Go.')}</text:list-item></text:list>{p('Wait.')}"
        '<text:list text:style-name="L" text:continue-numbering="true">'
        f"<text:list-item>{p('Land.')}</text:list-item></text:list>"
        f'<text:list text:style-name="L"><text:list-item>{p("Again.")}</text:list-item></text:list>'
    )
    parsed = read_odt(made("text", body, f'<text:list-style style:name="L">{levels}</text:list-style>'))
    assert [(block.level, block.marker) for block in parsed.blocks if block.kind is Kind.ITEM] == [
        (1, "1."), (2, "a)"), (3, "–"), (2, "b)"), (1, "2."), (1, "3."), (1, "1."),
    ]  # fmt: skip


def test_a_nested_list_with_a_style_of_its_own_is_marked_by_it() -> None:
    styles = "".join(
        f'<text:list-style style:name="{name}"><text:list-level-style-number text:level="1" style:num-format="1"/>'
        f'<text:list-level-style-number text:level="2" style:num-format="{shown}"/></text:list-style>'
        for name, shown in (("Outer", "1"), ("Inner", "a"))
    )
    inner = f'<text:list text:style-name="Inner"><text:list-item>{p("Look.")}</text:list-item></text:list>'
    body = f'<text:list text:style-name="Outer"><text:list-item>{p("Stop.")}{inner}</text:list-item></text:list>'
    assert texts(read_odt(made("text", body, styles)), Kind.LIST)[0] == "1 Stop.\na Look."


def test_cells_that_a_cell_above_covers_may_be_left_out() -> None:
    rows = (
        f'<table:table-row><table:table-cell table:number-rows-spanned="2">{p("North")}</table:table-cell>'
        f"<table:table-cell>{p('10')}</table:table-cell></table:table-row>"
        f"<table:table-row><table:table-cell>{p('60')}</table:table-cell></table:table-row>"
    )
    assert texts(read_odt(made("text", f"<table:table>{rows}</table:table>")), Kind.TABLE) == [
        "| North | 10 |\n| North | 60 |"
    ]


def test_a_table_of_a_text_has_spans_and_header_rows() -> None:
    def cell(text: str, facts: str = "") -> str:
        return f"<table:table-cell {facts}>{p(text) if text else ''}</table:table-cell>"

    high = 'table:number-rows-spanned="2"'
    rows = (
        f"<table:table-header-rows><table:table-row>{cell('Berth')}{cell('Fee')}</table:table-row></table:table-header-rows>"
        f"<table:table-row>{cell('North', high)}{cell('10')}</table:table-row>"
        f"<table:table-row><table:covered-table-cell/>{cell('60')}</table:table-row>"
    )
    parsed = read_odt(made("text", f"<table:table>{rows}</table:table>"))
    assert texts(parsed, Kind.TABLE) == ["| Berth | Fee |\n| North | 10 |\n| North | 60 |"]
    assert labels(parsed, "60") == ["Fee"]
    assert texts(parsed, Kind.CELL).count("North") == 2


def _cell(text: str, facts: str = "", kind: str = "string") -> str:
    value = f'office:value-type="{kind}"' if text else ""
    return f"<table:table-cell {value} {facts}>{p(text) if text else ''}</table:table-cell>"


def _sheet(*rows: str, name: str = "Fleet", facts: str = "", columns: str = "") -> str:
    lines = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    return f'<table:table table:name="{name}" {facts}>{columns}{lines}</table:table>'


def test_a_spreadsheet_shows_what_its_cells_show() -> None:
    header = _cell("Boat") + _cell("Discount") + _cell("Net")
    formula = '<table:table-cell table:formula="of:=[.B2]*2"/>'
    parsed = read_ods(made("spreadsheet", _sheet(header, _cell("Tern") + _cell("12.5%", kind="percentage") + formula)))
    assert "| Tern | 12.5% | (formula without a stored value) |" in parsed.text
    assert labels(parsed, "12.5%") == ["Discount"]
    assert [warning.split(" have")[0] for warning in parsed.warnings] == ["Sheet 'Fleet': the formulas in C2"]


def test_hidden_sheets_rows_and_columns_and_notes_of_a_spreadsheet() -> None:
    styles = style("off", '<style:table-properties table:display="false"/>', "table")
    columns = '<table:table-column/><table:table-column table:visibility="collapse"/>'
    note = f"<office:annotation>{p('Without tax.')}</office:annotation>"
    price = f'<table:table-cell office:value-type="float">{note}{p("20")}</table:table-cell>'
    rows = (_cell("Item") + _cell("Cost") + _cell("Price"), _cell("Rope") + _cell("11", kind="float") + price)
    body = _sheet(*rows, columns=columns) + _sheet(_cell("99999"), name="Old", facts='table:style-name="off"')
    parsed = read_ods(made("spreadsheet", body, styles))
    assert texts(parsed, Kind.HIDDEN) == ["Cost", "11"]
    assert texts(parsed, Kind.NOTE) == ["C2: Without tax."]
    assert "99999" not in parsed.text
    assert [warning.split(". ")[0] for warning in parsed.warnings] == [
        "Sheet 'Fleet': 2 cells in hidden rows or columns will not be quoted",
        "Sheet 'Old' is hidden and was left out",
    ]


def test_cells_repeated_to_the_end_of_the_sheet_cost_nothing() -> None:
    blank = '<table:table-cell table:number-columns-repeated="16384"/>'
    far = f'</table:table-row><table:table-row table:number-rows-repeated="1048000">{blank}'
    many = _cell("x", 'table:number-columns-repeated="16384"')
    wide = f'</table:table-row><table:table-row table:number-rows-repeated="500000">{many}'
    parsed = read_ods(made("spreadsheet", _sheet(_cell("Rope") + _cell("20", kind="float"), blank + far + wide)))
    assert "| Rope | 20 |" in parsed.text
    assert len(parsed.text) < 200_000


def test_a_presentation_is_read_slide_by_slide() -> None:
    def frame(text: str, top: int, facts: str = "") -> str:
        return (
            f'<draw:frame svg:x="1cm" svg:y="{top}cm" svg:width="9cm" svg:height="1cm" {facts}>'
            f"<draw:text-box>{p(text)}</draw:text-box></draw:frame>"
        )

    def of(name: str) -> str:
        return f'presentation:class="{name}"'

    notes = f"<presentation:notes>{frame('Smile.', 9, of('notes'))}</presentation:notes>"
    first = (
        frame("Second.", 6) + frame("First.", 4) + frame("Harbours", 1, of("title")) + frame("3", 12, of("page-number"))
    )
    body = f'<draw:page>{first}{notes}</draw:page><draw:page draw:style-name="off">{frame("Later.", 2)}</draw:page>'
    styles = style("off", '<style:drawing-page-properties presentation:visibility="hidden"/>', "drawing-page")
    parsed = read_odp(made("presentation", body, styles))
    assert parsed.text == "Harbours\n\nFirst.\n\nSecond.\n\n3\n\nSmile.\n\nLater."
    assert texts(parsed, Kind.HEADING, Kind.NOTE) == ["Harbours", "Smile."]
    assert texts(parsed, Kind.FURNITURE, Kind.HIDDEN) == ["3", "Later."]
    assert [(page.number, parsed.text[page.start : page.end]) for page in parsed.pages][1] == (2, "Later.")


def test_what_is_encrypted_or_damaged_is_refused_with_a_reason() -> None:
    space = f'xmlns:manifest="{_OPEN}manifest:1.0"'
    entry = "<manifest:file-entry><manifest:encryption-data/></manifest:file-entry>"
    manifest = f"<manifest:manifest {space}>{entry}</manifest:manifest>"
    with pytest.raises(Unreadable, match="it is encrypted"):
        read_odt(made("text", p("x"), **{"META-INF__manifest": manifest}))
    with pytest.raises(Unreadable, match="damaged or cut short"):
        read_ods(made("text", p("x")))


@settings(max_examples=40)
@given(st.lists(st.lists(st.sampled_from(["", "Rope", "é", "12"]), min_size=3, max_size=3), min_size=1, max_size=5))
def test_a_sheet_reads_back_as_it_was_written(rows: list[list[str]]) -> None:
    bold = style("b", '<style:text-properties fo:font-weight="bold"/>', "table-cell")
    table = [["Name", "One", "Two", "Three"], *([f"Row {number}", *row] for number, row in enumerate(rows))]
    lines = ["".join(_cell(text, "" if at else 'table:style-name="b"') for text in row) for at, row in enumerate(table)]
    parsed = read_ods(made("spreadsheet", _sheet(*lines), bold))
    found = {(b.row, b.column): parsed.text[b.start : b.end] for b in parsed.blocks if b.kind is Kind.CELL}
    kept = [column for column in range(4) if any(row[column] for row in table)]
    assert found == {(at, column): row[column] for at, row in enumerate(table) for column in kept}
    assert all(block.is_header == (block.row == 0) for block in parsed.blocks if block.kind is Kind.CELL)
