"""A question for all of a list is answered with the whole list; a question for one thing with its item."""

from pathlib import PurePath

import pytest

from index.chunking.chunker import chunk_document
from index.formats.limits import Limits
from index.formats.parse import parse_document
from index.formats.registry import format_of
from index.records import Hit
from service.generators.extractive import ExtractiveGenerator
from service.generators.protocol import Draft, Passage
from service.generators.whole_lists import asks_for_all, is_list_named
from service.scoring.reader import Reading, SentenceReading
from tests.test_chunking import words

DEPOTS = """# Depots

The ferry line keeps depots in these harbours:

- Moss, built in 1951, 40 berths
- Horten, built in 1974, 25 berths
- Larvik, built in 2009, 12 berths

The head of all depots is Kari Lunde.
"""
STEPS = """# Waxing skis

1. Clean the base.
2. Melt the wax onto it.
   - Use an iron.
3. Scrape off what is left.

Rest afterwards.
"""
PRICES = """| Boat | Price |
| --- | --- |
| Kayak | 20 euros |
| Canoe | 30 euros |
"""


def answers(text: str, question: str, best: str) -> list[Draft]:
    """The answer when the reader scores the unit that holds `best` highest by far."""
    name = PurePath("a.md")
    found = format_of(name)
    assert found is not None
    document = parse_document(text.encode(), name, "file:///a.md", Limits(), found)
    (chunk,) = chunk_document(document, words)
    passage = Passage(Hit(chunk, "A", "file:///a.md", None, 4.0), Reading(4.0, ()))
    readings = tuple(
        SentenceReading(start, end, 5.0 if best in passage.text[start:end] else -5.0, None)
        for _, start, end in passage.rendering.units
    )
    read = Passage(passage.hit, Reading(4.0, readings))
    return list(ExtractiveGenerator().generate(question, [read]))


@pytest.mark.parametrize(
    "question",
    ["Which harbours have depots?", "How many depots does the line have?", "List all depots.", "What are the depots?"],
)
def test_a_question_for_all_gets_every_item_after_the_lead_in(question: str) -> None:
    (draft,) = answers(DEPOTS, question, "Horten")
    assert draft.text == (
        "The ferry line keeps depots in these harbours: Moss, built in 1951, 40 berths; Horten, built in 1974, 25 berths; "
        "Larvik, built in 2009, 12 berths"
    )
    (quote,) = draft.quotes
    assert quote.highlight is None


def test_steps_come_in_order_with_their_numbers_and_what_stands_below_them() -> None:
    (draft,) = answers(STEPS, "How do I wax skis?", "Scrape")
    assert draft.text.startswith("1. Clean the base.")
    assert draft.text.index("2. Melt") < draft.text.index("Use an iron") < draft.text.index("3. Scrape")
    assert "Rest afterwards" not in draft.text


@pytest.mark.parametrize(
    ("question", "best"),
    [
        ("When was the depot in Horten built?", "Horten"),
        ("How many berths are there in Larvik?", "Larvik"),
        ("Which depots were built in 1951?", "Moss"),
    ],
)
def test_a_question_for_what_one_item_names_gets_that_item(question: str, best: str) -> None:
    (draft,) = answers(DEPOTS, question, best)
    assert draft.text.count("built in") == 1
    assert best in draft.text


def test_a_question_for_one_step_gets_that_step_with_what_stands_below_it() -> None:
    (draft,) = answers(STEPS, "What is step 2 of waxing skis?", "2. Melt")
    assert "Use an iron" in draft.text
    assert "Clean" not in draft.text
    assert "Scrape" not in draft.text


def test_a_question_for_what_the_lead_in_says_gets_the_whole_list() -> None:
    text = "# Trip\n\nEvery pupil needs:\n\n- rubber boots\n- a lunch box\n- a rain coat\n"
    (draft,) = answers(text, "What does every pupil need?", "lunch")
    assert draft.text == "Every pupil needs: rubber boots; a lunch box; a rain coat"
    (draft,) = answers(text, "What does every pupil need for lunch?", "lunch")
    assert draft.text == "Every pupil needs: a lunch box"


@pytest.mark.parametrize("question", ["What do I need to hire a boat?", "What must I bring?", "Was brauche ich dafür?"])
def test_a_question_for_what_is_needed_gets_the_whole_list_whatever_it_is_needed_for(question: str) -> None:
    text = "# Boats\n\nYou need:\n\n- an identity card\n- a deposit\n- dry shoes\n"
    (draft,) = answers(text, question, "card")
    assert draft.text == "You need: an identity card; a deposit; dry shoes"


def test_items_that_end_in_a_comma_are_parted_by_it() -> None:
    text = "# Boats\n\nYou need:\n\n1. an identity card,\n2. a deposit,\n3. dry shoes.\n"
    (draft,) = answers(text, "What do I need?", "card")
    assert draft.text == "You need: 1. an identity card, 2. a deposit, 3. dry shoes."


def test_a_row_is_not_widened_to_its_table() -> None:
    (draft,) = answers(PRICES, "What are the prices?", "Canoe")
    assert "Kayak" not in draft.text


def test_a_list_is_not_answered_twice_when_its_lead_in_answers_as_well() -> None:
    (draft,) = answers(DEPOTS, "Which harbours have depots?", "in")
    assert draft.text.count("Horten") == 1


@pytest.mark.parametrize(
    "question",
    [
        "Which offices are there?",
        "What documents do I need?",
        "What are the opening hours?",
        "When is the sauna open?",
        "What are the steps to register?",
        "How can I register?",
        "what do I have to do to register",
        "What must we do before moving out?",
        "Welche Unterlagen brauche ich?",
        "Wie viele Büros gibt es?",
        "Quels sont les tarifs ?",
        "¿Cuáles son los requisitos?",
    ],
)
def test_questions_that_ask_for_all(question: str) -> None:
    assert asks_for_all(question)


@pytest.mark.parametrize(
    "question",
    ["Who leads the office?", "What is the fee?", "What causes rust?", "Which of the boats is fastest?", "Is it open?"],
)
def test_questions_that_ask_for_one_thing(question: str) -> None:
    assert not asks_for_all(question)


def test_a_list_is_named_by_a_lead_in_that_has_all_the_words_asked_with() -> None:
    lead_in = "Highlights from the second season of 2024 included:"
    assert is_list_named("What were the highlights of Kari's second season?", lead_in)
    assert not is_list_named("What were the losses of the second season?", lead_in)
    assert not is_list_named("Which highlight of the second season was best?", lead_in)
    assert asks_for_all("What are Warden Lunde's duties?")
