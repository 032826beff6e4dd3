"""The bytes of uploads on disk, named by the SHA-256 of their content: the same file sent twice is stored once.

A stored file is complete: it is written elsewhere in the folder, synced, and then moved to its place. The database decides
which files are needed; `service.jobs.queue` and `service.jobs.leases` place and remove a file inside the transaction that
decides it.
"""

import errno
import hashlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from index.storage.atomic import seconds_unchanged, sync_to_disk
from index.uris import reading_hash
from service.errors import JobsUnavailable, UploadTooLarge

_INCOMING = "incoming"
_INCOMING_SECONDS = 24 * 3600.0
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_HEAD_BYTES = 4096  # of a file's beginning, to compare with the format that its name gives


class Incoming:
    """A file that is being received: `write` its bytes in order, then `finish`."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path = path
        self.size = 0
        self.head = b""
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        self._reading = reading_hash()
        self._file = path.open("xb")

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes written so far, 64 hexadecimal digits."""
        return self._hash.hexdigest()

    @property
    def version(self) -> str:
        """The version that a document has which is read from the bytes written so far."""
        return self._reading.hexdigest()

    def write(self, data: bytes) -> None:
        """Append bytes. Raises UploadTooLarge beyond the limit."""
        self.size += len(data)
        if self.size > self._max_bytes:
            raise UploadTooLarge(
                f"The file has more than {self._max_bytes:,} bytes. Split it, or raise QUOTH_MAX_UPLOAD_BYTES on the server."
            )
        if len(self.head) < _HEAD_BYTES:
            self.head += data[: _HEAD_BYTES - len(self.head)]
        self._hash.update(data)
        self._reading.update(data)
        self._file.write(data)

    def finish(self) -> None:
        """Bring the complete file to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> None:
        """Close the file and remove it, unless it was moved to its place."""
        with suppress(OSError):  # closing flushes the buffer, and the disk may be full: the file is removed anyway
            self._file.close()
        self.path.unlink(missing_ok=True)


class Originals:
    """The stored files below `folder`. Processes may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def receiving(self, max_bytes: int) -> Iterator[Incoming]:
        """A file to write an upload to, removed at the end of the `with` block unless `place` moved it to its place.

        Raises JobsUnavailable when the disk is full or cannot be written.
        """
        with self._incoming_folder() as folder:
            incoming = Incoming(folder / uuid.uuid4().hex, max_bytes)
            try:
                yield incoming
            finally:
                incoming.abandon()

    def require_room(self) -> None:
        """Raise JobsUnavailable unless a file can be received now. Writes one block, which leaves nothing behind."""
        with self._incoming_folder() as folder, tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            file.write(bytes(_HEAD_BYTES))

    @contextmanager
    def _incoming_folder(self) -> Iterator[Path]:
        folder = self.folder / _INCOMING
        try:
            folder.mkdir(parents=True, exist_ok=True)
            yield folder
        except OSError as error:
            if error.errno in _FULL:
                raise JobsUnavailable(
                    f"{self.folder}: the upload does not fit on the disk ({error.strerror}). "
                    "Free space on the server, then send it again"
                ) from error
            if error.errno is None:  # a timeout, for example: not the disk's
                raise
            raise JobsUnavailable(
                f"{self.folder}: uploads cannot be stored ({error.strerror}). Let the server write to this folder, "
                "then send it again"
            ) from error

    def path(self, sha256: str) -> Path:
        """The path of the file with that content, whether it exists or not."""
        return self.folder / sha256[:2] / sha256

    def place(self, incoming: Incoming) -> None:
        """Move a finished upload to its place, durably. A file with the same content is replaced."""
        target = self.path(incoming.sha256)
        target.parent.mkdir(exist_ok=True)
        incoming.path.replace(target)
        for folder in (target.parent, self.folder):
            sync_to_disk(folder)

    def remove(self, sha256: str) -> None:
        """Remove the file with that content, if it exists."""
        self.path(sha256).unlink(missing_ok=True)

    def digests(self) -> Iterator[str]:
        """The SHA-256 of every stored file."""
        for path in self.folder.glob("[0-9a-f][0-9a-f]/*"):
            yield path.name

    def sweep_incoming(self) -> None:
        """Remove files left by a server that was killed while receiving them: those not written to for a day."""
        for path in (self.folder / _INCOMING).glob("*"):
            with suppress(FileNotFoundError):  # its server has just finished or abandoned it
                if seconds_unchanged(path) > _INCOMING_SECONDS:
                    path.unlink()
