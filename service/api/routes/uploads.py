"""PUT and POST of documents.

An upload is on the server's disk before the response 202 is sent; a worker indexes it (service/jobs). The first document of a
collection creates it, as with `quoth index`.
"""

from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Header, Path, Query, Request, Response, UploadFile

from index.library import require_name
from service.access.caller import Scope
from service.api.dependencies import KNOWN_ONLY, TheQueue, TheSession, needs
from service.api.problems import problem_responses, public_path
from service.api.routes.documents import DOCUMENT, documents_of
from service.api.schemas.jobs import JobOut
from service.errors import DocumentDuplicate, DocumentTaken, UploadInvalid
from service.jobs import validation
from service.jobs.incoming import Incoming
from service.jobs.indexing import folder_of
from service.jobs.queue import JobQueue
from service.jobs.records import Job, Upload
from service.session.session import Session

_BLOCK = 1 << 20
_UPLOAD_ERRORS = problem_responses(
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)

router = APIRouter(tags=["documents"])

Name = Annotated[str, Path(max_length=63, description="collection; its first document creates it")]
Title = Annotated[str | None, Query(description="title; without it, the one in the file")]
Metadata = Annotated[str | None, Query(description='JSON object of strings, to filter by: {"year": "2024"}')]
Principals = Annotated[
    list[str] | None,
    Query(
        alias="principal", description="who may read it, repeated; when left out those who could before, or everybody"
    ),
]
Public = Annotated[bool, Query(description="everybody may read it, whoever could before")]
ONLY_NEW = "refuse the file, as `document-duplicate`, if a document that you may read was read from the same bytes"
OnlyNew = Annotated[bool, Query(description=ONLY_NEW)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        description="makes sending twice safe: the same key leads to the same job for a week",
    ),
]


@router.put(
    DOCUMENT,
    summary="Upload a document",
    status_code=HTTPStatus.ACCEPTED,
    responses=_UPLOAD_ERRORS,
    dependencies=[needs(Scope.INGEST), KNOWN_ONLY],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def put(
    name: Name,
    document_id: Annotated[
        str,
        Path(
            description="id of your choice; a document of yours that has it gets a new version; see the job for its id"
        ),
    ],
    request: Request,
    response: Response,
    session: TheSession,
    queue: TheQueue,
    filename: Annotated[
        str | None, Query(description="its suffix says the format; else the id's, else Content-Type")
    ] = None,
    title: Title = None,
    metadata: Metadata = None,
    principal: Principals = None,
    public: Public = False,
    only_new: OnlyNew = False,
    idempotency_key: IdempotencyKey = None,
) -> JobOut:
    """Store the body, a file in any supported format. The response is the job that indexes it."""
    validation.require_id(document_id)
    reads_all = session.caller.principals is None
    identity = document_id if reads_all else validation.own_id(document_id, session.caller.owner)
    safe = validation.safe_name(filename or document_id, request.headers.get("content-type", ""))
    facts = _upload_fields(title, metadata, principal, public=public)
    await session.run_io(partial(_require_free, name, identity, session))
    with queue.originals.receiving(session.service.settings.max_upload_bytes) as incoming:
        async for block in request.stream():
            await session.run_io(partial(incoming.write, block))
        if only_new:
            await session.run_io(partial(_require_new, incoming, name, identity, safe, session))
        job = await session.run_io(
            partial(_accept, incoming, name, identity, safe, facts, idempotency_key, session, queue)
        )
    return _accepted_response(job, request, response)


@router.post(
    "/v1/collections/{name}/documents",
    summary="Upload a file under its own name",
    status_code=HTTPStatus.ACCEPTED,
    responses=_UPLOAD_ERRORS,
    dependencies=[needs(Scope.INGEST), KNOWN_ONLY],
)
async def post(
    name: Name,
    request: Request,
    response: Response,
    session: TheSession,
    queue: TheQueue,
    file: Annotated[UploadFile, File(description="the file, with its name")],
    title: Annotated[str | None, Form(description="title; without it, the one in the file")] = None,
    metadata: Annotated[str | None, Form(description='JSON object of strings: {"year": "2024"}')] = None,
    principal: Annotated[list[str] | None, Form(description="who may read it, repeated")] = None,
    public: Annotated[bool, Form(description="everybody may read it")] = False,
    only_new: Annotated[bool, Form(description=ONLY_NEW)] = False,
    idempotency_key: IdempotencyKey = None,
) -> JobOut:
    """Store a file from a form, as browsers send it. Its id comes from its name, so the same name makes a new version."""
    safe = validation.safe_name(file.filename or "", file.content_type or "")
    document_id = validation.id_for(safe, session.caller.owner)
    facts = _upload_fields(title, metadata, principal, public=public)
    await session.run_io(partial(_require_free, name, document_id, session))
    with queue.originals.receiving(session.service.settings.max_upload_bytes) as incoming:
        while block := await file.read(_BLOCK):
            await session.run_io(partial(incoming.write, block))
        if only_new:
            await session.run_io(partial(_require_new, incoming, name, document_id, safe, session))
        job = await session.run_io(
            partial(_accept, incoming, name, document_id, safe, facts, idempotency_key, session, queue)
        )
    return _accepted_response(job, request, response)


UploadFields = dict[str, Any]


def _upload_fields(
    title: str | None, metadata: str | None, principals: list[str] | None, *, public: bool
) -> UploadFields:
    return {
        "title": validation.title_from(title),
        "metadata": validation.metadata_from(metadata),
        "principals": validation.principals_from(principals or (), public=public),
    }


def _require_free(name: str, document_id: str, session: Session) -> None:
    """Raise unless the caller may upload a document of that id into the collection, which must not be on its way elsewhere.

    The ids of a caller who may not read every document are separate from all others, so they are always free.
    """
    require_name(name)
    session.require_open(name)
    if name not in session.service.library.names():
        return
    session.collection(name).require_staying()
    if session.caller.principals is not None:
        return
    for document in documents_of(name, document_id, session):
        if not document.uri.startswith(f"{folder_of(document_id)}/"):
            raise DocumentTaken(
                f"The id {document_id!r} belongs to a document in {name!r} that was not uploaded. Choose another id."
            )


def _require_new(incoming: Incoming, name: str, document_id: str, filename: str, session: Session) -> None:
    """Raise DocumentDuplicate if another document that the caller may read was read from the same bytes."""
    if name not in session.service.library.names():
        return
    for document in session.collection(name).documents.of_version(incoming.version):
        if document.id != document_id and session.caller.may_read(document.principals):
            raise DocumentDuplicate(
                f"{filename}: the same file is in {name!r} already, as {document.title!r}. "
                "Send it without `only_new` to have it twice."
            )


def _accept(
    incoming: Incoming,
    name: str,
    document_id: str,
    filename: str,
    facts: UploadFields,
    key: str | None,
    session: Session,
    queue: JobQueue,
) -> Job:
    if not incoming.size:
        raise UploadInvalid(f"{filename}: no bytes came. Send the file as the body, or as the form's part `file`.")
    validation.require_readable(filename, incoming.head)
    incoming.finish()
    upload = Upload(name, document_id, filename, incoming.sha256, incoming.size, **facts)
    return queue.add(upload, incoming, owner=session.caller.owner, key=key)


def _accepted_response(job: Job, request: Request, response: Response) -> JobOut:
    response.headers["Location"] = public_path(request, f"/v1/jobs/{job.id}")
    return JobOut.of(job)
