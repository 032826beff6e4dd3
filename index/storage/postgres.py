"""PostgreSQL as Quoth uses it: an engine whose pool recovers, its errors, and locks that end with their holder."""

import os
import socket
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.engine import URL, Engine, ExceptionContext
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from index.errors import CollectionBusy, DatabaseUnavailable, LedgerDamaged

DRIVER = "postgresql+pg8000"
POOL_SIZE, OVERFLOW, POOL_WAIT_S = 5, 15, 10
CONNECT_TIMEOUT_S = 10
_CLOSING = ("08", "57P")  # SQLSTATE: the connection is lost, or the server is going down
_INTEGRITY = "23"  # class of SQLSTATE
_LOCK_TIMEOUT = "55P03"
_TRANSIENT = ("08", "25006", "25P03", "40", "53", "55P03", "57", "58")  # SQLSTATE, or classes of it, that may pass
_GONE = ("SET tcp_keepalives_idle = 30", "SET tcp_keepalives_interval = 10", "SET tcp_keepalives_count = 3")
"""The server notices within a minute that a client's machine is gone, and releases its locks."""
_STALLED_MS = 120_000
"""A client that does nothing for so long while others wait for it loses its lock or its transaction."""


def with_driver(url: URL) -> URL:
    """The URL with the driver that Quoth brings, unless it names one."""
    return url.set(drivername=DRIVER) if url.drivername in {"postgres", "postgresql"} else url


def make_engine(url: URL, *, migrating: bool = False) -> Engine:
    """The engine for a URL with a driver. With `migrating`, each use opens a new connection and no step has a time limit."""
    arguments: dict[str, Any] = {}
    if url.drivername == DRIVER:
        arguments["application_name"] = f"quoth {socket.gethostname()} {os.getpid()}"
        if not migrating:
            arguments["timeout"] = CONNECT_TIMEOUT_S
    if migrating:
        engine = create_engine(url, poolclass=NullPool, connect_args=arguments)
    else:
        engine = create_engine(
            url,
            connect_args=arguments,
            pool_size=POOL_SIZE,
            max_overflow=OVERFLOW,
            pool_timeout=POOL_WAIT_S,
            pool_pre_ping=True,
        )
    event.listen(engine, "handle_error", _notice_closing)
    return engine


def _notice_closing(context: ExceptionContext) -> None:
    """Discard a connection whose server closed it; pg8000's dialect recognises only some errors of the network as that."""
    if isinstance(context.original_exception, ConnectionError | TimeoutError):
        context.is_disconnect = True
    detail = context.original_exception.args[0] if context.original_exception.args else None
    if isinstance(detail, dict) and str(detail.get("C")).startswith(_CLOSING):
        context.is_disconnect = True


def may_pass(error: DBAPIError) -> bool:
    """Whether the cause is the state of the database, which may change, rather than its content or the statement."""
    kind = type(error).__name__
    if kind in {"OperationalError", "InterfaceError"} or error.connection_invalidated:
        return True
    return sqlstate(error).startswith(_TRANSIENT)


def breaks_constraint(error: DBAPIError) -> bool:
    """Whether the database works, and a caller broke one of its constraints."""
    return isinstance(error, IntegrityError) or sqlstate(error).startswith(_INTEGRITY)


def sqlstate(error: DBAPIError) -> str:
    """PostgreSQL's SQLSTATE; "none" elsewhere."""
    detail = error.orig.args[0] if error.orig and error.orig.args else None
    return str(detail.get("C")) if isinstance(detail, dict) else str(getattr(error.orig, "sqlstate", None))


def message_of(error: DBAPIError) -> str:
    """What the database says about the error."""
    detail = error.orig.args[0] if error.orig and error.orig.args else None
    return str(detail.get("M")) if isinstance(detail, dict) else str(error.orig)


