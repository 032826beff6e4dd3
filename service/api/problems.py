"""Every error that HTTP callers see, as RFC 9457 problem details with a stable code.

The code is the error class's name in kebab case (`CollectionMissing` -> `collection-missing`); the detail is its message, which
names the thing, the bad value and the fix.
"""

import json
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from index import errors as indexing
from service import errors as service

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2
_MAX_FIELDS = 20
_MAX_CHARACTERS = 300  # of what a caller sent: a small request must not cause a large response
log = structlog.get_logger(__name__)

_STATUS: dict[type[Exception], HTTPStatus] = {
    service.QuestionInvalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    service.GeneratorUnknown: HTTPStatus.UNPROCESSABLE_ENTITY,
    service.AnswerInvalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    service.TitleInvalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    service.CursorInvalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    service.FeedbackInvalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    service.UploadInvalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    service.IdempotencyKeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    service.UploadTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    service.FormatUnsupported: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    service.DocumentTaken: HTTPStatus.CONFLICT,
    service.DocumentDuplicate: HTTPStatus.CONFLICT,
    indexing.QueryInvalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    indexing.CollectionNameInvalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    indexing.TitleInvalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    indexing.CollectionMissing: HTTPStatus.NOT_FOUND,
    indexing.NotFound: HTTPStatus.NOT_FOUND,
    indexing.SourceChanged: HTTPStatus.CONFLICT,
    indexing.DocumentRejected: HTTPStatus.UNPROCESSABLE_ENTITY,
    service.RecordMissing: HTTPStatus.NOT_FOUND,
    indexing.EncoderMismatch: HTTPStatus.CONFLICT,
    indexing.CollectionMoving: HTTPStatus.CONFLICT,
    service.KeyInvalid: HTTPStatus.UNAUTHORIZED,
    service.KeysLost: HTTPStatus.SERVICE_UNAVAILABLE,
    service.ScopeMissing: HTTPStatus.FORBIDDEN,
    service.ActingForbidden: HTTPStatus.FORBIDDEN,
    service.OriginForbidden: HTTPStatus.FORBIDDEN,
    service.PrincipalsInvalid: HTTPStatus.BAD_REQUEST,
    service.RateExceeded: HTTPStatus.TOO_MANY_REQUESTS,
    service.Transient: HTTPStatus.SERVICE_UNAVAILABLE,
    indexing.Transient: HTTPStatus.SERVICE_UNAVAILABLE,
}
# Not the phrases of `http`: they change between Python versions.
_HTTP_CODES = {
    HTTPStatus.BAD_REQUEST: "body-unreadable",
    HTTPStatus.NOT_FOUND: "not-found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method-not-allowed",
    HTTPStatus.REQUEST_TIMEOUT: "body-too-slow",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "body-too-long",
    HTTPStatus.MISDIRECTED_REQUEST: "host-not-allowed",
}


class FieldProblem(BaseModel):
    """What is wrong with one field of the request."""

    field: str = Field(examples=["question"])
    message: str = Field(examples=["Field required"])


