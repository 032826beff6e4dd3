"""training.augmentation: passages cut to a single sentence."""

import random

import pytest

import training.augmentation
from index.blocks.block import Span
from training.augmentation import cut_to_sentences
from training.sources import answering_passage, irrelevant_passage, relevant_passage

PASSAGE = "Ada Lovelace wrote it in 1843. Charles Babbage designed the engine. He lived in London."


@pytest.fixture(autouse=True)
def cut_every_group(monkeypatch):
    monkeypatch.setattr(training.augmentation, "CUT_SHARE", 1.0)


def asked(question, answer):
    return answering_passage(question, PASSAGE, [(PASSAGE.index(answer), answer)], "test")


def test_an_answering_passage_is_cut_to_its_sentence_and_the_answer_moves_along():
    question = asked("Who designed the engine?", "Charles Babbage")
    cut = {
        reading.passage: reading for seed in range(40) for reading in cut_to_sentences((question,), random.Random(seed))
    }
    assert set(cut) == {
        "Charles Babbage designed the engine.",
        "Ada Lovelace wrote it in 1843. Charles Babbage designed the engine.",
    }
    for reading in cut.values():
        assert reading.passage[reading.answer.start : reading.answer.end] == "Charles Babbage"
        assert reading.gold == (reading.answer,)


def test_a_passage_that_does_not_answer_is_cut_to_the_sentence_closest_to_the_question():
    (first, second) = cut_to_sentences(
        (
            asked("Who designed the engine?", "Charles Babbage"),
            irrelevant_passage("Who sold the engine?", PASSAGE, "test"),
        ),
        random.Random(2),
    )
    assert first.relevant
    assert not second.relevant
    assert second.passage.endswith("Charles Babbage designed the engine.")
    assert "London" not in second.passage
    assert second.gold == ()


def test_an_answer_over_two_sentences_leaves_the_passage_whole():
    both = "1843. Charles Babbage"
    reading = answering_passage("Who and when?", PASSAGE, [(PASSAGE.index(both), both)], "test")
    assert all(cut_to_sentences((reading,), random.Random(seed))[0].gold for seed in range(20))


def test_groups_whose_answer_has_no_known_place_and_empty_passages_stay_as_they_are():
    whole = (asked("Who designed the engine?", "Charles Babbage"), relevant_passage("Who?", PASSAGE, "test"))
    assert cut_to_sentences(whole, random.Random(0)) == whole
    empty = (irrelevant_passage("Who?", "", "test"),)
    assert cut_to_sentences(empty, random.Random(0)) == empty


def test_most_groups_stay_as_they_are(monkeypatch):
    monkeypatch.setattr(training.augmentation, "CUT_SHARE", 0.25)
    group = (asked("Who designed the engine?", "Charles Babbage"),)
    rng = random.Random(0)
    changed = sum(cut_to_sentences(group, rng) != group for _ in range(400))
    assert changed == pytest.approx(100, abs=30)


def test_the_answer_is_the_one_inside_where_there_are_several():
    reading = answering_passage("Where?", PASSAGE, [(0, "Ada"), (PASSAGE.index("London"), "London")], "test")
    assert reading.answer == Span(0, 3)
    for seed in range(20):
        (cut,) = cut_to_sentences((reading,), random.Random(seed))
        assert all(cut.passage[span.start : span.end] in ("London", "Ada") for span in cut.gold)
        assert cut.answer is None or cut.passage[cut.answer.start : cut.answer.end] == "Ada"
