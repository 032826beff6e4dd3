"""training.setting and training.mining: titles that decide, lines that state nothing, near misses by words and meaning."""

import random
from dataclasses import replace

import numpy as np
import pytest
import torch

from index.chunking.sentences import Span, sentence_spans
from index.embedding.minilm import MiniLM
from index.embedding.weights import bundled_folder
from training.average import average
from training.mining import Embedded, Hybrid
from training.setting import in_context, laid_out
from training.sources import Reading, hit, miss

PASSAGE = "Net sales rose to 40 million. The board of Jane Okafor met twice. Costs fell."
READING = Reading(
    "How much were the net sales?", PASSAGE, True, (Span(0, 29),), Span(18, 28), "by hand", "Sales review"
)


def settings(group, count=400):
    return [in_context(group, random.Random(number)) for number in range(count)]


def test_about_forty_in_a_hundred_groups_have_no_context_and_as_many_their_own():
    contexts = [group[0].context for group in settings((READING,))]
    assert 0.3 < contexts.count("") / len(contexts) < 0.5
    assert 0.25 < contexts.count("Sales review") / len(contexts) < 0.45


def test_a_twin_is_the_answering_passage_under_another_title_and_answers_nothing():
    twins = [group for group in settings((READING, miss(READING.question, "Rain fell.", "near"))) if len(group) == 3]
    assert twins
    for right, _, twin in twins:
        assert (twin.passage, twin.question) == (right.passage, right.question)
        assert right.relevant
        assert (twin.relevant, twin.gold, twin.answer) == (False, (), None)
        assert twin.context != right.context
        assert right.question != READING.question


def test_no_twin_where_the_passage_itself_may_name_the_organisation_or_period():
    everywhere = " ".join(str(year) for year in range(2005, 2027)) + " Q1 Q2 Q3 Q4"
    named = replace(READING, passage=f"{PASSAGE} {everywhere}")
    twins = [group for group in settings((named,)) if len(group) == 2]
    assert twins  # those of another organisation
    assert all(_period(right) == _period(twin) for right, twin in twins)


def _period(reading):
    return [word for word in reading.context.split() if any(sign.isdigit() for sign in word)]


def test_a_line_put_in_is_a_sentence_of_its_own_and_gold_keeps_its_words():
    lines = set()
    for number in range(300):
        shown = laid_out(READING, random.Random(number))
        spans = sentence_spans(shown.passage)
        assert len(spans) == 4
        assert shown.passage[shown.gold[0].start : shown.gold[0].end] == "Net sales rose to 40 million."
        assert shown.passage[shown.answer.start : shown.answer.end] == "40 million"
        lines |= {shown.passage[s.start : s.end] for s in spans} - {
            PASSAGE[s.start : s.end] for s in sentence_spans(PASSAGE)
        }
    assert lines == {"Net Sales", "Jane Okafor"}


def test_a_line_is_never_the_answer():
    asked = Reading("Who met twice?", PASSAGE, True, (Span(43, 54),), Span(43, 54), "by hand")
    assert PASSAGE[43:54] == "Jane Okafor"
    for number in range(100):
        lines = [s for s in laid_out(asked, random.Random(number)).passage.split("\n\n") if s == "Jane Okafor"]
        assert not lines


def test_where_the_place_of_the_answer_is_unknown_nothing_is_put_in():
    known_relevant = hit("How much were the net sales?", PASSAGE, "by hand")
    assert laid_out(known_relevant, random.Random(0)) == known_relevant


@pytest.fixture(scope="module")
def embedded():
    return Embedded(MiniLM(bundled_folder()))


def test_vectors_are_of_unit_length_and_equal_texts_share_theirs(embedded):
    vectors = embedded.vectors(["a cat", "a dog", "a cat"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert (vectors[0] == vectors[2]).all()


def test_near_misses_are_found_by_words_and_by_meaning(embedded):
    texts = ["The physician examined her.", "The doctorate took years.", "Bridges need paint.", "See the doctor today."]
    found = Hybrid(embedded, texts).best("doctor", 3)
    assert found[0] == 3  # shares the word
    assert 0 in found  # shares the meaning only


def test_an_average_is_taken_weight_by_weight():
    earlier, later = {"w": torch.tensor([0.0, 4.0])}, {"w": torch.tensor([2.0, 8.0]).half()}
    assert average(earlier, later, 0.25)["w"].tolist() == [0.5, 5.0]
    with pytest.raises(KeyError, match="bias"):
        average(earlier, {"bias": torch.zeros(1)}, 0.5)
