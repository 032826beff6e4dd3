"""Quarters in a question are read as the documents write them."""

import pytest

from service.text.quarters import with_quarters_as_written

WRITTEN = ["The lock opens in the third quarter of 2024."]


@pytest.mark.parametrize(
    ("question", "read"),
    [
        ("will the lock open in Q3 2024?", "will the lock open in the third quarter of 2024?"),
        ("What were the sales of the Q3 of 2023?", "What were the sales of the third quarter of 2023?"),
        ("What were the 3Q 2024 results?", "What were the third quarter of 2024 results?"),
    ],
)
def test_a_short_form_is_read_as_the_long_one(question: str, read: str) -> None:
    assert with_quarters_as_written(question, WRITTEN) == read


@pytest.mark.parametrize("question", ["What is due in Q2 2024?", "What is Q3?", "Is it the third quarter of 2024?"])
def test_other_questions_are_left_alone(question: str) -> None:
    assert with_quarters_as_written(question, WRITTEN) == question


def test_a_form_that_the_documents_have_is_left_alone() -> None:
    assert with_quarters_as_written("sales in Q3 2024", [*WRITTEN, "Q3: 40"]) == "sales in Q3 2024"
