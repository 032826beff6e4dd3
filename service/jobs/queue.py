"""The queue as its callers see it: add an upload, read jobs, cancel them, withdraw a document.

An upload is accepted in one transaction that moves its bytes to their place and adds the job, so a job that a caller was
given is on disk. Two uploads of one document are done in the order they came; a newer one replaces an older one that waits.

What changes which jobs of a collection exist, or which files its documents came from, takes the collection's turn; what decides
whether a content is needed takes the turn of that content (where writers do not exclude each other anyway). Turns are taken
before rows are locked, and that of a content, under which a long file may be written, before that of a collection.

Files are removed after the commit that ended their use, never before: a commit may fail, and a removed file does not come back.
"""

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import structlog

from index.errors import SourceChanged
from service.errors import IdempotencyKeyReused, JobsUnavailable, QueueFull, RecordMissing
from service.jobs.database import job_by_id, job_by_key, job_from, job_rows
from service.jobs.incoming import Incoming
from service.jobs.protocol import JobDatabase, OriginalStore, Statements
from service.jobs.records import Job, JobState, Original, Upload

MAX_WAITING = 10_000
_ORIGINALS = "SELECT collection, document_id, filename, sha256, size, owner, stored_at FROM originals"
log = structlog.get_logger(__name__)


class JobQueue:
    """The jobs in `database` and their bytes in `originals`. Thread-safe; processes may share it.

    `owner` is the caller's; the jobs of other owners do not exist for it. At most `max_waiting` jobs may be unfinished.
    """

    def __init__(
        self,
        database: JobDatabase,
        originals: OriginalStore,
        *,
        clock: Callable[[], float] | None = None,
        make_id: Callable[[], str] = lambda: uuid.uuid4().hex,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self.originals = originals
        self._database = database
        self._clock = clock or database.now
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
        with self._database.writing() as transaction:
            if key is not None:
                transaction.take_turn("key", owner, key)
                if (before := job_by_key(transaction, owner, key)) is not None:
                    if before.upload != upload:
                        raise IdempotencyKeyReused(
                            f"The idempotency key {key!r} came before with another upload (job {before.id}). "
                            "Use a new key for each upload."
                        )
                    return before
            ((waiting,),) = transaction.rows("SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')")
            if waiting >= self._max_waiting:
                raise QueueFull(f"{waiting:,} jobs wait already, as many as the queue takes. Send the upload later.")
            job_id = self._make_id()
            transaction.take_turn("content", upload.sha256)
            self.originals.place(incoming, transaction)
            transaction.take_turn("collection", upload.collection)
            replaced = self._supersede(transaction, upload, job_id, now)
            transaction.run(
                """
                INSERT INTO jobs (id, owner, state, collection, document_id, filename, sha256, size, title, metadata,
                    principals, idempotency_key, not_before, created_at)
                VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                job_id, owner, upload.collection, upload.document_id, upload.filename, upload.sha256, upload.size,
                upload.title, json.dumps(dict(upload.metadata), sort_keys=True), json.dumps(principals), key, now, now,
            )  # fmt: skip
            job = job_by_id(transaction, job_id)
        remove_unneeded(self._database, self.originals, replaced)
        return job

    def read_again(self, original: Original, upload: Upload) -> bool:
        """Add a job that reads a stored file again, for its owner. Returns whether one was added.

        None is added if the file is not the document's any more, if a job of the document is unfinished, or if one that came
        after the file was stored, with the same bytes, failed or was cancelled.
        """
        now = self._clock()
        with self._database.writing() as transaction:
            transaction.take_turn("collection", original.collection)
            added = transaction.run(
                """
                INSERT INTO jobs (id, owner, state, collection, document_id, filename, sha256, size, title, metadata,
                    principals, not_before, created_at)
                SELECT ?, owner, 'queued', collection, document_id, filename, sha256, size, ?, ?, 'null', ?, ?
                FROM originals o WHERE collection = ? AND document_id = ? AND stored_at = ? AND NOT EXISTS (
                    SELECT 1 FROM jobs j WHERE j.collection = o.collection AND j.document_id = o.document_id AND (
                        j.state IN ('queued', 'running')
                        OR (j.state != 'succeeded' AND j.sha256 = o.sha256 AND j.created_at >= o.stored_at)
                    )
                )
                """,
                self._make_id(), upload.title, json.dumps(dict(upload.metadata), sort_keys=True), now, now,
                original.collection, original.document_id, original.stored_at,
            )  # fmt: skip
        return added > 0

    def job(self, job_id: str, *, owner: str = "") -> Job:
        """One job. Raises RecordMissing if the owner has none of that id."""
        with self._database.reading() as transaction:
            return self._own(transaction, job_id, owner)

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
        with self._database.reading() as transaction:
            rows = job_rows(
                transaction, f"{' AND '.join(given)} ORDER BY position DESC LIMIT ?", *given.values(), limit
            )
        return [job_from(row) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many jobs are in each state, of all owners."""
        with self._database.reading() as transaction:
            counted = dict(transaction.rows("SELECT state, count(*) FROM jobs GROUP BY state"))
        return {state.value: counted.get(state.value, 0) for state in JobState}

    def cancel(self, job_id: str, *, owner: str = "") -> Job:
        """Cancel a job: at once while it waits, soon while a worker has it, not at all once its text is stored.

        A finished job stays as it is. Raises RecordMissing as `job` does.
        """
        with self._database.writing() as transaction:
            job = self._own(transaction, job_id, owner)
            self._cancel(transaction, "stage != 'embedding' AND id = ?", job_id)
            now = job_by_id(transaction, job_id)
        if job.state is JobState.QUEUED:
            remove_unneeded(self._database, self.originals, [job.upload.sha256])
        return now

    def withdraw_own(self, collection: str, document_ids: Sequence[str], *, owner: str) -> bool:
        """Cancel the owner's unfinished jobs of documents that are not indexed yet. Returns whether there were any."""
        with self._database.writing() as transaction:
            transaction.take_turn("collection", collection)
            rows = transaction.rows(
                f"""
                SELECT id, sha256 FROM jobs WHERE state IN ('queued', 'running') AND collection = ? AND owner = ?
                    AND document_id IN ({", ".join("?" * len(document_ids))})
                """,
                collection,
                owner,
                *document_ids,
            )
            for job_id, _ in rows:
                self._cancel(transaction, "id = ?", job_id)
        remove_unneeded(self._database, self.originals, [sha256 for _, sha256 in rows])
        return bool(rows)

    @contextmanager
    def withdrawing(self, collection: str, document_id: str | None = None) -> Iterator[str]:
        """Cancel every unfinished job of a document, or of a whole collection, and remove its files, together with the block.

        If the block raises, nothing has happened. Hold the collection's lock, and let the block remove the document or the
        collection and do nothing that waits. Yields a mark for `complete_withdrawal`.
        """
        with self._database.writing() as transaction:
            transaction.take_turn("collection", collection)
            ((newest,),) = transaction.rows(
                "SELECT coalesce(max(position), 0) FROM jobs WHERE collection = ?", collection
            )
            unused = self._withdraw(transaction, newest, collection, document_id)
            yield str(newest)
        remove_unneeded(self._database, self.originals, unused)

    def complete_withdrawal(self, collection: str, mark: str) -> None:
        """Withdraw a collection that was dropped when `withdrawing` gave the mark. What was uploaded since then stays."""
        with self._database.writing() as transaction:
            transaction.take_turn("collection", collection)
            unused = self._withdraw(transaction, int(mark), collection, None)
        remove_unneeded(self._database, self.originals, unused)

    def original(self, collection: str, document_id: str) -> Original | None:
        """The file that the document's current version came from; None if the document was not uploaded."""
        with self._database.reading() as transaction:
            rows = transaction.rows(f"{_ORIGINALS} WHERE collection = ? AND document_id = ?", collection, document_id)
        return Original(*rows[0]) if rows else None

    def originals_of(self, collection: str) -> list[Original]:
        """The files that documents of the collection came from."""
        with self._database.reading() as transaction:
            rows = transaction.rows(f"{_ORIGINALS} WHERE collection = ?", collection)
        return [Original(*row) for row in rows]

    def count_unfinished(self, collection: str) -> int:
        """How many jobs of the collection wait or run, of all owners."""
        with self._database.reading() as transaction:
            ((count,),) = transaction.rows(
                "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running') AND collection = ?", collection
            )
        return int(count)

    def adopt(self, original: Original, incoming: Incoming) -> None:
        """Keep the file that a document of a moved collection came from, whose bytes are in `incoming`, finished.

        Raises SourceChanged if they are others. Doing it twice changes nothing.
        """
        if incoming.sha256 != original.sha256:
            raise SourceChanged(
                f"{original.filename}: the uploaded file of {original.document_id!r} is damaged: its SHA-256 is not the one "
                "that was recorded. Restore it from a backup, or remove the document"
            )
        with self._database.writing() as transaction:
            place = (original.collection, original.document_id)
            transaction.take_turn("content", original.sha256)
            self.originals.place(incoming, transaction)
            transaction.take_turn("collection", original.collection)
            transaction.run("DELETE FROM originals WHERE collection = ? AND document_id = ?", *place)
            transaction.run(
                """
                INSERT INTO originals (collection, document_id, filename, sha256, size, owner, stored_at)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
                *place,
                original.filename,
                original.sha256,
                original.size,
                original.owner,
                original.stored_at,
            )

    def forget(self, original: Original) -> None:
        """Forget a file whose document was removed, and remove it unless something else needs it. A newer one stays."""
        with self._database.writing() as transaction:
            transaction.take_turn("collection", original.collection)
            transaction.run(
                "DELETE FROM originals WHERE collection = ? AND document_id = ? AND stored_at = ?",
                original.collection,
                original.document_id,
                original.stored_at,
            )
        remove_unneeded(self._database, self.originals, [original.sha256])

    def _withdraw(
        self, transaction: Statements, newest: int, collection: str, document_id: str | None
    ) -> tuple[str, ...]:
        """Cancel the jobs up to the position `newest` and forget the originals that came from them. Returns their contents."""
        condition, place = ("collection = ?", [collection])
        if document_id is not None:
            condition, place = (f"{condition} AND document_id = ?", [collection, document_id])
        older = f"{condition} AND position <= ?"
        former = f"""
            {condition} AND NOT EXISTS (
                SELECT 1 FROM jobs j WHERE j.collection = originals.collection AND j.document_id = originals.document_id
                    AND j.sha256 = originals.sha256 AND j.position > ?
            )
            """
        rows = transaction.rows(
            f"""
            SELECT sha256 FROM jobs WHERE state IN ('queued', 'running') AND {older}
            UNION SELECT sha256 FROM originals WHERE {former}
            """,
            *(*place, newest) * 2,
        )
        self._cancel(transaction, older, *place, newest)
        transaction.run(f"DELETE FROM originals WHERE {former}", *place, newest)
        return tuple(sha256 for (sha256,) in rows)

    def _own(self, transaction: Statements, job_id: str, owner: str) -> Job:
        rows = job_rows(transaction, f"id = ? AND owner = ? {transaction.for_update}", job_id, owner)
        if not rows:
            raise RecordMissing(f"No job has the id {job_id!r}. GET /v1/jobs lists your jobs.")
        return job_from(rows[0])

    def _cancel(self, transaction: Statements, condition: str, *values: str | int) -> None:
        """Cancel the unfinished jobs that meet the condition: those that wait at once, of the others ask their workers."""
        # Held first, so that none goes on or back to the queue between the two statements.
        transaction.rows(
            f"SELECT id FROM jobs WHERE state IN ('queued', 'running') AND {condition} {transaction.for_update}",
            *values,
        )
        transaction.run(
            f"UPDATE jobs SET state = 'cancelled', finished_at = ? WHERE state = 'queued' AND {condition}",
            self._clock(),
            *values,
        )
        transaction.run(f"UPDATE jobs SET cancelling = 1 WHERE state = 'running' AND {condition}", *values)

    def _supersede(self, transaction: Statements, upload: Upload, by: str, now: float) -> list[str]:
        """Cancel older uploads of the same document that still wait: they are of no use any more. Returns their contents."""
        older = transaction.rows(
            f"""
            SELECT id, sha256 FROM jobs
            WHERE state = 'queued' AND collection = ? AND document_id = ? {transaction.for_update}
            """,
            upload.collection,
            upload.document_id,
        )
        for job_id, _ in older:
            transaction.run(
                "UPDATE jobs SET state = 'cancelled', error = ?, error_code = 'superseded', finished_at = ? WHERE id = ?",
                f"A newer upload of the document took its place: job {by}.",
                now,
                job_id,
            )
        return [sha256 for _, sha256 in older]


def remove_unneeded(database: JobDatabase, originals: OriginalStore, contents: Iterable[str]) -> None:
    """Remove the files with these contents (SHA-256), but for those that an unfinished job or a current document needs.

    Call it after the commit that ended their use. What cannot be removed now is logged, and removed by the next sweep.
    """
    for sha256 in contents:
        try:
            with database.writing() as transaction:
                transaction.take_turn("content", sha256)  # so that nobody accepts the same content meanwhile
                if not _is_needed(transaction, sha256):
                    originals.remove(sha256, transaction)
        except (JobsUnavailable, OSError) as error:
            log.warning("file not removed yet", sha256=sha256, detail=str(error))


def _is_needed(transaction: Statements, sha256: str) -> bool:
    ((is_needed,),) = transaction.rows(
        """
        SELECT EXISTS (SELECT 1 FROM jobs WHERE sha256 = ? AND state IN ('queued', 'running'))
            OR EXISTS (SELECT 1 FROM originals WHERE sha256 = ?)
        """,
        sha256,
        sha256,
    )
    return bool(is_needed)
