"""Uploads and jobs as they travel: what is sent, and the record Job that comes back."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from service.client.problems import Unavailable
from service.client.requests import given
from service.errors import AnswerInvalid, UploadInvalid
from service.jobs.records import JobState, Stage

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 2.0


@dataclass(frozen=True, slots=True)
class Job:
    """An upload on its way, as its sender sees it; the fields are those of `GET /v1/jobs/{id}`. Times are UTC, ISO 8601."""

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

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state not in (JobState.QUEUED, JobState.RUNNING)


_JOB = TypeAdapter(Job)


@dataclass(frozen=True, slots=True)
class Sent:
    """An upload as a request; `parts` are arguments of httpx."""

    method: str
    path: str
    parts: dict[str, Any]


def job_of(value: Any) -> Job:
    """The job in parsed JSON. Raises AnswerInvalid that names the field."""
    try:
        return _JOB.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise AnswerInvalid(
            f"This is not a job of Quoth: {place}: {first['msg']}. Does a Quoth of this version answer there?"
        ) from error


def job_path(job_id: str) -> str:
    """Where a job is."""
    return f"/v1/jobs/{quote(job_id, safe='')}"


def document_path(collection: str, document_id: str) -> str:
    """Where a document is."""
    return f"/v1/collections/{quote(collection, safe='')}/documents/{quote(document_id, safe='')}"


def upload_of(
    source: Path | bytes,
    collection: str,
    document_id: str | None,
    filename: str | None,
    title: str | None,
    principals: Iterable[str],
) -> Sent:
    """The request that uploads a file. Reads it: OSError; UploadInvalid when nothing names bytes."""
    if isinstance(source, Path):
        filename, content = filename or source.name, source.read_bytes()
    else:
        content = source
    facts = {**given(title=title), "principal": list(principals)}
    if document_id is not None:
        params = {**given(filename=filename), **facts}
        return Sent("PUT", document_path(collection, document_id), {"content": content, "params": params})
    if not filename:
        raise UploadInvalid(f"{len(content):,} bytes have neither a document_id nor a filename. Give one of them.")
    path = f"/v1/collections/{quote(collection, safe='')}/documents"
    return Sent("POST", path, {"files": {"file": (filename, content)}, "data": facts})


def pauses_for(job: Job, timeout_s: float | None) -> Iterator[float]:
    """Seconds to pause before asking again, growing. Raises Unavailable when `timeout_s` has passed."""
    started, pause = time.monotonic(), _FIRST_PAUSE_S
    while timeout_s is None or time.monotonic() - started < timeout_s:
        yield pause
        pause = min(pause * 1.5, _LONGEST_PAUSE_S)
    raise Unavailable(f"The job {job.id} is not finished after {timeout_s:g} s. It goes on: wait for it again.")
