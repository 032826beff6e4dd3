"""The bytes of uploads where every machine reaches them: as objects in a store, or without one as rows of the jobs' database.

A file is there from the commit on that accepts its upload. An object is written before, under a name of its own that is
listed as loose until then; it is listed as loose again when its file is removed. Loose objects are deleted once they are due.
So a name that is deleted is never used again, and whoever is killed or stalls at any moment leaves no object behind and takes
none away.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from index.errors import SourceChanged, SourceMissing
from service.jobs.incoming import Incoming, Spool
from service.jobs.postgres import PostgresJobs
from service.jobs.protocol import Statements

_PART_BYTES = 1 << 20


class DatabaseOriginals:
    """The uploaded files in `database`, received in the folder `spool`. See `OriginalStore` for the methods."""

    def __init__(self, database: PostgresJobs, spool: Path) -> None:
        self._database = database
        self._spool = Spool(spool, spool)

    @contextmanager
    def receiving(self, max_bytes: int) -> Iterator[Incoming]:
        """See `OriginalStore.receiving`."""
        with self._spool.receiving(max_bytes) as incoming:
            yield incoming

    def require_room(self) -> None:
        """See `OriginalStore.require_room`."""
        self._spool.require_room()

    def place(self, incoming: Incoming, transaction: Statements) -> None:
        """See `OriginalStore.place`."""
        if not transaction.run("INSERT INTO files (sha256) VALUES (?) ON CONFLICT DO NOTHING", incoming.sha256):
            return
        with incoming.path.open("rb") as file:
            for number, part in enumerate(iter(lambda: file.read(_PART_BYTES), b"")):
                transaction.run(
                    "INSERT INTO file_parts (sha256, number, bytes) VALUES (?, ?, ?)", incoming.sha256, number, part
                )

    def remove(self, sha256: str, transaction: Statements) -> None:
        """See `OriginalStore.remove`."""
        transaction.run("DELETE FROM files WHERE sha256 = ?", sha256)

    def discard(self) -> None:
        """Do nothing: what was removed is gone with the commit."""

    @contextmanager
    def opened(self, sha256: str) -> Iterator[Path]:
        """See `OriginalStore.opened`."""
        with self._spool.path() as path:
            hashed = hashlib.sha256()
            with path.open("xb") as file:
                for part in self._parts(sha256):
                    hashed.update(part)
                    file.write(part)
            if hashed.hexdigest() != sha256:
                raise SourceChanged(
                    f"{sha256}: the stored file holds other bytes than were uploaded. Upload it again, or restore the database"
                )
            yield path

    def digests(self) -> Iterator[str]:
        """The SHA-256 of the files that nothing needs."""
        with self._database.reading() as transaction:
            rows = transaction.rows(
                """
                SELECT sha256 FROM files f WHERE NOT EXISTS (SELECT 1 FROM originals o WHERE o.sha256 = f.sha256)
                    AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.sha256 = f.sha256 AND j.state IN ('queued', 'running'))
                """
            )
        for (sha256,) in rows:
            yield sha256

    def sweep_incoming(self) -> None:
        """See `OriginalStore.sweep_incoming`."""
        self._spool.sweep()

    def _parts(self, sha256: str) -> Iterator[bytes]:
        with self._database.reading() as transaction:
            numbers = transaction.rows("SELECT number FROM file_parts WHERE sha256 = ? ORDER BY number", sha256)
            if not numbers:
                raise SourceMissing(f"{sha256}: the uploaded file is not stored any more. Upload it again")
            for (number,) in numbers:
                for (part,) in transaction.rows(
                    "SELECT bytes FROM file_parts WHERE sha256 = ? AND number = ?", sha256, number
                ):
                    yield part
