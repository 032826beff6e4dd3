"""Questions for what holds now, and which statement is the later."""

import pytest

from service.text.contradictions import Evidence
from service.text.recency import asks_for_latest, is_former, is_later


@pytest.mark.parametrize(
    "question",
    [
        "What is the latest fare?",
        "What is the current fare to Aske?",
        "What does the crossing cost now?",
        "¿Cuál es el precio actual?",
        "Quel est le dernier tarif ?",
        "Wie hoch ist die aktuelle Gebühr?",
    ],
)
def test_a_question_for_what_holds_now(question: str) -> None:
    assert asks_for_latest(question)


@pytest.mark.parametrize(
    "question",
    [
        "What are current assets?",
        "When must the boat be back at the latest?",
        "What is the latest date for a claim?",
        "What is the latest I may arrive?",
        "What was the actual cost of the lock?",
        "What is the maximum current of the winch?",
        "Now that the lock is closed, where do boats wait?",
    ],
)
def test_a_question_that_only_has_the_word(question: str) -> None:
    assert not asks_for_latest(question)


def test_the_last_date_that_is_stated_tells_the_time() -> None:
    one = Evidence("Income; March 31, 2023: 61; March 31, 2022: 54.")
    other = Evidence("Income; June 30, 2023: 66; June 30, 2022: 60.")
    assert is_later(other, one)
    assert not is_later(one, other)


def test_a_statement_without_a_date_has_that_of_its_title_or_the_number_of_its_version() -> None:
    old, new = Evidence("The fare is 4 euros.", "Fares 2021"), Evidence("The fare is 5 euros.", "Fares 2022")
    assert is_later(new, old)
    nine, ten = (
        Evidence("It lasts 2 years.", "Manual, version 2.9"),
        Evidence("It lasts 3 years.", "Manual, version 2.10"),
    )
    assert is_later(ten, nine)
    assert not is_later(Evidence("It lasts 2 years."), nine)


def test_a_statement_of_former_times() -> None:
    assert is_former(Evidence("Until 30 June 2023 the fare was 4 euros."), "Fares")
    assert is_former(Evidence("The fare was 4 euros."), "Earlier fares")
    assert not is_former(Evidence("The fare is 5 euros until noon."), "Fares")


@pytest.mark.parametrize(
    "text",
    [
        "The lock is open until 10 pm.",
        "The fare is 12 euros until 31 December 2030.",
        "Boats wait before 9 Elm Street.",
    ],
)
def test_what_ends_at_a_time_of_day_or_still_holds_is_not_of_former_times(text: str) -> None:
    assert not is_former(Evidence(text), "")


def test_what_held_until_a_year_or_date_is_of_former_times() -> None:
    assert is_former(Evidence("Until 2020 the fare was 10 euros."), "")
    assert is_former(Evidence("The fare until 31 May 2020: 10 euros."), "")
