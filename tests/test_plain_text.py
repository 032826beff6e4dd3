"""Plain text is read as paragraphs, headings, lists, tables, fields, quotations and code, with literal ranges."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.blocks.block import Block, Kind
from index.formats.text.plain_text import read_plain_text
from tests.growth import assert_linear


def found(text: str, *kinds: Kind) -> list[tuple[Kind, str]]:
    return [(b.kind, text[b.start : b.end]) for b in read_plain_text(text).blocks if not kinds or b.kind in kinds]


def cells(text: str) -> list[list[str]]:
    rows: dict[int, list[str]] = {}
    for block in read_plain_text(text).blocks:
        if block.kind is Kind.CELL:
            rows.setdefault(block.row, []).append(text[block.start : block.end])
    return list(rows.values())


def labels(text: str, words: str) -> list[str]:
    block = next(b for b in read_plain_text(text).blocks if text[b.start : b.end] == words and b.labels)
    return [text[start:end] for start, end in block.labels]


def test_hard_wrapped_lines_are_one_paragraph() -> None:
    text = "The archive holds the letters of three families, and\nMary Hill gave most of them in 1931.\n\nNobody has read them."
    assert found(text) == [
        (Kind.PARAGRAPH, text.split("\n\n", maxsplit=1)[0]),
        (Kind.PARAGRAPH, "Nobody has read them."),
    ]


def test_items_have_their_marks_and_depth() -> None:
    text = "Rules:\n\n1. Knock first.\n2. Wait\n   a while.\n   - at the door\n   - in the hall\n3. Enter.\n"
    blocks = read_plain_text(text).blocks
    items = [
        (b.marker, b.level, text[b.start : b.end].split("\n", maxsplit=1)[0]) for b in blocks if b.kind is Kind.ITEM
    ]
    assert items == [
        ("1.", 1, "1. Knock first."),
        ("2.", 1, "2. Wait"),
        ("-", 2, "- at the door"),
        ("-", 2, "- in the hall"),
        ("3.", 1, "3. Enter."),
    ]
    assert labels(text, text[text.index("1.") :].rstrip()) == ["Rules:"]


def test_a_table_in_columns_keeps_blanks_and_headers_over_several_columns() -> None:
    text = (
        "                  First half       Second half\n"
        "                2023     2024     2023     2024\n"
        "Tickets        4,713    4,402   13,960   13,105\n"
        "Freight        2,288             7,018    7,460\n"
    )
    assert cells(text)[2:] == [
        ["Tickets", "4,713", "4,402", "13,960", "13,105"],
        ["Freight", "2,288", "", "7,018", "7,460"],
    ]
    assert labels(text, "13,960") == ["Second half", "2023"]


@pytest.mark.parametrize("mark", ["\t", " | "])
def test_a_table_of_tabs_or_bars_is_read(mark: str) -> None:
    text = "\n".join(mark.join(row) for row in (("Plan", "Price", "Seats"), ("Small", "9", "2"), ("Large", "", "40")))
    assert cells(text) == [["Plan", "Price", "Seats"], ["Small", "9", "2"], ["Large", "", "40"]]
    assert labels(text, "40") == ["Seats"]


def test_rows_of_figures_that_single_blanks_part_are_a_table() -> None:
    text = "Sales:\nBolts $ 63,355 $ 63,948 (1)%\nNuts (10) 243 n/a\nSales fell in both of the workshops.\n"
    assert cells(text) == [["Bolts", "$ 63,355", "$ 63,948", "(1)%"], ["Nuts", "(10)", "243", "n/a"]]


def test_double_blanks_after_full_stops_are_no_columns() -> None:
    text = "It rained.  The boats stayed in.\nWe waited long.  Nobody came by.\nIn May it ended.  We left.\n"
    assert {kind for kind, _ in found(text)} == {Kind.PARAGRAPH}


def test_headings_are_underlined_numbered_in_capitals_or_alone_above_prose() -> None:
    text = (
        "NOTES\n\nHarbour rules\n=============\n\nThe harbour is open.\n\n2.1 Fees\n\nThe fees are low in winter.\n\n"
        "Who we are\n\nWe are the people of the harbour.\n"
    )
    headings = [(b.level, text[b.start : b.end]) for b in read_plain_text(text).blocks if b.kind is Kind.HEADING]
    assert headings == [(1, "NOTES"), (1, "Harbour rules"), (2, "2.1 Fees"), (2, "Who we are")]


def test_label_and_value_are_a_field_but_a_sentence_with_a_colon_is_not() -> None:
    text = "Name: Ann Berg\nPhone: 4411\n\nNote that there are two: the old one and the new one.\n\nDate: 4 April 2025"
    assert found(text, Kind.FIELD) == [(Kind.FIELD, "Ann Berg"), (Kind.FIELD, "4411"), (Kind.FIELD, "4 April 2025")]
    assert labels(text, "4411") == ["Phone"]


def test_code_below_a_colon_or_between_fences_is_code_with_its_lead_in() -> None:
    text = "To reset it, run:\n\n    boil --reset\n\n```sh\nls\n\npwd\n```\nIt is done.\n"
    blocks = [b for b in read_plain_text(text).blocks if b.kind is Kind.CODE]
    assert [(b.marker, text[b.start : b.end]) for b in blocks] == [("", "boil --reset"), ("sh", "ls\n\npwd")]
    assert labels(text, "boil --reset") == ["To reset it, run:"]


def test_quoted_lines_are_a_quotation_without_their_marks() -> None:
    text = "He wrote:\n> This goes\n> on. It ends.\n\nI agree."
    blocks = read_plain_text(text).blocks
    assert [(b.kind, text[b.start : b.end]) for b in blocks if b.kind in (Kind.QUOTATION, Kind.MARKUP)] == [
        (Kind.QUOTATION, "> This goes\n> on. It ends."),
        (Kind.MARKUP, "> "),
    ]


def test_contents_and_signatures_are_furniture() -> None:
    text = "Contents\n\nWho we are ......... 2\nOur values ......... 3\n\nBy: /s/ Ulla Brandt\nUlla Brandt\nChief Officer\n"
    assert [kind for kind, _ in found(text)] == [Kind.FURNITURE] * 3


def test_each_entry_of_a_log_is_an_item() -> None:
    text = "2024-01-02 10:00:00 INFO started\n2024-01-02 10:00:05 ERROR failed\n   at foo\n2024-01-02 10:01 up"
    assert [words for _, words in found(text, Kind.ITEM)] == text.replace("\n2", "\0" + "2").split("\0")


def test_options_are_defined_by_the_paragraph_below() -> None:
    text = "--soft\n\nLeaves the net in the water.\n\n--hard\n\nLifts the net on board.\n"
    assert labels(text, "Lifts the net on board.") == ["--hard"]


def test_form_feeds_part_pages() -> None:
    assert [(p.number, p.start, p.end) for p in read_plain_text("a b\fc").pages] == [(1, 0, 3), (2, 4, 5)]


def assert_literal(text: str, blocks: tuple[Block, ...]) -> None:
    """Every range lies in its parent's, and every letter outside of all blocks is none."""
    for number, block in enumerate(blocks):
        assert 0 <= block.start <= block.end <= len(text)
        if block.parent is not None:
            assert block.parent < number
            holder = blocks[block.parent]
            assert holder.start <= block.start <= block.end <= holder.end


