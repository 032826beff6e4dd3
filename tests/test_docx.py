"""A Word document is read with its headings, lists as numbered, tables, notes, and without what is deleted or hidden."""

import io
import zipfile
from typing import Any

import docx
import pytest
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from hypothesis import given, settings
from hypothesis import strategies as st

from index.blocks.block import Kind
from index.formats.office.docx import read_docx
from index.formats.parsed import Parsed, Unreadable

_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def made(body: str, **parts: str) -> bytes:
    """A document with this body; `parts` are the contents of its other parts, by the kind of their relation."""

    def relations(*targets: tuple[str, str]) -> str:
        lines = (f'<Relationship Id="{k}" Type="{_RELATIONS}/{k}" Target="{t}"/>' for k, t in targets)
        return f'<Relationships xmlns="{_PACKAGE}">{"".join(lines)}</Relationships>'

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_rels/.rels", relations(("officeDocument", "word/document.xml")))
        archive.writestr("word/_rels/document.xml.rels", relations(*((kind, f"{kind}.xml") for kind in parts)))
        archive.writestr("word/document.xml", f'<w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>')
        for kind, content in parts.items():
            archive.writestr(f"word/{kind}.xml", f'<w:{kind} xmlns:w="{_WORD}">{content}</w:{kind}>')
    return buffer.getvalue()


