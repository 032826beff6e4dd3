"""A job queue whose clock, randomness and dead workers the test controls: in a home folder, or in a PostgreSQL database."""

from dataclasses import dataclass, field
from pathlib import Path

from service.jobs.database import open_jobs
from service.jobs.files import Originals
from service.jobs.leases import Leases
from service.jobs.postgres import PostgresJobs
from service.jobs.protocol import JobDatabase, OriginalStore
from service.jobs.queue import JobQueue
from service.jobs.records import Claim, Job, JobState, Upload
from service.jobs.shared_files import ObjectStore, SharedOriginals


def open_storage(
    home: Path, url: str | None = None, objects: ObjectStore | None = None
) -> tuple[JobDatabase, OriginalStore]:
    """The jobs and files in the home, or in the database at `url`, the files in `objects` if given."""
    if url is None:
        return open_jobs(home / "jobs.sqlite"), Originals(home / "uploads")
    jobs = PostgresJobs(url)
    return jobs, SharedOriginals(jobs, home / "uploads" / "incoming", objects)


@dataclass
class QueueWithClock:
    """A queue with its leases, a clock that stands still until moved, and workers that end when told to."""

    home: Path
    max_waiting: int = 100
    now: float = 1000.0
    gone: set[str] = field(default_factory=set)
    url: str | None = None
    objects: ObjectStore | None = None

    def __post_init__(self) -> None:
        self.database, self.originals = open_storage(self.home, self.url, self.objects)
        self.queue = JobQueue(self.database, self.originals, clock=lambda: self.now, max_waiting=self.max_waiting)
        self.leases = Leases(
            self.database,
            self.originals,
            lambda worker: worker in self.gone,
            clock=lambda: self.now,
            chance=lambda: 0.5,
        )

    def close(self) -> None:
        """Close the queue."""
        self.queue.close()

    def add(
        self,
        document: str = "d",
        text: str = "Some text.",
        owner: str = "",
        key: str | None = None,
        title: str = "",
        collection: str = "c",
    ) -> Job:
        with self.originals.receiving(10**8) as incoming:
            incoming.write(text.encode())
            incoming.finish()
            facts = (title or None, {"year": "2024"})
            upload = Upload(collection, document, "a.txt", incoming.sha256, incoming.size, *facts)
            return self.queue.add(upload, incoming, owner=owner, key=key)

    def claim(self, worker: str = "w") -> Claim:
        claim = self.leases.claim(worker)
        assert claim is not None
        return claim

    def state(self, job: Job) -> JobState:
        return self.queue.job(job.id, owner=job.owner).state

    def texts(self) -> list[str]:
        """The texts of all stored files."""
        return sorted(self.text(sha256) for sha256 in self.stored())

    def text(self, sha256: str) -> str:
        """The text of a stored file."""
        with self.originals.opened(sha256) as path:
            return path.read_text()

    def stored(self) -> list[str]:
        """The SHA-256 of all stored files."""
        if self.url is None:
            return list(self.originals.digests())
        with self.database.reading() as transaction:
            return [sha256 for (sha256,) in transaction.rows("SELECT sha256 FROM files")]
