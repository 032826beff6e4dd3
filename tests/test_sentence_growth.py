"""Sentence spans of hostile text take time in proportion to its length: four times the text, not sixteen times the time."""

import time

import pytest

from index.chunking.sentences import paragraph_sentences, sentence_spans

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
LENGTH = 20_000


def seconds(text: str, language: str) -> float:
    begin = time.process_time()
    sentence_spans(text, language)
    paragraph_sentences(text, language)
    return time.process_time() - begin


def assert_linear(short: str, long: str, language: str) -> None:
    """The longer text, four times as long, takes less than ten times as long; up to 0.1 s are no measure."""
    for _ in range(3):
        if seconds(long, language) < 10 * seconds(short, language) + 0.1:
            return
    pytest.fail("the time grows faster than the text")


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("unit", REPEATED.values(), ids=REPEATED.keys())
def test_time_grows_with_the_length_of_a_repeated_text(unit: str, language: str) -> None:
    assert_linear((unit * LENGTH)[:LENGTH], (unit * LENGTH * 4)[: LENGTH * 4], language)


@pytest.mark.parametrize("start", ["", "-", "item", "1.", "("])
@pytest.mark.parametrize("filling", [" ", "\t", "-", "."])
def test_time_grows_with_the_length_of_what_stands_before_a_word(start: str, filling: str) -> None:
    assert_linear(f"{start}{filling * LENGTH}word", f"{start}{filling * LENGTH * 4}word", "en")


def test_time_grows_with_the_length_of_phrases_without_full_stops() -> None:
    assert_linear("ก ข" * LENGTH, "ก ข" * LENGTH * 4, "th")
