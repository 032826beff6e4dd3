"""Which questions ask for rows of a table, and which rows of a table they ask for."""

from collections.abc import Sequence

import pytest

from index.blocks.block import Kind, Span
from index.blocks.unit import Unit
from service.answering.row_lists import rows_asked_for
from service.answering.tables import TableCell, TableRow
from service.parts.row_questions import row_question

HEADINGS = ("Boat", "Price in EUR", "Built", "Weight (kg)", "Harbour", "State")
BOATS = (
    ("Ada", "1,200", "1998", "900", "Aske", "for hire"),
    ("Bea", "340", "2011", "450", "Vik", "sold"),
    ("Cid", "780", "2019", "1,450", "Aske", "for hire"),
    ("Dot", "95", "2023", "80", "Lade", "in the dock"),
)


def rows(cells: Sequence[Sequence[str]] = BOATS, headings: Sequence[str] = HEADINGS) -> list[TableRow]:
    """A table of which every cell stands at a place of its own."""
    made = []
    for number, texts in enumerate(cells):
        start = 1000 * number
        row = tuple(
            TableCell(heading, text, Span(start + 50 * place, start + 50 * place + len(text)))
            for place, (heading, text) in enumerate(zip(headings, texts, strict=True))
            if text
        )
        unit = Unit(Kind.ROW, start, start + 500, ())
        made.append(TableRow(unit, row, {cell.heading: cell for cell in row[1:]}))
    return made


def asked(question: str, table: Sequence[TableRow], context: str = "fleet of the harbour") -> list[str]:
    found = row_question(question)
    return [] if found is None else [row.name.text for row in rows_asked_for(found, table, context)]


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("How many boats are there?", ["Ada", "Bea", "Cid", "Dot"]),
        ("Which boats do we have?", ["Ada", "Bea", "Cid", "Dot"]),
        ("list all boats", ["Ada", "Bea", "Cid", "Dot"]),
        ("How many boats cost more than 500 euros?", ["Ada", "Cid"]),
        ("Which boats cost at most 340?", ["Bea", "Dot"]),
        ("which boats are cheaper than 100 EUR?", ["Dot"]),
        ("Which boats were built after 2011?", ["Cid", "Dot"]),
        ("Which boats were built since 2011?", ["Bea", "Cid", "Dot"]),
        ("How many boats are older than 2011?", []),  # no column is named
        ("Which boats weigh more than 1 tonne?", ["Cid"]),
        ("Which boats are for hire?", ["Ada", "Cid"]),
        ("How many boats are in Aske?", ["Ada", "Cid"]),
        ("Which boats in Aske cost less than 1000 euros?", ["Cid"]),
        ("Wie viele boats kosten mehr als 500 Euro?", ["Ada", "Cid"]),
    ],
)
def test_the_rows_that_a_question_asks_for(question: str, names: list[str]) -> None:
    assert asked(question, rows()) == names


@pytest.mark.parametrize(
    "question",
    [
        "How many crews are there?",  # the rows are boats
        "How many boats leak?",  # no cell says so
        "How many boats are not sold?",  # what is not said is not known
        "Which boats are sold or for hire?",
        "Which boats weigh more than 2 litres?",  # another unit
        "Which boats are in Oslo?",  # no such row
        "Which boat is the cheapest?",  # a ranking
        "What does the Ada cost?",
        "How many boats has Ada?",  # the name of a row chooses no rows
    ],
)
def test_other_questions_choose_no_rows(question: str) -> None:
    assert asked(question, rows()) == []


def test_a_total_is_no_row_and_a_missing_figure_leaves_doubt() -> None:
    with_total = rows([*BOATS, ("Total", "2,415", "", "2,880", "", "")])
    assert asked("How many boats are there?", with_total) == ["Ada", "Bea", "Cid", "Dot"]
    with_gap = rows([*BOATS, ("Eva", "", "2020", "300", "Vik", "sold")])
    assert asked("How many boats cost more than 500 euros?", with_gap) == []


def test_a_table_under_another_heading_of_names() -> None:
    named = rows([("Ada", "Aske"), ("Bea", "Vik")], ("Name", "Harbour"))
    assert asked("How many boats are there?", named, "boats of Aske") == ["Ada", "Bea"]
    assert asked("How many boats are there?", named, "crews of Aske") == []
