"""Quoth's own database: an SQLite file in the home folder, or PostgreSQL by URL. Opened here, upgraded here, and watched.

Stores (service/storage/conversations.py, service/storage/feedback.py ...) take a Database and use `reading` and `writing`. What goes wrong with the
database itself becomes StoreUnavailable, from which it recovers without a restart, or StoreDamaged.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from service.errors import StoreDamaged, StoreUnavailable
from service.storage.engines import made
from service.storage.upgrade import is_current, upgrade

BUSY_TIMEOUT_MS = 5000
MIGRATION_TIMEOUT_MS = 60_000  # a second replica waits as long for the first one's upgrade
_INTEGRITY = "23"  # class of SQLSTATE
_TRANSIENT_POSTGRES = ("08", "25006", "40", "53", "55P03", "57", "58")  # classes of SQLSTATE that may pass


class Database:
    """An open database with the newest schema. Thread-safe: every block has its own connection.

    `url` is SQLAlchemy's, for example `sqlite:////var/lib/quoth/quoth.sqlite` or `postgresql://quoth@db/quoth`.
    `busy_timeout_ms` is how long a write waits for another one (SQLite). Raises SettingsInvalid for a URL that cannot be
    used, StoreUnavailable, StoreDamaged, and StoreNewer for a database of a newer Quoth.
    """

    def __init__(self, url: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        self._engine = made(url, busy_timeout_ms)
        self._writer = self._engine.execution_options(writes=True)
        try:
            with self._guarded():
                self._upgrade(url)
        except BaseException:
            self.close()
            raise

    @property
    def place(self) -> str:
        """The URL, without its password."""
        return self._engine.url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database."""
        with self._guarded(), Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes are kept together when the block ends, or not at all when it raises."""
        with self._guarded(), Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def scrub(self) -> None:
        """Let nothing of what was deleted stay in SQLite's log: its pages are overwritten, and the log is emptied into them.

        A reader or writer that is at work meanwhile puts it off until the log is emptied next.
        """
        if self._engine.dialect.name == "sqlite":
            with self._guarded(), self._engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def _upgrade(self, url: str) -> None:
        if is_current(self._engine):
            return
        migrating = made(url, MIGRATION_TIMEOUT_MS, migrating=True)
        try:
            upgrade(migrating.execution_options(writes=True))
        finally:
            migrating.dispose()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if isinstance(error, IntegrityError) or _state(error).startswith(_INTEGRITY):
                raise  # nothing is wrong with the database: a caller broke one of its rules
            if self._passes(error):
                raise self._unavailable(_said(error)) from error
            raise StoreDamaged(
                f"The database {self.place} does not read: {_said(error)}. "
                "Restore it from a backup, or set QUOTH_DATABASE_URL to another one."
            ) from error
        except SQLAlchemyError as error:  # every connection of the pool is taken, and none came back in time
            raise self._unavailable(str(error)) from error

    def _unavailable(self, said: str) -> StoreUnavailable:
        mend = (
            "Check that its folder can be written and has space, then try again."
            if self._engine.dialect.name == "sqlite"
            else "Check that the server runs and takes connections, then try again."
        )
        return StoreUnavailable(f"The database {self.place} does not answer: {said}. {mend}")

    def _passes(self, error: DBAPIError) -> bool:
        """Whether it is the database's state, which may change, rather than what it holds or was asked."""
        kind = type(error).__name__
        if kind in {"OperationalError", "InterfaceError"} or error.connection_invalidated:
            return True
        return _state(error).startswith(_TRANSIENT_POSTGRES)


def _state(error: DBAPIError) -> str:
    """PostgreSQL's SQLSTATE; "none" elsewhere."""
    told = error.orig.args[0] if error.orig and error.orig.args else None
    return str(told.get("C")) if isinstance(told, dict) else str(getattr(error.orig, "sqlstate", None))


def _said(error: DBAPIError) -> str:
    told = error.orig.args[0] if error.orig and error.orig.args else None
    return str(told.get("M")) if isinstance(told, dict) else str(error.orig)
