"""From the trace of one answer to its explanation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from index.blocks.block import Kind
from index.collection import Collection
from service.answering.answerer import Answerer
from service.answering.checking import CheckedSentence
from service.answering.evidence import is_met
from service.answering.trace import Checked, Trace
from service.explaining.blame import ORDER, stage_of
from service.explaining.choices import Course
from service.explaining.expected import Place, find_places
from service.explaining.explanation import (
    ConstraintVerdict,
    ExpectedPlace,
    ExpectedWords,
    Explanation,
    PassageScore,
    Ranks,
    SignalShare,
    Stage,
    UnitScore,
    WrittenSentence,
)
from service.explaining.ranks import Rankings
from service.explaining.reasons import reason
from service.generators.protocol import Passage
from service.records import Answer
from service.text.constraints import constraints

LOWEST = -100.0
"""Stands for the score of a unit that the reader did not see."""
MAX_UNITS = 3
"""Units of a passage that are shown, besides those that are expected or quoted."""

_Found = Sequence[tuple[ExpectedWords, Sequence[Place]]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is explained: an answer with its trace, over a collection. `is_answerable` is None if nobody knows."""

    trace: Trace
    answer: Answer
    answerer: Answerer
    collection: Collection
    expected: Sequence[ExpectedWords] = ()
    is_answerable: bool | None = None


def explain(asked: Asked) -> Explanation:
    """The explanation of an answer. Searches the collection again, to rank further down than the answer did.

    If the question was answered in parts, it is about the part in which the expected words got furthest.
    """
    if not asked.trace.judged:
        return _unsearched(asked)
    where = asked.trace.searched[0].where
    found = [(words, find_places(words, asked.collection, where)) for words in asked.expected]
    explained = [_explain_course(course, asked, found) for course in _courses(asked)]
    return max(explained, key=lambda one: -1 if one.stage is None else ORDER.index(one.stage))


def _courses(asked: Asked) -> Iterator[Course]:
    """One course for each judgement, with the reading that it rests on and the search that this read."""
    for judged in asked.trace.judged:
        shown = {passage.hit.chunk.id for passage in judged.shown}
        read = max(asked.trace.read, key=lambda step: _shared(shown, [p.hit.chunk.id for p in step.passages]))
        ids = {passage.hit.chunk.id for passage in read.passages}
        searched = max(asked.trace.searched, key=lambda step: _shared(ids, [hit.chunk.id for hit in step.hits]))
        rankings = Rankings.of(asked.collection, searched.queries, searched.where)
        yield Course(searched, read, judged, asked.trace.checked, rankings, asked.answer, asked.answerer.calibration)


def _shared(ids: set[str], others: Sequence[str]) -> float:
    return len(ids.intersection(others)) / max(1, len(ids.union(others)))


def _unsearched(asked: Asked) -> Explanation:
    """The explanation of an answer without a search. The expected words are not looked for either: nothing says where."""
    places = [_nowhere(words, Stage.NOT_RETRIEVED) for words in asked.expected]
    if asked.answer.kind == "talk":
        because = "It was taken for small talk: nothing was searched."
    else:
        because = "It was taken for a question about the documents as a whole: nothing was searched."
    return Explanation(
        question=asked.answer.question,
        queries=(),
        depth=0,
        shown=0,
        confidence=asked.answer.confidence,
        needed=0.0,
        signals=(),
        constraints=(),
        passages=(),
        written=(),
        expected=tuple(places),
        stage=Stage.NOT_RETRIEVED if asked.expected else None,
        because=because,
    )


def _explain_course(course: Course, asked: Asked, found: _Found) -> Explanation:
    places = tuple(_expected_places(course, found))
    explanation = Explanation(
        question=course.read.question,
        queries=tuple(course.searched.queries),
        depth=course.searched.depth,
        shown=len(course.judged.shown),
        confidence=course.judged.confidence,
        needed=course.judged.threshold,
        signals=tuple(_signals(course)),
        constraints=tuple(_constraints(course, found, asked.answerer)),
        passages=tuple(_passages(course, found)),
        written=tuple(_written(course, found)),
        expected=places,
        stage=_stage(places, asked),
        because="",
    )
    return replace(explanation, because=reason(explanation))


def _stage(places: Sequence[ExpectedPlace], asked: Asked) -> Stage | None:
    """The stage at which the place that got furthest was lost."""
    if asked.is_answerable is False:
        return Stage.NOT_LOST if asked.answer.refused else Stage.NOT_THERE
    return max((place.stage for place in places), key=ORDER.index, default=None)


