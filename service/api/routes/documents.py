"""/v1/documents and /v1/collections/{name}/documents/{id}: list documents, read a version's text, show, rename, remove one."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from index.blocks.excerpt import blocks_between
from index.blocks.sections import Section
from index.errors import NotFound
from index.records import Document, DocumentSummary
from service.access.caller import Caller, Scope
from service.api.dependencies import TheQueue, TheSession, needs
from service.api.problems import problem_responses
from service.api.schemas.documents import (
    BlockOut,
    DocumentOut,
    DocumentsResponse,
    DocumentTitle,
    PageOut,
    SectionOut,
    TextResponse,
)
from service.api.schemas.jobs import DocumentDetail, FileOut
from service.jobs.indexing import folder_of
from service.jobs.queue import JobQueue
from service.jobs.validation import own_id
from service.schemas.base import CollectionName, Offset, utc_time
from service.session.session import Session

DOCUMENT = "/v1/collections/{name}/documents/{document_id}"
_ERRORS = problem_responses(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)

router = APIRouter(tags=["documents"])


@router.get(
    "/v1/documents",
    summary="List documents",
    responses=_ERRORS,
    dependencies=[needs(Scope.ASK)],
)
async def documents(
    session: TheSession, queue: TheQueue, collection: Annotated[CollectionName | None, Query()] = None
) -> DocumentsResponse:
    """The current documents of a collection."""
    return await session.run_io(partial(_documents, collection, session, queue))


@router.get(
    "/v1/documents/{document_id}/versions/{version}/text",
    summary="Read a document's text",
    response_model=TextResponse,
    responses=_ERRORS,
    dependencies=[needs(Scope.ASK)],
)
async def text(
    document_id: str,
    version: str,
    session: TheSession,
    collection: Annotated[CollectionName | None, Query()] = None,
    start: Annotated[Offset, Query()] = 0,
    end: Annotated[Offset | None, Query()] = None,
) -> Response:
    """The canonical text of one version, whole or from `start` to `end`, with the pages, sections and blocks that it touches.

    Offsets of citations and passages point into the whole text; `text[0]` of this response is at `start`.
    """
    return await session.run_io(partial(_text, collection, document_id, version, start, end, session))


@router.get(
    DOCUMENT,
    summary="Show a document",
    responses=_ERRORS,
    dependencies=[needs(Scope.ASK)],
)
async def show(name: str, document_id: str, session: TheSession, queue: TheQueue) -> DocumentDetail:
    """A current document without its text."""
    return await session.run_io(partial(_detail, name, document_id, session, queue))


@router.patch(
    DOCUMENT,
    summary="Rename a document",
    responses=_ERRORS,
    dependencies=[needs(Scope.INGEST)],
)
async def rename(
    name: str, document_id: str, body: DocumentTitle, session: TheSession, queue: TheQueue
) -> DocumentDetail:
    """Give a document a title, by which it is shown and found from now on. Its later versions keep it until it is removed.

    Earlier answers keep the title that they were given with.
    """
    return await session.run_write(partial(_rename, name, document_id, body.title, session, queue))


@router.delete(
    DOCUMENT,
    summary="Take a document out",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_ERRORS,
    dependencies=[needs(Scope.INGEST)],
)
async def remove(name: str, document_id: str, session: TheSession, queue: TheQueue) -> None:
    """Remove the document from search, delete its uploaded file, and cancel its jobs. Versions that answers cite stay readable.

    A document from a folder comes back with the next `quoth index` of that folder.
    """
    await session.run_write(partial(_remove, name, document_id, session, queue))


def _documents(collection: str | None, session: Session, queue: JobQueue) -> DocumentsResponse:
    name = session.collection_name(collection)
    held = session.collection(name).documents
    facts = Facts(
        held.page_counts(),
        held.pending_by_document(),
        held.warnings(),
        {original.document_id: original.size for original in queue.originals_of(name)},
    )
    records = tuple(facts.record(document, session.caller) for document in session.documents(name))
    return DocumentsResponse(collection=name, documents=records)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a list of documents says beside their summaries, by the documents' ids."""

    pages: Mapping[str, int]
    pending: Mapping[str, int]
    warnings: Mapping[str, tuple[str, ...]]
    upload_bytes: Mapping[str, int]

    def record(self, document: DocumentSummary, caller: Caller) -> DocumentOut:
        """The record of a document, as the caller may see it."""
        known = caller.principals
        readers = document.principals if known is None else document.principals & known
        stored = None if document.source is None else document.source.size
        return DocumentOut(
            id=document.id,
            version=document.version,
            uri=document.uri,
            title=document.title,
            media_type=document.media_type,
            characters=document.characters,
            chunks=document.chunks,
            pages=self.pages.get(document.id, 0),
            bytes=self.upload_bytes.get(document.id, stored),
            indexed_at=utc_time(document.indexed_at),
            principals=tuple(sorted(readers)),
            pending_vectors=self.pending.get(document.id, 0),
            warnings=self.warnings.get(document.id, ()),
        )


