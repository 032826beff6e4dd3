"""Questions for the highest or lowest figure of a table, over real documents with the real models: answered and verified."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from index.sync.sync import sync
from service.answering.service import Service
from service.audit.verification import Verdict
from service.composition.service import assemble
from service.parts.superlatives import superlative_of
from service.records import Sentence
from service.settings import Settings
from tests.test_answered_parts import ask, derived, verified

MOORINGS = """# Moorings of Aske

| Mooring | Price (EUR) | Depth (m) | Places |
| --- | --- | --- | --- |
| North pier | 14.50 | 2.1 | 30 |
| Old basin | 9.00 | 1.4 | 55 |
| Outer wall | 12.00 | 3.2 | unknown |
| Total | 35.50 | 6.7 | 85 |
"""
BOATS = """boat,weight (kg),result (EUR),crew,fee (EUR)
Ada,900,"(1,200)",3,20
Bea,,340,5,15
Cid,500,(80),2,40
Dot,700,410,9,25
All seas,200,55,19,90
"""
TICKETS = """# Tickets of the boat museum

| Ticket | Adults | Children | Valid |
| --- | --- | --- | --- |
| Day | 9 euros | 5 euros | 1 day |
| Month | 45 euros | 25 euros | 30 days |
| Guest | 12 euros | none | 2 days |
"""
LANDINGS = """port,year,catch (t)
Aske,2021,410
Aske,2022,380
Vik,2021,655
Vik,2022,290
Lade,2021,120
Lade,2022,395
"""


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory, own_environment: None) -> Iterator[Service]:
    """The real service over the two documents."""
    folder, home = tmp_path_factory.mktemp("papers"), tmp_path_factory.mktemp("home")
    (folder / "moorings.md").write_text(MOORINGS, "utf-8")
    (folder / "landings.csv").write_text(LANDINGS, "utf-8")
    (folder / "tickets.md").write_text(TICKETS, "utf-8")
    (folder / "boats.csv").write_text(BOATS, "utf-8")
    assembled = assemble(Settings(home=home))
    sync(assembled.library.open_or_create("default"), [folder])
    yield assembled
    assembled.library.close()


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Which mooring is the cheapest?", "the lowest of 3 figures is 9.00 (Old basin)"),
        ("Which ticket is the cheapest for adults?", "the lowest of 3 figures is 9 euros (Day)"),
        ("Which mooring has the greatest depth?", "the highest of 3 figures is 3.2 (Outer wall)"),
        ("Which port had the largest catch in the year 2022?", "the highest of 3 figures is 395 (Lade)"),
        ("Which port had the largest catch in 2022?", "the highest of 3 figures is 395 (Lade)"),
        ("Which boat has the lowest result?", "the lowest of 5 figures is (1,200) (Ada)"),
    ],
)
def test_the_row_with_the_highest_or_lowest_figure_answers(harbour: Service, question: str, said: str) -> None:
    answer = ask(harbour, question)
    assert derived(answer) == [f"Calculated by Quoth: {said}."]
    first, last = answer.sentences
    assert said.rpartition("(")[2].rstrip(")") in first.text
    assert last.derivation is not None
    assert f"of {len(last.derivation.operands)} figures" in said
    assert verified(harbour, answer).verdict is Verdict.PROVED


@pytest.mark.parametrize(
    "question",
    [
        "Which mooring has the most places?",  # one figure is not known
        "Which mooring has the longest jetty?",  # no such column
        "Which port had the largest catch?",  # of which year?
        "Which port had the largest catch of cod in 2022?",
        "Which marina is the cheapest?",
        "Which mooring is not the cheapest?",
        "Which boat is the heaviest?",  # one weight is not known
        "Which boat has the highest fee?",  # "All seas" may be a total
        "Which boat has the largest crew?",  # the last row is the sum of the others
    ],
)
def test_nothing_is_ranked_in_doubt(harbour: Service, question: str) -> None:
    assert derived(ask(harbour, question)) == []


def test_the_rows_that_are_asked_for_are_all_quoted_and_counted(harbour: Service) -> None:
    answer = ask(harbour, "How many moorings cost more than 10 euros?")
    assert [sentence.text.split(";")[0] for sentence in answer.sentences[:-1]] == [
        "Mooring: North pier",
        "Mooring: Outer wall",
    ]
    assert derived(answer) == ["Calculated by Quoth: rows of the table that fit: 2."]
    assert verified(harbour, answer).verdict is Verdict.PROVED
    last = answer.sentences[-1]
    assert last.derivation is not None
    [one, _] = last.derivation.operands
    fewer = replace(
        last,
        text=last.text.replace("2.", "1."),
        citations=(one.citation,),
        derivation=replace(last.derivation, operands=(one,), result="1"),
    )
    assert verified(harbour, replace(answer, sentences=(*answer.sentences[:-1], fewer))).verdict is Verdict.REFUTED
    listed = ask(harbour, "Which moorings are there?")
    assert len(listed.sentences) == 3
    assert derived(listed) == []


def _left_out(ranking: Sentence) -> Sentence:
    """The ranking without the row that has the lowest figure, with the words that say so."""
    assert ranking.derivation is not None
    one, _, last = ranking.derivation.operands
    return replace(
        ranking,
        text="Calculated by Quoth: the lowest of 2 figures is 12.00 (Outer wall).",
        citations=tuple(dict.fromkeys((one.citation, last.citation))),
        derivation=replace(ranking.derivation, operands=(one, last), result="Outer wall"),
    )


def test_a_column_is_named_by_the_question_and_its_figures_are_of_the_measure_asked_for(harbour: Service) -> None:
    answer = ask(harbour, "Which tickets cost more than 10 euros for adults?")
    assert [sentence.text[:11] for sentence in answer.sentences] == ["Ticket: Mon", "Ticket: Gue"]
    assert verified(harbour, answer).verdict is Verdict.PROVED
    assert derived(ask(harbour, "Which ticket is the heaviest for adults?")) == []


def test_a_ranking_that_does_not_come_out_the_same_is_refuted(harbour: Service) -> None:
    answer = ask(harbour, "Which mooring is the cheapest?")
    last = answer.sentences[-1]
    assert last.derivation is not None
    one, *others = last.derivation.operands
    wrong: list[Sentence] = [
        replace(last, derivation=replace(last.derivation, result="North pier")),
        replace(last, derivation=replace(last.derivation, operation="highest")),
        replace(last, derivation=replace(last.derivation, operands=(replace(one, label="Outer wall"), *others))),
        replace(last, text=last.text.replace("9.00", "8.00")),
    ]
    for sentence in (*wrong, _left_out(last)):
        changed = replace(answer, sentences=(*answer.sentences[:-1], sentence))
        assert verified(harbour, changed).verdict is Verdict.REFUTED


@pytest.mark.parametrize(
    ("question", "is_highest"),
    [
        ("Which boat is the heaviest?", True),
        ("Which boat costs the least?", False),
        ("What is the least expensive boat?", False),
        ("Welches Boot ist am billigsten?", False),
    ],
)
def test_a_superlative_says_which_end_is_asked_for(question: str, is_highest: bool) -> None:
    asked = superlative_of(question)
    assert asked is not None
    assert asked.is_highest is is_highest
    assert asked.implied


@pytest.mark.parametrize(
    "question",
    [
        "What does the boat cost at most?",
        "Who is honest?",
        "Is the largest boat red?",
        "What is the biggest and the smallest boat?",
    ],
)
def test_other_questions_ask_for_no_row(question: str) -> None:
    assert superlative_of(question) is None
