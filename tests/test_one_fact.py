"""Which questions one statement settles."""

import pytest

from service.generators.one_fact import asks_among, asks_for_one_fact


@pytest.mark.parametrize(
    "question",
    [
        "Who owns the mill?",
        "When does the ferry leave?",
        "How many looms has the mill?",
        "What is the fee for a second boat?",
        "What is the required depth of the lock?",
        "What was the mill's output in 2021?",
        "What were the net sales of the mill as of June 30, 2023?",
        "In which year was the lock built?",
        "Which plan has the lowest price?",
        "What does the annual card cost?",
        "Is diving allowed in the lock?",
        "Is there a fee for the lock?",
        "Wann fährt die Fähre?",
    ],
)
def test_a_question_for_one_fact(question: str) -> None:
    assert asks_for_one_fact(question)


@pytest.mark.parametrize(
    "question",
    [
        "Why was the mill closed?",
        "How do I renew a card?",
        "What are the duties of the harbour master?",
        "Which offices are closed on Monday?",
        "Who are the members of the board?",
        "What is the purpose of the lock?",
        "What happens after a late return?",
        "What is included in the annual card?",
        "Describe the mill.",
        "When was the lock built and why?",
        "Where does the canal start and end?",
        "Are there discounts for pupils?",
        "Does the mill hire out any boats?",
        "Are dogs and cats allowed on the ferry?",
        "Who may fish in the lock?",
        "Which equipment must a diver bring?",
        "What is the treatment for rot?",
    ],
)
def test_a_question_that_may_take_several_statements(question: str) -> None:
    assert not asks_for_one_fact(question)


def test_a_question_among_several() -> None:
    assert asks_among("Which plan includes support?")
    assert asks_among("How many plans include support?")
    assert not asks_among("What does the plan cost?")
