"""POST /v1/chat: a question in, an answer out, whole or as it comes about."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import partial
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.sse import EventSourceResponse, format_sse_event
from pydantic import BaseModel

from service.access.caller import Scope
from service.answering.answerer import AnswerReady, Event, PassagesFound, SentenceReady
from service.api.dependencies import STREAM_HEADERS, TheSession, needs, wait_for_disconnect
from service.api.openapi import event_stream
from service.api.problems import documented, told_in_stream
from service.records import Question
from service.schemas.answers import AnswerOut, ChatRequest, PassagesEvent, SentenceEvent
from service.schemas.search import PassageOut
from service.session.session import Session
from service.session.stream import answer_question, stream_answer

router = APIRouter(tags=["answers"], dependencies=[needs(Scope.ASK)])

_STREAM = {
    "text/event-stream": event_stream(
        {"passages": "PassagesEvent", "sentence": "SentenceEvent", "answer": "AnswerOut", "error": "Problem"},
        'event: sentence\ndata: {"sentence": {"text": "...", "citations": [1], "supported": true, "support": 1.0}, '
        '"citations": [...]}\n\n',
    )
}


@router.post(
    "/v1/chat",
    response_model=AnswerOut,
    summary="Ask a question",
    responses={
        200: {"content": _STREAM},
        **documented(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
    },
)
async def chat(body: ChatRequest, request: Request, session: TheSession) -> AnswerOut | EventSourceResponse:
    """Answer from the collection's documents; every sentence quotes its source. A refusal is an answer too (`refused`)."""
    question = await session.read(partial(_question, body, session))
    if not body.stream:
        return AnswerOut.of(await answer_question(question, session, partial(wait_for_disconnect, request)))
    # What fails before the first event is an ordinary error response; after it the status line is out.
    events = await stream_answer(question, session)
    return EventSourceResponse(_relay(events, request), headers=STREAM_HEADERS)


def _question(body: ChatRequest, session: Session) -> Question:
    return Question(
        text=body.question,
        collection=session.named(body.collection),
        principals=session.caller.principals,
        conversation_id=body.conversation_id,
        history=session.history(body.conversation_id),
        generator=body.generator,
        top_k=body.top_k,
        where=None if body.filter is None else body.filter.chosen(),
    )


async def _relay(events: AsyncGenerator[Event], request: Request) -> AsyncIterator[bytes]:
    """Each event as it comes. When the caller goes away, this generator is cancelled and the answering stops."""
    async with aclosing(events):
        try:
            async for event in events:
                yield _wire(event)
        except Exception as error:  # noqa: BLE001  (told and logged)
            # The status line is out, so whatever broke has to travel as an event.
            yield _named("error", told_in_stream(error, request))


def _wire(event: Event) -> bytes:
    match event:
        case PassagesFound(passages):
            return _named("passages", PassagesEvent(passages=tuple(PassageOut.of(hit) for hit in passages)))
        case SentenceReady():
            return _named("sentence", SentenceEvent.model_validate(event))
        case AnswerReady(answer):
            return _named("answer", AnswerOut.of(answer))


def _named(name: str, data: BaseModel) -> bytes:
    # ASCII: clients that split lines the Python way would break at U+2028 or U+0085 inside a quote.
    return format_sse_event(event=name, data_str=data.model_dump_json(ensure_ascii=True))
