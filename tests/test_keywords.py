"""A keyword query is read as the question that it stands for, and searched for as it was typed."""

import pytest

from service.followups.keywords import keyword_reading
from service.followups.rules import rewrite


@pytest.mark.parametrize("query", ["wool", "F9", "mooring fee", "Bergen ferry timetable", "mooring fee."])
def test_a_keyword_is_read_as_a_question(query: str) -> None:
    read = rewrite(query, [])
    assert query.rstrip(".") in read.text
    assert read.text.endswith("?")
    assert read.queries == (query,)


def test_its_frequent_words_tell_the_language() -> None:
    assert keyword_reading("Gebühr für Boote") == "Was ist mit Gebühr für Boote?"


@pytest.mark.parametrize(
    "text",
    [
        "Who sells wool?",
        "wool?",
        "who sells wool",
        "how much wool",
        "wool is warm",
        "List all ferries.",
        "And wool",
        "the ferry to Moss on Sunday mornings",
        "羊毛",
        "",
    ],
)
def test_other_texts_are_read_as_they_are(text: str) -> None:
    assert keyword_reading(text) is None
    assert rewrite(text, []).text == text
