"""POST and GET /v1/feedback: what people think of the answers, and its export for `quoth eval harvest`."""

from functools import partial
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import Field

from service.api.parts import TheParts
from service.api.problems import documented
from service.api.schemas import Record, Request, Words
from service.feedback_export import exported
from service.store import Feedback, Rating

MOST_COMMENT = 4000
LISTED = 100
JSON_LINES = "application/jsonl"

router = APIRouter(tags=["answers"])


class FeedbackRequest(Request):
    """A thumb up or down for an answer, or for one sentence of it."""

    answer_id: Words = Field(max_length=64)
    rating: Rating
    sentence: int | None = Field(
        None, ge=0, le=100_000, description="index into `sentences`; the whole answer when left out"
    )
    comment: Words = Field("", max_length=MOST_COMMENT, description="what is wrong, or right, in words")


class FeedbackOut(Record):
    """Feedback as it is kept; `created_at` is UTC, ISO 8601."""

    id: str
    answer_id: str
    sentence: int | None
    rating: Rating
    comment: str
    created_at: str

    @classmethod
    def of(cls, feedback: Feedback) -> "FeedbackOut":
        """The wire form of feedback."""
        return cls(
            id=feedback.id,
            answer_id=feedback.answer_id,
            sentence=feedback.sentence,
            rating=feedback.rating,
            comment=feedback.comment,
            created_at=feedback.created_at.isoformat(),
        )


class FeedbackResponse(Record):
    """Feedback, oldest first."""

    feedback: tuple[FeedbackOut, ...]


@router.post(
    "/v1/feedback",
    status_code=HTTPStatus.CREATED,
    summary="Rate an answer",
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def rate(body: FeedbackRequest, parts: TheParts) -> FeedbackOut:
    """Keep a rating. A second one of the same answer is kept beside the first; the later one counts."""
    kept = await parts.read(partial(parts.store.rate, body.answer_id, body.rating, body.sentence, body.comment))
    return FeedbackOut.of(kept)


@router.get(
    "/v1/feedback",
    response_model=FeedbackResponse,
    summary="List feedback",
    responses={
        200: {"content": {JSON_LINES: {"schema": {"type": "string"}}}},
        **documented(HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
    },
)
async def feedback(
    parts: TheParts,
    answer_id: Annotated[Words | None, Query(max_length=64)] = None,
    rating: Annotated[Rating | None, Query()] = None,
    limit: Annotated[
        int | None, Query(ge=1, le=1000, description=f"{LISTED} when left out; an export is whole then")
    ] = None,
    offset: Annotated[int, Query(ge=0, le=2**62)] = 0,
    format: Annotated[
        Literal["json", "jsonl"], Query(description="`jsonl`: with the answers, for `quoth eval harvest`")
    ] = "json",
) -> FeedbackResponse | Response:
    """Feedback, oldest first, from `offset` on. `format=jsonl` gives it with its answers, one JSON object a line."""
    most = limit or (LISTED if format == "json" else None)
    found = await parts.read(partial(parts.store.feedback, answer_id, rating, most, offset))
    if format == "json":
        return FeedbackResponse(feedback=tuple(FeedbackOut.of(one) for one in found))
    lines = await parts.read(lambda: "".join(f"{line}\n" for line in exported(found, parts.store)))
    return Response(lines, media_type=JSON_LINES)
