"""/v1/collections: list the collections, show one, make one, rename one, drop one."""

from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from service.access.caller import Scope
from service.api.dependencies import TheQueue, TheSession, TheSuggester, needs
from service.api.problems import problem_responses
from service.api.schemas.documents import CollectionOut, CollectionsResponse, CollectionTitle, SuggestionsOut
from service.jobs.queue import JobQueue
from service.schemas.answers import RecordingOut
from service.schemas.base import Words
from service.session.session import Session

_ERRORS = problem_responses(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)

router = APIRouter(tags=["documents"])

Title = Annotated[Words, Query(description="how it is shown; without one, by its name")]


@router.get("/v1/collections", summary="List collections", dependencies=[needs(Scope.ASK)])
async def collections(session: TheSession) -> CollectionsResponse:
    """The collections that the caller may open, with their sizes. An empty list: nothing is indexed yet."""
    return await session.run_io(lambda: _collections(session))


@router.get("/v1/collections/{name}", summary="Show a collection", responses=_ERRORS, dependencies=[needs(Scope.ASK)])
async def collection(name: str, session: TheSession) -> CollectionOut:
    """One collection with its size."""
    return await session.run_io(partial(_collection, name, session))


@router.get(
    "/v1/collections/{name}/questions",
    summary="Suggest questions",
    responses=_ERRORS,
    dependencies=[needs(Scope.ASK)],
)
async def questions(name: str, session: TheSession, suggester: TheSuggester) -> SuggestionsOut:
    """Questions that documents of the collection answer, drawn from those that everybody may read and tried out.

    They are looked for in the background after the documents have changed: while `is_complete` is false, ask again later.
    """
    name = session.collection_name(name)
    if suggester is None:
        return SuggestionsOut(questions=(), is_complete=True)
    found = await session.run_io(partial(suggester.suggest, name))
    return SuggestionsOut(questions=found.questions, is_complete=found.is_complete)


@router.put(
    "/v1/collections/{name}",
    summary="Make a collection",
    responses=_ERRORS,
    dependencies=[needs(Scope.INGEST)],
)
async def make(name: str, session: TheSession, title: Title = "") -> CollectionOut:
    """An empty collection of that name, shown by the title if one is given.

    One that is there stays as it is. The first upload into a collection makes it, too.
    """
    return await session.run_write(partial(_make, name, title, session))


@router.patch(
    "/v1/collections/{name}",
    summary="Rename a collection",
    responses=_ERRORS,
    dependencies=[needs(Scope.ADMIN)],
)
async def rename(name: str, body: CollectionTitle, session: TheSession) -> CollectionOut:
    """Give a collection a title to be shown by. Its name stays: keys, settings, conversations and addresses refer to that."""
    return await session.run_write(partial(_rename, name, body.title, session))


@router.delete(
    "/v1/collections/{name}",
    summary="Drop a collection",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_ERRORS,
    dependencies=[needs(Scope.ADMIN)],
)
async def drop(name: str, session: TheSession, queue: TheQueue) -> None:
    """Delete a collection with all its documents, versions and uploaded files, and cancel its jobs. This cannot be undone."""
    await session.run_write(partial(_drop, name, session, queue))


def _make(name: str, title: str, session: Session) -> CollectionOut:
    session.require_open(name)
    is_new = name not in session.service.library.names()
    collection = session.service.library.open_or_create(name)
    if is_new and title:
        collection.rename(title)
    return _collection(name, session)


def _rename(name: str, title: str, session: Session) -> CollectionOut:
    session.collection(name).rename(title)
    return _collection(name, session)


def _drop(name: str, session: Session, queue: JobQueue) -> None:
    name = session.collection_name(name)
    session.service.library.finish_drops(queue.complete_withdrawal)
    session.service.library.drop(name, queue.withdrawing(name))


def _collections(session: Session) -> CollectionsResponse:
    recording = session.service.recording
    return CollectionsResponse(
        default=session.default_collection,
        collections=tuple(_collection(name, session) for name in session.collection_names()),
        answers_made_with=RecordingOut.model_validate(recording) if recording else None,
    )


def _collection(name: str, session: Session) -> CollectionOut:
    if session.caller.principals is None:
        return CollectionOut.model_validate(session.collection(name).state())
    documents, state = session.documents(name), session.collection(name).state()
    return CollectionOut(
        name=name,
        title=state.title,
        documents=len(documents),
        chunks=sum(document.chunks for document in documents),
        vectors=None,
        pending_vectors=None,
        encoder=state.encoder,
        bytes_on_disk=None,
    )
