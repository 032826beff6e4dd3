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
        "How many crew does the dock's early shift have?",
        "How many crew does the dock’s early shift have?",
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


SEGMENTS = """
<p>Segment revenue and operating income of Orkla were as follows:</p>
<table><tr><th>(In millions)<th>Three Months Ended March 31, 2023<th>Three Months Ended March 31, 2022
<tr><td colspan=3>Revenue<tr><td>Coatings<td>22<td>18<tr><td>Solvents<td>13<td>14
<tr><td colspan=3>Operating income<tr><td>Coatings<td>9<td>8<tr><td>Solvents<td>4<td>5</table>
"""


@pytest.mark.parametrize(
    ("question", "figures"),
    [
        ("How much revenue did the Coatings segment of Orkla make in the three months ended March 31, 2023?", "22; 18"),
        ("What was the operating income of Solvents in the three months ended March 31, 2022?", "4; 5"),
    ],
)
def test_of_two_rows_of_one_name_the_one_whose_group_is_named_is_asked_for(question: str, figures: str) -> None:
    [row] = best_of(question, "segments.html", SEGMENTS)
    assert [cell.split(": ")[1] for cell in row.rstrip(".").split("; ")[1:]] == figures.split("; ")


def test_the_name_of_a_row_is_asked_for_though_a_heading_above_the_table_is_the_same() -> None:
    page = f"<h1>Orkla</h1><h2>Solvents</h2>{SEGMENTS}"
    [row] = best_of(
        "What was the operating income of Solvents in the three months ended March 31, 2022?", "a.html", page
    )
    assert "2022: 5" in row


def test_a_row_whose_name_is_asked_for_in_part_gives_way_to_one_that_is_asked_for_whole() -> None:
    rows = "".join(
        f"<tr><td>{name}<td>{rate}<td>9" for name, rate in (("Effective tax rate", 15), ("Federal tax rate", 21))
    )
    page = (
        f"<p>The effective tax rate and the federal tax rate were:</p><table><tr><th>Rate<th>2023<th>2022{rows}</table>"
    )
    assert best_of("What was the effective tax rate in 2023?", "a.html", page) == [
        "Rate: Effective tax rate; 2023: 15; 2022: 9."
    ]


def test_a_row_that_is_looked_up_in_two_documents_stands_ahead_of_prose_that_reads_better() -> None:
    rows = [passages(f"{name}.md", HOSES)[0] for name in ("one", "two")]
    [prose] = passages("notes.md", "The burst pressure of hose H10 was tested.", relevance=9.0)
    found = weighed("What is the burst pressure of hose H10?", prose, *rows)
    totals = [
        (passage.reading.relevance + sentence.score, passage.text[sentence.start : sentence.end])
        for passage in found.passages
        for sentence in passage.reading.sentences
    ]
    assert {text for total, text in totals if total == max(totals)[0]} == {
        "Hose: H10; Working pressure: 12; Burst pressure: 48."
    }


def test_two_rows_with_other_values_are_not_looked_up() -> None:
    one, two = (passages(f"{name}.md", HOSES.replace("48", value))[0] for name, value in (("one", "48"), ("two", "44")))
    [prose] = passages("notes.md", "The burst pressure of hose H10 was tested.", relevance=9.0)
    found = weighed("What is the burst pressure of hose H10?", prose, one, two)
    assert found.passages[0].hit.uri.endswith("notes.md")
    assert found.passages[0].reading.best == max(passage.reading.best for passage in found.passages)
