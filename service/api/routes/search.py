"""POST /v1/search: passages, without an answer."""

from functools import partial
from http import HTTPStatus

from fastapi import APIRouter

from index.records import Hit
from service.access.caller import Scope
from service.api.dependencies import TheParts, needs
from service.api.problems import documented
from service.api.schemas.search import PassageOut, SearchRequest, SearchResponse
from service.session.session import Parts

router = APIRouter(tags=["passages"], dependencies=[needs(Scope.ASK)])


@router.post(
    "/v1/search",
    summary="Find passages",
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def search(body: SearchRequest, parts: TheParts) -> SearchResponse:
    """The passages that fit the query best, by meaning and by words, reordered by the reader."""
    hits = await parts.compute(partial(_search, body, parts))
    return SearchResponse(hits=tuple(PassageOut.of(hit) for hit in hits))


def _search(body: SearchRequest, parts: Parts) -> list[Hit]:
    settings = parts.service.settings
    return parts.collection(body.collection).search(
        body.query,
        k=body.k,
        where=parts.where(None if body.filter is None else body.filter.chosen()),
        reranker=parts.service.reader if settings.rerank else None,
        depth=max(settings.rerank_depth, body.k),
    )
