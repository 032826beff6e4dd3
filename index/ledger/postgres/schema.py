"""Create or upgrade the ledgers' tables, and find or make the row of a collection."""

import secrets
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from index.errors import LedgerDamaged
from index.ledger.postgres.statements import fetch
from index.storage.migrations import Migrations
from index.storage.postgres import PostgresDatabase, make_engine

_MIGRATIONS = Migrations(Path(__file__).parent, table="ledger_version")


class Facts(NamedTuple):
    """What the database says about a collection: its key in the tables, its identity, encoder and dimension."""

    key: int
    identity: int
    encoder: str
    dimension: int


def upgrade(database: PostgresDatabase) -> None:
    """Bring the tables up to date. Other processes may do so at the same time. `LedgerDamaged` if a newer Quoth made them."""
    engine = make_engine(database.url, migrating=True)
    try:
        with database.explaining():
            revisions = _MIGRATIONS.revisions(engine)
            unknown = _MIGRATIONS.unknown(revisions)
            if unknown is not None:
                raise LedgerDamaged(
                    f"The collections in {database.place} were made by a newer Quoth: their tables are at {unknown!r}, and "
                    f"this one knows those up to {_MIGRATIONS.newest!r}. Install the newer Quoth, or choose another database"
                )
            if revisions != (_MIGRATIONS.newest,):
                _MIGRATIONS.upgrade(engine)
    finally:
        engine.dispose()


def find(connection: Connection, name: str) -> Facts | None:
    """The facts of the collection of that name; None if there is none."""
    rows = fetch(connection, "SELECT id, identity, encoder, dimension FROM collections WHERE name = %s", name)
    return Facts(*rows[0]) if rows else None


def create(connection: Connection, name: str, encoder: str, dimension: int, identity: int | None = None) -> int | None:
    """Make an empty collection, with that identity or a new one. Returns its key; None if there is one of that name already."""
    rows = fetch(
        connection,
        """
        INSERT INTO collections (name, identity, encoder, dimension) VALUES (%s, CAST(%s AS bigint), %s, %s)
        ON CONFLICT (name) DO NOTHING RETURNING id
        """,
        name,
        secrets.randbits(62) if identity is None else identity,
        encoder,
        dimension,
    )
    return int(rows[0][0]) if rows else None
