"""Citation markers in the styles that models use: each is recognised, nothing else is, and parsing takes linear time."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.generators.stream_parser import (
    MAX_SENTENCE_CHARS,
    CitedSentence,
    cited_sentences,
    parse_drafts,
    read_sentence,
)
from service.records import Cell
from tests.growth import assert_linear

COUNT = 4


def read(text, count=COUNT):
    return [(w.text, w.cited, w.invented) for w in cited_sentences([text], count)]


@pytest.mark.parametrize(
    ("raw", "text", "cited"),
    [
        ("Seoul counts six [1].", "Seoul counts six.", (1,)),
        ("Seoul counts six. [1]", "Seoul counts six.", (1,)),
        ("Seoul counts six.[1]", "Seoul counts six.", (1,)),
        ("Seoul counts six [1, 2].", "Seoul counts six.", (1, 2)),
        ("Seoul counts six [1][2].", "Seoul counts six.", (1, 2)),
        ("Seoul counts six [1] [2].", "Seoul counts six.", (1, 2)),
        ("Seoul counts six [2;1].", "Seoul counts six.", (2, 1)),
        ("Seoul counts six [1-3].", "Seoul counts six.", (1, 2, 3)),
        ("Seoul counts six [1–3, 4].", "Seoul counts six.", (1, 2, 3, 4)),
        ("Seoul counts six [1 and 2].", "Seoul counts six.", (1, 2)),
        ("Seoul counts six 【1】.", "Seoul counts six.", (1,)),
        ("Seoul counts six【2†source】.", "Seoul counts six.", (2,)),
        ("Seoul counts six【3:0†briefing.md】.", "Seoul counts six.", (3,)),
        ("Seoul counts six ［1］.", "Seoul counts six.", (1,)),
        ("Seoul counts six (1).", "Seoul counts six.", (1,)),
        ("Seoul counts six. (1)", "Seoul counts six.", (1,)),
        ("Seoul counts six (1, 2).", "Seoul counts six.", (1, 2)),
        ("Seoul counts six (passage 2).", "Seoul counts six.", (2,)),
        ("Seoul counts six (see Passages 1 and 2).", "Seoul counts six.", (1, 2)),
        ("Seoul counts them^1.", "Seoul counts them.", (1,)),
        ("Seoul counts them.^[2]", "Seoul counts them.", (2,)),
        ("Seoul counts them^1,2^.", "Seoul counts them.", (1, 2)),
        ("Seoul counts them¹.", "Seoul counts them.", (1,)),
        ("Seoul counts them.¹ ²", "Seoul counts them.", (1, 2)),
        ("Seoul counts them.¹²", "Seoul counts them.", (1, 2)),
        ("Seoul counts six.<sup>1</sup>", "Seoul counts six.", (1,)),
        ("Seoul counts six <sup>[1, 2]</sup>.", "Seoul counts six.", (1, 2)),
        ("Seoul counts six.[^3]", "Seoul counts six.", (3,)),
        ("Seoul counts six [Passage 1].", "Seoul counts six.", (1,)),
        ("Seoul counts six [Source: 2].", "Seoul counts six.", (2,)),
        ("Seoul counts six [passage 1, passage 3].", "Seoul counts six.", (1, 3)),
        ("Seoul counts six [[1]].", "Seoul counts six.", (1,)),
        ("Seoul counts six [1](https://example.org/a).", "Seoul counts six.", (1,)),
        (r"Seoul counts six \[1\].", "Seoul counts six.", (1,)),
        ("Seoul counts six (see [2]).", "Seoul counts six.", (2,)),
        ("Seoul counts six [1] and [2].", "Seoul counts six.", (1, 2)),
        ("[1] Seoul counts six.", "Seoul counts six.", (1,)),
        ("[1]: Seoul counts six.", "Seoul counts six.", (1,)),
        ("According to [2], Seoul counts six.", "Seoul counts six.", (2,)),
        ("According to passage 2, seoul counts six.", "Seoul counts six.", (2,)),
        ("[1] states that six are counted.", "Six are counted.", (1,)),
        ("Seoul [1] counts six [2].", "Seoul counts six.", (1, 2)),
        ("Seoul counts six.[1].", "Seoul counts six.", (1,)),
        ("Seoul counts six [1, 1, 1].", "Seoul counts six.", (1,)),
        ("Seoul counts six [ID:1].", "Seoul counts six.", (1,)),
        ("Seoul counts six [ID: 1, ID: 2].", "Seoul counts six.", (1, 2)),
        ("Seoul counts six [1, p. 3].", "Seoul counts six.", (1,)),
        ("Seoul counts six [p. 3, 1].", "Seoul counts six.", (1,)),
        ("Seoul counts six [2: pp. 3-4].", "Seoul counts six.", (2,)),
        ("Seoul counts six [1, § 2].", "Seoul counts six.", (1,)),
        ("Seoul counts six (2, p. 3).", "Seoul counts six.", (2,)),
        ("Seoul counts six (Source 1, page 3).", "Seoul counts six.", (1,)),
        ("Seoul counts six [1, Cyber briefing].", "Seoul counts six.", (1,)),
        ("Seoul counts six {1}.", "Seoul counts six.", (1,)),
        ("Seoul counts six. {1, 2}", "Seoul counts six.", (1, 2)),
        ("Seoul counts six{2}.", "Seoul counts six.", (2,)),
        ("Seoul counts six <cite>1</cite>.", "Seoul counts six.", (1,)),
        ("Seoul counts six. <citation>1, 2</citation>", "Seoul counts six.", (1, 2)),
        ('Seoul counts six <cite id="2"/>.', "Seoul counts six.", (2,)),
        ('<cite id="2">Seoul counts six</cite>.', "Seoul counts six.", (2,)),
        ("<co: 0>Seoul counts six</co: 0>.", "Seoul counts six.", ()),
        ("Seoul counts six. <source>Cyber briefing</source>", "Seoul counts six.", ()),
        ("Seoul counts six (Source: Cyber briefing).", "Seoul counts six.", ()),
        ("Seoul counts six. (Sources: [1], [2])", "Seoul counts six.", (1, 2)),
        ("Seoul counts six [Source: a briefing (2015)].", "Seoul counts six.", ()),
        ("Seoul counts six. Source: Cyber briefing.", "Seoul counts six.", ()),
        ("Seoul counts six [doc1].", "Seoul counts six.", (1,)),
        ("Seoul counts six [doc_2].", "Seoul counts six.", (2,)),
        ("Seoul counts six [@1].", "Seoul counts six.", (1,)),
        ("Seoul counts six <2>.", "Seoul counts six.", (2,)),
        ("Seoul counts six ^[1].", "Seoul counts six.", (1,)),
        ("Seoul counts six [^1^].", "Seoul counts six.", (1,)),
        ("Seoul counts six [¹].", "Seoul counts six.", (1,)),
        ("Seoul counts six ¹,².", "Seoul counts six.", (1, 2)),
        ("Seoul counts six [1]-[3].", "Seoul counts six.", (1, 3)),
        ("Seoul counts six **[1]**.", "Seoul counts six.", (1,)),
        ("Seoul counts six _(1)_.", "Seoul counts six.", (1,)),
        ("Seoul counts six `[1]`.", "Seoul counts six.", (1,)),
        ("Seoul counts six {{1}}.", "Seoul counts six.", (1,)),
        ("Seoul counts six {source 2}.", "Seoul counts six.", (2,)),
        ("Seoul counts six [1 - Cyber briefing].", "Seoul counts six.", (1,)),
        ("Seoul counts six [No. 1].", "Seoul counts six.", (1,)),
        ("Seoul counts six [1.].", "Seoul counts six.", (1,)),
        ("Seoul counts six (see 1).", "Seoul counts six.", (1,)),
        ("Seoul counts six (according to source 2).", "Seoul counts six.", (2,)),
        ("Seoul counts six — Source 1.", "Seoul counts six.", (1,)),
        ("Seoul counts six (Cyber briefing, p. 1).", "Seoul counts six.", ()),
        (r"Seoul counts six \cite{1}.", "Seoul counts six.", (1,)),
        ("Seoul counts six ⟦1⟧.", "Seoul counts six.", (1,)),
        ("Seoul counts six \ue200cite\ue202turn0search0\ue201.", "Seoul counts six.", ()),
    ],
)
def test_every_style_of_marker_is_read_and_removed(raw, text, cited):
    assert read(raw) == [(text, cited, ())]


@pytest.mark.parametrize(
    "raw",
    [
        "Seoul counts six.",
        "The team (11) won.",
        "The area is 30 km².",
        "The area is 30 km^2.",
        "Energy is mc^2 here.",
        "It was said in [2007] by him.",
        "Tick the box [x] or [ ].",
        "Read `a[1]` from the list.",
        "See [the report 1](https://example.org/1).",
        "There are ten (10).",
        "The ratio is 1:2.",
        "An [1 unclosed bracket.",
        "A closed 1] bracket.",
        "[a][b]",
        "Read array[1] first.",
        "He took x[1] and y[2].",
        "Use rows_a[1] here.",
        "The word [sic] stays.",
        "He has two (2).",
        "See section 3 (2).",
        "It was so (2004).",
        "Write `{1}` here.",
        "The set is {1, 9}.",
        r"The value is $\sqrt{2}$ here.",
        "Press <Enter> now.",
        "It has <b>3</b> parts.",
        "The cell [C9] holds it.",
        "The interval [1, x) is open.",
        "His note (see below) is long.",
    ],
)
def test_other_text_in_brackets_stays_in_the_text(raw):
    assert read(raw) == [(raw, (), ())]


@pytest.mark.parametrize(
    ("raw", "cited", "invented"),
    [("Six [7].", (), (7,)), ("Six [0].", (), (0,)), ("Six [2, 99].", (2,), (99,)), ("Six [3-6].", (3, 4), (5, 6))],
)
def test_numbers_without_a_passage_are_reported_separately(raw, cited, invented):
    assert read(raw) == [("Six.", cited, invented)]


def test_a_range_that_is_too_wide_counts_as_its_ends():
    assert read("Six [1-900].") == [("Six.", (1,), (900,))]


def test_a_marker_belongs_to_the_sentence_before_it_and_on_a_new_line_to_the_one_after_it():
    assert read("One thing is so. [1] Another is not. [2]") == [
        ("One thing is so.", (1,), ()),
        ("Another is not.", (2,), ()),
    ]
    assert read("One thing is so.\n[1] Another is not.") == [
        ("One thing is so.", (), ()),
        ("Another is not.", (1,), ()),
    ]


def test_items_of_a_list_keep_their_numbers_and_lose_their_markers():
    assert read("1. First item [1]\n2. Second item [2]\n- Third (3)") == [
        ("1. First item", (1,), ()),
        ("2. Second item", (2,), ()),
        ("- Third", (3,), ()),
    ]


def test_nothing_is_a_marker_inside_a_block_of_code():
    sentences = read("Look at this [1].\n```python\nx[1] = y[2]\n```\nIt is done [2].")
    assert [cited for _, cited, _ in sentences] == [(1,), (), (2,)]
    assert "x[1] = y[2]" in sentences[1][0]


WORDED = """The plans are [1]:

