"""Upload, Job, Claim: what is to be indexed, how far that is, and who is at it. Frozen records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

_EMPTY: Mapping[str, str] = MappingProxyType({})


class JobState(StrEnum):
    """How a job stands. `failed` is a dead letter: nothing tries it again, and its error says why."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Stage(StrEnum):
    """What is done to a job's document. From `embedding` on it is found by its words, at `done` by its meaning too."""

    WAITING = "waiting"
    READING = "reading"
    EMBEDDING = "embedding"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that someone sent, to become the current version of a document.

    `sha256` and `size` are of its bytes; `filename` is safe to be a file's name and says the format. `title` and `metadata`
    come before what the file states itself. `principals` may read the document, everybody if there are none; with None, who
    was named for the document before may read it, and everybody if nobody was.
    """

    collection: str
    document_id: str
    filename: str
    sha256: str
    size: int
    title: str | None = None
    metadata: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    principals: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """An upload on its way into its collection. Times are seconds since 1970.

    `done` of `total` counts passages that have their vector, once the stage is `embedding`. `documents` came of it: an archive
    holds many, and `remark` says what of it was not read. `attempts` is how often a worker began; while the job waits for
    another one, `error` is what went wrong last and `not_before` when it is tried.
    """

    id: str
    position: int
    owner: str
    state: JobState
    upload: Upload
    stage: Stage
    done: int
    total: int
    documents: int
    remark: str | None
    attempts: int
    not_before: float
    error: str | None
    error_code: str | None
    created_at: float
    started_at: float | None
    finished_at: float | None

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state not in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in the hands of one worker. `attempts` tells this time from every other, so that a late word changes nothing."""

    job_id: str
    upload: Upload
    worker: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Original:
    """The file that a document's current version came from."""

    collection: str
    document_id: str
    filename: str
    sha256: str
    size: int
    owner: str
    stored_at: float
