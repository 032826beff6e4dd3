"""A file that is being received: written, hashed and limited as it comes; and the folder where that happens."""

import errno
import hashlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from index.storage.atomic import seconds_unchanged
from index.uris import reading_hash
from service.errors import JobsUnavailable, UploadTooLarge

_UNCHANGED_SECONDS = 24 * 3600.0
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


class Spool:
    """The folder for files that are on their way. Processes may share it. `place` is what errors name.

    Raises JobsUnavailable when the disk is full or cannot be written.
    """

    def __init__(self, folder: Path, place: Path) -> None:
        self._folder = folder
        self._place = place

    @contextmanager
    def receiving(self, max_bytes: int) -> Iterator[Incoming]:
        """A file to write an upload to, removed at the end of the `with` block unless it was moved away."""
        with self.path() as path:
            incoming = Incoming(path, max_bytes)
            try:
                yield incoming
            finally:
                incoming.abandon()

    @contextmanager
    def path(self) -> Iterator[Path]:
        """A path at which a file may be written, removed at the end of the `with` block."""
        with self._writable():
            path = self._folder / uuid.uuid4().hex
            try:
                yield path
            finally:
                path.unlink(missing_ok=True)

    def require_room(self) -> None:
        """Raise JobsUnavailable unless a file can be written now. Writes one block, which leaves nothing behind."""
        with self._writable(), tempfile.TemporaryFile(dir=self._folder, buffering=0) as file:
            file.write(bytes(_HEAD_BYTES))

    def sweep(self) -> None:
        """Remove files left by a process that was killed meanwhile: those not written to for a day."""
        for path in self._folder.glob("*"):
            with suppress(FileNotFoundError):  # its process has just finished or abandoned it
                if seconds_unchanged(path) > _UNCHANGED_SECONDS:
                    path.unlink()

    @contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            yield
        except OSError as error:
            if error.errno in _FULL:
                raise JobsUnavailable(
                    f"{self._place}: the upload does not fit on the disk ({error.strerror}). "
                    "Free space on the server, then send it again"
                ) from error
            if error.errno is None:  # a timeout, for example: not the disk's
                raise
            raise JobsUnavailable(
                f"{self._place}: uploads cannot be stored ({error.strerror}). Let the server write to this folder, "
                "then send it again"
            ) from error
