"""Of the rows of a table, the words of the question choose the row and the value that it asks for."""

import pytest

from service.answering.evidence import LOOKED_UP
from tests.test_evidence import best_of, passages, weighed

SHIFTS = """station,shift,leader,crew
Mole,early,Ines Holt,3
Mole,late,Bo Lund,
Dock,early,Mia Rask,5
Dock,late,Ole Dam,2
"""
HOSES = "| Hose | Working pressure | Burst pressure |\n|---|---|---|\n| H10 | 12 | 48 |\n| H20 | | 60 |\n"


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("Who leads the late shift at the mole?", "station: Mole; shift: late; leader: Bo Lund."),
        ("Who leads the early shift of the dock?", "station: Dock; shift: early; leader: Mia Rask; crew: 5."),
        (
            "How many crew does the late shift at the dock have?",
            "station: Dock; shift: late; leader: Ole Dam; crew: 2.",
        ),
    ],
)
def test_a_row_that_shares_more_with_the_question_than_another_of_its_table_is_the_one(question: str, row: str) -> None:
    assert best_of(question, "shifts.csv", SHIFTS) == [row]


def test_a_question_that_two_rows_share_equally_much_with_chooses_none() -> None:
    assert len(best_of("Who leads at the mole?", "shifts.csv", SHIFTS)) == 2


def test_a_row_whose_value_is_blank_where_the_question_asks_does_not_answer() -> None:
    [read] = passages("shifts.csv", SHIFTS)
    found = weighed("How many crew does the late shift at the mole have?", read).passages[0]
    assert found.reading.best < 5.0
    assert found.reading.relevance < 5.0


@pytest.mark.parametrize(
    ("question", "value"),
    [("What is the burst pressure of hose H10?", "48"), ("What is the working pressure of H10?", "12")],
)
def test_the_value_under_the_heading_that_the_question_names_is_marked(question: str, value: str) -> None:
    [read] = passages("hoses.md", HOSES)
    (found,) = weighed(question, read).passages
    best = max(found.reading.sentences, key=lambda sentence: sentence.score)
    assert best.answer is not None
    assert found.text[slice(*best.answer)] == value


@pytest.mark.parametrize(
    "question",
    [
        "How many crew does the early shift of the dock have?",
        "Who owns the hf radio?",
        "Who was on guard on 3 May 2025?",
    ],
)
def test_the_row_that_a_question_names_by_key_and_heading_is_relevant_however_it_reads(question: str) -> None:
    text = {"crew": ("shifts.csv", SHIFTS), "owns": ("radio.ini", "[vhf]\nowner=bridge\n\n[hf]\nowner=cabin\n")}.get(
        next((word for word in ("crew", "owns") if word in question), ""),
        ("guards.csv", "date,guard\n2025-05-03,Ann Ek\n2025-05-04,Bo Ny\n"),
    )
    [read] = passages(*text, relevance=-4.0)
    assert weighed(question, read).passages[0].reading.relevance == LOOKED_UP


@pytest.mark.parametrize(
    "question",
    [
        "How many crew does the early shift of the yard have?",  # no such row
        "How many boats does the early shift of the dock have?",  # no such heading
        "Why does the early shift of the dock have a crew of five?",
        "How many crew does the early shift of the dock have in winter?",
    ],
)
def test_a_question_that_says_more_than_a_row_is_left_to_the_reader(question: str) -> None:
    [read] = passages("shifts.csv", SHIFTS, relevance=-4.0)
    assert weighed(question, read).passages[0].reading.relevance < 0


def test_a_row_whose_name_adds_to_the_one_that_is_asked_for_is_another_row() -> None:
    [share] = passages("a.md", "| | 2023 |\n| --- | --- |\n| Percentage of mill sales | 7 |\n| Costs | 12 |\n", 5.0)
    [sales] = passages("b.md", "| | 2023 |\n| --- | --- |\n| Mill sales | 81 |\n| Rent | 3 |\n", 4.0)
    first = weighed("What were mill sales in 2023?", share, sales).passages[0]
    assert first.hit.title == "b"


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("How many berths does the inner quay have?", "12"),
        ("Which quay has a crane and 12 berths?", "Inner"),
    ],
)
def test_the_names_of_the_rows_are_asked_for_only_by_which(question: str, value: str) -> None:
    [read] = passages(
        "quays.md", "| Quay | Berths | Crane |\n| --- | --- | --- |\n| Inner | 12 | yes |\n| Outer | 8 | no |\n"
    )
    [passage] = weighed(question, read).passages
    marked = [sentence.answer for sentence in passage.reading.sentences if sentence.answer is not None]
    assert value in [passage.text[span.start : span.end] for span in marked]
