"""SQLite connections as the ledger needs them, with SQLite's errors translated into those of index/."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from index.errors import CollectionBusy, CollectionDropped, LedgerDamaged
from index.storage.atomic import full_disk, is_full, not_writable, read_only_place

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_FORBIDDEN = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR}
_BUSY_SECONDS = 30.0
SOUND = "ok"
"""What `quick_check` returns for a sound file."""


class SqliteDatabase:
    """A pool of connections to the file at `path`. Thread-safe; every use has a connection of its own.

    `explain(path)` is entered around every use and turns SQLite's errors into ones that name a fix, by default the ledger's.
    """

    def __init__(self, path: Path, explain: Callable[[Path], AbstractContextManager[None]] | None = None) -> None:
        self._path = path
        self._explain = explain or translate_errors
        self._idle: list[sqlite3.Connection] = []
        self._guard = threading.Lock()  # of the idle connections; nothing is opened meanwhile
        self._watch_guard = threading.Lock()
        self._watching: sqlite3.Connection | None = None
        self._watches = 0
        self._closed = False

    def close(self) -> None:
        """Close every connection; one in use is closed when it is returned."""
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
        with self._watch_guard:
            if self._watching is not None:
                self._watching.close()
                self._watching = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection inside a read transaction; its first query fixes the state that it sees."""
        with self._explain(self._path), self._connection() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.rollback()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection inside a write transaction, which commits if the `with` block succeeds and else rolls back."""
        with self._explain(self._path), self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.rollback()

    def version(self) -> tuple[int, int]:
        """Return a value that changes whenever any process commits.

        SQLite's `data_version` counts only what other connections committed, so the connection used here never writes.
        """
        with self._explain(self._path), self._watch_guard:
            if self._watching is None:
                self._watching = connect(self._path)
                self._watches += 1
            version = int(self._watching.execute("PRAGMA data_version").fetchone()[0])
            if self._closed:
                self._watching.close()
                self._watching = None
            return self._watches, version

    def copy(self, target: Path) -> None:
        """Write one state of the database, compacted, into a new file. Writers need not stop."""
        with self._explain(self._path), self._connection() as connection:
            try:
                connection.execute("VACUUM INTO ?", (str(target),))
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL or is_full(target):
                    raise full_disk(target) from error  # of the copy, not of the database
                raise

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with self._guard:
            connection = self._idle.pop() if self._idle else None
        connection = connection or connect(self._path)
        try:
            yield connection
        finally:
            with self._guard:
                is_kept = not self._closed
                if is_kept:
                    self._idle.append(connection)
            if not is_kept:
                connection.close()


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection to `path`: write-ahead mode, autocommit outside explicit transactions, usable from any thread."""
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        enable_write_ahead(connection, _BUSY_SECONDS)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def enable_write_ahead(connection: sqlite3.Connection, seconds: float) -> None:
    """Switch the file to write-ahead mode, waiting for others up to `seconds`.

    If two programs switch a new file at once, SQLite may refuse one of them without the timeout that was set.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def run_script(connection: sqlite3.Connection, script: str) -> None:
    """Run each statement of the script inside the open transaction, which `executescript` would commit first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""


@contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """Inside the `with` block SQLite's errors become those of index/; other errors pass unchanged."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if primary == sqlite3.SQLITE_FULL or (primary == sqlite3.SQLITE_IOERR and is_full(path)):
            raise full_disk(path) from error
        if primary in _FORBIDDEN and (
            place := read_only_place([path.parent, path, Path(f"{path}-wal"), Path(f"{path}-shm")])
        ):
            raise not_writable(place) from error
        if primary in _DAMAGE | _FORBIDDEN and not path.parent.exists():
            raise CollectionDropped(
                f"{path.parent.name}: another program dropped the collection meanwhile. Run again to see what is there"
            ) from error
        if primary in _BUSY:
            raise CollectionBusy(
                f"{path}: another program has held the ledger for {_BUSY_SECONDS:.0f} s. Close it and run again"
            ) from error
        if primary in _DAMAGE:
            raise LedgerDamaged(
                f"{path}: the ledger does not read ({error}; quick_check: {quick_check(path)}). Restore the file from a "
                f"backup, or delete the folder {path.parent} and index the documents again"
            ) from error
        raise


def quick_check(path: Path) -> str:
    """Return the first problem that SQLite's own check of the file reports; `SOUND` if there is none."""
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            problem = connection.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            connection.close()
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return str(error)
    return str(problem[0])