def p(text: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{text if text.startswith('<') else r(text)}</w:p>"


def r(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def numbered(text: str, number: int = 1, level: int = 0) -> str:
    return p(text, f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')


def listing(
    *levels: tuple[str, str], instances: str = '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
) -> str:
    lines = "".join(
        f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{style}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for at, (style, text) in enumerate(levels)
    )
    return f'<w:abstractNum w:abstractNumId="0">{lines}</w:abstractNum>{instances}'


def texts(parsed: Parsed, *kinds: Kind) -> list[str]:
    return [parsed.text[block.start : block.end] for block in parsed.blocks if block.kind in kinds]


def saved(source: Any) -> bytes:
    buffer = io.BytesIO()
    source.save(buffer)
    return buffer.getvalue()


def test_headings_have_their_level_and_the_title_is_the_title() -> None:
    source = docx.Document()
    source.add_heading("Rules of the harbour", 0)
    source.add_heading("Boats", 1)
    source.add_heading("Small boats", 2)
    source.add_paragraph("They moor in the east.")
    parsed = read_docx(saved(source))
    assert [(b.kind, b.level) for b in parsed.blocks] == [
        (Kind.TITLE, 0), (Kind.HEADING, 1), (Kind.HEADING, 2), (Kind.PARAGRAPH, 0),
    ]  # fmt: skip


def test_numbers_are_shown_as_word_shows_them_and_go_on_over_interruptions() -> None:
    levels = listing(("decimal", "%1."), ("lowerLetter", "%2)"), ("lowerRoman", "(%3)"))
    body = (
        numbered("Stop.") + numbered("Open.", level=1) + numbered("Left.", level=2) + numbered("Right.", level=2)
        + numbered("Close.", level=1) + p("Wait an hour.") + numbered("Start.") + numbered("Look.", level=1)
    )  # fmt: skip
    parsed = read_docx(made(body, numbering=levels))
    items = [block for block in parsed.blocks if block.kind is Kind.ITEM]
    assert [(block.level, block.marker) for block in items] == [
        (1, "1."), (2, "a)"), (3, "(i)"), (3, "(ii)"), (2, "b)"), (1, "2."), (2, "a)"),
    ]  # fmt: skip
    assert "2. Start.\na) Look." in parsed.text


def test_numbers_of_several_levels_and_restarts() -> None:
    restart = (
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="0"/>'
        '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/></w:lvlOverride></w:num>'
    )
    levels = listing(("decimal", "%1"), ("decimal", "%1.%2"), ("decimal", "%1.%2.%3"), instances=restart)
    body = "".join(
        numbered(text, number, level)
        for text, number, level in (
            ("A", 1, 0),
            ("B", 1, 1),
            ("C", 1, 2),
            ("D", 1, 0),
            ("E", 1, 2),
            ("F", 2, 0),
            ("G", 2, 1),
        )
    )
    parsed = read_docx(made(body, numbering=levels))
    assert texts(parsed, Kind.LIST)[0].split("\n") == ["1 A", "1.1 B", "1.1.1 C", "2 D", "2.1.1 E", "5 F", "5.1 G"]


def test_a_numbered_heading_shows_its_number() -> None:
    styles = (
        '<w:style w:type="paragraph" w:styleId="H"><w:name w:val="heading 2"/><w:pPr><w:numPr><w:ilvl w:val="1"/>'
        '<w:numId w:val="1"/></w:numPr><w:outlineLvl w:val="1"/></w:pPr></w:style>'
    )
    body = p("Fees", '<w:pStyle w:val="H"/>') + p("Fines", '<w:pStyle w:val="H"/>')
    parsed = read_docx(made(body, styles=styles, numbering=listing(("decimal", "%1"), ("decimal", "%1.%2"))))
    assert texts(parsed, Kind.HEADING) == ["1.1 Fees", "1.2 Fines"]


def test_deletions_hidden_runs_and_placeholders_are_left_out_and_insertions_kept() -> None:
    body = p(
        r("Open ") + "<w:del><w:r><w:delText>never </w:delText></w:r></w:del>" + f"<w:ins>{r('daily ')}</w:ins>"
        + r("secretly ", "<w:vanish/>") + f"<w:moveFrom>{r('here ')}</w:moveFrom>"
        + f"<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent>{r('Click here ')}</w:sdtContent></w:sdt>"
        + f"<w:sdt><w:sdtContent>{r('from ten')}</w:sdtContent></w:sdt>" + r(" to noon.")
    )  # fmt: skip
    assert read_docx(made(body)).text == "Open daily from ten to noon."


def test_struck_out_runs_and_superscripts_are_marked() -> None:
    body = p(r("The rent is ") + r("500 ", "<w:strike/>") + r("480") + r("2", '<w:vertAlign w:val="superscript"/>')
             + r(" euros for 3 × 10") + r("5", '<w:vertAlign w:val="superscript"/>') + r(" litres.")
             + r(" Old.", "<w:dstrike/>"))  # fmt: skip
    parsed = read_docx(made(body))
    assert parsed.text == "The rent is 500 480[2] euros for 3 × 10^5 litres. Old."
    assert texts(parsed, Kind.STRUCK) == ["500", "Old."]


def test_notes_are_tied_to_their_marks() -> None:
    reference = '<w:r><w:footnoteReference w:id="7"/></w:r>'
    note = f'<w:footnote w:id="7">{p(r(" Steel hulls double."))}</w:footnote>'
    parsed = read_docx(made(p(r("The grant is 75") + reference + r(" euros.")) + p("End."), footnotes=note))
    assert parsed.text == "The grant is 75[1] euros.\n\nEnd.\n\n[1] Steel hulls double."
    assert [block.marker for block in parsed.blocks if block.kind is Kind.NOTE] == ["1"]
    assert texts(parsed, Kind.MARK) == ["[1]", "[1]"]


def test_tables_have_spans_blanks_and_header_rows() -> None:
    def tc(text: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr>{p(text)}</w:tc>"

    down, on = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    rows = (
        ("<w:tblHeader/>", tc("Berth", down) + tc("Fee", '<w:gridSpan w:val="2"/>')),
        ("<w:tblHeader/>", tc("", on) + tc("Day") + tc("Week")),
        ("", tc("North", down) + tc("10") + tc("")),
        ("", tc("", on) + tc("") + tc("60")),
    )
    table = "".join(f"<w:tr><w:trPr>{properties}</w:trPr>{cells}</w:tr>" for properties, cells in rows)
    parsed = read_docx(made(f"<w:tbl>{table}</w:tbl>"))
    cells = {(b.row, b.column): b for b in parsed.blocks if b.kind is Kind.CELL}
    assert texts(parsed, Kind.TABLE) == [
        "| Berth | Fee |\n| Berth | Day | Week |\n| North | 10 |  |\n| North |  | 60 |"
    ]
    sixty = cells[3, 2]
    assert [parsed.text[start:end] for start, end in sixty.labels] == ["Fee", "Week"]
    assert parsed.text[cells[3, 0].start : cells[3, 0].end] == "North"


def test_captions_nested_tables_and_layout_tables() -> None:
    def table(*rows: tuple[str, ...]) -> str:
        lines = ("".join(f"<w:tc>{cell if cell.startswith('<') else p(cell)}</w:tc>" for cell in row) for row in rows)
        return f"<w:tbl>{''.join(f'<w:tr>{line}</w:tr>' for line in lines)}</w:tbl>"

    styles = '<w:style w:type="paragraph" w:styleId="C"><w:name w:val="Caption"/></w:style>'
    inner = table(("Port", "Depth"), ("Moss", "7"))
    body = (
        p("Fees of 2024", '<w:pStyle w:val="C"/>')
        + table(("Boat", "Fee"), ("Tern", "30"))
        + table((inner, p("Beside.")))
    )
    parsed = read_docx(made(body, styles=styles))
    assert texts(parsed, Kind.CAPTION) == ["Fees of 2024"]
    assert texts(parsed, Kind.TABLE) == [
        "Fees of 2024\n\n| Boat | Fee |\n| Tern | 30 |",
        "| Port | Depth |\n| Moss | 7 |",
    ]
    assert texts(parsed, Kind.PARAGRAPH) == ["Beside."]


def test_running_heads_contents_and_form_fields() -> None:
    styles = '<w:style w:type="paragraph" w:styleId="T"><w:name w:val="toc 1"/></w:style>'
    ticked = "<w:r><w:fldChar><w:ffData><w:checkBox><w:checked/></w:checkBox></w:ffData></w:fldChar></w:r>"
    body = p("Fees 3", '<w:pStyle w:val="T"/>') + p(ticked + r(" I am a member."))
    parsed = read_docx(made(body, styles=styles, header=p("Harbour office")))
    assert texts(parsed, Kind.FURNITURE) == ["Harbour office", "Fees 3"]
    assert parsed.text == "Harbour office\n\nFees 3\n\n☒ I am a member."


def test_text_boxes_follow_their_paragraph() -> None:
    box = f"<w:r><w:pict><w:txbxContent>{p('In a box.')}</w:txbxContent></w:pict></w:r>"
    assert read_docx(made(p(box + r("Before.")) + p("After."))).text == "Before.\n\nIn a box.\n\nAfter."


def test_lists_and_quotes_of_word_s_own_styles() -> None:
    source = docx.Document()
    source.add_paragraph("Take:")
    for text in ("rope", "oars"):
        source.add_paragraph(text, "List Bullet")
    source.add_paragraph("Row.", "List Number")
    source.add_paragraph("Never sail alone.", "Quote")
    style = source.styles.add_style("Source Code", WD_STYLE_TYPE.PARAGRAPH)
    for text in ("a = 1", "b = 2"):
        source.add_paragraph(text, style)
    parsed = read_docx(saved(source))
    assert texts(parsed, Kind.ITEM) == ["• rope", "• oars", "1. Row."]
    assert texts(parsed, Kind.QUOTATION) == ["Never sail alone."]
    assert texts(parsed, Kind.CODE) == ["a = 1\nb = 2"]
    bullets = next(block for block in parsed.blocks if block.kind is Kind.LIST)
    assert [parsed.text[start:end] for start, end in bullets.labels] == ["Take:"]


@pytest.mark.parametrize("names", [["Plan", "2024", "2025"], ["Plan", "10", "20"], ["Plan", "Price", "Users"]])
def test_a_plain_first_row_is_a_header_and_rows_with_a_blank_keep_their_cells(names: list[str]) -> None:
    is_figures = names[1] == "10"
    rows = [names, ["Small", "", "free" if is_figures else "31"], ["Large", "paid" if is_figures else "49", ""]]
    source = docx.Document()
    table = source.add_table(3, 3)
    for row, cells in enumerate(rows):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    buffer = io.BytesIO()
    source.save(buffer)
    parsed = read_docx(buffer.getvalue())
    cells = [block for block in parsed.blocks if block.kind is Kind.CELL and not block.is_header]
    named = [
        (parsed.text[slice(*cell.labels[0])], parsed.text[cell.start : cell.end])
        for cell in cells
        if cell.start < cell.end
    ]
    assert named == [(names[0], "Small"), (names[2], rows[1][2]), (names[0], "Large"), (names[1], rows[2][1])]


def test_bold_first_rows_are_headers() -> None:
    source = docx.Document()
    table = source.add_table(2, 2)
    for row, cells in enumerate((("Name", "Role"), ("Ola", "Cook"))):
        for column, text in enumerate(cells):
            table.cell(row, column).paragraphs[0].add_run(text).bold = not row
    parsed = read_docx(saved(source))
    assert [parsed.text[b.start : b.end] for b in parsed.blocks if b.kind is Kind.CELL and b.is_header] == [
        "Name",
        "Role",
    ]


def test_what_is_no_document_is_refused_with_a_reason() -> None:
    with pytest.raises(Unreadable, match="damaged or cut short"):
        read_docx(made(p("Text."))[:-40])
    with pytest.raises(Unreadable, match="encrypted"):
        read_docx(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))
    with pytest.raises(Unreadable, match="main part"):
        read_docx(made("").replace(b"word/document.xml", b"word/elsewhere.xm"))


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["Row", "é", "x y"])), min_size=1, max_size=12))
def test_nested_lists_read_back_with_their_numbers(items: list[tuple[int, str]]) -> None:
    levels = listing(*(("decimal", ".".join(f"%{at + 1}" for at in range(depth + 1)) + ".") for depth in range(4)))
    parsed = read_docx(made("".join(numbered(text, level=depth) for depth, text in items), numbering=levels))
    counts, expected = [0] * 4, []
    for depth, text in items:
        counts = [max(1, count) for count in counts[:depth]] + [counts[depth] + 1] + [0] * (3 - depth)
        expected.append(f"{'.'.join(map(str, counts[: depth + 1]))}. {text}")
    assert parsed.text.split("\n") == expected
    assert [b.marker for b in parsed.blocks if b.kind is Kind.ITEM] == [line.split(" ")[0] for line in expected]


@settings(max_examples=30)
@given(st.lists(st.lists(st.sampled_from(["", "Rope", "é", "12"]), min_size=3, max_size=3), min_size=1, max_size=5))
def test_a_table_reads_back_as_it_was_written(rows: list[list[str]]) -> None:
    source = docx.Document()
    table = source.add_table(len(rows) + 1, 3)
    for row, cells in enumerate([["One", "Two", "Three"], *rows]):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    flag = OxmlElement("w:tblHeader")
    flag.set(qn("w:val"), "true")
    table.rows[0]._tr.get_or_add_trPr().append(flag)
    parsed = read_docx(saved(source))
    found = {(b.row, b.column): parsed.text[b.start : b.end] for b in parsed.blocks if b.kind is Kind.CELL}
    expected = enumerate([["One", "Two", "Three"], *rows])
    assert found == {(row, column): text for row, cells in expected for column, text in enumerate(cells)}