def _text(name: str | None, document_id: str, version: str, start: int, end: int | None, session: Session) -> Response:
    """The text as JSON, written here: a large document has hundreds of thousands of blocks."""
    text = _text_response(session.document(name, document_id, version), start, end)
    return Response(text.model_dump_json(), media_type="application/json")


def _text_response(document: Document, start: int, end: int | None) -> TextResponse:
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
        sections=tuple(
            SectionOut.model_validate(section) for section in _sections_between(document.sections, start, end)
        ),
        blocks=tuple(BlockOut.model_validate(block) for block in blocks_between(document.blocks, start, end)),
    )


def _sections_between(sections: tuple[Section, ...], start: int, end: int) -> tuple[Section, ...]:
    """The sections that begin before `end`, from the one that holds `start` on."""
    before = sum(section.start <= start for section in sections)
    return tuple(section for section in sections[max(before - 1, 0) :] if section.start < end)


def documents_of(name: str, document_id: str, session: Session) -> list[DocumentSummary]:
    """The document with this id, and the documents inside the archive that was uploaded under it."""
    collection = session.collection(name)
    return collection.documents.list([document_id]) + [
        member for member in collection.documents.list(folder=folder_of(document_id)) if member.id != document_id
    ]


def resolve_id(name: str, given: str, session: Session) -> str:
    """The id that `given` stands for: that of the caller's own upload under this name, else `given` itself."""
    if session.caller.principals is None or name not in session.service.library.names():
        return given
    own = own_id(given, session.caller.owner)
    return own if documents_of(name, own, session) else given


def readable_documents(name: str, document_id: str, session: Session) -> list[DocumentSummary]:
    """The documents of `documents_of`. Raises NotFound unless the caller may read all of them."""
    documents = documents_of(name, document_id, session)
    if not documents or not all(session.caller.may_read(document.principals) for document in documents):
        raise missing_document(name, document_id)
    return documents


def missing_document(name: str, document_id: str) -> NotFound:
    """The error of a document that is not in the collection, or not for the caller."""
    return NotFound(
        f"document {document_id!r} is not in the collection {name!r}. GET /v1/documents lists the documents; "
        "GET /v1/jobs lists the uploads that are not indexed yet"
    )


def _detail(name: str, given: str, session: Session, queue: JobQueue) -> DocumentDetail:
    document_id = resolve_id(name, given, session)
    document = readable_documents(name, document_id, session)[0]
    if document.id != document_id:
        raise NotFound(
            f"{document_id!r} is no document but an uploaded archive. GET /v1/documents lists what it holds: "
            f"their URIs begin with {folder_of(document_id)}/"
        )
    original = queue.original(name, document_id)
    held = session.collection(name).documents
    facts = Facts(
        {document_id: len(held.pages(document_id, document.version))},
        {document_id: held.pending_vectors([document_id])},
        held.warnings([document_id]),
        {} if original is None else {document_id: original.size},
    )
    return DocumentDetail(
        **facts.record(document, session.caller).model_dump(),
        has_structure=document.has_structure,
        file=FileOut.of(original) if original is not None else None,
    )


def _rename(name: str, given: str, title: str, session: Session, queue: JobQueue) -> DocumentDetail:
    document_id = resolve_id(name, given, session)
    if document_id not in {document.id for document in _changeable_documents(name, document_id, session, queue)}:
        raise missing_document(name, given)
    session.collection(name).rename_document(document_id, title)
    return _detail(name, document_id, session, queue)


def _changeable_documents(name: str, document_id: str, session: Session, queue: JobQueue) -> list[DocumentSummary]:
    """The documents under that id that the caller may rename or remove: readable ones, and the caller's own uploads."""
    documents = documents_of(name, document_id, session)
    original = queue.original(name, document_id)
    is_own = session.caller.owner != "" and original is not None and original.owner == session.caller.owner
    return documents if is_own or all(session.caller.may_read(document.principals) for document in documents) else []


def _remove(name: str, given: str, session: Session, queue: JobQueue) -> None:
    document_id = resolve_id(name, given, session)
    if name in session.service.library.names() and _changeable_documents(name, document_id, session, queue):
        collection = session.collection(name)
        with collection.writing():
            documents = _changeable_documents(name, document_id, session, queue)  # another writer may have been quicker
            if documents:
                ids = [document.id for document in documents]
                collection.change(remove=ids, alongside=queue.withdrawing(name, document_id))
                return
    owner = session.caller.owner
    if not queue.withdraw_own(name, [given, own_id(given, owner)], owner=owner):
        raise missing_document(name, given)