class PostgresDatabase:
    """The database at `url`, such as `postgresql://quoth@db/quoth`. Thread-safe; every block has a connection of its own.

    Its errors become `unavailable`, after which it works again without a restart, or `damaged`. So do `damages`: what is raised
    where a stored value is not what it was.
    """

    def __init__(
        self,
        url: str,
        damages: type[Exception] = UnicodeDecodeError,
        *,
        unavailable: type[Exception] = DatabaseUnavailable,
        damaged: type[Exception] = LedgerDamaged,
    ) -> None:
        self._damages = damages
        self._unavailable_error = unavailable
        self._damaged_error = damaged
        self.url = with_driver(make_url(url))
        self._engine = make_engine(self.url)
        event.listen(self._engine, "connect", _notice_gone_clients)
        weakref.finalize(self, self._engine.dispose)  # a command ends without closing what it opened

    @property
    def place(self) -> str:
        """The URL, without its password."""
        return self.url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Close the connections that nobody uses; one in use is closed when it is returned."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for one statement, or for several of which each may see a newer state."""
        with self.explaining(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection whose statements all see one state."""
        with self.explaining(), self._engine.connect() as connection:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield connection

    @contextmanager
    def writing(self, connection: Connection | None = None) -> Iterator[Connection]:
        """A connection inside a transaction, which commits if the `with` block succeeds and else rolls back.

        With `connection`, that one is used: its session holds a lock, and if it is lost, the transaction is, too. A process
        that stalls inside the block loses the transaction, so that others need not wait for it.
        """
        with self.explaining():
            if connection is not None:
                with connection.begin():
                    connection.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = {_STALLED_MS}")
                    yield connection
            else:
                with self._engine.begin() as own:
                    own.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = {_STALLED_MS}")
                    yield own

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Inside the `with` block the errors of the database become those of index/; broken constraints pass unchanged."""
        try:
            yield
        except DBAPIError as error:
            if breaks_constraint(error):
                raise
            if may_pass(error):
                raise self._unavailable(message_of(error)) from error
            raise self._damaged(message_of(error)) from error
        except self._damages as error:
            raise self._damaged(str(error)) from error
        except SQLAlchemyError as error:  # every connection of the pool is in use, and none was returned in time
            raise self._unavailable(str(error)) from error
        except (ConnectionError, TimeoutError) as error:  # the driver passes some on as they are
            raise self._unavailable(str(error)) from error

    def session(self) -> Connection:
        """A connection for its user to close."""
        return self._engine.connect()

    def _damaged(self, message: str) -> Exception:
        return self._damaged_error(f"The database {self.place} does not read: {message}. Restore it from a backup")

    def _unavailable(self, message: str) -> Exception:
        return self._unavailable_error(
            f"The database {self.place} does not answer: {message}. Check that the server runs and takes connections, then "
            "try again"
        )


def _notice_gone_clients(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for statement in _GONE:
        cursor.execute(statement)
    connection.commit()
    cursor.close()


class AdvisoryLock:
    """A lock of PostgreSQL on the pair (`group`, `number`): re-entrant within a thread, exclusive between all others anywhere.

    The server queues those who wait, and releases the lock however its holder ends; from one that does nothing for two minutes
    it takes it away, unless it is `working`. Whoever writes under the lock uses `connection`: a holder that lost its lock thus
    cannot write.
    """

    def __init__(self, database: PostgresDatabase, group: int, number: int, name: str) -> None:
        self._database = database
        self._key = (group, number)
        self._name = name
        self._threads = threading.RLock()
        self._depth = 0
        self._owner: int | None = None
        self._connection: Connection | None = None

    @property
    def connection(self) -> Connection | None:
        """The connection whose session holds the lock for this thread; None if this thread does not hold it."""
        return self._connection if self._owner == threading.get_ident() else None

    @contextmanager
    def hold(self, wait: float) -> Iterator[None]:
        """Hold the lock inside the `with` block. `CollectionBusy` after `wait` seconds names the holder."""
        if not self._threads.acquire(timeout=max(wait, 0.0)):
            raise CollectionBusy(self._busy_message("another thread of this process"))
        try:
            if self._depth == 0:
                with self._database.explaining():
                    self._connection = self._acquire(wait)
                self._owner = threading.get_ident()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._release()
        finally:
            self._threads.release()

    @contextmanager
    def working(self) -> Iterator[Callable[[], bool]]:
        """See `index.storage.lock.Lock.working`. A thread shows the server that this process runs; leave `connection` alone."""
        connection, done, lost = self.connection, threading.Event(), threading.Event()
        assert connection is not None

        def show() -> None:
            while not done.wait(_STALLED_MS / 4000):
                try:
                    connection.exec_driver_sql("SELECT 1")
                    connection.rollback()
                except (SQLAlchemyError, ConnectionError):  # the session is gone, and the lock with it
                    lost.set()
                    return

        thread = threading.Thread(target=show, name="lock", daemon=True)
        thread.start()
        try:
            yield lambda: not lost.is_set()
        finally:
            done.set()
            thread.join()

    def _acquire(self, wait: float) -> Connection:
        connection = self._database.session()
        try:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, int(wait * 1000))}")
            connection.exec_driver_sql("SELECT pg_advisory_lock(%s, %s)", self._key)
            connection.exec_driver_sql(f"SET idle_session_timeout = {_STALLED_MS}")
            connection.commit()
        except DBAPIError as error:
            connection.invalidate()
            connection.close()
            if sqlstate(error) == _LOCK_TIMEOUT:
                raise CollectionBusy(self._busy_message(self._holder())) from error
            raise
        except BaseException:
            connection.invalidate()
            connection.close()
            raise
        return connection

    def _release(self) -> None:
        connection, self._connection, self._owner = self._connection, None, None
        assert connection is not None
        try:
            connection.rollback()
            connection.exec_driver_sql("SET idle_session_timeout = 0")
            connection.exec_driver_sql("SELECT pg_advisory_unlock(%s, %s)", self._key)
            connection.commit()
        except (SQLAlchemyError, ConnectionError):
            # The session is gone, and the lock with it: what was to be written under it is committed or not.
            connection.invalidate()
        finally:
            connection.close()

    def _holder(self) -> str:
        with self._database.reading() as connection:
            row = connection.exec_driver_sql(
                """
                SELECT a.application_name, a.client_addr, a.state_change FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %s AND l.objid = %s AND l.objsubid = 2
                    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                """,
                self._key,
            ).fetchone()
        if row is None or row.state_change is None:  # it ended, or belongs to a user whose sessions are hidden
            return "another process"
        return f"{row[0]} (at {row[1] or 'the database'}, active {row.state_change:%H:%M:%S})"

    def _busy_message(self, who: str) -> str:
        return f"{self._name}: {who} is writing. Wait until it is done, or stop it, and run again"
