"""Create the tables of a ledger, or upgrade those that an earlier version of Quoth created."""

import json
import secrets
import sqlite3
import zlib
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from index.blocks.block import Block, Kind
from index.blocks.codec import pack
from index.errors import LedgerDamaged, LedgerLost
from index.ledger.sqlite.damage import explain_damage
from index.ledger.sqlite.note import is_expected, is_lost, note_of, write_note
from index.ledger.stored import as_stored
from index.storage.sqlite import SqliteDatabase, run_script

_FOLDER = Path(__file__).parent
_CURRENT = "6"
_STEPS = {
    "1": "schema_1_to_2.sql",
    "2": "schema_2_to_3.sql",
    "3": "schema_3_to_4.sql",
    "4": "schema_4_to_5.sql",
    "5": "schema_5_to_6.sql",
}
"""The script that upgrades each earlier layout to the next one."""


class Facts(NamedTuple):
    """What a ledger says about itself: its identity, and the encoder and dimension of its vectors."""

    identity: int
    encoder: str
    dimension: int


def prepare(
    database: SqliteDatabase, path: Path, *, encoder: str, dimension: int, caches: Sequence[Path] = ()
) -> Facts:
    """Create or upgrade the tables as this version needs them. Returns what the ledger says about itself.

    Another process may do the same at the same time. `LedgerDamaged` for a layout that this version does not know, `LedgerLost`
    for a ledger without tables where there was one with tables, as its note or one of `caches` says.
    """
    expected = is_expected(path, caches)
    if is_lost(path, caches):  # nothing is opened: SQLite would create the file
        raise _lost(path, "has 0 bytes" if path.exists() else "is gone")
    with database.reading() as connection:
        facts = _read_facts(connection)
    if facts.get("schema") != _CURRENT:
        with database.writing() as connection:
            connection.create_function("blocks_of_sections", 2, blocks_of_sections, deterministic=True)
            if not _read_facts(connection):
                if expected:
                    raise _lost(path, "has no tables")
                create_tables(connection, encoder, dimension)
            while (layout := _read_facts(connection).get("schema")) in _STEPS:
                run_script(connection, (_FOLDER / _STEPS[layout]).read_text(encoding="utf-8"))
            facts = _read_facts(connection)
    if facts.get("schema") != _CURRENT:
        raise LedgerDamaged(
            f"{path}: the ledger has layout {facts.get('schema')!r}, this version reads {_CURRENT!r}. "
            f"Use the version of Quoth that wrote it, or delete the folder {path.parent} and index the documents again"
        )
    with database.reading(), as_stored():
        read = Facts(int(facts["identity"]), facts["encoder"], int(facts["dimension"]))
    write_note(path, read.identity)
    return read


def begin_copy(path: Path, identity: int | None) -> None:
    """Let the copy of a ledger at `path`, which nobody has open, be one that is not being moved, of that identity if given."""
    database = SqliteDatabase(path, explain_damage)
    with closing(database), database.writing() as connection:
        connection.execute("DELETE FROM facts WHERE name = 'destination'")
        if identity is not None:
            connection.execute("UPDATE facts SET value = ? WHERE name = 'identity'", (str(identity),))
    note_of(path).unlink(missing_ok=True)


def _lost(path: Path, state: str) -> LedgerLost:
    return LedgerLost(
        f"{path}: the ledger {state}, although the collection had one. Stop Quoth and restore the file from a backup. If there "
        f"is none, give the collection up (quoth collections drop {path.parent.name}), then import an export of it or index "
        "the documents again"
    )


def blocks_of_sections(text: bytes, sections: str) -> bytes:
    """Return the blocks of a version whose sections are all that is known of its structure: its headings, packed."""
    content = zlib.decompress(text).decode()
    headings = []
    for start, trail in json.loads(sections):
        end = content.find("\n", start)
        headings.append(Block(Kind.HEADING, start, end if end >= 0 else len(content), level=max(1, len(trail))))
    return pack(headings)


def _read_facts(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the facts, none before the tables exist."""
    table = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'facts'").fetchone()
    return {} if table is None else dict(connection.execute("SELECT name, value FROM facts"))


def create_tables(
    connection: sqlite3.Connection, encoder: str, dimension: int, identity: int | None = None, floor: int = 0
) -> None:
    """Create empty tables, by default of a new ledger, inside the open transaction. The log will begin after `floor`."""
    run_script(connection, (_FOLDER / "schema.sql").read_text(encoding="utf-8"))
    facts = {
        "schema": _CURRENT,
        "identity": str(secrets.randbits(62) if identity is None else identity),
        "encoder": encoder,
        "dimension": str(dimension),
        "floor": str(floor),
    }
    connection.executemany("INSERT INTO facts VALUES (?, ?)", facts.items())
