"""POST /v1/chat/completions and GET /v1/models: compatible with OpenAI, so that any chat program can ask.

The model is a collection: its name, or `quoth` for the default one. The text has markers and a list of sources. The field
`quoth` holds the whole Answer; in a stream, the last chunk with a choice has it.
"""

import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import aclosing
from functools import partial
from http import HTTPStatus
from typing import Any

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
from service.api.openapi import event_stream
from service.api.problems import problem_responses, respond, stream_problem
from service.api.schemas.openai import (
    DEFAULT_MODEL,
    CompletionChoice,
    CompletionMessage,
    CompletionOut,
    CompletionRequest,
    CompletionUsageOut,
    Message,
    ModelOut,
    ModelsOut,
)
from service.errors import QuestionInvalid, ServiceError
from service.records import Answer, Question, Turn
from service.schemas.answers import AnswerOut
from service.session.session import Session
from service.session.stream import answer_question, stream_answer
from service.text.plain import source_list, with_sources, without_sources

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
    """`quoth`, which is the default collection, and every collection by its name."""
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
    """Answer the last message from the documents of the collection that `model` names; earlier messages are the history."""
    question = await session.run_io(partial(_question, body, session))
    if not body.stream:
        return _completion(await answer_question(question, session, partial(wait_for_disconnect, request)), body.model)
    events = await stream_answer(question, session)
    return StreamingResponse(_relay(events, body, request), media_type="text/event-stream", headers=STREAM_HEADERS)


def _models(session: Session) -> list[str]:
    return list(dict.fromkeys([DEFAULT_MODEL, *session.collection_names()]))


def _question(body: CompletionRequest, session: Session) -> Question:
    default = body.model == DEFAULT_MODEL and DEFAULT_MODEL not in session.collection_names()
    *before, last = body.messages
    if last.role != "user":
        raise QuestionInvalid(f"The last message is from {last.role!r}. End with the question, a message of 'user'.")
    return Question(
        text=last.text,
        collection=session.collection_name(None if default else body.model),
        principals=session.caller.principals,
        history=_history(before),
    )


def _history(messages: Sequence[Message]) -> tuple[Turn, ...]:
    """Each message of the user with the assistant's reply, oldest first."""
    turns: list[Turn] = []
    for message in messages:
        if message.role == "user":
            turns.append(Turn(message.text, ""))
        elif message.role == "assistant" and turns:
            turns[-1] = Turn(turns[-1].question, without_sources(message.text))
    return tuple(turns)


def _completion(answer: Answer, model: str) -> CompletionOut:
    return CompletionOut(
        id=_id(answer),
        created=int(time.time()),
        model=model,
        choices=(CompletionChoice(message=CompletionMessage(content=with_sources(answer))),),
        usage=_usage(answer),
        quoth=AnswerOut.of(answer),
    )


async def _relay(events: AsyncGenerator[Event], body: CompletionRequest, request: Request) -> AsyncIterator[bytes]:
    """Chunks: the role, each checked sentence with its markers, the sources with the answer, the usage if wanted."""
    # The answer has no id before it is whole, and clients take the id from the first chunk.
    head = {"id": f"chatcmpl-{request.scope['request_id']}", "created": int(time.time()), "model": body.model}
    sent = ""
    async with aclosing(events):
        try:
            yield _chunk(head, _choice({"role": "assistant", "content": ""}))
            async for event in events:
                if isinstance(event, SentenceReady):
                    words = with_markers(event.sentence.text, event.sentence.citations)
                    piece = f" {words}" if sent else words
                    sent += piece
                    yield _chunk(head, _choice({"content": piece}))
                elif isinstance(event, AnswerReady):
                    for chunk in _closing_chunks(head, event.answer, sent, body):
                        yield chunk
            yield b"data: [DONE]\n\n"
        except Exception as error:  # noqa: BLE001  (reported and logged)
            # The status line has been sent, so the error travels as a chunk.
            problem = stream_problem(error, request)
            yield _data({"error": _error(problem.detail, problem.code, problem.status)})


def _closing_chunks(head: dict[str, Any], answer: Answer, sent: str, body: CompletionRequest) -> list[bytes]:
    sources = source_list(answer)
    rest = answer.text[len(sent) :] + (f"\n\n{sources}" if sources else "")
    usage = {"usage": _usage(answer).model_dump()}
    wanted = body.stream_options is not None and body.stream_options.include_usage
    whole = {"quoth": AnswerOut.of(answer).model_dump(mode="json")}
    last = _chunk(head, {**_choice({}, "stop"), **whole})
    counted = [_chunk(head, {"choices": [], **usage})] if wanted else []
    return [_chunk(head, _choice({"content": rest})), last, *counted] if rest else [last, *counted]


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
