"""GET /v1/answers/stale and /v1/gaps: which answers rest on replaced documents, and what the documents do not say."""

from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from service.access.caller import Scope
from service.api.dependencies import TheSession, needs
from service.api.problems import problem_responses
from service.audit.gaps import csv_lines
from service.schemas.base import CollectionName
from service.schemas.upkeep import GapsResponse, GapTopicOut, StaleAnswerOut, StaleAnswersResponse
from service.session.session import Session

_ERRORS = problem_responses(HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)

router = APIRouter(tags=["conversations"])


@router.get("/v1/answers/stale", summary="List stale answers", responses=_ERRORS, dependencies=[needs(Scope.ASK)])
async def stale_answers(
    session: TheSession,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    everyone: Annotated[bool, Query(description="answers of every key, for the scope `admin`")] = False,
) -> StaleAnswersResponse:
    """Answers that cite a document version which was replaced or removed, newest first, with what stands there now."""
    if everyone:
        session.caller.require(Scope.ADMIN)
    return await session.compute(partial(_stale_answers, session, limit, everyone))


@router.get(
    "/v1/gaps",
    response_model=GapsResponse,
    summary="List what the documents do not say",
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}, "example": "topic,question,...\n"}}},
        **_ERRORS,
    },
    dependencies=[needs(Scope.ADMIN)],
)
async def gaps(
    session: TheSession,
    collection: Annotated[CollectionName | None, Query()] = None,
    days: Annotated[int | None, Query(ge=1, le=36_500, description="only of so many last days")] = None,
    format: Annotated[Literal["json", "csv"], Query()] = "json",
) -> GapsResponse | Response:
    """Refused and badly rated questions, counted, grouped by topic, with the passages that came nearest."""
    since = None if days is None else datetime.now(UTC) - timedelta(days=days)
    topics = await session.compute(partial(session.gaps, collection, since))
    if format == "csv":
        disposition = {"Content-Disposition": 'attachment; filename="gaps.csv"'}
        return Response(csv_lines(topics), media_type="text/csv; charset=utf-8", headers=disposition)
    return GapsResponse(topics=tuple(map(GapTopicOut.of, topics)))


def _stale_answers(session: Session, limit: int, everyone: bool) -> StaleAnswersResponse:
    ids = [id for ids in session.stale_answer_ids(everyone=everyone).values() for id in ids]
    answers = [session.stored(id, everyone=everyone) for id in ids]
    visible = sorted(filter(session.may_see, answers), key=lambda stored: stored.created_at, reverse=True)
    return StaleAnswersResponse(
        answers=tuple(StaleAnswerOut.of(stored, session.stale_citations(stored)) for stored in visible[:limit]),
        total=len(visible),
    )
