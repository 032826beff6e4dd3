"""POST and GET /v1/feedback: ratings of answers, and their export for `quoth eval harvest`."""

from functools import partial
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import Field

from service.access.caller import Scope
from service.api import openapi
from service.api.dependencies import TheSession, needs
from service.api.problems import problem_responses
from service.schemas.base import Record, Request, Words
from service.storage.conversations import ANYBODY
from service.storage.export import feedback_lines
from service.storage.feedback import Feedback, Rating

MAX_COMMENT = 4000
DEFAULT_LIMIT = 100
JSON_LINES = "application/jsonl"

router = APIRouter(tags=["answers"], dependencies=[needs(Scope.ASK)])


class FeedbackRequest(Request):
    """A thumb up or down for an answer, or for one sentence of it."""

    answer_id: Words = Field(max_length=64)
    rating: Rating
    sentence: int | None = Field(
        None, ge=0, le=100_000, description="index into `sentences`; the whole answer when left out"
    )
    comment: Words = Field("", max_length=MAX_COMMENT, description="what is wrong, or right, in words")
    label: Words = Field("", max_length=100, description="who says so, as your program knows them; proves nothing")


class FeedbackOut(Record):
    """Stored feedback; `created_at` is UTC, ISO 8601."""

    id: str
    answer_id: str
    sentence: int | None
    rating: Rating
    comment: str
    label: str
    created_at: str

    @classmethod
    def of(cls, feedback: Feedback) -> "FeedbackOut":
        """The record of stored feedback."""
        return cls(
            id=feedback.id,
            answer_id=feedback.answer_id,
            sentence=feedback.sentence,
            rating=feedback.rating,
            comment=feedback.comment,
            label=feedback.label,
            created_at=feedback.created_at.isoformat(),
        )


class FeedbackResponse(Record):
    """Feedback, oldest first."""

    feedback: tuple[FeedbackOut, ...]


@router.post(
    "/v1/feedback",
    status_code=HTTPStatus.CREATED,
    summary="Rate an answer",
    responses=problem_responses(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def rate(body: FeedbackRequest, session: TheSession) -> FeedbackOut:
    """Store a rating. A second rating of the same answer is stored beside the first; the later one counts."""
    await session.run_io(partial(session.answer, body.answer_id))
    rating = (body.answer_id, body.rating, body.sentence, body.comment, body.label)
    return FeedbackOut.of(await session.run_io(partial(session.feedback.rate, *rating, owner=session.caller.owner)))


@router.get(
    "/v1/feedback",
    response_model=FeedbackResponse,
    summary="List feedback",
    responses={
        200: {"content": {JSON_LINES: openapi.JSON_LINES}},
        **problem_responses(HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
    },
)
async def feedback(
    session: TheSession,
    answer_id: Annotated[Words | None, Query(max_length=64)] = None,
    conversation_id: Annotated[Words | None, Query(max_length=64)] = None,
    rating: Annotated[Rating | None, Query()] = None,
    limit: Annotated[
        int | None, Query(ge=1, le=1000, description=f"{DEFAULT_LIMIT} when left out; an export is whole then")
    ] = None,
    offset: Annotated[int, Query(ge=0, le=2**62)] = 0,
    format: Annotated[
        Literal["json", "jsonl"], Query(description="`jsonl`: with the answers, for `quoth eval harvest`")
    ] = "json",
    everyone: Annotated[bool, Query(description="feedback of every key; needs the scope `admin`")] = False,
) -> FeedbackResponse | Response:
    """Feedback, oldest first, from `offset` on. `format=jsonl` gives it with its answers, one JSON object a line."""
    if everyone:
        session.caller.require(Scope.ADMIN)
    limit = limit or (DEFAULT_LIMIT if format == "json" else None)
    work = partial(
        session.feedback.feedback,
        answer_id,
        rating,
        limit,
        offset,
        conversation_id=conversation_id,
        owner=ANYBODY if everyone else session.caller.owner,
    )
    ratings = await session.run_io(work)
    if format == "json":
        return FeedbackResponse(feedback=tuple(map(FeedbackOut.of, ratings)))
    lines = await session.run_io(lambda: "".join(f"{line}\n" for line in feedback_lines(ratings, session.exchange)))
    return Response(lines, media_type=JSON_LINES)
