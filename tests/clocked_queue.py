"""A job queue whose clock, randomness and dead workers the test controls."""

from dataclasses import dataclass, field
from pathlib import Path

from service.jobs.database import open_jobs
from service.jobs.files import Originals
from service.jobs.leases import Leases
from service.jobs.queue import JobQueue
from service.jobs.records import Claim, Job, JobState, Upload


@dataclass
class QueueWithClock:
    """A queue with its leases, a clock that stands still until moved, and workers that end when told to."""

    home: Path
    max_waiting: int = 100
    now: float = 1000.0
    gone: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.database = open_jobs(self.home / "jobs.sqlite")
        self.originals = Originals(self.home / "uploads")
        self.queue = JobQueue(self.database, self.originals, clock=lambda: self.now, max_waiting=self.max_waiting)
        self.leases = Leases(
            self.database,
            self.originals,
            lambda worker: worker in self.gone,
            clock=lambda: self.now,
            chance=lambda: 0.5,
        )

    def add(
        self, document: str = "d", text: str = "Some text.", owner: str = "", key: str | None = None, title: str = ""
    ) -> Job:
        with self.originals.receiving(1000) as incoming:
            incoming.write(text.encode())
            incoming.finish()
            upload = Upload("c", document, "a.txt", incoming.sha256, incoming.size, title or None, {"year": "2024"})
            return self.queue.add(upload, incoming, owner=owner, key=key)

    def claim(self, worker: str = "w") -> Claim:
        claim = self.leases.claim(worker)
        assert claim is not None
        return claim

    def state(self, job: Job) -> JobState:
        return self.queue.job(job.id, owner=job.owner).state

    def texts(self) -> list[str]:
        return sorted(self.originals.path(sha256).read_text() for sha256 in self.originals.digests())
