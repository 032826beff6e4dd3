"""POST /v1/search: passages, without an answer."""

from functools import partial
from http import HTTPStatus

from fastapi import APIRouter

from index.filters import Filter
from index.records import Hit
from service.api.parts import Parts, TheParts
from service.api.problems import documented
from service.api.schemas import PassageOut, SearchRequest, SearchResponse

router = APIRouter(tags=["passages"])


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
        where=_filter(body),
        reranker=parts.service.reader if settings.rerank else None,
        depth=max(settings.rerank_depth, body.k),
    )


def _filter(body: SearchRequest) -> Filter | None:
    if body.filter is None:
        return None
    ids = body.filter.document_ids
    return Filter(
        document_ids=None if ids is None else frozenset(ids),
        uri_prefix=body.filter.uri_prefix,
        metadata=body.filter.metadata,
    )
