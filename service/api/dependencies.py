"""TODO service/api/dependencies.py"""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials

from service.access.caller import Caller, Scope
from service.api.middleware.authentication import _BEARER
from service.jobs.queue import JobQueue
from service.session.session import Parts


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return replace(parts, caller=caller_of(request))


TheParts = Annotated[Parts, Depends(_parts)]


def _queue(request: Request) -> JobQueue:
    queue: JobQueue = request.app.state.queue
    return queue


TheQueue = Annotated[JobQueue, Depends(_queue)]


def caller_of(request: Request) -> Caller:
    """Who asks; the guard has found out."""
    caller: Caller = request.state.caller
    return caller


def needs(scope: Scope) -> Any:
    """What a router or route names among its `dependencies` to be for callers with `scope` only; others get a 403."""

    def check(request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> None:
        caller_of(request).require(scope)

    return Depends(check)
