"""The worker: its loop, which claims a job, does it while its lease is renewed and records the outcome; and its presence."""

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import structlog

from index.errors import CollectionBusy, IndexingError
from index.errors import Transient as IndexTransient
from index.storage.atomic import seconds_unchanged
from index.storage.lock import FileLock
from service.errors import ServiceError, code_of
from service.errors import Transient as ServiceTransient
from service.jobs.leases import LEASE_SECONDS, Cancelled, Leases
from service.jobs.records import Claim
from service.storage.lease_queue import LeaseLost, delay

POLL_SECONDS = 0.25
_WATCH_SECONDS = 0.5
_RECOVER_SECONDS = 5.0
_SWEEP_SECONDS = 3600.0
_MOST_DOUBLINGS = 5  # of the wait for a queue that does not answer: at most 16 s
_LOCK_SECONDS = 5.0  # only a process that checks whether the lock is free can hold it meanwhile
_SETTLED_SECONDS = 60.0  # a worker that is just starting may not have its lock yet
log = structlog.get_logger(__name__)


class Stopped(Exception):
    """The worker is to stop, and gives its job back. Never leaves this package."""


class Work(Protocol):
    """What a worker does with a claim: `service.jobs.indexing.Indexer`, or a test's own."""

    def work(self, claim: Claim, check: Callable[[], None]) -> None:
        """Do the work; call `check` between steps."""
        ...

    def interrupt(self) -> None:
        """Make `work` return soon. Called from another thread."""
        ...


class JobWorker:
    """Works on the jobs in `leases` under the name `name`, until `stop` is set.

    `recover` takes back what other processes left half done, by default their jobs, at the start and every few seconds; `sweep`
    is called at the start and once an hour, when no job is due; if it returns True, also when no job is due the next time.
    `idle` does a little of what else there is to do, whenever no job is due; it returns whether there was anything.
    """

    def __init__(
        self,
        leases: Leases,
        work: Work,
        name: str,
        stop: threading.Event,
        sweep: Callable[[], object],
        recover: Callable[[], object] | None = None,
        idle: Callable[[], bool] = lambda: False,
    ) -> None:
        self._leases = leases
        self._work = work
        self._name = name
        self._stop = stop
        self._recover = recover or leases.recover
        self._sweep = sweep
        self._idle = idle

    def run(self) -> None:
        """Work until `stop` is set. An error of a job is recorded in the job; an error of the queue is raised.

        Once it has worked, a queue that does not answer for a time is waited for. Then no lease is taken away before others
        that waited, too, have had the time to renew theirs.
        """
        self._recover()
        recover_at, sweep_at, failures = time.monotonic() + _RECOVER_SECONDS, time.monotonic(), 0
        while not self._stop.is_set():
            try:
                now = time.monotonic()
                if now >= recover_at:
                    self._recover()
                    recover_at = now + _RECOVER_SECONDS
                claim = self._leases.claim(self._name)
                if claim is not None:
                    self._do(claim)
                    continue
                if now >= sweep_at:
                    sweep_at = now if self._sweep() is True else now + _SWEEP_SECONDS
                failures = 0
                if not self._idle():
                    self._stop.wait(POLL_SECONDS)
            except (IndexTransient, ServiceTransient) as error:
                failures += 1
                log.warning("queue not reached", detail=str(error))
                self._stop.wait(delay(min(failures, _MOST_DOUBLINGS), random.random()))
                recover_at = time.monotonic() + self._leases.lease_seconds

    def _do(self, claim: Claim) -> None:
        watch = _Watch(self._leases, claim, self._work, self._stop)
        begin = time.monotonic()
        try:
            with watch:
                self._work.work(claim, watch.check)
            self._leases.succeed(claim)
            outcome = "succeeded"
        except LeaseLost:
            outcome = "lost"
        except Exception as error:  # noqa: BLE001 (a job that breaks must not end the worker; `_record_failure` reports it)
            outcome = self._record_failure(claim, watch, error)
        log.info("job", job=claim.job_id, outcome=outcome, seconds=round(time.monotonic() - begin, 2))

    def _record_failure(self, claim: Claim, watch: "_Watch", error: Exception) -> str:
        """Record a job that was not done, and return the outcome. If it was interrupted, that is why it failed."""
        code = code_of(error)
        try:
            if watch.is_cancelled or isinstance(error, Cancelled):
                self._leases.cancel(claim)
                return "cancelled"
            if self._stop.is_set():
                self._leases.give_back(claim)
                return "given back"
            if isinstance(error, IndexTransient | ServiceTransient):
                self._leases.retry(claim, str(error), code)
                return "to be tried again"
            if isinstance(error, IndexingError | ServiceError):
                self._leases.fail(claim, str(error), code)
                return "failed"
            log.exception("job broke", job=claim.job_id)
            message = "Something broke inside Quoth; the server's log has the details under the job's id."
            self._leases.retry(claim, message, "internal", is_loss=True)
            return "broke"
        except LeaseLost:
            return "lost"


