"""Upload, Job, Claim, Original: frozen records of what is to be indexed, how far it is, and which worker has it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from service.storage.lease_queue import Lease

_EMPTY: Mapping[str, str] = MappingProxyType({})


class JobState(StrEnum):
    """The state of a job. `failed` is a dead letter: nothing tries it again, and its error says why."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Stage(StrEnum):
    """The step a job's document is at. From `embedding` on, search finds it by its words; at `done`, also by its meaning."""

    WAITING = "waiting"
    READING = "reading"
    EMBEDDING = "embedding"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent to become the current version of a document.

    `sha256` and `size` are of its bytes; `filename` is safe as a file's name, and its suffix gives the format. `title` and
    `metadata` win over what the file states itself. `principals` may read the document, everybody if the set is empty; None
    keeps the principals of the version before, and everybody may read a new document.
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

    `done` of `total` passages have their vector, once the stage is `embedding`. `documents` is how many documents the upload
    became: an archive holds many, and `remark` says which of its files were not read. `attempts` is how often a worker began
    it; while the job waits for another attempt, `error` is what went wrong last and `not_before` when it is tried again.
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
        """Whether nothing more will happen to the job."""
        return self.state not in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that a worker has. `attempts` distinguishes this claim from every other, so that a late report changes nothing."""

    job_id: str
    upload: Upload
    worker: str
    attempts: int

    @property
    def lease(self) -> Lease:
        """The lease, which the worker shows with each report on the job."""
        return Lease(self.job_id, self.worker, self.attempts)


@dataclass(frozen=True, slots=True)
class Original:
    """The file, as it was sent, that a document's current version came from."""

    collection: str
    document_id: str
    filename: str
    sha256: str
    size: int
    owner: str
    stored_at: float
