"""/v1/documents and /v1/collections/{name}/documents/{id}: list documents, read a version's text, show or remove one."""

from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse

from index.errors import NotFound
from index.records import Document, DocumentSummary, Section
from service.access.caller import Scope
from service.api.dependencies import TheParts, TheQueue, needs
from service.api.problems import documented
from service.api.schemas.base import CollectionName, Offset
from service.api.schemas.documents import DocumentOut, DocumentsResponse, PageOut, SectionOut, TextResponse
from service.api.schemas.jobs import DocumentDetail, FileOut
from service.jobs.indexing import folder_of
from service.jobs.queue import JobQueue
from service.jobs.records import Original
from service.jobs.validation import own_id
from service.session.session import Parts

DOCUMENT = "/v1/collections/{name}/documents/{document_id}"
_ERRORS = documented(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)

router = APIRouter(tags=["documents"])


@router.get(
    "/v1/documents",
    summary="List documents",
    responses=_ERRORS,
    dependencies=[needs(Scope.ASK)],
)
async def documents(parts: TheParts, collection: Annotated[CollectionName | None, Query()] = None) -> DocumentsResponse:
    """The current documents of a collection."""
    return await parts.read(partial(_documents, collection, parts))


@router.get(
    "/v1/documents/{document_id}/versions/{version}/text",
    summary="Read a document's text",
    responses=_ERRORS,
    dependencies=[needs(Scope.ASK)],
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


@router.get(
    DOCUMENT,
    summary="Show a document",
    responses=_ERRORS,
    dependencies=[needs(Scope.ASK)],
)
async def show(name: str, document_id: str, parts: TheParts, queue: TheQueue) -> DocumentDetail:
    """A current document, however it came there, without its text."""
    return await parts.read(partial(_shown, name, document_id, parts, queue))


@router.get(
    f"{DOCUMENT}/file",
    summary="Download an uploaded file",
    response_class=FileResponse,
    responses=_ERRORS,
    dependencies=[needs(Scope.ASK)],
)
async def download(name: str, document_id: str, parts: TheParts, queue: TheQueue) -> FileResponse:
    """The bytes that the current version of an uploaded document came from, exactly as they were sent."""
    original = await parts.read(partial(_original, name, document_id, parts, queue))
    return FileResponse(
        queue.originals.path(original.sha256),
        media_type="application/octet-stream",  # never shown as a page of this server, whatever it holds
        filename=original.filename,
        headers={"Cache-Control": "no-store"},
    )


@router.delete(
    DOCUMENT,
    summary="Take a document out",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_ERRORS,
    dependencies=[needs(Scope.INGEST)],
)
async def remove(name: str, document_id: str, parts: TheParts, queue: TheQueue) -> None:
    """Take the document out of search, with its uploaded file, and cancel its jobs. Versions that answers cite stay readable.

    A document that `quoth index` read from a folder comes back with the next `quoth index` of that folder.
    """
    await parts.read(partial(_remove, name, document_id, parts, queue))


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


def documents_of(name: str, document_id: str, parts: Parts) -> list[DocumentSummary]:
    """The documents that are the document of that id, or came of the archive that was uploaded under it."""
    collection = parts.collection(name)
    return collection.documents([document_id]) + [
        found for found in collection.documents(folder=folder_of(document_id)) if found.id != document_id
    ]


def _known_as(name: str, given: str, parts: Parts) -> str:
    """The id of what the caller names `given`: of the caller's own upload under that id, else that id itself."""
    if parts.caller.principals is None or name not in parts.service.library.names():
        return given
    own = own_id(given, parts.caller.owner)
    return own if documents_of(name, own, parts) else given


def _readable(name: str, document_id: str, parts: Parts) -> list[DocumentSummary]:
    """The same, if they are there for the caller."""
    held = documents_of(name, document_id, parts)
    if not held or not all(parts.caller.may_read(found.principals) for found in held):
        raise _missing(name, document_id)
    return held


def _missing(name: str, document_id: str) -> NotFound:
    return NotFound(
        f"document {document_id!r} is not in the collection {name!r}. GET /v1/documents lists what there is; "
        "GET /v1/jobs tells what is still on its way"
    )


def _shown(name: str, given: str, parts: Parts, queue: JobQueue) -> DocumentDetail:
    document_id = _known_as(name, given, parts)
    found = _readable(name, document_id, parts)[0]
    if found.id != document_id:
        raise NotFound(
            f"{document_id!r} is no document but an uploaded archive. GET /v1/documents lists what it holds: "
            f"their URIs begin with {folder_of(document_id)}/"
        )
    original = queue.original(name, document_id)
    return DocumentDetail(
        **DocumentOut.model_validate(found).model_dump(),
        pending_vectors=parts.collection(name).pending_of([document_id]),
        file=FileOut.of(original) if original is not None else None,
    )


def _original(name: str, given: str, parts: Parts, queue: JobQueue) -> Original:
    document_id = _known_as(name, given, parts)
    found = _readable(name, document_id, parts)[0]
    original = queue.original(name, document_id)
    if original is None:
        raise NotFound(f"document {document_id!r} was not uploaded, so there is no file. It came from {found.uri}")
    return original


def _removable(name: str, document_id: str, parts: Parts, queue: JobQueue) -> list[DocumentSummary]:
    """The documents that the caller may take out under that id: those for the caller, and the caller's own uploads."""
    held = documents_of(name, document_id, parts)
    original = queue.original(name, document_id)
    is_own = parts.caller.owner != "" and original is not None and original.owner == parts.caller.owner
    return held if is_own or all(parts.caller.may_read(found.principals) for found in held) else []


def _remove(name: str, given: str, parts: Parts, queue: JobQueue) -> None:
    document_id = _known_as(name, given, parts)
    if name in parts.service.library.names() and _removable(name, document_id, parts, queue):
        collection = parts.collection(name)
        with collection.writing():
            held = _removable(name, document_id, parts, queue)
            queue.withdraw(name, document_id)
            collection.change(remove=[found.id for found in held])
        return
    owner = parts.caller.owner
    withdrawn = [queue.withdraw_own(name, identity, owner=owner) for identity in (given, own_id(given, owner))]
    if not any(withdrawn):
        raise _missing(name, given)
