"""Sentence spans over hard-wrapped text, lists, tables, headings and quotations."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.chunking.sentences import sentence_spans, trim_span


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


def test_sentences_of_a_hard_wrapped_paragraph_cross_its_lines() -> None:
    text = (
        "The archive holds the letters of three families, and\n"
        "Mary Hill gave most of them in 1931. They were listed\n"
        "by hand. Nobody has read them since.\n"
    )
    assert sentences(text) == [
        "The archive holds the letters of three families, and\nMary Hill gave most of them in 1931.",
        "They were listed\nby hand.",
        "Nobody has read them since.",
    ]


def test_a_heading_without_blank_lines_stands_alone() -> None:
    text = (
        "Vision\n"
        "Every reader finds the record that answers the question, wherever the\n"
        "record is kept\n"
        "Mission\n"
        "To open the records\n"
    )
    assert sentences(text) == [
        "Vision",
        "Every reader finds the record that answers the question, wherever the\nrecord is kept",
        "Mission",
        "To open the records",
    ]


def test_each_row_of_a_table_without_rules_is_one_sentence() -> None:
    text = (
        "The following table shows what the two workshops sold in each of the two years (in thousands):\n"
        "Bolts $ 63,355 $ 63,948 (1)%\n"
        "Nuts (10) 243 n/a\n"
        "Change in the value of everything that was ever kept in the southern warehouse and\n"
        "written down (3,055) 163 (9,819)\n"
        "Sales fell.\n"
    )
    assert sentences(text)[1:] == [
        "Bolts $ 63,355 $ 63,948 (1)%",
        "Nuts (10) 243 n/a",
        "Change in the value of everything that was ever kept in the southern warehouse and\n"
        "written down (3,055) 163 (9,819)",
        "Sales fell.",
    ]


@pytest.mark.parametrize(
    "number", ["1.", "4.2.", "(b)", "iv.", "T1.", "Item 7A.", "Note 2:", "Section 3.", "•", "▪ (a)"]
)
def test_a_number_or_bullet_stays_with_its_item(number: str) -> None:
    assert sentences(f"{number} Risk factors are many. Read them.") == [
        f"{number} Risk factors are many.",
        "Read them.",
    ]


def test_items_are_not_joined() -> None:
    text = "Rules:\n- knock first\n- wait\n* then enter\n1. One\n2. Two\n3.1 Three\n\uf0b7 Four"
    assert sentences(text) == [
        "Rules:", "- knock first", "- wait", "* then enter", "1. One", "2. Two", "3.1 Three", "\uf0b7 Four",
    ]  # fmt: skip


@pytest.mark.parametrize("word", ["Inc. was", "etc. and", "No. 5 was"])
def test_a_wrapped_line_that_begins_with_an_abbreviation_is_not_an_item(word: str) -> None:
    text = f"They bought the whole of the company that was called Hill\n{word} sold again in the following year."
    assert sentences(text) == [text]


def test_lines_of_one_quotation_are_one_paragraph() -> None:
    text = "He wrote:\n> This is a long line of a quoted message that\n> goes on. It ends.\nI agree."
    assert sentences(text) == [
        "He wrote:", "> This is a long line of a quoted message that\n> goes on.", "It ends.", "I agree.",
    ]  # fmt: skip


def test_rules_and_table_separators_are_not_sentences() -> None:
    assert sentences("One.\n-----\n| a | b |\n|---|---|\n| 1 | 2 |\n* * *\nTwo.") == [
        "One.", "| a | b |", "| 1 | 2 |", "Two.",
    ]  # fmt: skip


def test_a_form_feed_ends_a_sentence() -> None:
    assert sentences("the end of a page\fThe next page") == ["the end of a page", "The next page"]


def test_trimmed_keeps_an_empty_span_where_it_began() -> None:
    assert trim_span("a \n b", 1, 4) == (1, 1)
    assert trim_span("  ab  ", 0, 6) == (2, 4)


PIECES = st.sampled_from(
    [
        "One. ",
        "two ",
        "Three",
        "\n",
        "\n\n",
        "\r\n",
        "\f",
        "\0",
        "e\u0301",
        "😀👨‍👩‍👧",
        "שלום. ",
        "مرحبا؟ ",
        "日本。",
        "\u2028",
        "1. ",
        "| a ",
        "$ 5 ",
    ]
)


@given(st.one_of(st.text(), st.lists(PIECES, max_size=60).map("".join)))
def test_spans_are_literal_ordered_trimmed_and_cover_every_word(text: str) -> None:
    spans = sentence_spans(text)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    for start, end in spans:
        assert 0 <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
    outside = list(text)
    for start, end in spans:
        outside[start:end] = " " * (end - start)
    assert not any(character.isalnum() for character in outside)


def test_sentences_of_a_very_long_line_are_those_of_its_parts() -> None:
    said = "The mill, as Dr. Pell said, opened in 1932. Its wheel turned for 40 years! "
    text = said * 1000
    found = [text[start:end] for start, end in sentence_spans(text)]
    assert found == ["The mill, as Dr. Pell said, opened in 1932.", "Its wheel turned for 40 years!"] * 1000
    endless = "word " * 20_000
    assert "".join(endless[start:end] for start, end in sentence_spans(endless)).count("word") == 20_000
