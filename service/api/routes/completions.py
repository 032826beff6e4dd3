"""POST /v1/chat/completions and GET /v1/models: compatible with OpenAI, so that any chat program can ask.

The model is a collection: its name, or `quoth` for the default one. The text has markers, notes and a list of sources. The
field `quoth` holds the whole Answer; in a stream, the last chunk with a choice has it. What a chat front end asks by itself,
such as a title for the conversation, is answered without the documents (service/api/front_end_tasks.py).
"""

import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import aclosing
from functools import partial
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response, StreamingResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from index.errors import CollectionMissing, IndexingError
from service.access.caller import Scope
from service.answering.answerer import AnswerReady, Event, SentenceReady
from service.answering.citations import with_markers
from service.api.dependencies import STREAM_HEADERS, TheSession, needs, wait_for_disconnect
from service.api.front_end_tasks import front_end_reply
from service.api.openapi import event_stream
from service.api.problems import problem_responses, respond, stream_problem
from service.api.schemas.openai import (
    DEFAULT_MODEL,
    CompletionChoice,
    CompletionMessage,
    CompletionOut,
    CompletionRequest,
    CompletionUsageOut,
    JsonAnswer,
    Message,
    ModelOut,
    ModelsOut,
)
from service.errors import QuestionInvalid, ServiceError
from service.records import Answer, Question, Turn
from service.schemas.answers import AnswerOut
from service.session.session import Session
from service.session.stream import answer_question, stream_answer
from service.text.plain import with_sources, without_sources

log = structlog.get_logger(__name__)
_DONE = b"data: [DONE]\n\n"
_EXPECTED = (RequestValidationError, HTTPException, ServiceError, IndexingError)


class _OpenAIRoute(APIRoute):
    """Adds the member `error` to every problem: OpenAI's clients read the message there."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_with_error(request: Request) -> Response:
            try:
                return await handle(request)
            except _EXPECTED as error:
                response = respond(error, request)
                problem = json.loads(bytes(response.body))
                content = json.dumps(
                    {**problem, "error": _error(problem["detail"], problem["code"], response.status_code)}
                )
                headers = {name: value for name, value in response.headers.items() if name != "content-length"}
                return Response(content, response.status_code, headers)

        return handle_with_error


router = APIRouter(tags=["openai"], route_class=_OpenAIRoute, dependencies=[needs(Scope.ASK)])


@router.get("/v1/models", summary="List models")
async def models(session: TheSession) -> ModelsOut:
    """What can be asked: `quoth`, which is the default collection if there is one, and every collection that opens, by name."""
    return ModelsOut(data=tuple(ModelOut(id=name) for name in await session.run_io(partial(_models, session))))


@router.get(
    "/v1/models/{model}",
    summary="Read a model",
    responses=problem_responses(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY),
)
async def model(model: str, session: TheSession) -> ModelOut:
    """One of the models."""
    names = await session.run_io(partial(_models, session))
    if model not in names:
        raise CollectionMissing(f"No model or collection is named {model!r}. There are: {', '.join(names)}.")
    return ModelOut(id=model)


@router.post(
    "/v1/chat/completions",
    response_model=CompletionOut,
    summary="Ask like an OpenAI model",
    responses={
        200: {"content": {"text/event-stream": event_stream({"": ""}, "data: {...}\n\ndata: [DONE]\n\n")}},
        **problem_responses(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
    },
)
async def completions(
    body: CompletionRequest, request: Request, session: TheSession
) -> CompletionOut | StreamingResponse:
    """Answer the last message from the documents of the collection that `model` names; earlier messages are the history.

    A title for the conversation, and what else a chat front end asks by itself, is answered without the documents.
    """
    collection = await session.run_io(partial(_collection, body.model, session))
    reply = front_end_reply(body)
    if reply is not None:
        log.info("front end task answered", collection=collection)
        return _task_completion(reply, body, request)
    question = _question(body, collection, session)
    if not body.stream:
        return _completion(await answer_question(question, session, partial(wait_for_disconnect, request)), body)
    events = await stream_answer(question, session)
    return StreamingResponse(_relay(events, body, request), media_type="text/event-stream", headers=STREAM_HEADERS)


def _models(session: Session) -> list[str]:
    names = [name for name in session.collection_names() if _opens(name, session)]
    default = [DEFAULT_MODEL] if session.default_collection in names else []
    return list(dict.fromkeys([*default, *names]))


def _opens(name: str, session: Session) -> bool:
    try:
        session.collection(name)
    except IndexingError as error:
        log.warning("not a model: the collection does not open", collection=name, detail=str(error))
        return False
    return True


def _collection(model: str, session: Session) -> str:
    default = model == DEFAULT_MODEL and DEFAULT_MODEL not in session.collection_names()
    return session.collection_name(None if default else model)


def _question(body: CompletionRequest, collection: str, session: Session) -> Question:
    if body.response_format is not None and body.response_format.type not in ("text", "json_object"):
        problem = f"{body.response_format.type!r} is no form that an answer can take; send 'json_object' or 'text'"
        raise RequestValidationError([{"type": "value_error", "loc": ("response_format", "type"), "msg": problem}])
    *before, last = _turns_only(body.messages)
    if last.role != "user":
        raise QuestionInvalid(f"The last message is from {last.role!r}. End with the question, a message of 'user'.")
    return Question(
        text=last.text,
        collection=collection,
        principals=session.caller.principals,
        history=_history(before),
        as_typed=body.as_typed,
    )


def _turns_only(messages: Sequence[Message]) -> list[Message]:
    """The messages up to the last one that a person or the assistant says something in; the whole list if there is none.

    What follows it - results of tools, calls of tools, instructions, an empty message to be filled - is not a turn.
    """
    kept = list(messages)
    while kept and kept[-1].role != "user" and not kept[-1].is_reply:
        kept.pop()
    return kept or list(messages)


def _history(messages: Sequence[Message]) -> tuple[Turn, ...]:
    """Each question of the user with the assistant's last words on it, oldest first. A message without text is no question."""
    turns: list[Turn] = []
    for message in messages:
        if message.role == "user":
            turns.append(Turn(message.text, ""))
        elif message.role == "assistant" and turns and message.text.strip():
            turns[-1] = Turn(turns[-1].question, without_sources(message.text))
    return tuple(turn for turn in turns if turn.question.strip())


