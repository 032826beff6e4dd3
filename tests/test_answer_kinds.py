"""What kind of thing a question asks for, and which texts state one."""

import pytest

from service.text.answer_kinds import AnswerKind, asked_kind, states_kind


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("When will the footbridge open?", AnswerKind.TIME),
        ("Since when does the mill belong to the town?", AnswerKind.TIME),
        ("By what date must the tax be paid?", AnswerKind.TIME),
        ("In which year was the mill sold?", AnswerKind.YEAR),
        ("Starting in what year are members counted?", AnswerKind.YEAR),
        ("How many boats does the club own?", AnswerKind.QUANTITY),
        ("and how much did the roof cost", AnswerKind.QUANTITY),
        ("What is the number of seats?", AnswerKind.QUANTITY),
        ("When it rains, who closes the roof?", None),
        ("What happens when the alarm rings?", None),
        ("Which year's report names the mill?", AnswerKind.YEAR),
        ("Who runs the mill?", AnswerKind.PERSON),
        ("How do I sign in?", None),
    ],
)
def test_what_a_question_asks_for(question: str, kind: AnswerKind | None) -> None:
    assert asked_kind(question) is kind


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("When will the footbridge open?", "The footbridge opens in May."),
        ("When will the footbridge open?", "It opens once the railings are painted."),
        ("When does the shop close?", "The shop closes its doors at nine."),
        ("When is the shop open?", "Daily from 9:30 to 17:00"),
        ("In which year was the mill sold?", "Sold in 1931 to the town."),
        ("How many boats does the club own?", "The club owns fourteen boats."),
        ("How many boats does the club own?", "The club owns no boat."),
        ("How much is known of the wreck?", "Not much is known of it."),
        ("How many members joined in 2019?", "In 2019, 31 people joined."),
        ("How many seats does the hall have?", "The hall has 1200 seats."),
        ("How much did the roof cost?", "The roof cost €1950."),
        ("How many visitors came?", "North pier: Visitors: 1850"),
        ("When does the shop open?", "The shop is open from nine to five."),
        ("When is the shop open?", "Mon-Fri, mornings excepted"),
        ("Wann öffnet der Laden?", "Werktags um neun Uhr"),
        ("Was kostet die Karte?", "Die Karte kostet 4 Euro."),
        ("Who runs the mill?", "The mill is run by Kari Lunde."),
        ("Who decides on a mooring?", "Moorings are given by the committee."),
        ("Who is the warden?", "Ask at lock@moss.example."),
    ],
)
def test_a_text_that_states_what_is_asked_for(question: str, text: str) -> None:
    kind = asked_kind(question)
    assert kind is not None
    assert states_kind(kind, text, question)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("When will the footbridge open?", "The mayor will open the footbridge."),
        ("In which year was the mill sold?", "The mill was sold in May."),
        ("In which year after 1931 was it sold?", "It was let in 1931."),
        ("When will the footbridge open?", "Guests may cross the footbridge, opened by one of them."),
        ("When will the footbridge open?", "The footbridge may be crossed from 3 euros."),
        ("How many boats does the club own?", "The club owns boats of oak."),
        ("How many members joined in 2019?", "In 2019 the club was founded."),
        ("How many members joined before 3 May 2019?", "They joined on 4 June 2020."),
        ("Who runs the mill in Moss?", "The company runs three mills: Moss, with 40 members"),
        ("Wann öffnet der Laden?", "Der Laden hat eine Tür."),
    ],
)
def test_a_text_that_states_nothing_of_the_kind(question: str, text: str) -> None:
    kind = asked_kind(question)
    assert kind is not None
    assert not states_kind(kind, text, question)
