"""GET /healthz and /readyz: for whoever watches the process."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from index.errors import IndexingError
from service.api.parts import TheParts
from service.api.problems import MEDIA_TYPE, documented, problem_of
from service.api.schemas import CollectionOut, HealthResponse, ReadyResponse

router = APIRouter(tags=["operations"])


@router.get("/healthz", summary="Is the process up?")
async def healthz() -> HealthResponse:
    """Always ok while the process answers at all."""
    return HealthResponse()


@router.get(
    "/readyz",
    summary="Can it answer questions?",
    response_model=ReadyResponse,
    responses=documented(HTTPStatus.SERVICE_UNAVAILABLE),
)
async def readyz(request: Request, parts: TheParts) -> ReadyResponse | JSONResponse:
    """Ready when the models are loaded (they are before the server listens) and the default collection opens."""
    try:
        state = await parts.read(lambda: parts.collection(None).state())
    except IndexingError as error:
        problem = problem_of(error, request).model_copy(update={"status": HTTPStatus.SERVICE_UNAVAILABLE})
        return JSONResponse(problem.model_dump(), HTTPStatus.SERVICE_UNAVAILABLE, media_type=MEDIA_TYPE)
    return ReadyResponse(collection=CollectionOut.model_validate(state))
