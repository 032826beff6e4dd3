"""GET and DELETE /v1/jobs: follow the progress of uploads, and cancel them. Each caller sees its own."""

from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from service.access.caller import Scope
from service.api.dependencies import TheQueue, TheSession, needs
from service.api.problems import problem_responses
from service.api.schemas.jobs import JobOut, JobsResponse
from service.jobs.queue import JobQueue
from service.jobs.records import JobState
from service.schemas.base import CollectionName

_ERRORS = problem_responses(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)
_Id = Annotated[str, Query(max_length=64)]

router = APIRouter(tags=["jobs"], dependencies=[needs(Scope.INGEST)])


@router.get("/v1/jobs", summary="List jobs", responses=_ERRORS)
async def listed(
    session: TheSession,
    queue: TheQueue,
    state: JobState | None = None,
    collection: Annotated[CollectionName | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[_Id | None, Query(description="`next` of the list before")] = None,
) -> JobsResponse:
    """The caller's jobs, newest first. A finished job is deleted after a week."""
    return await session.run_io(partial(_page, queue, session.caller.owner, state, collection, limit, before))


@router.get("/v1/jobs/{job_id}", summary="How far is a job?", responses=_ERRORS)
async def job(job_id: str, session: TheSession, queue: TheQueue) -> JobOut:
    """One job."""
    return JobOut.of(await session.run_io(partial(queue.job, job_id, owner=session.caller.owner)))


@router.delete("/v1/jobs/{job_id}", summary="Cancel a job", responses=_ERRORS)
async def cancel(job_id: str, session: TheSession, queue: TheQueue) -> JobOut:
    """Cancel a job, at once or soon. A job whose text is already stored goes on, and a finished job stays as it is."""
    return JobOut.of(await session.run_io(partial(queue.cancel, job_id, owner=session.caller.owner)))


def _page(
    queue: JobQueue, owner: str, state: JobState | None, collection: str | None, limit: int, before: str | None
) -> JobsResponse:
    place = None if before is None else queue.job(before, owner=owner).position
    jobs = queue.jobs(owner=owner, state=state, collection=collection, limit=limit + 1, before=place)
    page = jobs[:limit]
    return JobsResponse(jobs=tuple(map(JobOut.of, page)), next=page[-1].id if len(jobs) > limit else None)
