"""POST /v1/search: find passages, without an answer."""

from functools import partial
from http import HTTPStatus

from fastapi import APIRouter

from index.records import Hit
from service.access.caller import Scope
from service.api.dependencies import TheSession, needs
from service.api.problems import problem_responses
from service.schemas.search import PassageOut, SearchRequest, SearchResponse
from service.session.session import Session

router = APIRouter(tags=["passages"], dependencies=[needs(Scope.ASK)])


@router.post(
    "/v1/search",
    summary="Find passages",
    responses=problem_responses(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def search(body: SearchRequest, session: TheSession) -> SearchResponse:
    """The passages that fit the query best, by meaning and by words, reordered by the reader."""
    hits = await session.compute(partial(_search, body, session))
    return SearchResponse(hits=tuple(PassageOut.of(hit) for hit in hits))


def _search(body: SearchRequest, session: Session) -> list[Hit]:
    settings = session.service.settings
    return session.collection(body.collection).search(
        body.query,
        k=body.k,
        where=session.where(None if body.filter is None else body.filter.to_filter()),
        reranker=session.service.reader if settings.rerank else None,
        depth=max(settings.rerank_depth, body.k),
    )
