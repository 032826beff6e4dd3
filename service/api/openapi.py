"""Complete FastAPI's OpenAPI document: every problem that an operation can answer with, its headers, and examples."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from service.api.problems import MEDIA_TYPE, Problem, problem_title, public_path
from service.api.schemas.examples import PROBLEMS, SCHEMAS
from service.schemas.answers import PassagesEvent, SentenceEvent

_ALWAYS = (HTTPStatus.MISDIRECTED_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)
_KEYED = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_WITH_BODY = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
_HEADERS = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "how to show a key"},
    HTTPStatus.TOO_MANY_REQUESTS: {
        "Retry-After": "seconds until the next request is possible",
        "RateLimit": "what remains of the key's rate: `r` requests, all of them again in `t` seconds",
        "RateLimit-Policy": "the key's rate: `q` requests in a window of `w` seconds",
    },
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "seconds until it is worth trying again"},
}
JSON_LINES: dict[str, Any] = {"itemSchema": {"type": "object"}}
"""The media type object of a body that is JSON objects, one a line."""
_OPERATIONS = ("get", "put", "post", "patch", "delete")


def event_stream(events: Mapping[str, str], example: str) -> dict[str, Any]:
    """The media type object of server-sent events: each event's name with the schema of its data.

    "" is an event without a name. `itemSchema` describes one event, as in OpenAPI 3.2.
    """
    kinds = []
    for name, schema in events.items():
        data: dict[str, Any] = {"data": {"type": "string", "contentMediaType": "application/json"}}
        if schema:
            data["data"]["contentSchema"] = {"$ref": f"#/components/schemas/{schema}"}
        named = {"event": {"const": name}} if name else {}
        kinds.append({"type": "object", "properties": {**named, **data}, "required": [*named, *data]})
    return {"itemSchema": {"oneOf": kinds} if len(kinds) > 1 else kinds[0], "example": example}


class QuothApi(FastAPI):
    """A FastAPI app whose OpenAPI document describes every response, with one schema for all errors."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made once."""
        if not self.openapi_schema:
            complete(super().openapi())
        return self.openapi_schema or {}

    def setup(self) -> None:
        """The route of the document, which names the path under which a proxy serves Quoth."""

        async def document(request: Request) -> JSONResponse:
            prefix = public_path(request, "")
            return JSONResponse(self.openapi() | ({"servers": [{"url": prefix}]} if prefix else {}))

        self.add_route("/openapi.json", document, include_in_schema=False)


def complete(document: dict[str, Any]) -> None:
    """Add the problems and the examples to FastAPI's document."""
    schemas = document["components"]["schemas"]
    for unreferenced in (Problem, PassagesEvent, SentenceEvent):
        definition = unreferenced.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
        schemas.update({name: part for name, part in definition.pop("$defs").items() if name not in schemas})
        schemas[unreferenced.__name__] = definition
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for name, example in SCHEMAS.items():
        if name in schemas:
            schemas[name]["examples"] = [example]
    for path, operations in document["paths"].items():
        for method in _OPERATIONS:
            if method in operations:
                _complete(path, operations[method])


def _complete(path: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    statuses = {HTTPStatus(int(status)) for status in responses if int(status) >= HTTPStatus.BAD_REQUEST}
    statuses.update(_ALWAYS)
    if "security" in operation:
        statuses.update(_KEYED)
    if "requestBody" in operation:
        statuses.update(_WITH_BODY)
    for status in sorted(statuses):
        responses[str(status.value)] = _response(path, status)


def _response(path: str, status: HTTPStatus) -> dict[str, Any]:
    code, detail = PROBLEMS[status]
    problem = Problem(
        type=f"urn:quoth:problem:{code}",
        title=problem_title(code),
        status=status,
        detail=detail,
        instance=path,
        code=code,
        request_id="2f1c0e7b9d5a4c68",
    )
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": problem.model_dump()}
    response: dict[str, Any] = {"description": status.phrase, "content": {MEDIA_TYPE: content}}
    if status in _HEADERS:
        response["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in _HEADERS[status].items()
        }
    return response
