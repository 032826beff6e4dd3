"""The JSON of uploads and jobs."""

from typing import Self

from service.api.schemas.documents import DocumentOut
from service.jobs.records import Job, JobState, Original, Stage
from service.schemas.base import Record, utc_time


class JobOut(Record):
    """An upload and its progress. At the stage `embedding` it is found by its words, at `done` by its meaning too.

    Times are UTC, ISO 8601. `done` of `total` passages have their vector. `documents` counts the documents made from it: an
    archive or a mailbox holds many. `remark` says what was not read or may be wrong, and whether the document is restricted
    although nobody was named. A job that waits for a retry has the last `error` and the time of the next try in `retry_at`; a
    failed job says why it is not tried again.
    """

    id: str
    state: JobState
    stage: Stage
    done: int
    total: int
    documents: int
    remark: str | None
    attempts: int
    collection: str
    document_id: str
    filename: str
    size: int
    error: str | None
    error_code: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    retry_at: str | None

    @classmethod
    def of(cls, job: Job) -> Self:
        """The record of a job."""
        is_retry = job.state is JobState.QUEUED and job.error is not None
        return cls(
            id=job.id,
            state=job.state,
            stage=job.stage,
            done=job.done,
            total=job.total,
            documents=job.documents,
            remark=job.remark,
            attempts=job.attempts,
            collection=job.upload.collection,
            document_id=job.upload.document_id,
            filename=job.upload.filename,
            size=job.upload.size,
            error=job.error,
            error_code=job.error_code,
            created_at=utc_time(job.created_at),
            started_at=None if job.started_at is None else utc_time(job.started_at),
            finished_at=None if job.finished_at is None else utc_time(job.finished_at),
            retry_at=utc_time(job.not_before) if is_retry else None,
        )


class JobsResponse(Record):
    """Jobs, newest first. `next`: give it as `before` to get those after these; null at the end."""

    jobs: tuple[JobOut, ...]
    next: str | None


class FileOut(Record):
    """The file that was uploaded; `stored_at` is UTC, ISO 8601."""

    filename: str
    size: int
    sha256: str
    stored_at: str

    @classmethod
    def of(cls, original: Original) -> Self:
        """The record of an original."""
        return cls(
            filename=original.filename,
            size=original.size,
            sha256=original.sha256,
            stored_at=utc_time(original.stored_at),
        )


class DocumentDetail(DocumentOut):
    """A document, and the file it came from if it was uploaded.

    `has_structure` is false for a document that an earlier version of Quoth read, without tables and lists.
    """

    has_structure: bool
    file: FileOut | None
