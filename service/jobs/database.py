"""The jobs in one SQLite file in the home folder; and, wherever they are, their rows and their table for the lease queue."""

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from index.storage.atomic import is_full
from index.storage.sqlite import SqliteDatabase, run_script
from service.errors import JobsDamaged, JobsUnavailable
from service.jobs.files import Originals
from service.jobs.protocol import Statements
from service.jobs.records import Claim, Job, JobState, Stage, Upload
from service.storage.lease_queue import MAX_DELAY_SECONDS, Lease

_SCHEMA = Path(__file__).with_name("schema.sql")
_LAYOUT = 1
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_COLUMNS = (
    "position", "id", "owner", "state", "collection", "document_id", "filename", "sha256", "size", "title", "metadata",
    "principals", "stage", "done", "total", "documents", "remark", "attempts", "losses", "cancelling", "not_before", "worker",
    "leased_until", "error", "error_code", "created_at", "started_at", "finished_at",
)  # fmt: skip

Row = Mapping[str, Any]


class SqliteStatements:
    """A transaction of SQLite, where one writer excludes all others. See `Statements` for its methods."""

    for_update = skip_locked = ""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """See `Statements.rows`."""
        return self._connection.execute(statement, values).fetchall()

    def run(self, statement: str, *values: object) -> int:
        """See `Statements.run`."""
        return self._connection.execute(statement, values).rowcount

    def take_turn(self, *names: str) -> None:
        """Return at once: this transaction is the only one that writes."""


class SqliteJobs:
    """The jobs in an SQLite file, open and of this layout. See `JobDatabase` for its methods."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    def close(self) -> None:
        """See `JobDatabase.close`."""
        self._database.close()

    def now(self) -> float:
        """The system's clock."""
        return time.time()

    @contextmanager
    def reading(self) -> Iterator[SqliteStatements]:
        """See `JobDatabase.reading`."""
        with self._database.reading() as connection:
            yield SqliteStatements(connection)

    @contextmanager
    def writing(self) -> Iterator[SqliteStatements]:
        """See `JobDatabase.writing`."""
        with self._database.writing() as connection:
            yield SqliteStatements(connection)


def open_jobs(path: Path, originals: Originals | None = None) -> SqliteJobs:
    """The database at `path`, created if missing. Raises JobsDamaged if it cannot be read or has another layout.

    Also if it is missing or empty, although there are `originals`: no file is stored before its job, so the jobs were lost, and
    a new database would say that nothing needs those files.
    """
    stored = originals is not None and any(originals.digests())  # before the layout: another process may begin both
    path.parent.mkdir(parents=True, exist_ok=True)
    database = SqliteDatabase(path, _translate_errors)
    with database.reading() as connection:
        layout = _layout(connection)
    if layout == 0 and originals is not None and stored:
        raise JobsDamaged(
            f"{path}: the jobs are gone, and uploaded files are there. Restore the file from a backup, or move the folder "
            f"{originals.folder} away: uploads that are not indexed yet must be sent again, and the others cannot be downloaded"
        )
    if layout == 0:
        with database.writing() as connection:
            if _layout(connection) == 0:  # another process may have been quicker
                run_script(connection, _SCHEMA.read_text(encoding="utf-8"))
                connection.execute(f"PRAGMA user_version = {_LAYOUT}")
            layout = _layout(connection)
    if layout != _LAYOUT:
        raise JobsDamaged(
            f"{path}: the jobs have layout {layout}, this version of Quoth reads {_LAYOUT}. Use the version that wrote them, "
            "or move the file away: uploads that are not indexed yet must be sent again"
        )
    return SqliteJobs(database)


