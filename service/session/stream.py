"""Answer a question for a door, whole or as a stream; store the answer, and stop the work when the caller goes away."""

from asyncio import create_task
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from functools import partial

import structlog
from anyio import CancelScope, current_time

from service.answering.answerer import AnswerReady, Event
from service.errors import StoreUnavailable
from service.progress import Stages
from service.records import Answer, Question
from service.session.run import AnswerRun
from service.session.session import Session

NOT_KEPT = (
    "This answer could not be kept: the database of the conversations does not answer. It cannot be opened or rated later, "
    "and a follow-up does not know of it."
)
log = structlog.get_logger(__name__)


class CallerGone(Exception):
    """The caller went away before the answer was whole."""


def keep_answer(answer: Answer, question: Question, session: Session) -> Answer:
    """Store the answer and log that it was given, without its question and quotes.

    If the answer cannot be stored, return it with a note that says so.
    """
    try:
        template = session.service.recording
        recording = template.of(question) if template else None
        session.store.append(answer, question.collection, recording, owner=session.caller.owner)
    except StoreUnavailable as error:
        log.warning("answer not kept", answer_id=answer.id, detail=str(error))
        answer = replace(answer, notes=(*answer.notes, NOT_KEPT))
    session.metrics.count_answer(answer)
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
    return answer


async def answer_question(
    question: Question,
    session: Session,
    caller_gone: Callable[[], Awaitable[None]] | None = None,
    stages: Stages | None = None,
) -> Answer:
    """The whole answer, stored. Raises CallerGone, and stops the work, when `caller_gone` returns before it is whole.

    Pass a trace as `stages` to explain the answer afterwards.
    """
    run = AnswerRun(question, session.service.answerer, stages)
    until = current_time() + session.service.settings.answer_timeout_s
    with _record_outcome(run.stages, session):
        try:
            with session.admission.deadline(until):
                answer = await _run_unless_gone(caller_gone, partial(session.compute, run.answer))
        finally:
            await _end_run(run, session)
        return await session.run_io(partial(keep_answer, answer, question, session))


async def stream_answer(question: Question, session: Session, stages: Stages | None = None) -> AsyncGenerator[Event]:
    """The events of the answer, the first one computed: an error before it is raised here, while a status can still be sent.

    Close the iterator (`contextlib.aclosing`) or cancel the task that reads it to stop the work.
    """
    events = _events(question, session, stages)
    first = await anext(events)

    async def from_the_first() -> AsyncGenerator[Event]:
        async with aclosing(events):
            yield first
            async for event in events:
                yield event

    return from_the_first()


async def _events(question: Question, session: Session, stages: Stages | None) -> AsyncGenerator[Event]:
    run = AnswerRun(question, session.service.answerer, stages)
    until = current_time() + session.service.settings.answer_timeout_s
    with _record_outcome(run.stages, session):
        try:
            while True:
                with session.admission.deadline(until):
                    event = await session.compute(run.step)
                if event is None:
                    return
                if isinstance(event, AnswerReady):
                    event = AnswerReady(await session.run_io(partial(keep_answer, event.answer, question, session)))
                yield event
        finally:
            await _end_run(run, session)


async def _end_run(run: AnswerRun, session: Session) -> None:
    with CancelScope(shield=True):
        await session.run_io(run.end)


async def _run_unless_gone(
    caller_gone: Callable[[], Awaitable[None]] | None, work: Callable[[], Awaitable[Answer]]
) -> Answer:
    """The result of `work`. If `caller_gone` returns first, cancel the work and raise CallerGone."""
    if caller_gone is None:
        return await work()
    with CancelScope() as scope:

        async def cancel_when_gone() -> None:
            await caller_gone()
            scope.cancel()

        listener = create_task(cancel_when_gone())
        try:
            return await work()
        finally:
            listener.cancel()
    raise CallerGone


@contextmanager
def _record_outcome(stages: Stages, session: Session) -> Iterator[None]:
    """Count and trace how a question ends. A whole answer is counted where it is stored."""
    outcome = "abandoned"
    try:
        yield
        outcome = "answered"
    except CallerGone:
        session.metrics.count_abandonment()
        raise
    except Exception:
        outcome = "failed"
        session.metrics.count_failure()
        raise
    except BaseException:
        session.metrics.count_abandonment()
        raise
    finally:
        session.metrics.count_stages(stages)
        session.tracing.record_answer(stages, outcome)
