"""Damage of a ledger in SQLite, however it shows: SQLite's errors, and values that are not what Quoth stored there."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from index.errors import LedgerDamaged
from index.ledger.stored import ValueUnreadable
from index.storage.sqlite import SOUND, quick_check, translate_errors

_UNREADABLE = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH}
"""What Quoth's own statements raise only where tables or values are not as it made them."""


@contextmanager
def explain_damage(path: Path) -> Iterator[None]:
    """Inside the block SQLite's errors become those of index/, and damage that shows only in a value `LedgerDamaged`.

    Python raises UnicodeDecodeError where SQLite's own message quotes a damaged schema.
    """
    try:
        with translate_errors(path):
            yield
    except (ValueUnreadable, UnicodeDecodeError, sqlite3.DatabaseError) as error:
        found = quick_check(path)
        if found == SOUND and not _is_damage(error):
            raise
        raise LedgerDamaged(
            f"{path}: the ledger does not read ({error}; quick_check: {found}). Restore the file from a backup, "
            f"or delete the folder {path.parent} and index the documents again"
        ) from error


def _is_damage(error: Exception) -> bool:
    if not isinstance(error, sqlite3.Error):
        return True
    # Without a code it is of Python's module, which could not decode a text.
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, sqlite3.OperationalError) and (code is None or code & 0xFF in _UNREADABLE)
