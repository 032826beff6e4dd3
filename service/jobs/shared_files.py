"""The bytes of uploads where every machine reaches them: as objects in a store, or without one as rows of the jobs' database.

A file is there from the commit on that accepts its upload. An object is written before, under a name of its own that is
listed as loose until then; it is listed as loose again when its file is removed. Loose objects are deleted once they are due.
So a name that is deleted is never used again, and whoever is killed or stalls at any moment leaves no object behind and takes
none away.
"""

import hashlib
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from index.errors import ObjectStoreUnavailable, SourceChanged, SourceMissing
from service.errors import JobsUnavailable
from service.jobs.incoming import Incoming, Spool
from service.jobs.postgres import PostgresJobs
from service.jobs.protocol import Statements

_PART_BYTES = 1 << 20
_UPLOAD_SECONDS = 24 * 3600.0  # an object that no upload was accepted with by then is deleted
_AT_ONCE = 100  # objects that are deleted before a worker looks for a job again


class ObjectStore(Protocol):
    """Objects by name: `index.storage.objects.Objects`, which needs pyarrow."""

    def put(self, name: str, source: Path) -> None:
        """Store the bytes of a file."""
        ...

    def parts(self, name: str) -> Iterator[bytes]:
        """The bytes of an object. FileNotFoundError if there is none."""
        ...

    def delete(self, name: str) -> None:
        """Delete an object, if it exists."""
        ...

    def require_answer(self) -> None:
        """Raise ObjectStoreUnavailable unless the store answers."""
        ...


class _IncomingObject(Incoming):
    """A file that becomes the object `name` when it is finished: `write` does that."""

    def __init__(self, path: Path, max_bytes: int, write: Callable[[str, Path], None]) -> None:
        super().__init__(path, max_bytes)
        token = uuid.uuid4().hex
        self.name = f"originals/{token[:2]}/{token}"
        self._write = write

    def finish(self) -> None:
        """Write the complete file to the store."""
        super().finish()
        self._write(self.name, self.path)


