"""The jobs in a PostgreSQL database that machines share: their transactions, turns and clock.

Statements are those of SQLite, where one writer excludes all others. Here many write at once: a claim skips the rows that
others hold, other transactions hold the rows that they change, and turns (service/jobs/queue.py) keep apart what no row stands
for. A process that stalls inside a transaction loses it after two minutes (index/storage/postgres.py); others wait ten seconds.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from index.ledger.postgres.statements import digest, fetch, run
from index.storage.migrations import Migrations
from index.storage.postgres import PostgresDatabase, make_engine
from service.errors import JobsDamaged, JobsUnavailable
from service.jobs.protocol import Statements

_MIGRATIONS = Migrations(Path(__file__).parent, table="jobs_version")
_WAIT_MS = 10_000


class PostgresStatements:
    """A transaction of PostgreSQL; one that only reads holds no rows. See `Statements` for its methods."""

    def __init__(self, connection: Connection, *, writes: bool) -> None:
        self._connection = connection
        self.for_update = "FOR UPDATE" if writes else ""
        self.skip_locked = "FOR UPDATE SKIP LOCKED" if writes else ""

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """See `Statements.rows`."""
        return fetch(self._connection, _placed(statement), *map(_plain, values))

    def run(self, statement: str, *values: object) -> int:
        """See `Statements.run`."""
        return run(self._connection, _placed(statement), *map(_plain, values))

    def take_turn(self, *names: str) -> None:
        """See `Statements.take_turn`."""
        key = int.from_bytes(digest(*names)[:8], "big", signed=True)
        fetch(self._connection, "SELECT pg_advisory_xact_lock(%s)", key)


class PostgresJobs:
    """The jobs in the database at `url`, such as `postgresql://quoth@db/quoth`. See `JobDatabase` for its methods.

    The tables are made or upgraded when they are first used.
    """

    def __init__(self, url: str) -> None:
        self._database = PostgresDatabase(url, unavailable=JobsUnavailable, damaged=JobsDamaged)
        self._guard = threading.Lock()
        self._is_current = False
        self._open = threading.local()

    def close(self) -> None:
        """See `JobDatabase.close`."""
        self._database.close()

    def now(self) -> float:
        """The server's clock: those of machines differ. Inside of a transaction of this thread, the transaction asks."""
        transaction: Statements | None = getattr(self._open, "transaction", None)
        if transaction is None:
            with self.reading() as transaction:
                return self.now()
        ((now,),) = transaction.rows("SELECT CAST(extract(epoch FROM clock_timestamp()) AS double precision)")
        return float(now)

    @contextmanager
    def reading(self) -> Iterator[Statements]:
        """See `JobDatabase.reading`."""
        with (
            self._current().reading() as connection,
            self._opened(PostgresStatements(connection, writes=False)) as opened,
        ):
            yield opened

    @contextmanager
    def writing(self) -> Iterator[Statements]:
        """See `JobDatabase.writing`."""
        with (
            self._current().writing() as connection,
            self._opened(PostgresStatements(connection, writes=True)) as opened,
        ):
            run(connection, f"SET LOCAL lock_timeout = {_WAIT_MS}")
            yield opened

    @contextmanager
    def _opened(self, transaction: PostgresStatements) -> Iterator[PostgresStatements]:
        before = getattr(self._open, "transaction", None)
        self._open.transaction = transaction
        try:
            yield transaction
        finally:
            self._open.transaction = before

    def _current(self) -> PostgresDatabase:
        """The database, whose tables are up to date."""
        with self._guard:
            if not self._is_current:
                self._upgrade()
                self._is_current = True
        return self._database

    def _upgrade(self) -> None:
        engine = make_engine(self._database.url, migrating=True)
        try:
            with self._database.explaining():
                revisions = _MIGRATIONS.revisions(engine)
                if unknown := _MIGRATIONS.unknown(revisions):
                    raise JobsDamaged(
                        f"The jobs in {self._database.place} were made by a newer Quoth: their tables are at {unknown!r}, and "
                        f"this one knows those up to {_MIGRATIONS.newest!r}. Install the newer one, or choose another database"
                    )
                if revisions != (_MIGRATIONS.newest,):
                    _MIGRATIONS.upgrade(engine)
        finally:
            engine.dispose()


def _placed(statement: str) -> str:
    """The statement with parameters as the driver writes them."""
    return statement.replace("?", "%s")


def _plain(value: object) -> object:
    """The value as the driver knows it: a member of an enumeration as its text."""
    return str(value) if isinstance(value, str) else value
