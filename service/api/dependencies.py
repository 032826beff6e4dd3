"""What the routes depend on: the caller's session, the job queue, the scope that a route needs, and streaming."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from index.extraction.extractor import Extractor
from service.access.caller import Caller, Scope
from service.jobs.queue import JobQueue
from service.session.session import Session
from service.suggestions.suggester import Suggester

STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Headers of a streamed response: no cache and no proxy may hold it back."""

BEARER = HTTPBearer(
    scheme_name="key",
    bearerFormat="quoth_ID_SECRET",
    description="An API key of `quoth keys create`. A server without keys, which listens on loopback only, asks for none.",
    auto_error=False,
)
"""The scheme of keys in the OpenAPI document. Who calls is decided by the middleware."""


def caller_of(request: Request) -> Caller:
    """The caller, as the authentication middleware found it."""
    caller: Caller = request.state.caller
    return caller


def needs(scope: Scope) -> Any:
    """A dependency of a router or route: callers whose key lacks `scope` get a 403."""

    def check(request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]) -> None:
        caller_of(request).require(scope)

    return Depends(check)


def _session(request: Request) -> Session:
    session: Session = request.app.state.session
    return replace(session, caller=caller_of(request))


TheSession = Annotated[Session, Depends(_session)]
"""The session of the request's caller."""


def _queue(request: Request) -> JobQueue:
    queue: JobQueue = request.app.state.queue
    return queue


TheQueue = Annotated[JobQueue, Depends(_queue)]
"""The server's job queue."""


def _suggester(request: Request) -> Suggester | None:
    suggester: Suggester | None = request.app.state.suggester
    return suggester


TheSuggester = Annotated[Suggester | None, Depends(_suggester)]
"""What looks for questions to suggest; None on a server that suggests none."""


def _extractor(request: Request) -> Extractor:
    extractor: Extractor = request.app.state.extractor
    return extractor


TheExtractor = Annotated[Extractor, Depends(_extractor)]
"""The processes that unpack files and draw pages."""


async def _refuse_unknown(request: Request) -> None:
    takes = request.scope["route"].dependant
    known = {"query": takes.query_params, "body": takes.body_params}
    given = {"query": list(request.query_params), "body": list(await request.form()) if takes.body_params else []}
    unknown = [
        {"type": "extra_forbidden", "loc": (place, name), "msg": "unknown", "input": None}
        for place, names in given.items()
        for name in dict.fromkeys(names)
        if name not in {field.alias for field in known[place]}
    ]
    if unknown:
        raise RequestValidationError(unknown)


KNOWN_ONLY = Depends(_refuse_unknown)
"""A dependency of a route: a parameter or form field that it does not take is refused.

Elsewhere such a thing does nothing; here it may be the misspelt name of who may read a document.
"""


async def wait_for_disconnect(request: Request) -> None:
    """Return when the caller of `request` closes the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
