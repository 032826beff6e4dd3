"""/v1/conversations and /v1/answers: read, rename, delete and export conversations, and read single answers."""

from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from service.access.caller import Scope
from service.api import openapi
from service.api.dependencies import TheSession, needs
from service.api.problems import problem_responses
from service.records import StaleCitation
from service.schemas.answers import StoredAnswerOut
from service.schemas.base import Words
from service.schemas.conversations import (
    ConversationOut,
    ConversationResponse,
    ConversationsResponse,
    RenameRequest,
    json_lines,
)
from service.session.session import Session
from service.storage.conversation_list import PAGE, Conversation
from service.storage.conversations import StoredAnswer
from service.storage.export import markdown

router = APIRouter(tags=["conversations"], dependencies=[needs(Scope.ASK)])
_ERRORS = problem_responses(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)
_MEDIA = {"jsonl": "application/jsonl", "markdown": "text/markdown; charset=utf-8"}


@router.get(
    "/v1/conversations",
    summary="List conversations",
    responses=problem_responses(HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def conversations(
    session: TheSession,
    limit: Annotated[int, Query(ge=1, le=200)] = PAGE,
    cursor: Annotated[str | None, Query(max_length=400, description="`next_cursor` of the page before")] = None,
    words: Annotated[Words, Query(max_length=200, description="words that the title or a question must hold")] = "",
) -> ConversationsResponse:
    """The caller's conversations in pages, the most recently used first."""
    work = partial(session.conversations.page, limit, cursor, words=words, owner=session.caller.owner)
    page = await session.run_io(work)
    ids = [conversation.id for conversation in page.conversations]
    stale = await session.run_io(partial(session.stale_answer_ids, ids))
    records = tuple(
        ConversationOut.of(conversation, len(stale.get(conversation.id, ()))) for conversation in page.conversations
    )
    return ConversationsResponse(conversations=records, next_cursor=page.next_cursor)


@router.get("/v1/conversations/{conversation_id}", summary="Read a conversation", responses=_ERRORS)
async def conversation(conversation_id: str, session: TheSession) -> ConversationResponse:
    """The answers of a conversation, oldest first."""
    conversation, answers, stale = await session.run_io(partial(_conversation_with_answers, conversation_id, session))
    return ConversationResponse.of(conversation, answers, stale)


@router.patch("/v1/conversations/{conversation_id}", summary="Rename a conversation", responses=_ERRORS)
async def rename(conversation_id: str, body: RenameRequest, session: TheSession) -> ConversationOut:
    """Give a conversation another title."""
    work = partial(session.conversations.rename, conversation_id, body.title, owner=session.caller.owner)
    return ConversationOut.of(await session.run_io(work))


@router.delete(
    "/v1/conversations/{conversation_id}",
    summary="Delete a conversation",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_ERRORS,
)
async def delete(conversation_id: str, session: TheSession) -> None:
    """Delete a conversation with its answers and their feedback. This cannot be undone."""
    await session.run_io(partial(session.conversations.delete, conversation_id, owner=session.caller.owner))


@router.get(
    "/v1/conversations/{conversation_id}/export",
    summary="Export a conversation",
    response_class=Response,
    responses={
        200: {
            "content": {
                _MEDIA["jsonl"]: openapi.JSON_LINES,
                _MEDIA["markdown"]: {
                    "schema": {"type": "string"},
                    "example": "# How many attacks?\n\nAt least six. [1]\n",
                },
            }
        },
        **_ERRORS,
    },
)
async def export(
    conversation_id: str,
    session: TheSession,
    format: Annotated[
        Literal["jsonl", "markdown"],
        Query(description="`jsonl`: one answer a line, whole; `markdown`: to be read, with its quotes"),
    ] = "jsonl",
) -> Response:
    """A conversation as a file."""
    conversation, answers, stale = await session.run_io(partial(_conversation_with_answers, conversation_id, session))
    write = json_lines if format == "jsonl" else markdown
    body = write(conversation, answers, stale)
    name = f"conversation-{conversation.created_at:%Y-%m-%d}.{'jsonl' if format == 'jsonl' else 'md'}"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=_MEDIA[format], headers=disposition)


@router.get("/v1/answers/{answer_id}", summary="Read an answer", responses=_ERRORS)
async def answer(answer_id: str, session: TheSession) -> StoredAnswerOut:
    """One answer as it was given, with every quote and offset."""
    return await session.run_io(partial(_answer, answer_id, session))


def _answer(answer_id: str, session: Session) -> StoredAnswerOut:
    stored = session.answer(answer_id)
    return StoredAnswerOut.of(stored, session.stale_citations(stored))


def _conversation_with_answers(
    conversation_id: str, session: Session
) -> tuple[Conversation, tuple[StoredAnswer, ...], Mapping[str, Sequence[StaleCitation]]]:
    conversation = session.conversations.get(conversation_id, owner=session.caller.owner)
    answers = session.answers(conversation_id)
    return conversation, answers, session.stale_by_answer(answers)
