"""A collection as an earlier version of Quoth left it: with a ledger of layout 4, whose documents have no structure."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from index.storage.sqlite import connect


def make_earlier(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Give the collection in `folder`, which nobody has open, the layout that the ledger had before there were blocks.

    `contents` are the bytes of the documents by their URIs: a version was the SHA-256 of the bytes alone.
    """
    connection = connect(folder / "ledger.sqlite")
    for uri, data in contents.items():
        connection.execute("UPDATE versions SET version = ? WHERE uri = ?", (hashlib.sha256(data).hexdigest(), uri))
    for statement in (
        "DROP TABLE titles",
        "DROP INDEX versions_by_reading",
        "DROP INDEX versions_with_warnings",
        "ALTER TABLE versions ADD COLUMN sections TEXT NOT NULL DEFAULT '[]'",
        *(f"ALTER TABLE versions DROP COLUMN {name}" for name in ("blocks", "warnings", "geometry", "reading")),
        *(f"ALTER TABLE chunks DROP COLUMN {name}" for name in ("rendered", "units")),
        "UPDATE facts SET value = '4' WHERE name = 'schema'",
    ):
        connection.execute(statement)
    connection.close()
