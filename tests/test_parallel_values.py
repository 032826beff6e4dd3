"""Of the like values of a sentence, the one in the clause that the question is about is the answer."""

import pytest

from index.blocks.block import Span
from service.text.parallel_values import value_asked_for

FERRY = "The ferry leaves the pier at 9:15 and reaches the island at 10:40."
FEES = "Members pay 45 euros, while guests pay 60 euros."
SEASON = "A pitch costs 12 euros in winter and 19 euros in summer."
GARDEN = "The garden opens on 3 May and closes on 28 September."


@pytest.mark.parametrize(
    ("question", "sentence", "marked", "value"),
    [
        ("When does the garden close?", GARDEN, "3 May", "28 September"),
        ("When does the garden open?", GARDEN, "28 September", "3 May"),
        ("When does the garden close?", GARDEN, "28 September", "28 September"),
        ("When does the ferry reach the island?", FERRY, "9:15", "10:40"),
        ("When does the ferry leave?", FERRY, "10:40", "9:15"),
        ("How much do guests pay?", FEES, "45", "60 euros"),
        ("How much do members pay?", FEES, "60 euros", "45 euros"),
        ("What does a pitch cost in summer?", SEASON, "12 euros", "19 euros"),
        ("What does a pitch cost in winter?", SEASON, "12 euros", "12 euros"),
        ("Who sits in the garden?", GARDEN, "3 May and closes on 28 September", "3 May and closes on 28 September"),
        ("What is 3 May?", "Tea is free, and the hall holds 80 people.", "Tea", "Tea"),
        ("When was it sold?", "It was built from 1901 to 1904 and sold in 1950.", "1901", "1901"),
    ],
)
def test_the_value_is_that_of_the_clause_asked_for(question: str, sentence: str, marked: str, value: str) -> None:
    start = sentence.index(marked)
    found = value_asked_for(question, sentence, Span(start, start + len(marked)))
    assert sentence[found.start : found.end] == value
