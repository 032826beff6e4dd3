"""More passages are read while the evidence is weak and some below the depth name all that the question names."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from index.sync.sync import sync
from service.answering.service import Service
from service.answering.trace import Trace
from service.composition.service import assemble
from service.records import Question
from service.scoring.reader import Reading, SentenceReading
from service.scoring.second_pass import read_as_one
from service.settings import Settings

DEPTH = 2
LOGS = {
    "alba-2019": "How many passengers the Alba carried: the ferry Alba carried 4,100 passengers in 2019.",
    "brio-2021": "How many passengers the Brio carried: the ferry Brio carried 5,200 passengers in 2021.",
    "report": "The harbour office counts all who cross the sound, from the quay in the old town to the steps below the light. "
    "In 2021 some 3,100 people were aboard the Alba. The office has counted since the sound was first crossed by steam.",
}


@pytest.fixture(scope="module")
def ferries(tmp_path_factory: pytest.TempPathFactory, own_environment: None) -> Iterator[Service]:
    """The real service over the logs, of which it reads two passages at first."""
    folder = tmp_path_factory.mktemp("logs")
    for name, text in LOGS.items():
        Path(folder / f"{name}.md").write_text(f"{text}\n", "utf-8")
    assembled = assemble(Settings(home=tmp_path_factory.mktemp("home")))
    sync(assembled.library.open_or_create("default"), [folder])
    policy = replace(assembled.answerer.policy, depth=DEPTH)
    yield replace(assembled, answerer=replace(assembled.answerer, policy=policy))
    assembled.library.close()


def read_for(service: Service, question: str) -> tuple[str, list[str]]:
    """The answer, and the titles of the passages that were read."""
    trace = Trace()
    answer = service.answerer.answer(Question(question), trace)
    return answer.text, [passage.hit.title for passage in trace.read[0].passages]


def test_a_passage_below_the_depth_that_names_all_is_read_too(ferries: Service) -> None:
    text, read = read_for(ferries, "How many passengers did the ferry Alba carry in 2021?")
    assert "report" in read
    assert "3,100" in text


def test_no_more_is_read_where_no_passage_names_all(ferries: Service) -> None:
    _, read = read_for(ferries, "How many passengers did the ferry Brio carry in 2019?")
    assert len(read) == DEPTH


def test_no_more_is_read_where_the_evidence_is_strong(ferries: Service) -> None:
    text, read = read_for(ferries, "How many passengers did the ferry Brio carry in 2021?")
    assert len(read) == DEPTH
    assert "5,200" in text


def test_no_more_is_read_where_the_question_names_nothing(ferries: Service) -> None:
    _, read = read_for(ferries, "what does the captain eat for breakfast?")
    assert len(read) == DEPTH


def test_readings_of_two_batches_are_levelled_by_the_best_of_both() -> None:
    strong = Reading(1.0, (SentenceReading(0, 4, 2.0, None, alone=3.0),))
    weak = Reading(0.5, (SentenceReading(0, 4, 1.0, None, alone=1.0), SentenceReading(5, 9, 0.0, None)))
    first, second = read_as_one([[strong], [weak]])
    assert first == strong
    assert [sentence.score for sentence in second.sentences] == pytest.approx([1.0 - 0.7 * 2.0, 0.0])
    assert read_as_one([[strong], []]) == [strong]
