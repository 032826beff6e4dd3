"""Brings a database up to the schema of this Quoth, once, however many replicas start at the same moment."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.engine import Engine

from service.errors import StoreNewer

FOLDER = Path(__file__).parent
_POSTGRES_LOCK = 0x51756F7468  # "Quoth": the number that replicas agree on


def is_current(engine: Engine) -> bool:
    """Whether the schema is the newest one. Raises StoreNewer for one that this Quoth does not know."""
    scripts = ScriptDirectory(str(FOLDER))
    known = {script.revision for script in scripts.walk_revisions()}
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_heads()
    unknown = sorted(set(found) - known)
    if unknown:
        raise StoreNewer(
            f"The database {engine.url.render_as_string(hide_password=True)} was made by a newer Quoth: its schema is "
            f"{unknown[0]!r}, and this one knows those up to {scripts.get_current_head()!r}. "
            "Install the newer Quoth, or set QUOTH_DATABASE_URL to another database."
        )
    return found == (scripts.get_current_head(),)


def upgrade(engine: Engine) -> None:
    """Run the steps that the database lacks, all or none. `engine` must begin write transactions with its lock (SQLite).

    Whoever comes second waits for the first, and finds nothing left to do. A database from before there were migrations is
    taken over with what it holds.
    """
    config = Config(attributes={"connection": None})
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    with engine.begin() as connection:
        _lock(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _lock(connection: Connection) -> None:
    """On PostgreSQL, the lock that this transaction holds to its end; SQLite's BEGIN IMMEDIATE is one already."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRES_LOCK})