| Plan | 2024 | 2025 |
| --- | ---: | ---: |
| Large | 50 | 60 | [1]
| Small | **9** | | [1]

You need:
1. A passport [1]
2. A deposit [2]

```sh
# start
net-reset --soft \\
    --hard[1]?
```

It takes 5 minutes [2].
"""


@pytest.mark.parametrize("size", [1, 7, len(WORDED)])
def test_a_row_an_item_and_a_block_of_code_keep_their_shape(size: int) -> None:
    pieces = [WORDED[start : start + size] for start in range(0, len(WORDED), size)]
    large, small, first, second, code, prose = parse_drafts(pieces, 3, lambda: False)
    assert (large.text, large.passages) == ("Large: 2024: 50; 2025: 60", (0,))
    assert large.cells == (Cell("", "Large"), Cell("2024", "50"), Cell("2025", "60"))
    assert (small.text, small.cells) == ("Small: 2024: 9", (Cell("", "Small"), Cell("2024", "9"), Cell("2025", "")))
    assert [(item.text, item.ordinal, item.passages) for item in (first, second)] == [
        ("A passport", 1, (0,)), ("A deposit", 2, (1,)),
    ]  # fmt: skip
    assert code.code == "# start\nnet-reset --soft \\\n    --hard[1]?"
    assert code.text == " ".join(code.code.split())
    assert (prose.text, prose.listed, prose.code) == ("It takes 5 minutes.", False, "")


def test_a_block_of_code_is_read_in_linear_time() -> None:
    assert_linear(lambda text: read_sentence(text, 3), lambda lines: "```\n" + "    x\n" * lines + "  ``\n", 400)


def test_a_list_of_sources_and_footnotes_at_the_end_are_not_sentences():
    assert read("Six are counted [1].\n\nSources:\n[1] Briefing, page 3.\n[2] Another.") == [
        ("Six are counted.", (1,), ())
    ]
    assert read("Six are counted.[^1]\n\n[^1]: Briefing, page 3.") == [("Six are counted.", (1,), ())]
    for heading in ("**Sources**", "## References", "Sources used:", "Quellen:"):
        assert read(f"Six are counted [1].\n\n{heading}\n\n1. Briefing, page 3.") == [("Six are counted.", (1,), ())]
    for line in ("[1] Briefing, page 3.", "[1] Cyber briefing", '[1] "Six are counted."', "[1] https://example.org/a."):
        assert read(f"Six are counted [1].\n\n---\n{line}\n[2] Another") == [("Six are counted.", (1,), ())]


def test_a_source_named_in_the_middle_ends_no_answer():
    assert read("Six are counted. Source: Briefing.\nMost hit the South [2].") == [
        ("Six are counted.", (), ()),
        ("Most hit the South.", (2,), ()),
    ]


def test_a_sentence_is_released_as_soon_as_the_next_has_begun():
    arrived = []

    def pieces():
        for word in "Seoul counts six attacks so far. [1] Most of them hit the South. [2]".split(" "):
            arrived.append(word)
            yield word + " "

    sentences = cited_sentences(pieces(), COUNT)
    assert next(sentences) == CitedSentence("Seoul counts six attacks so far.", (1,))
    assert arrived[-1] in {"Most", "of", "them", "hit"}


def test_an_unfinished_last_sentence_is_left_out_only_when_the_writer_was_stopped():
    text = "Six are counted. [1] The seventh was"
    assert [w.text for w in cited_sentences([text], COUNT, lambda: True)] == ["Six are counted."]
    assert [w.text for w in cited_sentences([text], COUNT)] == ["Six are counted.", "The seventh was"]
    assert [w.text for w in cited_sentences(["Six are counted [1]."], COUNT, lambda: True)] == ["Six are counted."]


NASTY = st.lists(
    st.one_of(
        st.sampled_from(
            "[1] [1 [2, 3] 【1】 【2†source】 (1) ( ) ] [ ` ``` ^1 ¹ ² <sup>1</sup> <sup> [^1] [^1]: . ! ? Foo bar. "
            "e.g. Sources: \\[ According to Passage 2, [1](http://x.y) [a](b) 1. - # "
            "{1} {1, 2} <cite>1</cite> <cite> </cite> <ref [ID:1] [1, p. 3] (Source: x) <1> "
            "\n \n\n \t 2007 km² said^2. \x00 é 。 [99]".split(" ")
        ),
        st.text(max_size=6),
    ),
    max_size=40,
).map(" ".join)


@settings(max_examples=80, deadline=None)
@given(NASTY, st.integers(1, 9), st.integers(1, 7))
@example("Foo. [1", 3, 1)
def test_the_split_of_the_text_into_pieces_changes_nothing(text, count, size):
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    assert list(cited_sentences(pieces, count)) == list(cited_sentences([text], count))


@settings(max_examples=80, deadline=None)
@given(NASTY, st.integers(1, 9))
def test_cited_numbers_exist_invented_ones_do_not_and_every_number_was_written(text, count):
    for sentence in cited_sentences([text], count):
        assert all(1 <= number <= count for number in sentence.cited)
        assert not any(1 <= number <= count for number in sentence.invented)
        assert len(set(sentence.cited)) == len(sentence.cited)
        assert sentence.text == " ".join(sentence.text.split())
        assert sentence.text


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(["Seoul counts six", "Most hit the South", "Nobody knows why"]), min_size=1, max_size=6)
)
def test_inserted_markers_are_removed_again(statements):
    text = " ".join(f"{s} [{n % COUNT + 1}]." for n, s in enumerate(statements))
    assert read(text) == [(f"{s}.", (n % COUNT + 1,), ()) for n, s in enumerate(statements)]


@pytest.mark.parametrize(
    "unit",
    [
        "[",
        "[1",
        "[1, ",
        "{",
        "<cite>",
        "<cite",
        "(Source: ",
        "[p. 1, ",
        "(",
        "`",
        "[1] ",
        "e.g. ",
        "¹",
        "\\[",
        "【",
        "<sup>",
        "^1",
        "(1)",
        "a(1) ",
        " ",
        "\n",
        "[a](",
    ],
)
def test_hostile_text_is_read_in_linear_time(unit):
    assert_linear(lambda text: list(cited_sentences([text], COUNT)), lambda size: unit * (size // len(unit)), 1_000)


def test_a_hundred_thousand_open_brackets_are_read_quickly():
    assert "".join(text for text, _, _ in read("[" * 100_000)) == "[" * 100_000


def test_an_endless_sentence_is_cut():
    sentences = read("word " * 1000)
    assert len(sentences) > 1
    assert max(len(text) for text, _, _ in sentences) <= MAX_SENTENCE_CHARS


def test_one_sentence_can_be_read_by_itself():
    assert read_sentence("Six [2].", 3) == CitedSentence("Six.", (2,))
    assert read_sentence("x[2] = 1", 3, fenced=True) == CitedSentence("x[2] = 1")
