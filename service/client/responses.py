"""The server's responses as values: errors, the events of a stream, and jobs."""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import TypeAdapter, ValidationError

from index.records import Hit
from service.answer_json import answer_of, citation_of, hit_of, sentence_of
from service.errors import AnswerInvalid, Permanent, Transient
from service.jobs.records import JobState, Stage
from service.records import Answer, Citation, Sentence

_TRANSIENT = {429, 502, 503, 504}
_MIN_PAUSE_S, _MAX_PAUSE_S = 0.05, 2.0


class Refused(Permanent):
    """The server rejects the request. `code` is stable, `status` is HTTP's, `detail` says how to fix the request."""

    def __init__(self, status: int, code: str, detail: str, request_id: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id


class Unavailable(Transient):
    """The server does not answer, or cannot answer now; `code` and `retry_after_s` are None where it gave none."""

    def __init__(self, detail: str, code: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.retry_after_s = retry_after_s


def raise_for_problem(response: httpx.Response) -> httpx.Response:
    """The response, if it is a success. Raises Refused or Unavailable otherwise."""
    if response.is_success:
        return response
    try:
        body = response.json()
    except ValueError:
        body = None
    raise problem_error(response.status_code, body if isinstance(body, dict) else {}, response)


def problem_error(status: int, body: dict[str, Any], response: httpx.Response | None) -> Refused | Unavailable:
    """The error for a problem document; `body` may be empty."""
    detail = str(
        body.get("detail") or f"The server answered with the status {status} and no explanation. Is it a Quoth?"
    )
    code = str(body.get("code") or f"http-{status}")
    if status in _TRANSIENT:
        after = response.headers.get("retry-after", "") if response is not None else ""
        return Unavailable(detail, code, float(after) if after.isdecimal() else None)
    return Refused(status, code, detail, body.get("request_id"))


def unreachable_error(url: httpx.URL, error: httpx.TransportError) -> Unavailable:
    """The error for a server that cannot be reached."""
    return Unavailable(f"{url} does not answer ({type(error).__name__}: {error}). Is `quoth serve` running there?")


@dataclass(frozen=True, slots=True)
class Passages:
    """Stream event: the passages that are read for the question, best first."""

    passages: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """Stream event: a checked sentence, with the citations that it is the first to use."""

    sentence: Sentence
    citations: tuple[Citation, ...]


Event = Passages | Told | Answer
"""What a stream yields; the whole Answer comes last."""


class EventParser:
    """Reads the lines of a stream of server-sent events.

    Written here, since httpx-sse 0.4 rejects a stream without its content type and expects to hold the response.
    """

    def __init__(self) -> None:
        self._name = ""
        self._data: list[str] = []
        self._complete = False

    def feed(self, line: str) -> Iterable[Event]:
        """The event that ends with this line, if one does."""
        name, _, value = line.partition(":")
        if line:
            if name == "event":
                self._name = value.strip()
            elif name == "data":
                self._data.append(value.removeprefix(" "))
            return ()
        if not self._data:
            return ()
        data = json.loads("\n".join(self._data))
        self._data = []
        return (self._event(data),)

    def end(self) -> None:
        """Raise Unavailable when the stream stopped before its answer."""
        if not self._complete:
            raise Unavailable("The stream broke off before the answer was whole. Ask again.")

    def _event(self, data: Any) -> Event:
        if self._name == "passages":
            return Passages(tuple(hit_of(hit) for hit in data["passages"]))
        if self._name == "sentence":
            return Told(sentence_of(data["sentence"]), tuple(citation_of(citation) for citation in data["citations"]))
        if self._name == "answer":
            self._complete = True
            return answer_of(data)
        raise problem_error(int(data["status"]), data, None)


@dataclass(frozen=True, slots=True)
class Job:
    """The indexing of an upload, as its sender sees it, with the fields of `GET /v1/jobs/{id}`. Times are UTC, ISO 8601."""

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
        """Whether its state is final."""
        return self.state not in (JobState.QUEUED, JobState.RUNNING)


_JOB = TypeAdapter(Job)


def read_job(value: Any) -> Job:
    """The job in parsed JSON. Raises AnswerInvalid that names the field."""
    try:
        return _JOB.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise AnswerInvalid(
            f"This is not a job of Quoth: {place}: {first['msg']}. Does a Quoth of this version answer there?"
        ) from error


def poll_pauses(job: Job, timeout_s: float | None) -> Iterator[float]:
    """Seconds to pause before asking for the job again, growing. Raises Unavailable when `timeout_s` has passed."""
    started, pause = time.monotonic(), _MIN_PAUSE_S
    while timeout_s is None or time.monotonic() - started < timeout_s:
        yield pause
        pause = min(pause * 1.5, _MAX_PAUSE_S)
    raise Unavailable(f"The job {job.id} is not finished after {timeout_s:g} s. It goes on: wait for it again.")
