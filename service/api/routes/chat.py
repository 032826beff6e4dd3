"""POST /v1/chat: answer a question, whole or as server-sent events."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.sse import EventSourceResponse, format_sse_event
from pydantic import BaseModel

from service.access.caller import Scope
from service.answering.answerer import AnswerReady, Event, PassagesFound, SentenceReady
from service.answering.trace import Trace
from service.api.dependencies import STREAM_HEADERS, TheSession, needs, wait_for_disconnect
from service.api.openapi import event_stream
from service.api.problems import problem_responses, stream_problem
from service.explaining.explain import Asked, explain
from service.records import Answer, Question
from service.schemas.answers import AnswerOut, ChatRequest, ExplainedAnswerOut, PassagesEvent, SentenceEvent
from service.schemas.explanations import ExplanationOut
from service.schemas.search import PassageOut
from service.session.session import Session
from service.session.stream import answer_question, stream_answer

router = APIRouter(tags=["answers"], dependencies=[needs(Scope.ASK)])

_STREAM = {
    "text/event-stream": event_stream(
        {
            "passages": "PassagesEvent",
            "sentence": "SentenceEvent",
            "answer": "AnswerOut",
            "explanation": "ExplanationOut",
            "error": "Problem",
        },
        'event: sentence\ndata: {"sentence": {"text": "...", "citations": [1], "supported": true, "support": 1.0}, '
        '"citations": [...]}\n\n',
    )
}


@router.post(
    "/v1/chat",
    response_model=ExplainedAnswerOut,
    summary="Ask a question",
    responses={
        200: {"content": _STREAM},
        **problem_responses(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
    },
)
async def chat(body: ChatRequest, request: Request, session: TheSession) -> ExplainedAnswerOut | EventSourceResponse:
    """Answer from the collection's documents; every sentence quotes its source. A refusal is an answer too (`refused`).

    With `why`, the answer is explained: where each passage ranks, how its units score, and what the confidence comes from.
    """
    if body.why is not None:
        session.caller.require(Scope.ADMIN)
    question = await session.run_io(partial(_question, body, session))
    trace = None if body.why is None else Trace()
    if not body.stream:
        answer = await answer_question(question, session, partial(wait_for_disconnect, request), trace)
        explanation = await _explanation(body, question, answer, session, trace)
        return ExplainedAnswerOut.of(answer).model_copy(update={"explanation": explanation})
    # An error before the first event gives an ordinary error response. Later the status line has been sent.
    events = await stream_answer(question, session, trace)
    explaining = partial(_explanation, body, question, session=session, trace=trace)
    return EventSourceResponse(_relay(events, request, explaining), headers=STREAM_HEADERS)


async def _explanation(
    body: ChatRequest, question: Question, answer: Answer, session: Session, trace: Trace | None
) -> ExplanationOut | None:
    """Why the answer is as it is; None if the request does not ask."""
    if body.why is None or trace is None:
        return None
    collection = session.collection(question.collection)
    expected, is_answerable = body.why.to_words(), body.why.answerable
    asked = Asked(trace, answer, session.service.answerer, collection, expected, is_answerable)
    return ExplanationOut.of(await session.compute(partial(explain, asked)))


def _question(body: ChatRequest, session: Session) -> Question:
    return Question(
        text=body.question,
        collection=session.collection_name(body.collection),
        principals=session.caller.principals,
        conversation_id=body.conversation_id,
        history=session.history(body.conversation_id),
        generator=body.generator,
        top_k=body.top_k,
        as_typed=body.as_typed,
        where=None if body.filter is None else body.filter.to_filter(),
    )


async def _relay(
    events: AsyncGenerator[Event], request: Request, explaining: Callable[[Answer], Awaitable[ExplanationOut | None]]
) -> AsyncIterator[bytes]:
    """The events as bytes. When the caller disconnects, this generator is cancelled and the work stops."""
    async with aclosing(events):
        try:
            async for event in events:
                yield _bytes(event)
                if isinstance(event, AnswerReady) and (explanation := await explaining(event.answer)):
                    yield _event("explanation", explanation)
        except Exception as error:  # noqa: BLE001  (reported and logged)
            # The status line has been sent, so the error travels as an event.
            yield _event("error", stream_problem(error, request))


def _bytes(event: Event) -> bytes:
    match event:
        case PassagesFound(passages):
            return _event("passages", PassagesEvent(passages=tuple(PassageOut.of(hit) for hit in passages)))
        case SentenceReady():
            return _event("sentence", SentenceEvent.model_validate(event))
        case AnswerReady(answer):
            return _event("answer", AnswerOut.of(answer))


def _event(name: str, data: BaseModel) -> bytes:
    # ASCII: clients that split lines the Python way would break at U+2028 or U+0085 inside a quote.
    return format_sse_event(event=name, data_str=data.model_dump_json(ensure_ascii=True))
