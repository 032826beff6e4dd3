"""Sentence spans of hostile text take time in proportion to its length: tests/growth.py."""

from collections.abc import Callable

import pytest

from index.chunking.sentences import paragraph_sentences, sentence_spans
from tests.growth import assert_linear

REPEATED = {
    "dashes": "-",
    "dots": ".",
    "dots and blanks": ". ",
    "blank lines": "\n",
    "quotation marks": '"',
    "apostrophes": "'",
    "guillemets": "«",
    "opening quotation marks": "“",
    "brackets": "(",
    "closed brackets": "()",
    "digits": "7",
    "list numbers": "1. ",
    "section numbers": "1.1",
    "letters": "a",
    "initials": "a.",
    "abbreviations": "z. B. ",
    "words": "word ",
    "short lines": "x\n",
    "rows": "$ 5\n",
    "currency signs": "$",
    "mixed dashes": "–-",
    "items": "- x\n",
    "bars": "| a",
    "item words": "item ",
    "ideographs": "字",
    "ideographic full stops": "。",
    "closing quotation marks": "」と",
    "full stops in brackets": ".)",
}
SHAPES: dict[str, Callable[[int], str]] = {
    "dashes behind a figure": lambda size: "a 1 " + "-" * size,
    "blanks behind a word": lambda size: "word" + " " * size + "|",
    "tabs before a rule": lambda size: "\t" * size + "===x",
    "brackets behind figures": lambda size: "1 2 " + "(" * size,
    "figures and marks": lambda size: "1 2 " + "$-" * (size // 2),
    "numbers before a letter": lambda size: "1." * (size // 2) + " a",
    "quotes": lambda size: "'\"" * (size // 2),
    "combining marks": lambda size: "\u0301" * size + "a",
    "blank lines before a letter": lambda size: "\n \n" * (size // 3) + "x",
    "form feeds": lambda size: "a\f" * (size // 2),
    "rows of figures": lambda size: "a 1 2\n" * (size // 6),
    "phrases without full stops": lambda size: "ก ข" * (size // 3),
}
LENGTH = 4_000


def assert_found_linearly(text: Callable[[int], str], language: str) -> None:
    def work(text: str) -> None:
        for spans in (sentence_spans(text, language), paragraph_sentences(text, language)):
            assert all(0 <= span.start < span.end <= len(text) for span in spans)

    assert_linear(work, text, LENGTH)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("unit", REPEATED.values(), ids=REPEATED.keys())
def test_time_grows_with_the_length_of_a_repeated_text(unit: str, language: str) -> None:
    assert_found_linearly(lambda size: (unit * size)[:size], language)


@pytest.mark.parametrize("start", ["", "-", "item", "1.", "("])
@pytest.mark.parametrize("filling", [" ", "\t", "-", "."])
def test_time_grows_with_the_length_of_what_stands_before_a_word(start: str, filling: str) -> None:
    assert_found_linearly(lambda size: f"{start}{filling * size}word", "en")


@pytest.mark.parametrize("shape", SHAPES)
def test_time_grows_with_the_length_of_text_that_patterns_backtrack_on(shape: str) -> None:
    assert_found_linearly(SHAPES[shape], "th" if "without full stops" in shape else "en")
