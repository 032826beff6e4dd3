"""GET /v1/documents: what a collection holds, and the text that offsets point into."""

from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from index.records import Document, Section
from service.access.caller import Scope
from service.api.dependencies import TheParts, needs
from service.api.document_schemas import DocumentOut, DocumentsResponse, PageOut, SectionOut, TextResponse
from service.api.parts import Parts
from service.api.problems import documented
from service.api.wire import CollectionName, Offset

router = APIRouter(tags=["documents"], dependencies=[needs(Scope.ASK)])


@router.get(
    "/v1/documents",
    summary="List documents",
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def documents(parts: TheParts, collection: Annotated[CollectionName | None, Query()] = None) -> DocumentsResponse:
    """The current documents of a collection."""
    return await parts.read(partial(_documents, collection, parts))


@router.get(
    "/v1/documents/{document_id}/versions/{version}/text",
    summary="Read a document's text",
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def text(
    document_id: str,
    version: str,
    parts: TheParts,
    collection: Annotated[CollectionName | None, Query()] = None,
    start: Annotated[Offset, Query()] = 0,
    end: Annotated[Offset | None, Query()] = None,
) -> TextResponse:
    """The canonical text of one version, whole or from `start` to `end`, with the pages and sections that it touches.

    Offsets of citations and passages point into the whole text; `text[0]` of this response is at `start`.
    """
    document = await parts.read(lambda: parts.document(collection, document_id, version))
    return _text(document, start, end)


def _documents(collection: str | None, parts: Parts) -> DocumentsResponse:
    listed = tuple(DocumentOut.model_validate(summary) for summary in parts.documents(collection))
    return DocumentsResponse(collection=parts.named(collection), documents=listed)


def _text(document: Document, start: int, end: int | None) -> TextResponse:
    length = len(document.text)
    start = min(start, length)
    end = length if end is None else max(start, min(end, length))
    return TextResponse(
        id=document.id,
        version=document.version,
        uri=document.uri,
        title=document.title,
        media_type=document.media_type,
        length=length,
        start=start,
        end=end,
        text=document.text[start:end],
        pages=tuple(PageOut.model_validate(page) for page in document.pages if page.start < end and page.end > start),
        sections=tuple(SectionOut.model_validate(section) for section in _touching(document.sections, start, end)),
    )


def _touching(sections: tuple[Section, ...], start: int, end: int) -> tuple[Section, ...]:
    """The sections that begin before `end`, from the one that holds `start` on."""
    before = sum(section.start <= start for section in sections)
    return tuple(section for section in sections[max(before - 1, 0) :] if section.start < end)
