"""Run one statement, with texts as PostgreSQL can store them.

PostgreSQL stores no U+0000. Each becomes two characters, U+001A and "0", and U+001A itself becomes that and "1": every text is
read back unchanged.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

_ESCAPE = "\x1a"
_ENCODED = {"\x00": f"{_ESCAPE}0", _ESCAPE: f"{_ESCAPE}1"}
_TABLE = str.maketrans(_ENCODED)

Row = Sequence[Any]


def fetch(connection: Connection, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Run a statement that returns rows. Its parameters are written %s, a list as `CAST(%s AS text[])` with its type."""
    rows = connection.exec_driver_sql(statement, tuple(map(_storable, values)))
    return [tuple(map(_restored, row)) for row in rows]


def run(connection: Connection, statement: str, *values: object) -> int:
    """Run a statement that changes rows. Returns how many."""
    return connection.exec_driver_sql(statement, tuple(map(_storable, values))).rowcount


def _storable(value: object) -> object:
    if isinstance(value, str):
        return value.translate(_TABLE) if "\x00" in value or _ESCAPE in value else value
    return _array(value) if isinstance(value, list) and any(isinstance(each, str) for each in value) else value


def _array(texts: Sequence[object]) -> str:
    """Texts as PostgreSQL writes an array of them. The driver puts no quotes around the text "null", which then is none."""
    quoted = (
        "NULL" if text is None else '"' + str(_storable(text)).replace("\\", "\\\\").replace('"', '\\"') + '"'
        for text in texts
    )
    return "{" + ",".join(quoted) + "}"


def _restored(value: object) -> object:
    if isinstance(value, str):
        if _ESCAPE not in value:
            return value
        return value.replace(_ENCODED["\x00"], "\x00").replace(_ENCODED[_ESCAPE], _ESCAPE)
    return [_restored(each) for each in value] if isinstance(value, list) else value


def digest(*texts: str) -> bytes:
    """SHA-256 of the texts in their order, each after its length, so that no two lists of texts share their bytes."""
    hashed = hashlib.sha256()
    for text in texts:
        encoded = text.encode()
        hashed.update(len(encoded).to_bytes(8, "big") + encoded)
    return hashed.digest()