def _completion(answer: Answer, body: CompletionRequest) -> CompletionOut:
    return CompletionOut(
        id=_id(answer),
        created=int(time.time()),
        model=body.model,
        choices=(CompletionChoice(message=CompletionMessage(content=_text(answer, body))),),
        usage=_usage(answer),
        quoth=AnswerOut.of(answer),
    )


def _text(answer: Answer, body: CompletionRequest) -> str:
    return JsonAnswer.of(answer).model_dump_json() if body.wants_json else with_sources(answer)


def _task_completion(reply: str, body: CompletionRequest, request: Request) -> CompletionOut | StreamingResponse:
    """The reply to a front end's own task, whole or as a stream."""
    head = _head(body, request)
    usage = CompletionUsageOut(prompt_tokens=0, completion_tokens=0, total_tokens=0)
    if body.stream:
        words = _chunk(head, _choice({"role": "assistant", "content": reply}))
        chunks = [words, *_last_chunks(head, {}, usage, body), _DONE]
        return StreamingResponse(iter(chunks), media_type="text/event-stream", headers=STREAM_HEADERS)
    choice = CompletionChoice(message=CompletionMessage(content=reply))
    return CompletionOut(
        id=head["id"], created=head["created"], model=body.model, choices=(choice,), usage=usage, quoth=None
    )


async def _relay(events: AsyncGenerator[Event], body: CompletionRequest, request: Request) -> AsyncIterator[bytes]:
    """Chunks: the role, each checked sentence with its markers, then the notes and sources, and the usage if wanted."""
    head = _head(body, request)
    sent = ""
    async with aclosing(events):
        try:
            yield _chunk(head, _choice({"role": "assistant", "content": ""}))
            async for event in events:
                if isinstance(event, SentenceReady) and not body.wants_json:
                    words = with_markers(event.sentence.text, event.sentence.citations)
                    piece = f" {words}" if sent else words
                    sent += piece
                    yield _chunk(head, _choice({"content": piece}))
                elif isinstance(event, AnswerReady):
                    for chunk in _closing_chunks(head, event.answer, sent, body):
                        yield chunk
            yield _DONE
        except Exception as error:  # noqa: BLE001  (reported and logged)
            # The status line has been sent, so the error travels as a chunk.
            problem = stream_problem(error, request)
            yield _data({"error": _error(problem.detail, problem.code, problem.status)})


def _closing_chunks(head: dict[str, Any], answer: Answer, sent: str, body: CompletionRequest) -> list[bytes]:
    unsent = _text(answer, body)[len(sent) :]
    rest = [_chunk(head, _choice({"content": unsent}))] if unsent else []
    return [*rest, *_last_chunks(head, {"quoth": AnswerOut.of(answer).model_dump(mode="json")}, _usage(answer), body)]


def _last_chunks(
    head: dict[str, Any], more: dict[str, Any], usage: CompletionUsageOut, body: CompletionRequest
) -> list[bytes]:
    """The chunk that says why the text ends, with `more`, and the count of tokens if it is wanted."""
    counted = [_chunk(head, {"choices": [], "usage": usage.model_dump()})] if body.wants_usage else []
    return [_chunk(head, {**_choice({}, "stop"), **more}), *counted]


def _head(body: CompletionRequest, request: Request) -> dict[str, Any]:
    # The answer has no id before it is whole, and clients take the id from the first chunk.
    usage = {"usage": None} if body.wants_usage else {}
    return {
        "id": f"chatcmpl-{request.scope['request_id']}",
        "created": int(time.time()),
        "model": body.model,
        **usage,
    }


def _choice(delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}]}


def _chunk(head: dict[str, Any], content: dict[str, Any]) -> bytes:
    return _data({**head, "object": "chat.completion.chunk", **content})


def _data(content: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(content)}\n\n".encode()  # ASCII, without line breaks


def _id(answer: Answer) -> str:
    return f"chatcmpl-{answer.id}"


def _usage(answer: Answer) -> CompletionUsageOut:
    prompt, completion = answer.usage.prompt_tokens, answer.usage.completion_tokens
    return CompletionUsageOut(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)


def _error(message: str, code: str, status: int) -> dict[str, str | None]:
    kind = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    return {"message": message, "type": kind, "code": code, "param": None}