PIECES = st.sampled_from(
    [
        "One. ",
        "two ",
        "NAME",
        "\n",
        "\n\n",
        "  ",
        "    ",
        "- ",
        "1. ",
        "> ",
        "| ",
        "\t",
        "```",
        "A: b",
        "---\n",
        "$ 5 ",
        "\f",
        "é😀",
    ]
)


@given(st.one_of(st.text(), st.lists(PIECES, max_size=60).map("".join)))
def test_blocks_of_any_text_are_nested_and_cover_every_word(text: str) -> None:
    blocks = read_plain_text(text).blocks
    assert_literal(text, blocks)
    outside = list(text)
    for block in blocks:
        outside[block.start : block.end] = " " * (block.end - block.start)
        for start, end in block.labels:
            outside[start:end] = " " * (end - start)
    assert not any(character.isalnum() for character in outside)


WORD = st.text("abcdefgh", min_size=1, max_size=6)
VALUE = st.one_of(st.just(""), st.integers(0, 99999).map(str))


@given(
    st.lists(WORD, min_size=3, max_size=5, unique=True), st.lists(WORD, min_size=2, max_size=5, unique=True), st.data()
)
def test_a_table_written_in_columns_is_read_back(header: list[str], names: list[str], data: st.DataObject) -> None:
    body = [[name, *(data.draw(VALUE) for _ in header[1:-1]), str(data.draw(st.integers(0, 999)))] for name in names]
    for column in range(1, len(header)):
        body[0][column] = body[0][column] or "7"
        body[1][column] = body[1][column] or "8"
    text = "\n".join("  ".join(cell.ljust(8) for cell in row).rstrip() for row in (header, *body))
    assert cells(text) == [header, *body]


@pytest.mark.parametrize(
    "piece",
    [
        "-",
        " ",
        "[",
        '"',
        "- a\n",
        "a  b  3\n",
        "|",
        "|a|b|\n",
        "> a\n",
        "A: b\n",
        "ABC\n\n",
        "```\n",
        "1. a\n\n",
        "x y ",
    ],
)
def test_the_time_to_read_hostile_text_grows_with_its_size(piece: str) -> None:
    assert_linear(read_plain_text, lambda size: piece * (size // len(piece)), 2_000)


def test_pairs_of_paragraphs_do_not_overlap() -> None:
    blocks = [b for b in read_plain_text("One.\nTwo three.\n\n- a\n- b\n\nEnd.").blocks if b.parent is None]
    assert all(a.end <= b.start for a, b in pairwise(blocks))


def test_a_term_above_an_indented_sentence_is_defined_by_it() -> None:
    text = "harbour dues\n    Money that a ship pays.\n\ndemurrage\n    A charge for keeping a berth\n    too long.\n"
    assert found(text, Kind.TERM, Kind.MEANING) == [
        (Kind.TERM, "harbour dues"),
        (Kind.MEANING, "Money that a ship pays."),
        (Kind.TERM, "demurrage"),
        (Kind.MEANING, "A charge for keeping a berth\n    too long."),
    ]
    together = "bow\n  The front of a ship.\nstern\n  The back of a ship.\n"
    assert [word for _, word in found(together, Kind.TERM)] == ["bow", "stern"]


def test_a_hanging_indent_defines_nothing() -> None:
    text = (
        "Holm, A. and Lund, B. (1994). The tides of the inner fjord, measured over\n"
        "    four winters. Journal of Tides 12, 40-52.\n"
    )
    assert not found(text, Kind.TERM)
