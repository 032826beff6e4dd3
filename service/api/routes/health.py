"""GET /healthz, /readyz and /metrics: for monitoring."""

from functools import partial
from http import HTTPStatus
from typing import Literal

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from index.errors import IndexingError
from index.records import CollectionState
from service.access.caller import Scope
from service.api.dependencies import TheQueue, TheSession, needs
from service.api.problems import MEDIA_TYPE, problem_of, problem_responses
from service.api.schemas.documents import CollectionOut
from service.errors import NotReady, ServiceError
from service.jobs.queue import JobQueue
from service.schemas.base import Record
from service.session.session import Session

log = structlog.get_logger(__name__)
router = APIRouter(tags=["operations"])


class HealthResponse(Record):
    """The process is up."""

    status: Literal["ok"] = "ok"


class SearchLagOut(Record):
    """How far searches of a collection are behind what was indexed.

    `changes` are those that a search does not reflect yet; this server saw the oldest of them `seconds` ago.
    """

    collection: str
    changes: int
    seconds: float


class ReadyResponse(Record):
    """The server takes questions and uploads. The rest is for callers with `admin`.

    `collection` is the default one, once there is one; `search` the lag of each collection that this server has open.
    """

    status: Literal["ready"] = "ready"
    collection: CollectionOut | None
    search: tuple[SearchLagOut, ...] = ()


_METRICS_EXAMPLE = """# HELP quoth_questions_total Questions, by outcome: answered, refused, failed, abandoned.
# TYPE quoth_questions_total counter
quoth_questions_total{outcome="answered"} 41.0
"""


@router.get("/healthz", summary="Is the process up?")
async def healthz() -> HealthResponse:
    """Always ok while the process answers."""
    return HealthResponse()


@router.get(
    "/readyz",
    summary="Can it do its work?",
    response_model=ReadyResponse,
    responses=problem_responses(HTTPStatus.SERVICE_UNAVAILABLE),
)
async def readyz(request: Request, session: TheSession, queue: TheQueue) -> ReadyResponse | JSONResponse:
    """Ready when questions and uploads are taken: the models are loaded (before the server listens), the databases answer,
    files can be stored, and the default collection opens. A server without a collection is ready, too: its first upload makes
    one.

    Everybody may read whether it is ready. The reason why not, and the size of the collection, need the scope `admin`.
    """
    may_know = session.caller.has(Scope.ADMIN)
    session.admission.require_open()
    try:
        state = await session.run_io(partial(_require_ready, session, queue))
        lags = await session.run_io(session.service.library.search_lags) if may_know else {}
    except (ServiceError, IndexingError) as error:
        log.warning("not ready", error=type(error).__name__, detail=str(error))
        reason = (
            error
            if may_know
            else NotReady("The server is not ready. Its log says why; so does this route to a key with admin.")
        )
        problem = problem_of(reason, request).model_copy(update={"status": HTTPStatus.SERVICE_UNAVAILABLE})
        return JSONResponse(problem.model_dump(), HTTPStatus.SERVICE_UNAVAILABLE, media_type=MEDIA_TYPE)
    return ReadyResponse(
        collection=CollectionOut.model_validate(state) if may_know and state else None,
        search=tuple(
            SearchLagOut(collection=name, changes=lag.changes, seconds=round(lag.seconds, 3))
            for name, lag in sorted(lags.items())
        ),
    )


def _require_ready(session: Session, queue: JobQueue) -> CollectionState | None:
    """The state of the default collection, if it exists. Raises an error if something that the server needs does not work."""
    session.store.database.require_answer()
    queue.counts()
    queue.originals.require_room()
    library, names = session.service.library, session.service.library.names()
    if session.service.settings.collection in names:
        return library.open(session.service.settings.collection).state()
    if names:
        _require_one(session, names)
    return None


def _require_one(session: Session, names: list[str]) -> None:
    """Raise the first error unless one of the collections opens."""
    first: IndexingError | None = None
    for name in names:
        try:
            session.service.library.open(name)
        except IndexingError as error:
            first = first or error
        else:
            return
    if first:
        raise first


@router.get(
    "/metrics",
    summary="Counters for Prometheus",
    response_class=Response,
    dependencies=[needs(Scope.ADMIN)],
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}, "example": _METRICS_EXAMPLE}}}},
)
async def metrics(request: Request, session: TheSession) -> Response:
    """Counts of questions and errors, latency by stage and more, in the text format of Prometheus. Holds no document text."""
    text, media_type = await session.run_io(partial(session.metrics.render, request.headers.get("accept", "")))
    return Response(text, media_type=media_type)
