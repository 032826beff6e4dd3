"""training.narrowing: passages cut down to the sentence that matters."""

import random

import pytest

import training.narrowing
from index.chunking.sentences import Span
from training.narrowing import narrowed
from training.sources import hit, miss, spanned

PASSAGE = "Ada Lovelace wrote it in 1843. Charles Babbage designed the engine. He lived in London."


@pytest.fixture(autouse=True)
def always(monkeypatch):
    monkeypatch.setattr(training.narrowing, "NARROWED", 1.0)


def asked(question, answer):
    return spanned(question, PASSAGE, [(PASSAGE.index(answer), answer)], "test")


def test_an_answering_passage_is_cut_to_its_sentence_and_the_answer_moves_along():
    question = asked("Who designed the engine?", "Charles Babbage")
    cut = {reading.passage: reading for seed in range(40) for reading in narrowed((question,), random.Random(seed))}
    assert set(cut) == {
        "Charles Babbage designed the engine.",
        "Ada Lovelace wrote it in 1843. Charles Babbage designed the engine.",
    }
    for reading in cut.values():
        assert reading.passage[reading.answer.start : reading.answer.end] == "Charles Babbage"
        assert reading.gold == (reading.answer,)


def test_a_passage_that_does_not_answer_is_cut_to_the_sentence_that_tempts():
    (first, second) = narrowed(
        (asked("Who designed the engine?", "Charles Babbage"), miss("Who sold the engine?", PASSAGE, "test")),
        random.Random(2),
    )
    assert first.relevant
    assert not second.relevant
    assert second.passage.endswith("Charles Babbage designed the engine.")
    assert "London" not in second.passage
    assert second.gold == ()


def test_an_answer_over_two_sentences_leaves_the_passage_whole():
    both = "1843. Charles Babbage"
    reading = spanned("Who and when?", PASSAGE, [(PASSAGE.index(both), both)], "test")
    assert all(narrowed((reading,), random.Random(seed))[0].gold for seed in range(20))


def test_groups_whose_answer_has_no_known_place_and_empty_passages_stay_as_they_are():
    whole = (asked("Who designed the engine?", "Charles Babbage"), hit("Who?", PASSAGE, "test"))
    assert narrowed(whole, random.Random(0)) == whole
    empty = (miss("Who?", "", "test"),)
    assert narrowed(empty, random.Random(0)) == empty


def test_most_groups_stay_as_they_are(monkeypatch):
    monkeypatch.setattr(training.narrowing, "NARROWED", 0.25)
    group = (asked("Who designed the engine?", "Charles Babbage"),)
    rng = random.Random(0)
    changed = sum(narrowed(group, rng) != group for _ in range(400))
    assert changed == pytest.approx(100, abs=30)


def test_the_answer_is_the_one_inside_where_there_are_several():
    reading = spanned("Where?", PASSAGE, [(0, "Ada"), (PASSAGE.index("London"), "London")], "test")
    assert reading.answer == Span(0, 3)
    for seed in range(20):
        (cut,) = narrowed((reading,), random.Random(seed))
        assert all(cut.passage[span.start : span.end] in ("London", "Ada") for span in cut.gold)
        assert cut.answer is None or cut.passage[cut.answer.start : cut.answer.end] == "Ada"