class Problem(BaseModel):
    """RFC 9457 problem details. `code` is stable; `detail` says what is wrong and what to do."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:quoth:problem:collection-missing",
                    "title": "Collection missing",
                    "status": 404,
                    "detail": "No collection is named 'papers'. There are: default.",
                    "instance": "/v1/chat",
                    "code": "collection-missing",
                    "request_id": "2f1c0e7b9d5a4c68",
                    "errors": [],
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str | None
    errors: list[FieldProblem] = []


def public_path(request: Request, path: str) -> str:
    """The path as the caller sees it: after the prefix under which a proxy serves Quoth (middleware/forwarded.py)."""
    return f"{request.scope.get('app_root_path', '')}{path}"


def problem_of(error: Exception, request: Request) -> Problem:
    """The problem that the caller sees. An unexpected error shows none of its details.

    Leaves the code in `request.scope["problem"]`, where the metrics read it.
    """
    problem = _classify(error, request)
    request.scope["problem"] = problem.code
    return problem


def _classify(error: Exception, request: Request) -> Problem:
    if isinstance(error, RequestValidationError):
        problems = error.errors()
        fields = [_field(problem, request) for problem in problems[:_MAX_FIELDS]]
        detail = "; ".join(f"{field.field}: {field.message}" for field in fields)
        if len(problems) > _MAX_FIELDS:
            detail += f"; and {len(problems) - _MAX_FIELDS:,} more"
        return _make_problem(request, "request-invalid", HTTPStatus.UNPROCESSABLE_ENTITY, detail, fields)
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.status_code)
        code = _HTTP_CODES.get(status, f"http-{status.value}")
        return _make_problem(request, code, status, _http_detail(error, request))
    if isinstance(error, service.ServiceError | indexing.IndexingError):
        kind = next((kind for kind in type(error).__mro__ if kind in _STATUS), None)
        status = _STATUS[kind] if kind else HTTPStatus.INTERNAL_SERVER_ERROR
        return _make_problem(request, service.code_of(error), status, str(error))
    return _make_problem(
        request,
        "internal",
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Something broke inside Quoth; the server's log has the details under this request id.",
    )


def stream_problem(error: Exception, request: Request) -> Problem:
    """The problem to send in a stream whose status has been sent. Logs it, with a traceback if the error was unexpected."""
    if isinstance(error, service.ServiceError | indexing.IndexingError):
        log.warning("stream broke", error=type(error).__name__, detail=str(error))
    else:
        log.error("stream broke", exc_info=error)
    return problem_of(error, request)


def problem_title(code: str) -> str:
    """The title of all problems with this code."""
    return code.replace("-", " ").capitalize()


def respond(error: Exception, request: Request) -> Response:
    """The problem as a response. For transient errors the header Retry-After says when to try again."""
    problem = problem_of(error, request)
    headers = dict(getattr(error, "headers", None) or {})
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    elif problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="quoth"'
    # Pure ASCII on the wire: a message may repeat what the caller sent, lone surrogates included.
    return Response(json.dumps(problem.model_dump()), problem.status, headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make `app` answer every expected error with a problem."""

    async def handle(request: Request, error: Exception) -> Response:
        response = respond(error, request)
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.warning("request failed", error=type(error).__name__, detail=str(error))
        return response

    for kind in (RequestValidationError, HTTPException, service.ServiceError, indexing.IndexingError):
        app.add_exception_handler(kind, handle)


def problem_responses(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """The `responses` argument of a route, for the OpenAPI document."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        int(status): {"description": status.phrase, "content": {MEDIA_TYPE: {"schema": schema}}} for status in statuses
    }


def _make_problem(
    request: Request, code: str, status: HTTPStatus, detail: str, errors: list[FieldProblem] | None = None
) -> Problem:
    return Problem(
        type=f"urn:quoth:problem:{code}",
        title=problem_title(code),
        status=status,
        detail=detail,
        instance=_cut(public_path(request, request.url.path)),
        code=code,
        request_id=request.scope.get("request_id"),
        errors=errors or [],
    )


def _field(problem: Any, request: Request) -> FieldProblem:
    place = [str(part) for part in problem["loc"] if part not in ("body", "query", "path")]
    message = problem["msg"]
    if problem["type"] == "extra_forbidden":
        message = "no such field; remove it"
    elif problem["type"] == "json_invalid":
        place, message = ["body"], f"not JSON: {problem.get('ctx', {}).get('error', message)}"
    elif tuple(problem["loc"]) == ("body",) and isinstance(problem.get("input"), bytes):
        sent = request.headers.get("content-type")
        kind = f"as {sent[:100]!r}" if sent else "without a content type"
        message = f"sent {kind}, and this route takes JSON. Send the header Content-Type: application/json"
    return FieldProblem(field=_cut(".".join(place)) or "body", message=_cut(message))


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}…"


def _http_detail(error: HTTPException, request: Request) -> str:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return f"Nothing is at {_cut(request.url.path)}. GET /openapi.json lists the routes."
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return (
            f"{_cut(request.url.path)} does not take {request.method}. GET /openapi.json says which methods it takes."
        )
    return str(error.detail)
