"""Questions that sentences carry, for the questions that the page suggests."""

import pytest

from service.text.question_templates import cell_question, propose

TEXT = """Rivers of the Oder basin

Water years

The Oder is a river that rises in the eastern hills of the basin. Flooding follows the snow in most years. \
Villages downstream keep boats ready for it.

The Lusatian Dam was completed in 1904. The Oder Commission employs about 240 engineers in four towns. \
Clara Winter designed the sluices of the Lusatian Dam. The Winter Museum is located in the town of Guben. \
It was closed in 1990.

The Neisse is a tributary that joins the Oder at Ratzdorf. The Neisse Bridge was built in 1936. \
The Spree Commission employs 35 engineers in one office. Karl Sommer founded the Spree Commission for shipping.
"""


def only(sentence: str) -> tuple[str, str]:
    (found,) = propose(sentence)
    return found.question, found.answer


@pytest.mark.parametrize(
    ("sentence", "question", "answer"),
    [
        ("The Oder is a river that rises in hills.", "What is the Oder?", "a river that rises in hills"),
        ("The Lusatian Dam was completed in 1904.", "When was the Lusatian Dam completed?", "1904"),
        (
            "The Oder Commission employs about 240 engineers in four towns.",
            "How many engineers does the Oder Commission employ in four towns?",
            "about 240",
        ),
        ("There were six floods in the basin.", "How many floods were there in the basin?", "six"),
        ("Clara Winter designed the sluices of the dam.", "Who designed the sluices of the dam?", "Clara Winter"),
        (
            "The Winter Museum is located in the town of Guben.",
            "Where is the Winter Museum located?",
            "in the town of Guben",
        ),
        (
            "The annual budget covers repairs and new boats.",
            "What does the annual budget cover?",
            "repairs and new boats",
        ),
    ],
)
def test_a_sentence_gives_the_question_it_carries(sentence: str, question: str, answer: str) -> None:
    assert only(sentence) == (question, answer)


@pytest.mark.parametrize(
    "sentence",
    [
        "It was completed in 1904.",
        "This is a river that rises in the hills.",
        "In 1825 the engineers built the first bridge of the valley.",
        "Initially built with three layers, it grew later.",
        "The reason is a lack of money for repairs.",
        "Too short.",
        "a lower-case fragment that is a piece of text.",
        "The Oder would have the larger basin of the two.",
        "Saint Anne holds the North responsible for six floods.",
        "Here offers three boats for hire and a small harbour.",
        "The section above covers repairs and new boats.",
    ],
)
def test_what_leans_on_its_context_gives_none(sentence: str) -> None:
    assert list(propose(sentence)) == []


def test_the_answer_is_always_literal_in_its_sentence() -> None:
    for sentence in TEXT.replace("\n", " ").split(". "):
        for proposal in propose(f"{sentence}."):
            assert proposal.answer in sentence


@pytest.mark.parametrize(
    ("corner", "row", "column", "value", "question"),
    [
        ("Plan", "Small", "Monthly price", "9 euros", "What is the monthly price of the plan Small?"),
        ("Plan", "Small", "Seats", "3", "How many seats does the plan Small have?"),
        ("Name", "Neisse Bridge", "Length", "90 m", "What is the length of Neisse Bridge?"),
        ("Product name", "Heron", "Fees", "9 euros", "What are the fees of Heron?"),
        ("Setting", "depth", "Default", "12", "What is the default of the setting depth?"),
    ],
)
def test_a_cell_is_asked_for_as_people_ask(corner: str, row: str, column: str, value: str, question: str) -> None:
    assert cell_question(corner, row, column, value) == question


@pytest.mark.parametrize(
    ("corner", "row", "column", "value"),
    [
        ("Plan", "Small", "Read", "yes"),
        ("Plan", "Small", "If left out", "nothing happens"),
        ("Plan", "Small", "With the seats", "3"),
        ("Changed", "Small", "Monthly price", "9 euros"),
        ("Plan", "Small", "Seats", "as many as you like"),
        ("", "Small", "Monthly price", "9 euros"),
        ("Total", "Small", "Monthly price", "9 euros"),
        ("Plan", "See below", "Monthly price", "9 euros"),
    ],
)
def test_a_cell_whose_header_or_row_is_no_noun_gives_none(corner: str, row: str, column: str, value: str) -> None:
    assert cell_question(corner, row, column, value) is None