class SharedOriginals:
    """The uploaded files that `database` lists, received in the folder `spool`. See `OriginalStore` for the methods.

    With `objects` new ones become objects; those that are in the database stay there.
    """

    def __init__(self, database: PostgresJobs, spool: Path, objects: ObjectStore | None = None) -> None:
        self._database = database
        self._spool = Spool(spool, spool)
        self._objects = objects

    @contextmanager
    def receiving(self, max_bytes: int) -> Iterator[Incoming]:
        """See `OriginalStore.receiving`."""
        with self._spool.path() as path:
            incoming = _IncomingObject(path, max_bytes, self._write) if self._objects else Incoming(path, max_bytes)
            try:
                yield incoming
            finally:
                incoming.abandon()

    def require_room(self) -> None:
        """See `OriginalStore.require_room`."""
        self._spool.require_room()
        if self._objects is not None:
            with _explaining():
                self._objects.require_answer()

    def place(self, incoming: Incoming, transaction: Statements) -> None:
        """See `OriginalStore.place`. An object takes the place of what is stored with the same content: that may be lost."""
        if isinstance(incoming, _IncomingObject):
            self._place_object(incoming.sha256, incoming.name, transaction)
        elif transaction.run("INSERT INTO files (sha256) VALUES (?) ON CONFLICT DO NOTHING", incoming.sha256):
            with incoming.path.open("rb") as file:
                for number, part in enumerate(iter(lambda: file.read(_PART_BYTES), b"")):
                    transaction.run(
                        "INSERT INTO file_parts (sha256, number, bytes) VALUES (?, ?, ?)", incoming.sha256, number, part
                    )

    def remove(self, sha256: str, transaction: Statements) -> None:
        """See `OriginalStore.remove`."""
        for (name,) in transaction.rows("DELETE FROM files WHERE sha256 = ? RETURNING object", sha256):
            self._loosen(name, transaction)

    def discard(self) -> None:
        """See `OriginalStore.discard`."""
        if self._objects is None:
            return
        for name in self._due():
            with _explaining():
                self._objects.delete(name)
            with self._database.writing() as transaction:
                transaction.run("DELETE FROM loose_objects WHERE name = ?", name)

    @contextmanager
    def opened(self, sha256: str) -> Iterator[Path]:
        """See `OriginalStore.opened`."""
        with self._spool.path() as path:
            name = self._fetch(sha256, path)
            if name is not None and self._fetch(sha256, path) == name:  # the same was uploaded again meanwhile, or not
                raise SourceMissing(
                    f"{sha256}: the uploaded file is not in the storage any more, where it was {name}. Upload it again"
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

    def _write(self, name: str, path: Path) -> None:
        assert self._objects is not None
        with self._database.writing() as transaction:
            due_at = self._database.now() + _UPLOAD_SECONDS
            transaction.run("INSERT INTO loose_objects (name, due_at) VALUES (?, ?)", name, due_at)
        with _explaining():
            self._objects.put(name, path)

    def _place_object(self, sha256: str, name: str, transaction: Statements) -> None:
        now = self._database.now()
        if not transaction.run("DELETE FROM loose_objects WHERE name = ? AND due_at > ?", name, now):
            raise JobsUnavailable(f"{name}: the upload took too long to store. Send it again")
        for (before,) in transaction.rows("SELECT object FROM files WHERE sha256 = ?", sha256):
            self._loosen(before, transaction)
        transaction.run(
            "INSERT INTO files (sha256, object) VALUES (?, ?) ON CONFLICT (sha256) DO UPDATE SET object = excluded.object",
            sha256,
            name,
        )
        transaction.run("DELETE FROM file_parts WHERE sha256 = ?", sha256)

    def _loosen(self, name: str | None, transaction: Statements) -> None:
        """List the object of a file that is none any more as due. A file without one is in the database alone."""
        if name is not None:
            transaction.run("INSERT INTO loose_objects (name, due_at) VALUES (?, ?)", name, self._database.now())

    def _due(self) -> list[str]:
        with self._database.reading() as transaction:
            rows = transaction.rows(
                "SELECT name FROM loose_objects WHERE due_at <= ? ORDER BY due_at LIMIT ?",
                self._database.now(),
                _AT_ONCE,
            )
        return [name for (name,) in rows]

    def _fetch(self, sha256: str, path: Path) -> str | None:
        """Write the file to `path`. Returns the name of its object if that is missing. Raises SourceMissing, SourceChanged."""
        with self._database.reading() as transaction:
            rows = transaction.rows("SELECT object FROM files WHERE sha256 = ?", sha256)
        if not rows:
            raise SourceMissing(f"{sha256}: the uploaded file is not stored any more. Upload it again")
        name = rows[0][0]
        hashed = hashlib.sha256()
        try:
            with path.open("wb") as file, _explaining():
                for part in self._parts_in_database(sha256) if name is None else self._parts_of_object(name):
                    hashed.update(part)
                    file.write(part)
        except FileNotFoundError:
            return str(name)
        if hashed.hexdigest() != sha256:
            raise SourceChanged(
                f"{sha256}: the stored file{f' {name}' if name else ''} holds other bytes than were uploaded. Upload it again, "
                "or restore it from a backup"
            )
        return None

    def _parts_of_object(self, name: str) -> Iterator[bytes]:
        if self._objects is None:
            raise JobsUnavailable(
                f"{name}: the uploaded file is in a storage that the settings do not name. Set storage_url "
                "(QUOTH_STORAGE_URL) as it was when it was uploaded"
            )
        return self._objects.parts(name)

    def _parts_in_database(self, sha256: str) -> Iterator[bytes]:
        with self._database.reading() as transaction:
            numbers = transaction.rows("SELECT number FROM file_parts WHERE sha256 = ? ORDER BY number", sha256)
            for (number,) in numbers:
                for (part,) in transaction.rows(
                    "SELECT bytes FROM file_parts WHERE sha256 = ? AND number = ?", sha256, number
                ):
                    yield part


@contextmanager
def _explaining() -> Iterator[None]:
    try:
        yield
    except ObjectStoreUnavailable as error:
        raise JobsUnavailable(str(error)) from error
