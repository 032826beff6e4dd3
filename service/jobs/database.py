"""The database of the jobs: one SQLite file in the home folder, laid out at first use, its errors with a mend."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from index.storage.atomic import is_full
from index.storage.sqlite import Database, run_script
from service.errors import JobsDamaged, JobsUnavailable

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
