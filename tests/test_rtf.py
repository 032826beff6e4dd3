"""An RTF file is read with its code pages, raised and hidden text, lists, tables and notes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.blocks.block import Kind
from index.formats.office.rtf import read_rtf
from index.formats.parsed import Parsed


def read(body: str, head: str = r"\ansi\ansicpg1252") -> Parsed:
    return read_rtf((r"{\rtf1" + head + " " + body + "}").encode("latin-1"))


def texts(parsed: Parsed, *kinds: Kind) -> list[str]:
    return [parsed.text[block.start : block.end] for block in parsed.blocks if block.kind in kinds]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"Gr\'f6\'dfe", "Größe"),
        (r"Gr\u246?\u223 ?e", "Größe"),
        (r"\uc2\u246ooGr", "öGr"),
        (r"\u-10179?\u-8704?", "😀"),
        (r"{\f1 \'cf\'f0\'e8}", "При"),
        (r"\emdash  a\~b \{x\} \\ \endash", "— a\xa0b {x} \\ –"),
        (r"a{\*\unknown gone}b{\pict 00ff}c", "abc"),
        (r"a\bin3 }}}b", "ab"),
        (r"One.\par\pard Two.\line Three.", "One.\n\nTwo.\nThree."),
        (r'{\field{\*\fldinst HYPERLINK "x"}{\fldrslt here}}', "here"),
    ],
)
def test_characters_and_groups(body: str, text: str) -> None:
    assert read(body, r"\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 A;}{\f1\fcharset204 B;}}").text == text


def test_raised_struck_out_hidden_and_deleted_text() -> None:
    parsed = read(
        r"The rent is {\strike 500 }480{\super 2} euros{\v secretly}{\deleted never}, 3 \'d7 10\up6 5\up0  litres."
    )
    assert parsed.text == "The rent is 500 480[2] euros, 3 × 10^5 litres."
    assert texts(parsed, Kind.STRUCK) == ["500"]


def test_headings_lists_running_heads_and_facts() -> None:
    head = (
        r"\ansi{\stylesheet{\s0 Normal;}{\s1 heading 1;}}{\info{\title Rules of the harbour}{\author Ann}"
        r"{\creatim\yr2024\mo3\dy9}}{\header Harbour office\par}"
    )
    body = (
        r"\pard\s1 Boats\par\pard {\listtext 1.\tab}\ls1 Stop.\par{\listtext\tab a)\tab}\ilvl1 Look.\par"
        r"\pard\plain {\pntext\f2\'b7\tab}Rope\par\pard\outlinelevel1 Small boats\par"
    )
    parsed = read(body, head)
    assert parsed.text.startswith("Harbour office\n\nBoats\n\n1. Stop.\na) Look.")
    assert [(b.level, b.marker) for b in parsed.blocks if b.kind is Kind.ITEM] == [(1, "1."), (2, "a)"), (1, "·")]
    assert [(b.level) for b in parsed.blocks if b.kind is Kind.HEADING] == [1, 2]
    assert texts(parsed, Kind.FURNITURE) == ["Harbour office"]
    assert (parsed.title, parsed.metadata) == ("Rules of the harbour", {"author": "Ann", "created": "2024-03-09"})


def test_notes_are_tied_to_their_marks() -> None:
    parsed = read(
        r"The grant is 75{\super\chftn}{\footnote\pard\plain{\super\chftn} Steel hulls double.} euros.\par End.\par"
    )
    assert parsed.text == "The grant is 75[1] euros.\n\nEnd.\n\n[1] Steel hulls double."
    assert [block.marker for block in parsed.blocks if block.kind is Kind.NOTE] == ["1"]


def test_tables_have_spans_and_headers() -> None:
    def row(plan: str, *cells: str, header: str = "") -> str:
        return rf"\trowd{header}{plan}\pard\intbl " + "".join(rf"{cell}\cell " for cell in cells) + r"\row "

    plain = r"\cellx1000\cellx2000\cellx3000"
    body = (
        row(r"\clvmgf\cellx1000\cellx3000", "Berth", "Fee", header=r"\trhdr")
        + row(r"\clvmrg\cellx1000\cellx2000\cellx3010", "", "Day", "Week", header=r"\trhdr")
        + row(plain, "North", "10", "") + row(plain, "South", "", "60") + r"\pard After.\par"
    )  # fmt: skip
    parsed = read(body)
    assert parsed.text == "| Berth | Fee |\n| Berth | Day | Week |\n| North | 10 |  |\n| South |  | 60 |\n\nAfter."
    sixty = next(b for b in parsed.blocks if b.kind is Kind.CELL and parsed.text[b.start : b.end] == "60")
    assert [parsed.text[start:end] for start, end in sixty.labels] == ["Fee", "Week"]


@settings(max_examples=60)
@given(
    st.lists(st.lists(st.sampled_from(["", "Rope", "é", "12", "x{y}"]), min_size=3, max_size=3), min_size=1, max_size=5)
)
def test_a_table_reads_back_as_it_was_written(rows: list[list[str]]) -> None:
    table = [["One", "Two", "Three"], *rows]
    plan = r"\cellx1000\cellx2000\cellx3000\pard\intbl "
    body = "".join(
        rf"\trowd{'' if number else chr(92) + 'trhdr'}{plan}"
        + "".join(text.replace("{", r"\{").replace("}", r"\}") + r"\cell " for text in row)
        + r"\row "
        for number, row in enumerate(table)
    )
    parsed = read(body)
    found = {(b.row, b.column): parsed.text[b.start : b.end] for b in parsed.blocks if b.kind is Kind.CELL}
    assert found == {(at, column): text for at, row in enumerate(table) for column, text in enumerate(row)}


@given(st.text(st.sampled_from("{}\\*'abcdurowel0129 \n-"), max_size=200))
def test_no_rtf_breaks(body: str) -> None:
    assert isinstance(read(body).text, str)
