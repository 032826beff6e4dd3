"""GET /v1/collections/{name}/documents/{id}/file: the file that a document was read from."""

import codecs
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from typing import IO, Any
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from index.errors import SourceMissing
from index.extraction.extractor import Extractor
from index.extraction.sources import Source, checked_copy, unpacked
from service.access.caller import Scope
from service.api.dependencies import TheExtractor, TheQueue, TheSession, needs
from service.api.problems import problem_responses
from service.api.routes.documents import DOCUMENT, missing_document, readable_documents, resolve_id
from service.api.sources import filename_of, may_read_inside, opened_original, opened_source
from service.jobs.queue import JobQueue
from service.session.session import Session

SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""The policy of every file: whatever it holds, it runs no script, loads nothing, and has no origin."""

_BLOCK = 1 << 16
_INLINE = frozenset({"application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp"})
_OTHER = "application/octet-stream"
_ERRORS = problem_responses(
    HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE
)
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The bytes of the file",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}} for kind in (_OTHER, "text/plain", *_INLINE)
        },
    }
}

router = APIRouter(tags=["documents"])


@router.get(
    f"{DOCUMENT}/file",
    summary="Download a document's file",
    response_class=StreamingResponse,
    responses={**_FILE, **_ERRORS},
    dependencies=[needs(Scope.ASK)],
)
async def download(
    name: str, document_id: str, session: TheSession, queue: TheQueue, extractor: TheExtractor
) -> StreamingResponse:
    """The file of the current version of a document, byte for byte: as it was uploaded, or as it is in its folder.

    PDF, pictures and text may be shown, everything else is for saving. A document inside an archive, a mailbox or a mail is
    taken out of it. A file that is gone is a `source-missing`, one that has changed since it was read a `source-changed`.
    """
    return await session.run_file(partial(_file, name, document_id, session, queue, extractor))


def _file(name: str, given: str, session: Session, queue: JobQueue, extractor: Extractor) -> StreamingResponse:
    document_id = resolve_id(name, given, session)
    document = readable_documents(name, document_id, session)[0]
    if document.id != document_id:  # an uploaded archive, which is no document itself
        original = queue.original(name, document_id)
        if original is None:
            raise SourceMissing(f"{document_id}: the uploaded archive is not stored any more. Upload it again")
        with opened_original(document_id, original, queue) as archive:
            return _response(_open(archive, "", extractor), original.filename, _OTHER)
    if not may_read_inside(document.uri, session.collection(name), session.caller):
        raise missing_document(name, document_id)
    with opened_source(document.uri, name, queue) as source:
        file = _open(source, document.version, extractor)
        return _response(file, filename_of(source, document.media_type), document.media_type)


def _open(source: Source, version: str, extractor: Extractor) -> IO[bytes]:
    digest = version if source.is_member or source.sha256 is None else source.sha256
    with unpacked(source, extractor) as path:
        return checked_copy(path, source.uri, digest, extractor.limits.container_bytes)


def _response(file: IO[bytes], filename: str, media_type: str) -> StreamingResponse:
    shown = _shown_as(media_type, file)
    size = file.seek(0, 2)
    file.seek(0)
    return StreamingResponse(
        _blocks(file),
        headers={
            "Content-Type": shown or _OTHER,
            "Content-Length": str(size),
            "Content-Disposition": _disposition("inline" if shown else "attachment", filename),
            "Content-Security-Policy": SANDBOX,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )


def _shown_as(media_type: str, file: IO[bytes]) -> str | None:
    """The type to show the file as in a browser; None if it is only saved. Text is shown as what it is, never as a page."""
    if media_type in _INLINE:
        return media_type
    if not media_type.startswith("text/") or media_type == "text/html":
        return None
    return "text/plain; charset=utf-8" if _is_utf8(file) else "text/plain"


def _is_utf8(file: IO[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    try:
        while block := file.read(_BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _disposition(kind: str, filename: str) -> str:
    """RFC 6266: names beyond plain ASCII are percent-encoded."""
    encoded = quote(filename, safe="")
    return f'{kind}; filename="{filename}"' if encoded == filename else f"{kind}; filename*=UTF-8''{encoded}"


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while block := file.read(_BLOCK):
            yield block
