"""Jobs and uploads out of the table `jobs`. Inside a transaction that the caller holds."""

import json
from sqlite3 import Connection, Row

from service.jobs.records import Job, JobState, Stage, Upload

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
