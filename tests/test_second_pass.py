"""The second pass: which sentences are read by themselves, and how that changes their scores."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from index.blocks.block import Span
from index.chunking.sentences import sentence_spans
from index.chunking.units import prose_rendering
from models import folder
from service.scoring.reader import Reader, Reading, SentenceReading
from service.scoring.second_pass import MAX_LOST, MAX_SENTENCES, WEIGHT, read_again, read_twice

ASKED = "How long is the notice?"
POINTS = "It is a week at first. It is a month by then. It is a year at last."


class FixedRelevanceReader:
    """Returns the given relevance for each known text, 0 otherwise, and records the texts."""

    def __init__(self, **relevance: float) -> None:
        self.relevance = relevance
        self.asked: list[tuple[str, str]] = []

    def read(
        self,
        question: str,
        passages: Sequence[str],
        contexts: Sequence[str] | None = None,
        sentences: Sequence[Sequence[Span]] | None = None,
    ) -> list[Reading]:
        self.asked += zip(passages, contexts or (), strict=True)
        return [Reading(next((v for k, v in self.relevance.items() if k in text), 0.0), ()) for text in passages]


def read_once(text: str, relevance: float, *scores: float) -> Reading:
    spans = sentence_spans(text)
    return Reading(relevance, tuple(SentenceReading(*s, score, None) for s, score in zip(spans, scores, strict=True)))


def test_a_sentence_loses_by_how_much_worse_it_answers_alone_than_the_best() -> None:
    reader = FixedRelevanceReader(week=4.0, month=3.0, year=-7.0)
    (again,) = read_again(ASKED, [prose_rendering(POINTS)], ["Leave"], [read_once(POINTS, 2.0, 1.0, 1.5, 1.2)], reader)
    assert [s.score for s in again.sentences] == pytest.approx([1.0, 1.5 - WEIGHT, 1.2 - WEIGHT * MAX_LOST])
    assert [s.alone for s in again.sentences] == [4.0, 3.0, -7.0]
    assert {above for _, above in reader.asked} == {"Leave"}


def test_sentences_far_below_the_best_are_not_read_again_and_stay_below() -> None:
    reader = FixedRelevanceReader(week=-3.0, month=9.0)
    (again,) = read_again(ASKED, [prose_rendering(POINTS)], [""], [read_once(POINTS, 2.0, 3.0, 2.0, -1.5)], reader)
    assert [text for text, _ in reader.asked] == ["It is a week at first.", "It is a month by then."]
    assert again.sentences[2] == SentenceReading(46, 67, -1.5, None)
    assert min(again.sentences[:2], key=lambda s: s.score).score > -1.5


def test_a_date_is_read_again_as_the_question_writes_it() -> None:
    text = "It began on 2025-05-03. It ended on 2025-05-04."
    reader = FixedRelevanceReader()
    read_again("What began on 3 May 2025?", [prose_rendering(text)], [""], [read_once(text, 2.0, 1.0, 1.0)], reader)
    assert [text for text, _ in reader.asked] == ["It began on 3 May 2025.", "It ended on 2025-05-04."]


def test_sentences_that_state_nothing_are_skipped() -> None:
    text = f"{ASKED} It is a week at first."
    reader = FixedRelevanceReader(week=1.0)
    (again,) = read_again(ASKED, [prose_rendering(text)], [""], [read_once(text, 2.0, 5.0, 1.0)], reader)
    assert [text for text, _ in reader.asked] == ["It is a week at first."]
    assert again.sentences[0].alone is None


def test_passages_are_compared_with_each_other_and_the_most_relevant_is_always_among_them() -> None:
    passages = [POINTS, "It is a day for guests."]
    readings = [read_once(POINTS, 2.0, 9.0, 1.0, 1.0), read_once(passages[1], 3.0, -4.0)]
    again = read_again(
        ASKED, [prose_rendering(text) for text in passages], ["", ""], readings, FixedRelevanceReader(day=5.0, week=3.0)
    )
    assert again[0].sentences[0].score == 9.0 - 2 * WEIGHT
    assert again[1].sentences[0].alone == 5.0


def test_the_number_of_sentences_read_again_is_limited() -> None:
    text = " ".join(f"It is {number} days." for number in range(20))
    reader = FixedRelevanceReader()
    read_again(ASKED, [prose_rendering(text)], [""], [read_once(text, 1.0, *[1.0] * 20)], reader)
    assert len(reader.asked) == MAX_SENTENCES


@pytest.mark.parametrize("text", ["", "# Notice"])
def test_without_sentences_to_read_again_the_readings_stay_the_same(text: str) -> None:
    readings = [Reading(1.0, tuple(SentenceReading(*s, 1.0, None) for s in sentence_spans(text)))]
    reader = FixedRelevanceReader()
    assert read_again(ASKED, [prose_rendering(text)], [""], readings, reader) == readings
    assert read_again(ASKED, [], [], [], reader) == []
    assert reader.asked == []


def test_the_table_row_and_the_list_item_asked_for_are_the_best(compiled: Path) -> None:
    reader = Reader.load(folder("reader"), cache=compiled)
    text = (
        "## Notice period\n\n- During probation: one week\n- Up to two years: one month\n- After two years: three months\n\n"
        "| Region | Office | Phone |\n| --- | --- | --- |\n| North | Leeds | 0113 496 0101 |\n"
        "| South | Bristol | 0117 496 0202 |"
    )
    above = "Handbook > Notice period"
    for asked, expected in (
        ("How long is the notice period during probation?", "one week"),
        ("What is the phone number of the Bristol office?", "0117 496 0202"),
        ("What is the phone number of the Leeds office?", "0113 496 0101"),
    ):
        (again,) = read_twice(asked, [prose_rendering(text)], [above], reader)
        first, second = sorted(again.sentences, key=lambda s: -s.score)[:2]
        assert expected in text[first.start : first.end]
        assert first.score > second.score + 0.5