def _layout(connection: Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def _translate_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors inside the `with` block into those of service/."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if primary in _DAMAGE:
            raise JobsDamaged(
                f"{path}: the jobs do not read ({error}). Restore the file from a backup, or move it away, and the "
                "uploaded files with it: uploads that are not indexed yet must be sent again"
            ) from error
        full = primary == sqlite3.SQLITE_FULL or (primary == sqlite3.SQLITE_IOERR and is_full(path))
        fix = (
            "The disk is full: free space, then try again"
            if full
            else "Check that its folder can be written, then try again"
        )
        raise JobsUnavailable(f"{path}: the jobs' database does not answer ({error}). {fix}") from error


class JobTable:
    """The table `jobs` as the lease queue uses it (service/storage/lease_queue.py).

    Times come from the system's clock, which may be set back. A wait or a lease that ends later than any can is taken as over:
    at worst work is done twice, and doing it twice changes nothing.
    """

    def next_due(self, transaction: Statements, now: float, *, lock: bool) -> Row | None:
        """The oldest queued job that is due and has no older unfinished job of the same document before it."""
        condition = """
            state = 'queued' AND (not_before <= ? OR not_before > ?) AND NOT EXISTS (
                SELECT 1 FROM jobs e WHERE e.state IN ('queued', 'running') AND e.collection = jobs.collection
                    AND e.document_id = jobs.document_id AND e.position < jobs.position
            ) ORDER BY position LIMIT 1
            """
        ending = transaction.skip_locked if lock else ""
        rows = job_rows(transaction, f"{condition} {ending}", now, now + MAX_DELAY_SECONDS)
        return rows[0] if rows else None

    def hold(self, transaction: Statements, row: Row, worker: str, now: float, until: float) -> Claim:
        """Let the job run under the worker's lease."""
        transaction.run(
            """
            UPDATE jobs SET state = 'running', stage = 'waiting', done = 0, total = 0, attempts = attempts + 1, worker = ?,
                leased_until = ?, started_at = coalesce(started_at, ?) WHERE id = ?
            """,
            worker,
            until,
            now,
            row["id"],
        )
        return Claim(row["id"], _upload(row), worker, row["attempts"] + 1)

    def leased(self, transaction: Statements, lease: Lease) -> Row | None:
        """The job while the lease holds. The attempt counts: the same worker may lose a job and claim it again."""
        condition = f"id = ? AND state = 'running' AND worker = ? AND attempts = ? {transaction.for_update}"
        rows = job_rows(transaction, condition, lease.item, lease.worker, lease.attempts)
        return rows[0] if rows else None

    def extend(self, transaction: Statements, row: Row, until: float) -> None:
        """Move the end of the job's lease."""
        transaction.run("UPDATE jobs SET leased_until = ? WHERE id = ?", until, row["id"])

    def release(self, transaction: Statements, row: Row, due_at: float) -> None:
        """Queue the job again."""
        transaction.run(
            """
            UPDATE jobs SET state = 'queued', stage = 'waiting', worker = NULL, leased_until = NULL, not_before = ?
            WHERE id = ?
            """,
            due_at,
            row["id"],
        )

    def close(self, transaction: Statements, row: Row, state: str, now: float) -> None:
        """Record that the job is finished."""
        transaction.run(
            "UPDATE jobs SET state = ?, worker = NULL, leased_until = NULL, finished_at = ? WHERE id = ?",
            state,
            now,
            row["id"],
        )


def job_rows(transaction: Statements, condition: str, *values: object) -> list[Row]:
    """The rows of the table `jobs` that meet the condition, which may go on with an order and a limit."""
    rows = transaction.rows(f"SELECT {', '.join(_COLUMNS)} FROM jobs WHERE {condition}", *values)
    return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]


def job_by_id(transaction: Statements, job_id: str) -> Job:
    """The job of an id that exists."""
    return job_from(job_rows(transaction, "id = ?", job_id)[0])


def job_by_key(transaction: Statements, owner: str, key: str) -> Job | None:
    """The job that was accepted with the owner's idempotency key; None if there is none."""
    rows = job_rows(transaction, "owner = ? AND idempotency_key = ?", owner, key)
    return job_from(rows[0]) if rows else None


def job_from(row: Row) -> Job:
    """The job in a row."""
    return Job(
        id=row["id"],
        position=row["position"],
        owner=row["owner"],
        state=JobState(row["state"]),
        upload=_upload(row),
        stage=Stage(row["stage"]),
        done=row["done"],
        total=row["total"],
        documents=row["documents"],
        remark=row["remark"],
        attempts=row["attempts"],
        not_before=row["not_before"],
        error=row["error"],
        error_code=row["error_code"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
    )


def _upload(row: Row) -> Upload:
    return Upload(
        collection=row["collection"],
        document_id=row["document_id"],
        filename=row["filename"],
        sha256=row["sha256"],
        size=row["size"],
        title=row["title"],
        metadata=json.loads(row["metadata"]),
        principals=None if (names := json.loads(row["principals"])) is None else frozenset(names),
    )
