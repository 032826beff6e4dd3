"""GET /v1/documents/{id}/versions/{v}/pages, /pages/{n}, .png: the pages of a PDF or picture, the words of one, its look."""

import hashlib
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response

from index.blocks.geometry import PageGeometry, boxes
from index.collection import Collection
from index.errors import GeometryMissing, NotFound
from index.extraction.extractor import Extractor
from index.extraction.pictures import Pictures
from index.extraction.sources import Source, draw_page
from service.access.caller import Scope
from service.api.dependencies import TheExtractor, TheQueue, TheSession, needs
from service.api.problems import problem_responses
from service.api.schemas.documents import PageSize, PageSizes, PageView, WordOut
from service.api.sources import opened_source
from service.jobs.queue import JobQueue
from service.schemas.base import CollectionName, Offset
from service.session.session import Session

PAGES = "/v1/documents/{document_id}/versions/{version}/pages"
PAGE = f"{PAGES}/{{number}}"
MAX_WIDTH = 4096
_PDF = "application/pdf"
_PNG: dict[int | str, dict[str, Any]] = {
    200: {"description": "The picture", "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}},
    304: {"description": "The picture is as it was"},
}
_ERRORS = problem_responses(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)
_CHANGED = problem_responses(HTTPStatus.CONFLICT)

router = APIRouter(tags=["documents"])

Number = Annotated[int, Path(ge=1, description="the page's number, from 1")]
InCollection = Annotated[CollectionName | None, Query(alias="collection")]


@router.get(f"{PAGE}.png", summary="See a page", response_class=Response, responses={**_PNG, **_ERRORS, **_CHANGED},
            dependencies=[needs(Scope.ASK)])  # fmt: skip
async def picture(
    document_id: str,
    version: str,
    number: Number,
    session: TheSession,
    queue: TheQueue,
    extractor: TheExtractor,
    collection: InCollection = None,
    width: Annotated[int, Query(ge=16, le=MAX_WIDTH, description="in pixels; less if the page is very long")] = 1000,
    if_none_match: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """The page of a PDF or picture file as a picture (PNG), with the values of its form fields.

    It is drawn from the file, which must be there and hold the bytes of this version: otherwise `source-missing` or
    `source-changed`. The header ETag changes only with the picture.
    """
    data = await session.run_file(
        partial(_picture, document_id, version, number, width, collection, session, queue, extractor)
    )
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if if_none_match is not None and tag in if_none_match:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(data, media_type="image/png", headers=headers)


@router.get(PAGE, summary="Where the words of a page stand", responses=_ERRORS, dependencies=[needs(Scope.ASK)])
async def words(
    document_id: str,
    version: str,
    number: Number,
    session: TheSession,
    collection: InCollection = None,
    start: Annotated[Offset | None, Query()] = None,
    end: Annotated[Offset | None, Query()] = None,
) -> PageView:
    """The size of a page of a PDF or picture in points, and its words with their ranges in the canonical text and their boxes.

    `boxes` are those of the range from `start` to `end` on this page, one for each line. A box is left, top, right and bottom
    in points from the page's top left corner. A document that is neither, or that an earlier version of Quoth read, is a
    `geometry-missing`.
    """
    return await session.run_io(partial(_words, document_id, version, number, collection, start, end, session))


@router.get(PAGES, summary="List the pages of a PDF or picture", responses=_ERRORS, dependencies=[needs(Scope.ASK)])
async def sizes(document_id: str, version: str, session: TheSession, collection: InCollection = None) -> PageSizes:
    """The number and the size of every page of a PDF or picture, and the range of the canonical text that its words lie in.

    A document that is neither, or that an earlier version of Quoth read, is a `geometry-missing`.
    """
    return await session.run_io(partial(_sizes, document_id, version, collection, session))


def _sizes(document_id: str, version: str, name: str | None, session: Session) -> PageSizes:
    _, _, pages = _geometry(document_id, version, name, session)
    return PageSizes(id=document_id, version=version, pages=tuple(map(PageSize.model_validate, pages)))


def _geometry(
    document_id: str, version: str, name: str | None, session: Session
) -> tuple[Collection, str, tuple[PageGeometry, ...]]:
    """The collection, the document's URI, and the geometry of its pages, at least one. Raises GeometryMissing."""
    collection = session.collection(name)
    uri, media_type = session.place(name, document_id, version)
    pages = collection.documents.geometry(document_id, version)
    if not pages and media_type != _PDF:
        raise GeometryMissing(
            f"document {document_id!r} is no PDF and no picture, so it has no pages that are shown. Read its text"
        )
    if not pages:
        raise GeometryMissing(
            f"document {document_id!r}: this version was read by an earlier version of Quoth, which kept no places of words. "
            "Index its file again"
        )
    return collection, uri, pages


def _place(
    document_id: str, version: str, number: int, name: str | None, session: Session
) -> tuple[Collection, str, PageGeometry]:
    """The collection, the document's URI, and the geometry of the page. Raises NotFound or GeometryMissing."""
    collection, uri, pages = _geometry(document_id, version, name, session)
    found = next((page for page in pages if page.number == number), None)
    if found is None:
        raise NotFound(f"document {document_id!r} has no page {number}. Its pages are 1 to {pages[-1].number}")
    return collection, uri, found


def _picture(
    document_id: str,
    version: str,
    number: int,
    width: int,
    name: str | None,
    session: Session,
    queue: JobQueue,
    extractor: Extractor,
) -> bytes:
    collection, uri, _ = _place(document_id, version, number, name, session)
    pictures = Pictures(collection.folder / "pictures")
    with opened_source(uri, collection.name, queue) as source:
        data = pictures.get(version, number, width) if _is_as_read(source, document_id, version, collection) else None
        if data is None:
            data = draw_page(source, extractor, version=version, page=number, width=width)
            pictures.put(version, number, width, data)
    return data


def _is_as_read(source: Source, document_id: str, version: str, collection: Collection) -> bool:
    """Whether the file has the size and time that it had when this version was read: then what was drawn before holds.

    Else drawing finds out whether its bytes are the same. Uploads have no time: their file is stored, or it is not.
    """
    stamp = source.stamp()
    current = collection.documents.list([document_id])
    return bool(current) and current[0].version == version and current[0].source in (None, stamp)


def _words(
    document_id: str,
    version: str,
    number: int,
    name: str | None,
    start: int | None,
    end: int | None,
    session: Session,
) -> PageView:
    _, _, page = _place(document_id, version, number, name, session)
    first, last = start or 0, page.end if end is None else end
    asked = boxes([page], first, last) if (start, end) != (None, None) else ()
    return PageView(
        id=document_id,
        version=version,
        number=page.number,
        width=page.width,
        height=page.height,
        words=tuple(WordOut(start=word.start, end=word.end, box=word.box) for word in page.words()),
        boxes=tuple(placed.box for placed in asked),
    )
