"""A comparison is read as one question for each of what is compared; other questions are left alone."""

import pytest

from service.parts.comparison import compared
from service.parts.question import Bond
from service.parts.splitting import split_question
from tests.growth import assert_linear


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("Which boat weighs more, the K2 or the S1?", ["How much does the K2 weigh?", "How much does the S1 weigh?"]),
        ("Is the K2 heavier than the S1?", ["How heavy is the K2?", "How heavy is the S1?"]),
        ("How much lighter is the K2 than the S1?", ["How heavy is the K2?", "How heavy is the S1?"]),
        ("Is the K2 more expensive than the S1?", ["How much does the K2 cost?", "How much does the S1 cost?"]),
        ("Which is cheaper, a towel or a robe?", ["How much does a towel cost?", "How much does a robe cost?"]),
        (
            "Does Moss have more berths than Horten?",
            ["How many berths does Moss have?", "How many berths does Horten have?"],
        ),
        (
            "How many more berths are there in Moss than in Horten?",
            ["How many berths are there in Moss?", "How many berths are there in Horten?"],
        ),
        (
            "Did the mill sell more flour in 2018 than in 2019?",
            ["How much flour did the mill sell in 2018?", "How much flour did the mill sell in 2019?"],
        ),
        ("Was Moss founded before Horten?", ["When was Moss founded?", "When was Horten founded?"]),
        ("Which harbour opened first, Moss or Horten?", ["When did Moss open?", "When did Horten open?"]),
        (
            "Was the fee in Moss higher than that in Horten?",
            ["What was the fee in Moss?", "What was the fee in Horten?"],
        ),
        (
            "Was the fee in Moss in 2024 higher than in Horten?",
            ["What was the fee in Moss in 2024?", "What was the fee in Horten in 2024?"],
        ),
        (
            "Was the fee in Moss in 2024 higher than in 2023?",
            ["What was the fee in Moss in 2024?", "What was the fee in Moss in 2023?"],
        ),
        (
            "Was the fee in Moss in 2024 higher than in Horten in 2023?",
            ["What was the fee in Moss in 2024?", "What was the fee in Horten in 2023?"],
        ),
        ("Was turnover higher in 2018 than in 2017?", ["What was turnover in 2018?", "What was turnover in 2017?"]),
        (
            "Compare turnover of Alba in 2018 and of Brio in 2017: which is higher?",
            ["What is turnover of Alba in 2018?", "What is turnover of Brio in 2017?"],
        ),
        (
            "How do the K2 and the S1 compare in price?",
            ["What is the price of the K2?", "What is the price of the S1?"],
        ),
        ("How does Moss compare with Horten in rent?", ["What is the rent of Moss?", "What is the rent of Horten?"]),
        (
            "What is the difference in length between the K2 and the S1?",
            ["What is the length of the K2?", "What is the length of the S1?"],
        ),
        (
            "Which of Moss and Horten has more berths?",
            ["How many berths does Moss have?", "How many berths does Horten have?"],
        ),
        ("Of the K2 and the S1, which is heavier?", ["How heavy is the K2?", "How heavy is the S1?"]),
        ("Does the K2 or the S1 cost more?", ["How much does the K2 cost?", "How much does the S1 cost?"]),
        (
            "What do the K2 and the S1 cost, and which is cheaper?",
            ["What does the K2 cost?", "What does the S1 cost?"],
        ),
    ],
)
def test_comparisons(question: str, parts: list[str]) -> None:
    found = compared(question)
    assert found is not None
    assert found.bond is Bond.COMPARED
    assert [part.text for part in found.parts] == parts
    assert len({part.label for part in found.parts}) == 2


def test_a_comparison_beside_another_question_is_a_group_of_its_own() -> None:
    groups = split_question("Is the K2 heavier than the S1, and who built the Merlin?").groups
    assert [[part.text for part in group.parts] for group in groups] == [
        ["How heavy is the K2?", "How heavy is the S1?"],
        ["Who built the Merlin?"],
    ]


@pytest.mark.parametrize(
    "question",
    [
        "Is the trip longer than four hours?",
        "Was it later than expected?",
        "Are more than 10 people allowed?",
        "Must boats be back before Friday?",
        "Is the pool open before 9?",
        "What is the difference between a lease and a licence?",
        "Is the K2 the heaviest boat?",
        "Which boat is heavier?",
        "Is the sauna open on Monday or Tuesday?",
        "Would you rather walk than swim?",
        "Is that more than the minimum?",
        "How does Moss compare with Horten in length of piers and with the Merlin in height?",
    ],
)
def test_other_questions_are_no_comparisons(question: str) -> None:
    assert compared(question) is None
    assert split_question(question).is_whole


def test_a_long_text_is_not_searched_for_comparisons() -> None:
    def text(count: int) -> str:
        return "Is a thing and a thing more " * count + "than a thing?"

    assert split_question(text(150)).is_whole
    assert_linear(split_question, text, 18)


@pytest.mark.parametrize(
    "question",
    [
        "Compare the Merlin and the Tarn.",
        "What is the difference between the Merlin and the Tarn?",
        "How does the Merlin compare with the Tarn?",
    ],
)
def test_two_things_compared_by_nothing_in_particular_are_each_told_of(question: str) -> None:
    [group] = split_question(question).groups
    assert [part.text for part in group.parts] == ["What about the Merlin?", "What about the Tarn?"]


def test_a_pronoun_stands_for_the_noun_that_is_chosen() -> None:
    [group] = split_question("Which seal lasts longer, that of the Merlin 5 or that of the Merlin 9?").groups
    texts = [part.text for part in group.parts]
    assert texts == ["How long does the seal of the Merlin 5 last?", "How long does the seal of the Merlin 9 last?"]
