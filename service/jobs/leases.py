"""The queue as a worker sees it: claim a job, keep it, say how it went; and take back jobs whose worker is gone.

A claim is good until its lease runs out or its worker's lock is free. Whoever lost it finds out at the next word: every word
about a job names the worker and the attempt, and changes nothing if the job is in other hands by now.

Times are the system's clock, which may be set back. A lease or a delay that lies further in the future than any could is
taken as over: the worst that follows is work done twice, and doing it twice changes nothing.
"""

import json
import random
import time
from collections.abc import Callable, Iterable
from sqlite3 import Connection, Row

from index.storage.sqlite import Database
from service.jobs.database import upload_from
from service.jobs.files import Originals
from service.jobs.queue import drop_unneeded
from service.jobs.records import Claim, Stage

FIRST_SECONDS = 1.0
MOST_SECONDS = 300.0


def delay(failures: int, chance: float) -> float:
    """Seconds to wait after so many failures (from 1); `chance`, uniform in [0, 1), picks from the upper half of the bound."""
    bound = min(FIRST_SECONDS * 2.0 ** (min(failures, 64) - 1), MOST_SECONDS)
    return bound * (1.0 + chance) / 2.0


LEASE_SECONDS = 60.0
MOST_ATTEMPTS = 20
MOST_LOSSES = 3
KEPT_SECONDS = 7 * 24 * 3600.0
_SETTLED_SECONDS = 3600.0  # a collection that was made since `sweep` looked is younger


class LeaseLost(Exception):
    """The job is in other hands, or was withdrawn. Never leaves this package: the worker drops what it was doing."""


