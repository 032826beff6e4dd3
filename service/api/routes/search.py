"""POST /v1/search: find passages, without an answer."""

from functools import partial
from http import HTTPStatus

from fastapi import APIRouter

from service.access.caller import Scope
from service.api.dependencies import TheSession, needs
from service.api.problems import problem_responses
from service.schemas.search import PassageOut, SearchRequest, SearchResponse

router = APIRouter(tags=["passages"], dependencies=[needs(Scope.ASK)])


@router.post(
    "/v1/search",
    summary="Find passages",
    responses=problem_responses(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def search(body: SearchRequest, session: TheSession) -> SearchResponse:
    """The passages that fit the query best, by meaning and by words, reordered by the reader."""
    where = None if body.filter is None else body.filter.to_filter()
    hits = await session.compute(partial(session.search, body.query, body.k, body.collection, where))
    return SearchResponse(hits=tuple(PassageOut.of(hit) for hit in hits))
