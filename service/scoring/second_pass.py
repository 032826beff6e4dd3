"""Reads the best sentences a second time, each by itself, to tell apart the lines of a list or table.

In its passage a sentence is read together with the text around it, and neighbours influence each other's scores: the rows
of a table and the points of a list get nearly equal scores. Read alone under its title, a sentence answers or it does not.
Dates that the question gives are read as it writes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from index.blocks.block import Span
from index.blocks.unit import Rendering
from service.scoring.reader import Reading, SentenceReading
from service.text.dates import with_dates_of
from service.text.terms import Terms, statement_terms

MAX_SENTENCES = 8
WITHIN = 4.0
"""A sentence is read again if the sum of its logit and its passage's is at most this much below the best sum."""
WEIGHT = 0.7
MAX_LOST = 3.0
"""A sentence loses `WEIGHT` for each logit, up to this many, by which it answers worse alone than the best one does.

Chosen on the development halves of SQuAD 2, Amazon, CLAPNQ, COVID-QA and PolicyQA: models/reader/CARD.md.
"""


class PassageReader(Protocol):
    """The method of `service.scoring.reader.Reader` that is used here."""

    def read(
        self,
        question: str | Sequence[str],
        passages: Sequence[str],
        contexts: Sequence[str] | None = None,
        sentences: Sequence[Sequence[Span]] | None = None,
    ) -> Sequence[Reading]:
        """A reading of every passage."""
        ...


@dataclass(frozen=True, slots=True)
class ToRead:
    """A question with the passages to read for it, each under its context ("" for none)."""

    question: str
    passages: Sequence[Rendering]
    contexts: Sequence[str]


@dataclass(frozen=True, slots=True)
class _ScoredSentence:
    passage: int
    sentence: int
    total: float


def read_twice(
    question: str, passages: Sequence[Rendering], contexts: Sequence[str], reader: PassageReader
) -> list[Reading]:
    """A reading of every passage under its context ("" for none), with the best units read again."""
    return read_each_twice([ToRead(question, passages, contexts)], reader)[0]


def read_each_twice(asked: Sequence[ToRead], reader: PassageReader) -> list[list[Reading]]:
    """What `read_twice` gives for each question; all of them share the batches of the network."""
    passages = [passage for one in asked for passage in one.passages]
    readings = iter(
        reader.read(
            _questions(asked, [len(one.passages) for one in asked]),
            [passage.text for passage in passages],
            [context for one in asked for context in one.contexts],
            [passage.spans() for passage in passages],
        )
    )
    return read_each_again(asked, [[next(readings) for _ in one.passages] for one in asked], reader)


def read_again(
    question: str,
    passages: Sequence[Rendering],
    contexts: Sequence[str],
    readings: Sequence[Reading],
    reader: PassageReader,
) -> list[Reading]:
    """The readings, with the best units read again, each after its lead: those have `alone` set, and new scores.

    Lines that state nothing are skipped. The best sentence of the most relevant passage is always read again.
    """
    return read_each_again([ToRead(question, passages, contexts)], [readings], reader)[0]


def read_each_again(
    asked: Sequence[ToRead], readings: Sequence[Sequence[Reading]], reader: PassageReader
) -> list[list[Reading]]:
    """What `read_again` gives for each question; all of them share the batches of the network."""
    chosen = [_choose_sentences(one.question, one.passages, own) for one, own in zip(asked, readings, strict=True)]
    if not any(chosen):
        return [list(own) for own in readings]
    texts, above = [], []
    for one, places in zip(asked, chosen, strict=True):
        texts += [with_dates_of(one.question, one.passages[place.passage].alone(place.sentence)) for place in places]
        above += [one.contexts[place.passage] for place in places]
    whole = [[Span(0, len(text))] for text in texts]
    alone = iter(reader.read(_questions(asked, [len(places) for places in chosen]), texts, above, whole))
    return [
        _lowered(own, places, [next(alone).relevance for _ in places])
        for own, places in zip(readings, chosen, strict=True)
    ]


def _questions(asked: Sequence[ToRead], counts: Sequence[int]) -> str | list[str]:
    """The question of each of so many texts; one question by itself."""
    if len(asked) == 1:
        return asked[0].question
    return [one.question for one, count in zip(asked, counts, strict=True) for _ in range(count)]


def _lowered(readings: Sequence[Reading], chosen: Sequence[_ScoredSentence], alone: Sequence[float]) -> list[Reading]:
    """The readings in which each chosen sentence loses by how much worse than the best it answers alone."""
    if not chosen:
        return list(readings)
    best = max(alone)
    changed: list[list[SentenceReading]] = [list(reading.sentences) for reading in readings]
    for place, value in zip(chosen, alone, strict=True):
        sentence = changed[place.passage][place.sentence]
        score = sentence.score - WEIGHT * min(MAX_LOST, best - value)
        changed[place.passage][place.sentence] = replace(sentence, score=score, alone=value)
    return [replace(reading, sentences=tuple(new)) for reading, new in zip(readings, changed, strict=True)]


def read_as_one(batches: Sequence[Sequence[Reading]]) -> list[Reading]:
    """The readings of passages that were read in several batches for one question, as if they had been read together.

    A sentence that was read by itself lost by how much worse it answers than the best one of its batch; now of all.
    """
    bests = [
        max((s.alone for r in batch for s in r.sentences if s.alone is not None), default=None) for batch in batches
    ]
    best = max((value for value in bests if value is not None), default=0.0)
    return [
        replace(reading, sentences=tuple(_levelled(sentence, own, best) for sentence in reading.sentences))
        for batch, own in zip(batches, bests, strict=True)
        for reading in batch
    ]


def _levelled(sentence: SentenceReading, own: float | None, best: float) -> SentenceReading:
    if sentence.alone is None or own is None:
        return sentence
    further = min(MAX_LOST, best - sentence.alone) - min(MAX_LOST, own - sentence.alone)
    return replace(sentence, score=sentence.score - WEIGHT * further)


def _choose_sentences(
    question: str, passages: Sequence[Rendering], readings: Sequence[Reading]
) -> list[_ScoredSentence]:
    asked = Terms.of(question)

    def states(place: _ScoredSentence) -> bool:
        sentence = readings[place.passage].sentences[place.sentence]
        return statement_terms(passages[place.passage].text[sentence.start : sentence.end], asked) is not None

    places = sorted(
        (
            _ScoredSentence(passage, number, reading.relevance + sentence.score)
            for passage, reading in enumerate(readings)
            for number, sentence in enumerate(reading.sentences)
        ),
        key=lambda place: -place.total,
    )
    near: list[_ScoredSentence] = []
    for place in places:
        if len(near) == MAX_SENTENCES or (near and place.total < near[0].total - WITHIN):
            break
        if states(place):
            near.append(place)
    first = max(range(len(readings)), key=lambda number: readings[number].relevance, default=None)
    own = next((place for place in places if place.passage == first and states(place)), None)
    return near if own is None or own in near else [*near, own]
