"""At which stage a place was lost: the first one that it did not leave.

What a passage lost because it lacks what the question names is given back for a trial: if the place is then given, that is
what lost it.
"""

from dataclasses import replace

from index.search.retrieval import POOL
from service.answering.checking import Rejected
from service.explaining.choices import Course, is_shown
from service.explaining.expected import Place
from service.explaining.explanation import Stage
from service.generators.protocol import Passage

ORDER = tuple(Stage)


def stage_of(place: Place, words: str, course: Course) -> Stage:
    """The stage at which `place`, where the expected `words` stand, was lost."""
    if course.is_cited(place):
        return Stage.NOT_LOST
    if not any(place.is_in(passage.hit) for passage in course.read.passages):
        return _stage_of_unread(place, course)
    written = [step for step in course.written if course.is_written(step, place, words)]
    if written:
        return Stage.CITED_WRONGLY if any(map(is_shown, written)) else Stage.CHECKED_AWAY
    return _stage_of_unwritten(place, course)


def _stage_of_unwritten(place: Place, course: Course) -> Stage:
    if _is_lost_by_constraints(place, course):
        return Stage.CONSTRAINT_UNMET
    is_refused = course.judged.confidence < course.judged.threshold
    is_model_refusing = course.answer.refused and any(step.outcome == Rejected("refusal") for step in course.written)
    if is_model_refusing or (is_refused and course.would_quote(place, course.read.weighed.passages)):
        return Stage.REFUSED
    return Stage.OTHER_UNIT


def _stage_of_unread(place: Place, course: Course) -> Stage:
    if any(place.is_in(hit) for hit in course.searched.hits):
        return Stage.CONSTRAINT_UNMET  # it lacks an identifier of the question that other passages have
    ranks = course.rankings.at(place)
    found = [rank for rank in (ranks.words, ranks.vectors, ranks.fused) if rank is not None]
    return Stage.NOT_READ if min(found, default=POOL + 1) <= POOL else Stage.NOT_RETRIEVED


def _is_lost_by_constraints(place: Place, course: Course) -> bool:
    """Whether the place would be given if its passage, or if all passages, had lost nothing by what the question names."""
    unweighed = {passage.hit.chunk.id: _unweighed(passage) for passage in course.read.passages}
    weighed = {passage.hit.chunk.id: passage for passage in course.read.weighed.passages}
    restored = {id: passage for id, passage in unweighed.items() if place.is_in(passage.hit)}
    if all(weighed[id].reading == passage.reading for id, passage in restored.items()):
        return False
    for passages in ({**weighed, **restored}, unweighed):
        read = list(passages.values())
        if course.confidence(read) >= course.judged.threshold and course.would_quote(place, read):
            return True
    return False


def _unweighed(passage: Passage) -> Passage:
    return Passage(replace(passage.hit, score=passage.reading.relevance), passage.reading)
