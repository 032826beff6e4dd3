"""The queue as a worker sees it: claim a job, renew it, record how far it is, finish it; and take back lost jobs.

Claiming, renewing and detecting a lost lease are done by service/storage/lease_queue.py. This file adds what is a job's own:
its progress, its retries, workers known to have ended before their lease, and the files that nothing needs any more.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

from service.jobs.database import JobTable, Row, job_rows
from service.jobs.protocol import JobDatabase, OriginalStore, Statements
from service.jobs.queue import remove_unneeded
from service.jobs.records import Claim, JobState, Stage
from service.storage.lease_queue import LeaseQueue, delay

LEASE_SECONDS = 60.0
MAX_ATTEMPTS = 20
MAX_LOSSES = 3
KEPT_SECONDS = 7 * 24 * 3600.0
_SETTLED_SECONDS = 3600.0  # a collection that was made since `sweep` looked is younger


class Cancelled(Exception):
    """The job was cancelled before its text was stored. Never leaves this package."""


class Leases:
    """What workers do with the jobs in `database`. Thread-safe; processes may share it.

    `is_gone(worker)` says whether a worker has ended; `chance()` is uniform in [0, 1). A job fails once `max_losses` workers
    have ended while they had it: it may be what ended them. Every method that takes a claim raises LeaseLost if another
    worker has the job by now, or it was withdrawn.
    """

    def __init__(
        self,
        database: JobDatabase,
        originals: OriginalStore,
        is_gone: Callable[[str], bool],
        *,
        clock: Callable[[], float] | None = None,
        chance: Callable[[], float] = random.random,
        lease_seconds: float = LEASE_SECONDS,
        max_losses: int = MAX_LOSSES,
    ) -> None:
        self._database = database
        self._clock = clock or database.now
        self._queue = LeaseQueue(database, JobTable(), lease_seconds, self._clock)
        self._originals = originals
        self._is_gone = is_gone
        self._chance = chance
        self.lease_seconds = lease_seconds
        self._max_losses = max_losses

    def claim(self, worker: str) -> Claim | None:
        """The oldest job that is due, now this worker's; None if there is none. A document's jobs are done in turn."""
        return self._queue.claim(worker)

    def renew(self, claim: Claim) -> bool:
        """Renew the lease. Returns whether the job is to be cancelled."""
        return bool(self._queue.renew(claim.lease)["cancelling"])

    def is_cancelled(self, claim: Claim) -> bool:
        """Whether the job is to be cancelled."""
        with self._queue.reading(claim.lease) as (_, row):
            return bool(row["cancelling"])

    def record_progress(self, claim: Claim, stage: Stage, done: int = 0, total: int = 0) -> None:
        """Record how far the job is."""
        with self._queue.writing(claim.lease) as (transaction, row):
            transaction.run(
                "UPDATE jobs SET stage = ?, done = ?, total = ? WHERE id = ?", stage, done, total, row["id"]
            )

    @contextmanager
    def storing(self, claim: Claim, documents: int = 1, remark: str | None = None) -> Iterator[None]:
        """Record that so many documents are current, together with the block, which makes them so.

        Their file is kept, and that of the version before is not. If the block raises, nothing has happened. Raises Cancelled
        at its start if the job was cancelled or withdrawn. The block does nothing that waits.
        """
        collection, document_id = claim.upload.collection, claim.upload.document_id
        turn = partial(_take_turn, collection=collection)
        with self._queue.writing(claim.lease, turn) as (transaction, row):
            if row["cancelling"]:
                raise Cancelled(claim.job_id)
            transaction.run(
                "UPDATE jobs SET stage = ?, documents = ?, remark = ? WHERE id = ?",
                Stage.EMBEDDING,
                documents,
                remark,
                row["id"],
            )
            before = transaction.rows(
                "SELECT sha256 FROM originals WHERE collection = ? AND document_id = ?", collection, document_id
            )
            transaction.run("DELETE FROM originals WHERE collection = ? AND document_id = ?", collection, document_id)
            transaction.run(
                """
                INSERT INTO originals (collection, document_id, filename, sha256, size, owner, stored_at)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
                collection,
                document_id,
                row["filename"],
                row["sha256"],
                row["size"],
                row["owner"],
                self._clock(),
            )
            yield
        remove_unneeded(self._database, self._originals, [sha256 for (sha256,) in before])

    def succeed(self, claim: Claim) -> None:
        """Record that the job is done."""
        with self._ending(claim) as (transaction, row):
            transaction.run(
                "UPDATE jobs SET stage = 'done', done = total, error = NULL, error_code = NULL WHERE id = ?", row["id"]
            )
            self._queue.finish(transaction, row, JobState.SUCCEEDED)

    def fail(self, claim: Claim, error: str, code: str) -> None:
        """Record that the job cannot be done; it is not tried again."""
        with self._ending(claim) as (transaction, row):
            self._fail(transaction, row, error, code)

    def cancel(self, claim: Claim) -> None:
        """Record that the job was stopped because someone cancelled it."""
        with self._ending(claim) as (transaction, row):
            self._queue.finish(transaction, row, JobState.CANCELLED)

    def retry(self, claim: Claim, error: str, code: str, *, is_loss: bool = False) -> None:
        """Record that the job went wrong and may go through later; after MAX_ATTEMPTS it fails.

        `is_loss`: the error was unexpected, so the job gets fewer attempts.
        """
        with self._ending(claim) as (transaction, row):
            self._retry(transaction, row, int(is_loss), error, code)

    def give_back(self, claim: Claim) -> None:
        """Let the next worker have the job at once: this one stops before it is done."""
        with self._queue.writing(claim.lease) as (transaction, row):
            self._queue.give_back(transaction, row)

    def recover(self) -> int:
        """Take back the jobs whose worker has ended or whose lease ran out. Returns how many."""
        with self._database.reading() as transaction:
            if not self._lost(transaction):
                return 0
        with self._database.writing() as transaction:
            lost = self._lost(transaction)
            for row in lost:
                error = (
                    "The process that indexed it ended before it was done. Send the file again when the cause is known."
                )
                self._retry(transaction, row, 1, error, "worker-lost")
        remove_unneeded(self._database, self._originals, [row["sha256"] for row in lost])
        return len(lost)

    def sweep(self, collections: Iterable[str]) -> None:
        """Forget jobs that finished a week ago, and remove files that nothing needs. `collections` are all that exist.

        Times in the future, from before the clock was set back, are corrected to now: else those rows stay until then.
        """
        now, names = self._clock(), sorted(collections)
        with self._database.writing() as transaction:
            transaction.run("UPDATE jobs SET finished_at = ? WHERE finished_at > ?", now, now)
            transaction.run("UPDATE originals SET stored_at = ? WHERE stored_at > ?", now, now)
            transaction.run("DELETE FROM jobs WHERE finished_at < ?", now - KEPT_SECONDS)
            stored = transaction.rows("SELECT DISTINCT collection FROM originals")
            for gone in {collection for (collection,) in stored}.difference(names):
                transaction.run(
                    "DELETE FROM originals WHERE stored_at < ? AND collection = ?", now - _SETTLED_SECONDS, gone
                )
        remove_unneeded(self._database, self._originals, list(self._originals.digests()))
        self._originals.sweep_incoming()

    def _lost(self, transaction: Statements) -> list[Row]:
        now = self._clock()
        return [
            row
            for row in job_rows(transaction, f"state = 'running' {transaction.skip_locked}")
            if not now < row["leased_until"] <= now + self.lease_seconds or self._is_gone(row["worker"])
        ]

    @contextmanager
    def _ending(self, claim: Claim) -> Iterator[tuple[Statements, Row]]:
        """A transaction that may end the job; its file is removed afterwards if nothing needs it any more."""
        with self._queue.writing(claim.lease) as (transaction, row):
            yield transaction, row
        remove_unneeded(self._database, self._originals, [row["sha256"]])

    def _retry(self, transaction: Statements, row: Row, losses: int, error: str, code: str) -> None:
        if row["cancelling"]:
            self._queue.finish(transaction, row, JobState.CANCELLED)
            return
        attempts, losses = row["attempts"], row["losses"] + losses
        transaction.run("UPDATE jobs SET losses = ? WHERE id = ?", losses, row["id"])
        if attempts >= MAX_ATTEMPTS or losses >= self._max_losses:
            self._fail(transaction, row, f"{error} It was tried {attempts} times.", code)
            return
        transaction.run("UPDATE jobs SET error = ?, error_code = ? WHERE id = ?", error, code, row["id"])
        self._queue.give_back(transaction, row, delay(attempts, self._chance()))

    def _fail(self, transaction: Statements, row: Row, error: str, code: str) -> None:
        transaction.run("UPDATE jobs SET error = ?, error_code = ? WHERE id = ?", error, code, row["id"])
        self._queue.finish(transaction, row, JobState.FAILED)


def _take_turn(transaction: Statements, collection: str) -> None:
    transaction.take_turn("collection", collection)
