"""Uploads and jobs as they travel: what is sent, and the record Job that comes back."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from service.client.protocol import Unavailable, given
from service.errors import AnswerInvalid, UploadInvalid
from service.jobs.records import JobState, Stage

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 2.0
_LONGEST_KEY = 255


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


@dataclass(frozen=True, slots=True)
class Facts:
    """What is said of an upload beside its name. `public`: everybody may read it; `principals`: they may.

    `idempotency_key` is the sender's name for this one upload, so that sending it again is safe.
    """

    title: str | None
    metadata: Mapping[str, str] | None
    principals: Iterable[str]
    public: bool
    idempotency_key: str | None

    def fields(self) -> dict[str, Any]:
        """As fields of a query or a form."""
        metadata = None if self.metadata is None else json.dumps(dict(self.metadata), ensure_ascii=False)
        said = given(title=self.title, metadata=metadata, public="true" if self.public else None)
        return {**said, "principal": list(self.principals)}

    def headers(self) -> dict[str, str]:
        """As headers. UploadInvalid when the key cannot be one."""
        key = self.idempotency_key
        if key is None:
            return {}
        if not 0 < len(key) <= _LONGEST_KEY or not key.isascii() or not key.isprintable() or key != key.strip():
            raise UploadInvalid(f"{key[:50]!r} cannot be an idempotency key. Use 1 to {_LONGEST_KEY} ASCII characters.")
        return {"Idempotency-Key": key}


def upload_of(
    source: Path | bytes, collection: str, document_id: str | None, filename: str | None, facts: Facts
) -> Sent:
    """The request that uploads a file. Reads it: OSError; UploadInvalid when nothing names bytes, or for a bad key."""
    if isinstance(source, Path):
        filename, content = filename or source.name, source.read_bytes()
    else:
        content = source
    if document_id is not None:
        params = {**given(filename=filename), **facts.fields()}
        parts = {"content": content, "params": params, "headers": facts.headers()}
        return Sent("PUT", document_path(collection, document_id), parts)
    if not filename:
        raise UploadInvalid(f"{len(content):,} bytes have neither a document_id nor a filename. Give one of them.")
    path = f"/v1/collections/{quote(collection, safe='')}/documents"
    parts = {"files": {"file": (filename, content)}, "data": facts.fields(), "headers": facts.headers()}
    return Sent("POST", path, parts)


def pauses_for(job: Job, timeout_s: float | None) -> Iterator[float]:
    """Seconds to pause before asking again, growing. Raises Unavailable when `timeout_s` has passed."""
    started, pause = time.monotonic(), _FIRST_PAUSE_S
    while timeout_s is None or time.monotonic() - started < timeout_s:
        yield pause
        pause = min(pause * 1.5, _LONGEST_PAUSE_S)
    raise Unavailable(f"The job {job.id} is not finished after {timeout_s:g} s. It goes on: wait for it again.")
