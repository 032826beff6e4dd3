"""GET /v1/caller: what the caller may do, so that a program shows only that."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import Field

from service.access.caller import Scope
from service.api.dependencies import BEARER, TheSession
from service.schemas.base import Record

router = APIRouter(tags=["operations"])


class CallerOut(Record):
    """The caller's key by its name, null on a server without keys, and what it may be used for."""

    key: str | None
    scopes: tuple[Scope, ...] = Field(description="`admin` includes the others, which are listed then, too")
    collections: tuple[str, ...] | None = Field(description="the only collections of the key; null for all")
    reads_all: bool = Field(description="whether it may read documents whoever they are restricted to")


@router.get("/v1/caller", summary="What may the caller do?")
async def caller(session: TheSession, _: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]) -> CallerOut:
    """The rights of the key that was sent. Any key may ask this."""
    known = session.caller
    return CallerOut(
        key=known.name if known.key_id else None,
        scopes=tuple(scope for scope in Scope if known.has(scope)),
        collections=None if known.collections is None else tuple(sorted(known.collections)),
        reads_all=known.principals is None,
    )