def _expected_places(course: Course, found: _Found) -> Iterator[ExpectedPlace]:
    read = [passage.hit for passage in course.read.weighed.passages]
    for words, places in found:
        if not places:
            yield _nowhere(words, Stage.NOT_EXTRACTED)
        for place in places:
            rank = next((number for number, hit in enumerate(read, 1) if place.is_in(hit)), None)
            stage = stage_of(place, words.text, course)
            yield ExpectedPlace(
                words.text,
                place.document_id,
                place.title,
                place.start,
                place.end,
                course.rankings.at(place),
                rank,
                stage,
            )


def _nowhere(words: ExpectedWords, stage: Stage) -> ExpectedPlace:
    return ExpectedPlace(words.text, None, "", None, None, Ranks(), None, stage)


def _signals(course: Course) -> Iterator[SignalShare]:
    known = course.judged.signals
    if known is not None:
        for name, share in course.calibration.shares(known).items():
            yield SignalShare(name, getattr(known, name), share)


def _constraints(course: Course, found: _Found, answerer: Answerer) -> Iterator[ConstraintVerdict]:
    hits = [passage.hit for passage in course.read.passages]
    every = {hit.chunk.id: hit for hit in (*hits, *course.searched.hits)}
    holding = [hit for hit in every.values() if any(place.is_in(hit) for _, places in found for place in places)]
    for constraint in constraints(course.read.question, answerer.reader.is_common):
        met = any(is_met(constraint, hit) for hit in hits)
        by_expected = any(is_met(constraint, hit) for hit in holding) if holding else None
        yield ConstraintVerdict(str(constraint.kind), constraint.text, met, by_expected)


def _passages(course: Course, found: _Found) -> Iterator[PassageScore]:
    ranks = course.rankings.by_passage()
    unweighed = {passage.hit.chunk.id: passage for passage in course.read.passages}
    places = [place for _, spots in found for place in spots]
    for number, passage in enumerate(course.read.weighed.passages, 1):
        chunk, before = passage.hit.chunk, unweighed[passage.hit.chunk.id]
        yield PassageScore(
            rank=number,
            document_id=chunk.document_id,
            version=chunk.version,
            title=passage.hit.title,
            uri=passage.hit.uri,
            page=passage.hit.page,
            start=chunk.start,
            end=chunk.end,
            ranks=ranks.get(chunk.id, Ranks()),
            relevance=passage.reading.relevance,
            lost=before.reading.relevance - passage.reading.relevance,
            is_shown=number <= len(course.judged.shown),
            units=tuple(_best_units(passage, before, places, course.answer)),
        )


def _best_units(passage: Passage, before: Passage, places: Sequence[Place], answer: Answer) -> Iterator[UnitScore]:
    """The best units of a passage, the expected and the quoted ones, in the order of the text."""
    units = list(_units(passage, before, places, answer))
    best = sorted(units, key=lambda unit: -unit.total)[:MAX_UNITS]
    yield from (unit for unit in units if unit in best or unit.is_expected or unit.is_quoted)


def _units(passage: Passage, before: Passage, places: Sequence[Place], answer: Answer) -> Iterator[UnitScore]:
    id = passage.hit.chunk.document_id
    quoted = [Place(id, "", c.start, c.end) for c in answer.citations if c.document_id == id]
    scores = zip(passage.rendering.units, passage.reading.sentences, before.reading.sentences, strict=True)
    for (unit, start, end), scored, unweighed in scores:
        if unit.kind is Kind.HEADING:  # never answers
            continue
        yield UnitScore(
            start=unit.start,
            end=unit.end,
            text=passage.text[start:end],
            score=max(scored.score, LOWEST),
            lost=max(unweighed.score, LOWEST) - max(scored.score, LOWEST),
            alone=scored.alone,
            total=passage.reading.relevance + max(scored.score, LOWEST),
            is_expected=any(place.is_at(id, unit.start, unit.end) for place in places),
            is_quoted=any(place.is_at(id, unit.start, unit.end) for place in quoted),
        )


def _written(course: Course, found: _Found) -> Iterator[WrittenSentence]:
    for step in course.written:
        is_expected = any(course.is_written(step, place, words.text) for words, places in found for place in places)
        yield WrittenSentence(_text(step), _outcome(step), _support(step), is_expected)


def _text(step: Checked) -> str:
    return step.outcome.sentence.text if isinstance(step.outcome, CheckedSentence) else step.draft.text


def _outcome(step: Checked) -> str:
    return "shown" if isinstance(step.outcome, CheckedSentence) else step.outcome.reason


def _support(step: Checked) -> float | None:
    return step.outcome.sentence.support if isinstance(step.outcome, CheckedSentence) else step.outcome.support
