"""An answer as it comes about, for any door that streams: keeps it when it is whole, stops the work when the caller goes."""

from asyncio import create_task
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from functools import partial

import structlog
from anyio import CancelScope, current_time
from starlette.requests import ClientDisconnect, Request

from service.answering.answerer import AnswerReady, Event
from service.errors import StoreUnavailable
from service.progress import Stages
from service.records import Answer, Question
from service.session.run import Making
from service.session.session import Parts

NOT_KEPT = (
    "This answer could not be kept: the database of the conversations does not answer. It cannot be opened or rated later, "
    "and a follow-up does not know of it."
)
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
log = structlog.get_logger(__name__)


def keep(answer: Answer, question: Question, parts: Parts) -> Answer:
    """Store the answer, then say so in the log: what was asked and quoted stays out of it.

    An answer that cannot be stored is given all the same, and says so in its notes.
    """
    try:
        template = parts.service.recording
        recording = template.of(question) if template else None
        parts.store.append(answer, question.collection, recording, owner=parts.caller.owner)
    except StoreUnavailable as error:
        log.warning("answer not kept", answer_id=answer.id, detail=str(error))
        answer = replace(answer, notes=(*answer.notes, NOT_KEPT))
    parts.metrics.answered(answer)
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


async def answered(question: Question, parts: Parts, request: Request | None = None) -> Answer:
    """The whole answer, kept. Raises ClientDisconnect when the caller of `request` goes away before."""
    making = Making(question, parts.service.answerer)
    until = current_time() + parts.service.settings.answer_timeout_s
    with _counted(making.stages, parts):
        try:
            with parts.running.answering(until):
                answer = await _unless_gone(request, partial(parts.compute, making.whole))
        finally:
            await _ended(making, parts)
        return await parts.read(partial(keep, answer, question, parts))


async def begun(question: Question, parts: Parts) -> AsyncGenerator[Event]:
    """The events of the answer, begun: what fails before the first event is raised here, where a status can still be sent.

    Close the iterator (`contextlib.aclosing`), or cancel the task that reads it, and the answering stops.
    """
    told = _told(question, parts)
    first = await anext(told)

    async def rest() -> AsyncGenerator[Event]:
        async with aclosing(told):
            yield first
            async for event in told:
                yield event

    return rest()


async def _told(question: Question, parts: Parts) -> AsyncGenerator[Event]:
    making = Making(question, parts.service.answerer)
    until = current_time() + parts.service.settings.answer_timeout_s
    with _counted(making.stages, parts):
        try:
            while True:
                with parts.running.answering(until):
                    event = await parts.compute(making.step)
                if event is None:
                    return
                if isinstance(event, AnswerReady):
                    event = AnswerReady(await parts.read(partial(keep, event.answer, question, parts)))
                yield event
        finally:
            await _ended(making, parts)


async def _ended(making: Making, parts: Parts) -> None:
    with CancelScope(shield=True):
        await parts.read(making.end)


async def _unless_gone(request: Request | None, work: Callable[[], Awaitable[Answer]]) -> Answer:
    """What `work` gives. When the caller goes away before it is done, it is cancelled, and ClientDisconnect raised."""
    if request is None:
        return await work()
    with CancelScope() as scope:
        listener = create_task(_listen(request, scope))
        try:
            return await work()
        finally:
            listener.cancel()
    raise ClientDisconnect


async def _listen(request: Request, scope: CancelScope) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


@contextmanager
def _counted(stages: Stages, parts: Parts) -> Iterator[None]:
    """Count and trace what becomes of a question; a whole answer is counted where it is kept."""
    outcome = "abandoned"
    try:
        yield
        outcome = "answered"
    except ClientDisconnect:
        parts.metrics.abandoned()
        raise
    except Exception:
        outcome = "failed"
        parts.metrics.failed()
        raise
    except BaseException:
        parts.metrics.abandoned()
        raise
    finally:
        parts.metrics.made(stages)
        parts.tracing.answer(stages, outcome)
