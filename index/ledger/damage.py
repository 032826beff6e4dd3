"""Damage of a ledger, however it shows: SQLite's errors, and values that are not what Quoth stored there.

SQLite's own check of a damaged page finds only what breaks the page's structure. A value in it may be text that is no UTF-8, a
number of another type, or JSON that ends early, and whoever reads it first would fail in a way that names no file.
"""

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from index.errors import LedgerDamaged
from index.storage.sqlite import SOUND, quick_check, translate_errors

_WRONG_VALUES = (ValueError, TypeError, LookupError, AttributeError, OverflowError, zlib.error)
_UNREADABLE = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH}
"""What Quoth's own statements raise only where tables or values are not as it made them."""
_MAX_NUMBER = 2**31 - 1

Kinds = Sequence[type | tuple[type, ...]]


class ValueUnreadable(Exception):
    """A stored value is not what Quoth stores there. Never leaves index/: `explain_damage` names the ledger."""


@contextmanager
def as_stored() -> Iterator[None]:
    """Inside the block, or the function that this decorates, whatever a wrong value breaks becomes `ValueUnreadable`."""
    try:
        yield
    except _WRONG_VALUES as error:
        raise ValueUnreadable(f"a stored value is not what it was: {error}") from error


def require_kinds(row: Sequence[object], kinds: Kinds) -> None:
    """Raise TypeError unless each value of the row is of its kind."""
    if not all(map(isinstance, row, kinds)):
        raise TypeError(f"{[type(value).__name__ for value in row]} stand where other types belong")


def require_numbers(*numbers: int) -> None:
    """Raise ValueError unless these can be the ledger's numbers of documents or chunks."""
    if not all(0 < number <= _MAX_NUMBER for number in numbers):
        raise ValueError(f"{numbers} cannot be numbers of this ledger")


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
    code: int | None = getattr(
        error, "sqlite_errorcode", None
    )  # None: of Python's module, which could not decode a text
    return isinstance(error, sqlite3.OperationalError) and (code is None or code & 0xFF in _UNREADABLE)
