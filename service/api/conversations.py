"""GET /v1/conversations/{id} and /v1/answers/{id}: what was answered before, exactly as it was."""

from functools import partial
from http import HTTPStatus

from fastapi import APIRouter

from service.api.parts import TheParts
from service.api.problems import documented
from service.api.schemas import ConversationOut, StoredAnswerOut

router = APIRouter(tags=["answers"])
_ERRORS = documented(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)


@router.get("/v1/conversations/{conversation_id}", summary="Read a conversation", responses=_ERRORS)
async def conversation(conversation_id: str, parts: TheParts) -> ConversationOut:
    """The answers of a conversation, oldest first."""
    answers = await parts.read(partial(parts.store.answers, conversation_id))
    return ConversationOut(id=conversation_id, answers=tuple(StoredAnswerOut.of(stored) for stored in answers))


@router.get("/v1/answers/{answer_id}", summary="Read an answer", responses=_ERRORS)
async def answer(answer_id: str, parts: TheParts) -> StoredAnswerOut:
    """One answer as it was given, with every quote and offset."""
    return StoredAnswerOut.of(await parts.read(partial(parts.store.answer, answer_id)))