class Leases:
    """What workers do with the jobs in `database`. Thread-safe; processes may share it.

    `is_gone(worker)` says whether a worker has ended, `chance()` is uniform in [0, 1). A job during which so many workers
    ended as `most_losses` says is given up: it may be what ended them.
    """

    def __init__(
        self,
        database: Database,
        originals: Originals,
        is_gone: Callable[[str], bool],
        *,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
        lease_seconds: float = LEASE_SECONDS,
        most_losses: int = MOST_LOSSES,
    ) -> None:
        self._database = database
        self._originals = originals
        self._is_gone = is_gone
        self._clock = clock
        self._chance = chance
        self.lease_seconds = lease_seconds
        self._most_losses = most_losses

    def claim(self, worker: str) -> Claim | None:
        """The oldest job that is due, now this worker's; None if there is none. A document's jobs are worked in turn."""
        with self._database.reading() as connection:
            if self._due(connection) is None:
                return None
        with self._database.writing() as connection:
            row = self._due(connection)
            if row is None:
                return None
            now = self._clock()
            connection.execute(
                """
                UPDATE jobs SET state = 'running', stage = 'waiting', done = 0, total = 0, attempts = attempts + 1, worker = ?,
                    leased_until = ?, started_at = coalesce(started_at, ?) WHERE id = ?
                """,
                (worker, now + self.lease_seconds, now, row["id"]),
            )
            return Claim(row["id"], upload_from(row), worker, row["attempts"] + 1)

    def keep(self, claim: Claim) -> bool:
        """Prolong the lease; whether the job is to be cancelled. `LeaseLost` if it is in other hands."""
        with self._database.writing() as connection:
            self._say(connection, claim, "leased_until = ?", self._clock() + self.lease_seconds)
            return self._is_cancelling(connection, claim)

    def tell(self, claim: Claim, stage: Stage, done: int = 0, total: int = 0) -> None:
        """Record how far the job is. `LeaseLost` as with `keep`."""
        with self._database.writing() as connection:
            self._say(connection, claim, "stage = ?, done = ?, total = ?", stage, done, total)

    def is_cancelled(self, claim: Claim) -> bool:
        """Whether the job is to be cancelled. `LeaseLost` as with `keep`."""
        with self._database.reading() as connection:
            return self._is_cancelling(connection, claim)

    def stored(self, claim: Claim, documents: int = 1, remark: str | None = None) -> None:
        """So many documents are current now: their file is kept from now on, and that of the version before is not.

        Said while holding the collection's lock, so that who withdraws the document comes wholly before or after.
        """
        upload = claim.upload
        place = (upload.collection, upload.document_id)
        with self._database.writing() as connection:
            self._say(connection, claim, "stage = ?, documents = ?, remark = ?", Stage.EMBEDDING, documents, remark)
            before = connection.execute(
                "SELECT sha256 FROM originals WHERE collection = ? AND document_id = ?", place
            ).fetchone()
            connection.execute(
                """
                INSERT OR REPLACE INTO originals SELECT collection, document_id, filename, sha256, size, owner, ?
                FROM jobs WHERE id = ?
                """,
                (self._clock(), claim.job_id),
            )
            if before is not None:
                drop_unneeded(connection, self._originals, before[0])

    def succeed(self, claim: Claim) -> None:
        """The job is done. `LeaseLost` as with `keep`."""
        self._finish(claim, "state = 'succeeded', stage = 'done', done = total, error = NULL, error_code = NULL")

    def fail(self, claim: Claim, error: str, code: str) -> None:
        """The job cannot be done; it is tried no more. `LeaseLost` as with `keep`."""
        self._finish(claim, "state = 'failed', error = ?, error_code = ?", error, code)

    def cancel(self, claim: Claim) -> None:
        """The job was stopped because someone cancelled it. `LeaseLost` as with `keep`."""
        self._finish(claim, "state = 'cancelled'")

    def retry(self, claim: Claim, error: str, code: str, *, is_loss: bool = False) -> None:
        """The job went wrong and may go through later; after too many times it fails.

        `is_loss`: nobody expected it to go wrong like this, so it gets fewer chances. `LeaseLost` as with `keep`.
        """
        with self._database.writing() as connection:
            self._say(connection, claim, "losses = losses + ?", int(is_loss))
            losses = connection.execute("SELECT losses FROM jobs WHERE id = ?", (claim.job_id,)).fetchone()[0]
            self._again(connection, claim.job_id, claim.attempts, losses, error, code)

    def give_back(self, claim: Claim) -> None:
        """The worker stops before the job is done; the next one may have it at once. `LeaseLost` as with `keep`."""
        with self._database.writing() as connection:
            self._say(connection, claim, "state = 'queued', stage = 'waiting', worker = NULL, leased_until = NULL")

    def recover(self) -> int:
        """Take back jobs whose worker has ended or whose lease ran out; answers how many."""
        with self._database.reading() as connection:
            if not self._lost(connection):
                return 0
        with self._database.writing() as connection:
            lost = self._lost(connection)
            for row in lost:
                if row["cancelling"]:
                    self._close(connection, row["id"], row["sha256"], "state = 'cancelled'")
                    continue
                connection.execute("UPDATE jobs SET losses = losses + 1 WHERE id = ?", (row["id"],))
                error = (
                    "The process that indexed it ended before it was done. Send the file again when the cause is known."
                )
                self._again(connection, row["id"], row["attempts"], row["losses"] + 1, error, "worker-lost")
        return len(lost)

    def sweep(self, collections: Iterable[str]) -> None:
        """Forget jobs that finished a week ago, and remove files that nothing needs: `collections` are those there are."""
        now = self._clock()
        with self._database.writing() as connection:
            connection.execute("DELETE FROM jobs WHERE finished_at < ?", (now - KEPT_SECONDS,))
            connection.execute(
                "DELETE FROM originals WHERE stored_at < ? AND collection NOT IN (SELECT value FROM json_each(?))",
                (now - _SETTLED_SECONDS, json.dumps(sorted(collections))),
            )
        for sha256 in list(self._originals.stored()):
            with self._database.writing() as connection:
                drop_unneeded(connection, self._originals, sha256)
        self._originals.sweep_incoming()

    def _due(self, connection: Connection) -> Row | None:
        cursor = connection.cursor()
        cursor.row_factory = Row
        now = self._clock()
        found: Row | None = cursor.execute(
            """
            SELECT * FROM jobs j WHERE state = 'queued' AND (not_before <= ? OR not_before > ?) AND NOT EXISTS (
                SELECT 1 FROM jobs e WHERE e.state IN ('queued', 'running') AND e.collection = j.collection
                    AND e.document_id = j.document_id AND e.position < j.position
            ) ORDER BY position LIMIT 1
            """,
            (now, now + MOST_SECONDS),
        ).fetchone()
        return found

    def _lost(self, connection: Connection) -> list[Row]:
        cursor = connection.cursor()
        cursor.row_factory = Row
        now = self._clock()
        rows = cursor.execute("SELECT * FROM jobs WHERE state = 'running'").fetchall()
        return [
            row
            for row in rows
            if not now < row["leased_until"] <= now + self.lease_seconds or self._is_gone(row["worker"])
        ]

    def _say(self, connection: Connection, claim: Claim, changes: str, *values: object) -> None:
        done = connection.execute(
            f"UPDATE jobs SET {changes} WHERE id = ? AND state = 'running' AND worker = ? AND attempts = ?",
            (*values, claim.job_id, claim.worker, claim.attempts),
        )
        if done.rowcount == 0:
            raise LeaseLost(claim.job_id)

    def _is_cancelling(self, connection: Connection, claim: Claim) -> bool:
        row = connection.execute(
            "SELECT cancelling FROM jobs WHERE id = ? AND state = 'running' AND worker = ? AND attempts = ?",
            (claim.job_id, claim.worker, claim.attempts),
        ).fetchone()
        if row is None:
            raise LeaseLost(claim.job_id)
        return bool(row[0])

    def _finish(self, claim: Claim, changes: str, *values: object) -> None:
        with self._database.writing() as connection:
            self._say(connection, claim, "leased_until = NULL")
            self._close(connection, claim.job_id, claim.upload.sha256, changes, *values)

    def _close(self, connection: Connection, job_id: str, sha256: str, changes: str, *values: object) -> None:
        connection.execute(
            f"UPDATE jobs SET {changes}, worker = NULL, leased_until = NULL, finished_at = ? WHERE id = ?",
            (*values, self._clock(), job_id),
        )
        drop_unneeded(connection, self._originals, sha256)

    def _again(self, connection: Connection, job_id: str, attempts: int, losses: int, error: str, code: str) -> None:
        if attempts >= MOST_ATTEMPTS or losses >= self._most_losses:
            said = f"{error} It was tried {attempts} times."
            sha256 = connection.execute("SELECT sha256 FROM jobs WHERE id = ?", (job_id,)).fetchone()[0]
            self._close(connection, job_id, sha256, "state = 'failed', error = ?, error_code = ?", said, code)
            return
        connection.execute(
            """
            UPDATE jobs SET state = 'queued', stage = 'waiting', worker = NULL, leased_until = NULL, not_before = ?,
                error = ?, error_code = ? WHERE id = ?
            """,
            (self._clock() + delay(attempts, self._chance()), error, code, job_id),
        )
