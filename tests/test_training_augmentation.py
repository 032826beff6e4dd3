"""training.augmentation: titles that decide whether a passage answers, and inserted lines that state nothing."""

import random
from dataclasses import replace

from index.blocks.block import Span
from index.chunking.sentences import sentence_spans
from training.augmentation import insert_line, set_context
from training.sources import PassagePair, irrelevant_passage, relevant_passage

PASSAGE = "Net sales rose to 40 million. The board of Jane Okafor met twice. Costs fell."
READING = PassagePair(
    "How much were the net sales?", PASSAGE, True, (Span(0, 29),), Span(18, 28), "by hand", "Sales review"
)


def settings(group, count=400):
    return [set_context(group, random.Random(number)) for number in range(count)]


def test_two_in_five_groups_have_no_context_and_about_as_many_their_own():
    contexts = [group[0].context for group in settings((READING,))]
    assert 0.3 < contexts.count("") / len(contexts) < 0.5
    assert 0.25 < contexts.count("Sales review") / len(contexts) < 0.45


def test_the_near_miss_of_a_title_is_the_answering_passage_under_another_title():
    twins = [
        group
        for group in settings((READING, irrelevant_passage(READING.question, "Rain fell.", "near")))
        if len(group) == 3
    ]
    assert twins
    for right, _, twin in twins:
        assert (twin.passage, twin.question) == (right.passage, right.question)
        assert right.relevant
        assert (twin.relevant, twin.gold, twin.answer) == (False, (), None)
        assert twin.context != right.context
        assert right.question != READING.question


def test_no_near_miss_is_made_where_the_passage_itself_may_name_the_organisation_or_period():
    everywhere = " ".join(str(year) for year in range(2005, 2027)) + " Q1 Q2 Q3 Q4"
    named = replace(READING, passage=f"{PASSAGE} {everywhere}")
    twins = [group for group in settings((named,)) if len(group) == 2]
    assert twins  # those of another organisation
    assert all(_period(right) == _period(twin) for right, twin in twins)


def _period(reading):
    return [word for word in reading.context.split() if any(sign.isdigit() for sign in word)]


def test_an_inserted_line_is_a_sentence_of_its_own_and_gold_keeps_its_words():
    lines = set()
    for number in range(300):
        shown = insert_line(READING, random.Random(number))
        spans = sentence_spans(shown.passage)
        assert len(spans) == 4
        assert shown.passage[shown.gold[0].start : shown.gold[0].end] == "Net sales rose to 40 million."
        assert shown.passage[shown.answer.start : shown.answer.end] == "40 million"
        lines |= {shown.passage[s.start : s.end] for s in spans} - {
            PASSAGE[s.start : s.end] for s in sentence_spans(PASSAGE)
        }
    assert lines == {"Net Sales", "Jane Okafor"}


def test_an_inserted_line_is_never_the_answer():
    asked = PassagePair("Who met twice?", PASSAGE, True, (Span(43, 54),), Span(43, 54), "by hand")
    assert PASSAGE[43:54] == "Jane Okafor"
    for number in range(100):
        lines = [s for s in insert_line(asked, random.Random(number)).passage.split("\n\n") if s == "Jane Okafor"]
        assert not lines


def test_nothing_is_inserted_where_the_place_of_the_answer_is_unknown():
    known_relevant = relevant_passage("How much were the net sales?", PASSAGE, "by hand")
    assert insert_line(known_relevant, random.Random(0)) == known_relevant
