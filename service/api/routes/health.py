"""GET /healthz, /readyz and /metrics: for monitoring."""

from functools import partial
from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from index.errors import CollectionMissing, IndexingError
from service.access.caller import Scope
from service.api.dependencies import TheSession, needs
from service.api.problems import MEDIA_TYPE, problem_of, problem_responses
from service.api.schemas.documents import CollectionOut
from service.schemas.base import Record

router = APIRouter(tags=["operations"])


class HealthResponse(Record):
    """The process is up."""

    status: Literal["ok"] = "ok"


class ReadyResponse(Record):
    """Questions can be answered: the models are loaded and the default collection is open. Its size needs `admin`."""

    status: Literal["ready"] = "ready"
    collection: CollectionOut | None


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
    summary="Can it answer questions?",
    response_model=ReadyResponse,
    responses=problem_responses(HTTPStatus.SERVICE_UNAVAILABLE),
)
async def readyz(request: Request, session: TheSession) -> ReadyResponse | JSONResponse:
    """Ready when the models are loaded (before the server listens) and the default collection opens.

    Everybody may read whether it is ready. The reason why not, and the size of the collection, need the scope `admin`.
    """
    may_know = session.caller.has(Scope.ADMIN)
    session.admission.require_open()
    try:
        state = await session.run_io(lambda: session.service.library.open(session.service.settings.collection).state())
    except IndexingError as error:
        reason = (
            error if may_know else CollectionMissing("The default collection does not open. A key with admin sees why.")
        )
        problem = problem_of(reason, request).model_copy(update={"status": HTTPStatus.SERVICE_UNAVAILABLE})
        return JSONResponse(problem.model_dump(), HTTPStatus.SERVICE_UNAVAILABLE, media_type=MEDIA_TYPE)
    return ReadyResponse(collection=CollectionOut.model_validate(state) if may_know else None)


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
