"""The database of the jobs: one SQLite file in the home folder, laid out at first use, its errors with a mend."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection, Row

from index.storage.atomic import is_full
from index.storage.sqlite import Database, run_script
from service.errors import JobsDamaged, JobsUnavailable
from service.jobs.records import Job, JobState, Stage, Upload

_SCHEMA = Path(__file__).with_name("schema.sql")
_LAYOUT = 1
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def open_jobs(path: Path) -> Database:
    """The database at `path`, made if it is not there. `JobsDamaged` if it does not read or has another layout."""
    path.parent.mkdir(parents=True, exist_ok=True)
    database = Database(path, _explained)
    with database.reading() as connection:
        layout = _layout(connection)
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
    return database


def _layout(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Inside the `with` block SQLite's errors become those of service/."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if primary in _DAMAGE:
            raise JobsDamaged(
                f"{path}: the jobs do not read ({error}). Restore the file from a backup, or move it away: "
                "uploads that are not indexed yet must be sent again"
            ) from error
        full = primary == sqlite3.SQLITE_FULL or (primary == sqlite3.SQLITE_IOERR and is_full(path))
        mend = "The disk is full: free space, then try again" if full else "Check its folder, then try again"
        raise JobsUnavailable(f"{path}: the jobs' database does not answer ({error}). {mend}") from error


_COLUMNS = (
    "id, position, owner, state, collection, document_id, filename, sha256, size, title, metadata, principals, stage, "
    "done, total, documents, remark, attempts, not_before, error, error_code, created_at, started_at, finished_at"
)


def upload_from(row: Row) -> Upload:
    """The upload in a row of the table `jobs`."""
    return Upload(
        collection=row["collection"],
        document_id=row["document_id"],
        filename=row["filename"],
        sha256=row["sha256"],
        size=row["size"],
        title=row["title"],
        metadata=json.loads(row["metadata"]),
        principals=None if (named := json.loads(row["principals"])) is None else frozenset(named),
    )


def job_of_key(connection: Connection, owner: str, key: str) -> Job | None:
    """The job that the owner's idempotency key led to before."""
    found = job_rows(connection, "owner = ? AND idempotency_key = ?", owner, key)
    return job_from(found[0]) if found else None


def job_rows(connection: Connection, condition: str, *parameters: object) -> list[Row]:
    """The rows that meet the condition."""
    cursor = connection.cursor()
    cursor.row_factory = Row
    return cursor.execute(f"SELECT {_COLUMNS} FROM jobs WHERE {condition}", parameters).fetchall()


def one_job(connection: Connection, condition: str, *parameters: object) -> Job:
    """The first job that meets the condition, which one does."""
    return job_from(job_rows(connection, condition, *parameters)[0])


def job_from(row: Row) -> Job:
    """The job in a row."""
    return Job(
        id=row["id"],
        position=row["position"],
        owner=row["owner"],
        state=JobState(row["state"]),
        upload=upload_from(row),
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