class _Watch:
    """A thread beside the work: renews the lease, and interrupts the work when it is cancelled, lost or to stop."""

    def __init__(self, leases: Leases, claim: Claim, work: Work, stop: threading.Event) -> None:
        self.is_cancelled = False
        self._is_lost = False
        self._leases = leases
        self._claim = claim
        self._work = work
        self._stop = stop
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def check(self) -> None:
        """Raise LeaseLost or Stopped if the work must not go on."""
        if self._is_lost:
            raise LeaseLost(self._claim.job_id)
        if self._stop.is_set():
            raise Stopped

    def _run(self) -> None:
        renew_at = time.monotonic() + self._leases.lease_seconds / 3
        while not self._done.wait(_WATCH_SECONDS):
            try:
                if time.monotonic() >= renew_at:
                    self._leases.renew(self._claim)
                    renew_at = time.monotonic() + self._leases.lease_seconds / 3
                self.is_cancelled = self._leases.is_cancelled(self._claim)
            except LeaseLost:
                self._is_lost = True
            except ServiceTransient as error:
                log.warning("lease not kept", job=self._claim.job_id, detail=str(error))
                continue
            if self.is_cancelled or self._is_lost or self._stop.is_set():
                self._work.interrupt()
                return


class LeaseOnly:
    """Workers of several machines know nothing of each other but their leases, which are shorter for that. See `Presence`."""

    lease_seconds = 30.0

    @contextmanager
    def announce(self) -> Iterator[str]:
        """Give a name that no other worker has."""
        yield uuid.uuid4().hex

    def is_gone(self, worker: str) -> bool:
        """Return False: the end of its lease says so."""
        return False

    def sweep(self) -> None:
        """Do nothing: a worker leaves nothing behind."""


class Presence:
    """Which workers are alive: each holds a file lock in `folder`, which the kernel releases however the worker ends.

    So a killed worker is known to have ended at once, whatever the clock says, and without process numbers, which are reused
    and mean nothing in another container. The end of a lease covers what this cannot see: a worker that hangs, or one on
    another machine.
    """

    lease_seconds = LEASE_SECONDS

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def announce(self) -> Iterator[str]:
        """Hold the lock of a new worker until the `with` block or the process ends. Gives the worker's name."""
        self._folder.mkdir(parents=True, exist_ok=True)
        worker = uuid.uuid4().hex
        try:
            with FileLock(self._folder / worker).hold(_LOCK_SECONDS):
                yield worker
        finally:
            self._forget(worker)

    def is_gone(self, worker: str) -> bool:
        """Whether the worker of that name has ended."""
        path = self._folder / worker
        if not path.exists():
            return True
        try:
            with FileLock(path).hold(0):
                pass
        except CollectionBusy:
            return False
        self._forget(worker)
        return True

    def sweep(self) -> None:
        """Remove the locks of workers that ended without removing them."""
        for path in self._folder.glob("*"):
            with suppress(FileNotFoundError):  # another worker sweeps, too
                if path.suffix != ".turn" and seconds_unchanged(path) > _SETTLED_SECONDS:
                    self.is_gone(path.name)

    def _forget(self, worker: str) -> None:
        for name in (worker, f"{worker}.turn"):
            (self._folder / name).unlink(missing_ok=True)
