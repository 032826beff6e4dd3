"""Quoth's own database, an SQLite file in the home folder or PostgreSQL by URL: its base class for tables, and its upgrades.

Stores (conversations.py, feedback.py ...) take a Database and use `reading` and `writing`. Each declares its tables from Table,
beside the code that uses them; a change to one needs a step in versions/, and a test compares the two. An error of the
database itself becomes StoreUnavailable, after which it works again without a restart, or StoreDamaged.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import structlog
from sqlalchemy import DateTime, Dialect, String, TypeDecorator, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Session

from index.storage.migrations import Migrations
from index.storage.postgres import breaks_constraint, may_pass, message_of
from service.errors import StoreDamaged, StoreMissing, StoreNewer, StoreUnavailable
from service.storage.engines import make_engine

_SCRUB_SECONDS, _SCRUB_POLL_SECONDS = 2.0, 0.05
BUSY_TIMEOUT_MS = 5000
MIGRATION_TIMEOUT_MS = 60_000  # how long a second replica waits for the first one's upgrade
_MIGRATIONS = Migrations(Path(__file__).parent)
NUL, REPLACEMENT = "\x00", "\ufffd"
log = structlog.get_logger(__name__)


class Characters(TypeDecorator[str]):
    """Text of any length. PostgreSQL cannot store U+0000, so it becomes U+FFFD, on every database alike."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The text without U+0000."""
        return None if value is None else value.replace(NUL, REPLACEMENT)


class Moment(TypeDecorator[datetime]):
    """A time in UTC: with its zone in Python, without one in the database."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The same moment in UTC, without its zone."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment, with its zone."""
        return None if value is None else value.replace(tzinfo=UTC)


class Table(DeclarativeBase):
    """The base of every table. `Table.metadata` has them all once their modules are imported."""

    type_annotation_map = {str: Characters(), datetime: Moment()}  # noqa: RUF012  (SQLAlchemy reads it from the class)


class Database:
    """An open database with the newest schema. Thread-safe: every block has its own connection.

    `url` is SQLAlchemy's, for example `sqlite:////var/lib/quoth/quoth.sqlite` or `postgresql://quoth@db/quoth`.
    `busy_timeout_ms` is how long a write waits for another one (SQLite). Without `create`, an SQLite file that is missing or
    empty is no error yet, but every use raises StoreMissing until the file is back. Raises SettingsInvalid for a URL that
    cannot be used, StoreUnavailable, StoreDamaged, and StoreNewer for a database that a newer Quoth made.
    """

    def __init__(self, url: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS, create: bool = True) -> None:
        self._url = url
        self._create = create
        self._is_current = False
        self._engine = make_engine(url, busy_timeout_ms, create=create)
        self._writer = self._engine.execution_options(writes=True)
        try:
            with self._translate_errors(), suppress(StoreMissing):
                self._upgrade()
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
        with self._translate_errors():
            self._upgrade()
            with Session(self._engine, expire_on_commit=False) as session:
                yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes are all committed when the block ends, or none when it raises."""
        with self._translate_errors():
            self._upgrade()
            with Session(self._writer, expire_on_commit=False) as session, session.begin():
                yield session

    def require_answer(self) -> None:
        """Raise StoreUnavailable unless the database answers."""
        with self.reading() as session:
            session.execute(text("SELECT version_num FROM alembic_version"))

    def scrub(self) -> None:
        """Remove deleted rows from SQLite's write-ahead log, too: write the log back to the file and truncate it.

        While another connection reads, that is tried for two seconds and then left to the next time that the log is written
        back. The rows are deleted already, so a failure is logged.
        """
        if self._engine.dialect.name != "sqlite":
            return
        deadline = time.monotonic() + _SCRUB_SECONDS
        try:
            while not self._write_back() and time.monotonic() < deadline:
                time.sleep(_SCRUB_POLL_SECONDS)
        except (StoreUnavailable, StoreDamaged) as error:
            log.warning("deleted rows are still in the log", detail=str(error))

    def _write_back(self) -> bool:
        """Write the log back and truncate it, unless somebody reads now. Returns whether nobody did.

        SQLite would wait for readers while it holds the lock of the writers: measured, an answer that another thread stored
        meanwhile took 4.9 s. With a timeout of 0 it does not wait.
        """
        with self._translate_errors(), self._engine.connect() as connection:
            usual = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
            connection.exec_driver_sql("PRAGMA busy_timeout=0")
            try:
                is_busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
            finally:
                connection.exec_driver_sql(f"PRAGMA busy_timeout={usual}")
        return not is_busy

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _upgrade(self) -> None:
        """Bring the schema up to date, once. Threads and replicas may do it at the same time."""
        if self._is_current:
            return
        revisions = _MIGRATIONS.revisions(self._engine)
        self._refuse_newer(revisions)
        if revisions != (_MIGRATIONS.newest,):
            migrating = make_engine(self._url, MIGRATION_TIMEOUT_MS, migrating=True, create=self._create)
            try:
                _MIGRATIONS.upgrade(migrating.execution_options(writes=True))
            finally:
                migrating.dispose()
        self._is_current = True

    def _refuse_newer(self, revisions: Sequence[str]) -> None:
        unknown = _MIGRATIONS.unknown(revisions)
        if unknown is not None:
            raise StoreNewer(
                f"The database {self.place} was made by a newer Quoth: its schema is {unknown!r}, and this one knows those up "
                f"to {_MIGRATIONS.newest!r}. Install the newer Quoth, or set QUOTH_DATABASE_URL to another database."
            )

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if breaks_constraint(error):
                raise  # the database works: a caller broke one of its constraints
            if may_pass(error):
                raise self._unavailable(message_of(error)) from error
            raise self._damaged(message_of(error)) from error
        except UnicodeDecodeError as error:  # of the schema, or of a text
            raise self._damaged(str(error)) from error
        except SQLAlchemyError as error:  # every connection of the pool is in use, and none was returned in time
            raise self._unavailable(str(error)) from error

    def _damaged(self, message: str) -> StoreDamaged:
        return StoreDamaged(
            f"The database {self.place} does not read: {message}. "
            "Restore it from a backup, or set QUOTH_DATABASE_URL to another one."
        )

    def _unavailable(self, message: str) -> StoreUnavailable:
        fix = (
            "Check that its folder can be written and has space, then try again."
            if self._engine.dialect.name == "sqlite"
            else "Check that the server runs and takes connections, then try again."
        )
        return StoreUnavailable(f"The database {self.place} does not answer: {message}. {fix}")
