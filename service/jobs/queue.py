"""The queue as its callers see it: add an upload, read jobs, cancel them, withdraw a document.

An upload is accepted in one transaction that moves its bytes to their place and adds the job, so a job that a caller was
given is on disk. Two uploads of one document are done in the order they came; a newer one replaces an older one that waits.
"""

import json
import time
import uuid
from collections.abc import Callable
from sqlite3 import Connection

from index.storage.sqlite import SqliteDatabase
from service.errors import IdempotencyKeyReused, QueueFull, RecordMissing
from service.jobs.database import job_by_id, job_by_key, job_from, job_rows
from service.jobs.files import Incoming, Originals
from service.jobs.records import Job, JobState, Original, Upload

MAX_WAITING = 10_000


class JobQueue:
    """The jobs in `database` and their bytes in `originals`. Thread-safe; processes may share it.

    `owner` is the caller's; the jobs of other owners do not exist for it. At most `max_waiting` jobs may be unfinished.
    """

    def __init__(
        self,
        database: SqliteDatabase,
        originals: Originals,
        *,
        clock: Callable[[], float] = time.time,
        make_id: Callable[[], str] = lambda: uuid.uuid4().hex,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self.originals = originals
        self._database = database
        self._clock = clock
        self._make_id = make_id
        self._max_waiting = max_waiting

    def close(self) -> None:
        """Close the database. The queue cannot be used afterwards."""
        self._database.close()

    def add(self, upload: Upload, incoming: Incoming, *, owner: str = "", key: str | None = None) -> Job:
        """Add a job for the upload whose bytes are in `incoming`. When this returns, both are on disk.

        `key` makes it safe to send the same upload again: the job that was accepted with it is returned. Raises
        IdempotencyKeyReused if that was another upload, QueueFull if too many jobs wait.
        """
        now = self._clock()
        principals = None if upload.principals is None else sorted(upload.principals)
        with self._database.writing() as connection:
            if key is not None and (before := job_by_key(connection, owner, key)) is not None:
                if before.upload != upload:
                    raise IdempotencyKeyReused(
                        f"The idempotency key {key!r} came before with another upload (job {before.id}). "
                        "Use a new key for each upload."
                    )
                return before
            waiting = connection.execute("SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')").fetchone()[0]
            if waiting >= self._max_waiting:
                raise QueueFull(f"{waiting:,} jobs wait already, as many as the queue takes. Send the upload later.")
            job_id = self._make_id()
            self.originals.place(incoming)
            self._supersede(connection, upload, job_id, now)
            connection.execute(
                """
                INSERT INTO jobs (id, owner, state, collection, document_id, filename, sha256, size, title, metadata,
                    principals, idempotency_key, not_before, created_at)
                VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                (
                    job_id, owner, upload.collection, upload.document_id, upload.filename, upload.sha256, upload.size,
                    upload.title, json.dumps(dict(upload.metadata), sort_keys=True), json.dumps(principals), key, now, now,
                ),
            )  # fmt: skip
            return job_by_id(connection, job_id)

    def job(self, job_id: str, *, owner: str = "") -> Job:
        """One job. Raises RecordMissing if the owner has none of that id."""
        with self._database.reading() as connection:
            return self._own(connection, job_id, owner)

    def jobs(
        self,
        *,
        owner: str = "",
        state: JobState | None = None,
        collection: str | None = None,
        limit: int = 50,
        before: int | None = None,
    ) -> list[Job]:
        """The owner's jobs, newest first, optionally of one state or collection, and only those before a position."""
        conditions = {"owner = ?": owner, "state = ?": state, "collection = ?": collection, "position < ?": before}
        given = {condition: value for condition, value in conditions.items() if value is not None}
        with self._database.reading() as connection:
            rows = job_rows(connection, f"{' AND '.join(given)} ORDER BY position DESC LIMIT ?", *given.values(), limit)
        return [job_from(row) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many jobs are in each state, of all owners."""
        with self._database.reading() as connection:
            counted = dict(connection.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall())
        return {state.value: counted.get(state.value, 0) for state in JobState}

    def cancel(self, job_id: str, *, owner: str = "") -> Job:
        """Cancel a job: at once while it waits, soon while a worker has it, not at all once its text is stored.

        A finished job stays as it is. Raises RecordMissing as `job` does.
        """
        with self._database.writing() as connection:
            job = self._own(connection, job_id, owner)
            self._cancel(connection, "stage != 'embedding' AND id = ?", job_id)
            if job.state is JobState.QUEUED:
                drop_unneeded(connection, self.originals, job.upload.sha256)
            return job_by_id(connection, job_id)

    def withdraw_own(self, collection: str, document_id: str, *, owner: str) -> bool:
        """Cancel the owner's unfinished jobs of a document that is not indexed yet. Returns whether there were any."""
        with self._database.writing() as connection:
            rows = connection.execute(
                """
                SELECT id, sha256 FROM jobs
                WHERE state IN ('queued', 'running') AND collection = ? AND document_id = ? AND owner = ?
                """,
                (collection, document_id, owner),
            ).fetchall()
            for job_id, sha256 in rows:
                self._cancel(connection, "id = ?", job_id)
                drop_unneeded(connection, self.originals, sha256)
        return bool(rows)

    def withdraw(self, collection: str, document_id: str | None = None) -> bool:
        """Cancel every unfinished job of a document, or of a whole collection, and remove its files.

        Returns whether there were any. Call it while holding the lock of the collection that the document is removed from, so
        that no worker puts the document back afterwards.
        """
        condition = "collection = ? AND (? IS NULL OR document_id = ?)"
        place = (collection, document_id, document_id)
        with self._database.writing() as connection:
            rows = connection.execute(
                f"""
                SELECT sha256 FROM jobs WHERE state IN ('queued', 'running') AND {condition}
                UNION SELECT sha256 FROM originals WHERE {condition}
                """,
                place * 2,
            ).fetchall()
            self._cancel(connection, condition, *place)
            connection.execute(f"DELETE FROM originals WHERE {condition}", place)
            for (sha256,) in rows:
                drop_unneeded(connection, self.originals, sha256)
        return bool(rows)

    def original(self, collection: str, document_id: str) -> Original | None:
        """The file that the document's current version came from; None if the document was not uploaded."""
        with self._database.reading() as connection:
            row = connection.execute(
                """
                SELECT collection, document_id, filename, sha256, size, owner, stored_at FROM originals
                WHERE collection = ? AND document_id = ?
                """,
                (collection, document_id),
            ).fetchone()
        return None if row is None else Original(*row)

    def _own(self, connection: Connection, job_id: str, owner: str) -> Job:
        rows = job_rows(connection, "id = ? AND owner = ?", job_id, owner)
        if not rows:
            raise RecordMissing(f"No job has the id {job_id!r}. GET /v1/jobs lists your jobs.")
        return job_from(rows[0])

    def _cancel(self, connection: Connection, condition: str, *parameters: str | None) -> None:
        connection.execute(
            f"UPDATE jobs SET state = 'cancelled', finished_at = ? WHERE state = 'queued' AND {condition}",
            (self._clock(), *parameters),
        )
        connection.execute(f"UPDATE jobs SET cancelling = 1 WHERE state = 'running' AND {condition}", parameters)

    def _supersede(self, connection: Connection, upload: Upload, by: str, now: float) -> None:
        """Cancel older uploads of the same document that still wait: they are of no use any more."""
        place = (upload.collection, upload.document_id)
        older = connection.execute(
            "SELECT id, sha256 FROM jobs WHERE state = 'queued' AND collection = ? AND document_id = ?", place
        ).fetchall()
        for job_id, sha256 in older:
            connection.execute(
                "UPDATE jobs SET state = 'cancelled', error = ?, error_code = 'superseded', finished_at = ? WHERE id = ?",
                (f"A newer upload of the document took its place: job {by}.", now, job_id),
            )
            if sha256 != upload.sha256:
                drop_unneeded(connection, self.originals, sha256)


def drop_unneeded(connection: Connection, originals: Originals, sha256: str) -> None:
    """Remove the file with that content unless an unfinished job or a current document needs it. Call inside a transaction."""
    needed = connection.execute(
        """
        SELECT EXISTS (SELECT 1 FROM jobs WHERE sha256 = ? AND state IN ('queued', 'running'))
            OR EXISTS (SELECT 1 FROM originals WHERE sha256 = ?)
        """,
        (sha256, sha256),
    ).fetchone()[0]
    if not needed:
        originals.remove(sha256)
