"""Bring a database's schema up to date by Alembic's migrations in one folder, also when several processes begin at once."""

from collections.abc import Sequence
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.engine import Engine

_POSTGRES_LOCK = 0x51756F7468  # "Quoth": the number of the lock that replicas agree on


class Migrations:
    """The migrations below `folder`, which holds Alembic's `env.py` and `versions`; `table` keeps how far a database is.

    Two sets of migrations may share a database if their tables differ.
    """

    def __init__(self, folder: Path, table: str = "alembic_version") -> None:
        self._folder = folder
        self._table = table

    @property
    def newest(self) -> str | None:
        """The revision that this version of Quoth brings databases to."""
        return self._scripts().get_current_head()

    def revisions(self, engine: Engine) -> tuple[str, ...]:
        """The revisions that the database is at: none before the first migration, else one."""
        with engine.connect() as connection:
            return MigrationContext.configure(connection, opts={"version_table": self._table}).get_current_heads()

    def unknown(self, revisions: Sequence[str]) -> str | None:
        """One of the revisions that a newer version of Quoth made; None if this one knows all."""
        known = {script.revision for script in self._scripts().walk_revisions()}
        return next(iter(sorted(set(revisions) - known)), None)

    def upgrade(self, engine: Engine) -> None:
        """Run the migrations that the database lacks, all or none.

        `engine` must begin transactions with the write lock (SQLite). A second process waits for the first and finds nothing
        left to do.
        """
        config = Config(attributes={"connection": None, "version_table": self._table})
        config.set_main_option("script_location", str(self._folder).replace("%", "%%"))
        with engine.begin() as connection:
            _lock(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def _scripts(self) -> ScriptDirectory:
        return ScriptDirectory(str(self._folder))


def _lock(connection: Connection) -> None:
    """On PostgreSQL, take a lock until the transaction ends; SQLite's BEGIN IMMEDIATE is one already."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRES_LOCK})
