"""GET and DELETE /v1/collections: what can be asked, and dropping it."""

from functools import partial
from http import HTTPStatus

from fastapi import APIRouter

from service.access.caller import Scope
from service.api.dependencies import TheParts, TheQueue, needs
from service.api.problems import documented
from service.api.schemas.documents import CollectionOut, CollectionsResponse
from service.jobs.queue import JobQueue
from service.session.session import Parts

_ERRORS = documented(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)

router = APIRouter(tags=["documents"], dependencies=[needs(Scope.ASK)])


@router.get("/v1/collections", summary="List collections")
async def collections(parts: TheParts) -> CollectionsResponse:
    """The collections that there are for the caller, with their sizes. An empty list: nothing was indexed yet."""
    return await parts.read(lambda: _collections(parts))


@router.get("/v1/collections/{name}", summary="Show a collection", responses=_ERRORS)
async def collection(name: str, parts: TheParts) -> CollectionOut:
    """One collection with its size."""
    return await parts.read(partial(_collection, name, parts))


@router.delete(
    "/v1/collections/{name}",
    summary="Drop a collection",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_ERRORS,
    dependencies=[needs(Scope.ADMIN)],
)
async def drop(name: str, parts: TheParts, queue: TheQueue) -> None:
    """Delete a collection with all its documents, versions and uploaded files, and cancel its jobs. There is no way back."""
    await parts.read(partial(_drop, name, parts, queue))


def _drop(name: str, parts: Parts, queue: JobQueue) -> None:
    parts.collection(name)
    queue.withdraw(name)
    parts.service.library.drop(name)
    queue.withdraw(name)  # also the file of a document that a worker stored in between


def _collections(parts: Parts) -> CollectionsResponse:
    return CollectionsResponse(
        default=parts.default,
        collections=tuple(_collection(name, parts) for name in parts.names()),
    )


def _collection(name: str, parts: Parts) -> CollectionOut:
    if parts.caller.principals is None:
        return CollectionOut.model_validate(parts.collection(name).state())
    documents = parts.documents(name)
    return CollectionOut(
        name=name,
        documents=len(documents),
        chunks=sum(document.chunks for document in documents),
        vectors=None,
        pending_vectors=None,
        encoder=parts.collection(name).state().encoder,
        bytes_on_disk=None,
    )
