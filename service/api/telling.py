"""An answer as it comes about, for any door that streams: keeps it when it is whole, stops the work when the caller goes."""

from collections.abc import AsyncGenerator, Iterator
from functools import partial

import structlog
from anyio import CancelScope

from service.answering import AnswerReady, Event
from service.api.parts import Parts
from service.records import Answer, Question

STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
log = structlog.get_logger(__name__)


def keep(answer: Answer, question: Question, parts: Parts) -> None:
    """Store the answer, then say so in the log: what was asked and quoted stays out of it."""
    parts.store.append(answer, question.collection)
    log.info(
        "answered",
        answer_id=answer.id,
        collection=question.collection,
        generator=answer.generator,
        refused=answer.refused,
        confidence=round(answer.confidence, 3),
        sentences=len(answer.sentences),
        ms=answer.timings_ms.get("total"),
    )


async def answered(question: Question, parts: Parts) -> Answer:
    """The whole answer, kept."""
    answer = await parts.compute(partial(parts.service.answerer.answer, question))
    await parts.read(partial(keep, answer, question, parts))
    return answer


async def begun(question: Question, parts: Parts) -> AsyncGenerator[Event]:
    """The events of the answer, begun: what fails before the first event is raised here, where a status can still be sent.

    Close the iterator (`contextlib.aclosing`), or cancel the task that reads it, and the answering stops.
    """
    events = parts.service.answerer.stream(question)
    first = await parts.compute(partial(next, events))
    return _told(first, events, question, parts)


async def _told(first: Event, events: Iterator[Event], question: Question, parts: Parts) -> AsyncGenerator[Event]:
    event: Event | None = first
    try:
        while event is not None:
            if isinstance(event, AnswerReady):
                await parts.read(partial(keep, event.answer, question, parts))
            yield event
            event = await parts.compute(partial(next, events, None))
    finally:
        close = getattr(events, "close", None)
        if close is not None:
            with CancelScope(shield=True):
                await parts.read(close)
