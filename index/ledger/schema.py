"""The tables of a ledger: laid out new, or brought up from what an earlier version of Quoth laid out."""

import secrets
import sqlite3
from pathlib import Path

from index.errors import LedgerDamaged
from index.storage.sqlite import Database, run_script

_FOLDER = Path(__file__).parent
_CURRENT = "4"
_STEPS = {"1": "schema_1_to_2.sql", "2": "schema_2_to_3.sql", "3": "schema_3_to_4.sql"}
"""For each earlier layout the script that leads to the next one."""


def prepare(database: Database, path: Path, *, encoder: str, dimension: int) -> dict[str, str]:
    """Make sure that the tables are there and as this version wants them; the ledger's facts.

    Safe against another process that does the same. `LedgerDamaged` for a layout that this version does not know.
    """
    with database.reading() as connection:
        found = _facts(connection)
    if found.get("schema") != _CURRENT:
        with database.writing() as connection:
            found = _facts(connection)
            if not found:
                _lay_out(connection, encoder, dimension)
            while (layout := _facts(connection).get("schema")) in _STEPS:
                run_script(connection, (_FOLDER / _STEPS[layout]).read_text(encoding="utf-8"))
            found = _facts(connection)
    if found.get("schema") != _CURRENT:
        raise LedgerDamaged(
            f"{path}: the ledger has layout {found.get('schema')!r}, this version reads {_CURRENT!r}. "
            f"Use the version of Quoth that wrote it, or delete the folder {path.parent} and index the documents again"
        )
    return found


def _facts(connection: sqlite3.Connection) -> dict[str, str]:
    """The facts; none before the tables are there."""
    there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'facts'").fetchone()
    return {} if there is None else dict(connection.execute("SELECT name, value FROM facts"))


def _lay_out(connection: sqlite3.Connection, encoder: str, dimension: int) -> None:
    run_script(connection, (_FOLDER / "schema.sql").read_text(encoding="utf-8"))
    facts = {
        "schema": _CURRENT,
        "identity": str(secrets.randbits(62)),
        "encoder": encoder,
        "dimension": str(dimension),
        "floor": "0",
    }
    connection.executemany("INSERT INTO facts VALUES (?, ?)", facts.items())
