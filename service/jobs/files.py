"""The bytes of uploads on disk, under the SHA-256 of their content: the same file sent twice is kept once.

A file that stands here is whole: it is written beside its place, synced, and then moved there. Which ones are needed is for
the database to say; `service.jobs.queue` and `service.jobs.leases` ask for a file's place and removal inside the transaction
that decides it.
"""

import errno
import hashlib
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from service.errors import JobsUnavailable, UploadTooLarge

_INCOMING = "incoming"
_INCOMING_SECONDS = 24 * 3600.0
_HEAD_BYTES = 4096  # of a file's beginning, to compare with what its name says


class Incoming:
    """A file on its way in: `write` its bytes in order, then `finish`."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        self.path = path
        self.size = 0
        self.head = b""
        self._most = most_bytes
        self._hash = hashlib.sha256()
        self._file = path.open("xb")

    @property
    def sha256(self) -> str:
        """SHA-256 of what was written, 64 hexadecimal digits."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        """Take more bytes. `UploadTooLarge` beyond the bound."""
        self.size += len(data)
        if self.size > self._most:
            raise UploadTooLarge(
                f"The file has more than {self._most:,} bytes. Split it, or raise QUOTH_MAX_UPLOAD_BYTES on the server."
            )
        if len(self.head) < _HEAD_BYTES:
            self.head += data[: _HEAD_BYTES - len(self.head)]
        self._hash.update(data)
        self._file.write(data)

    def finish(self) -> None:
        """Everything is written: bring it to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> None:
        """Close and remove what is left of it; after it was moved to its place, nothing is."""
        with suppress(OSError):  # closing writes what is buffered, and the disk may be full: the file goes anyway
            self._file.close()
        self.path.unlink(missing_ok=True)


class Originals:
    """The files below `folder`. Processes may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def receiving(self, most_bytes: int) -> Iterator[Incoming]:
        """A file to write an upload to; it goes at the end of the `with` block unless `place` gave it its place.

        `JobsUnavailable` when the disk is full.
        """
        folder = self._folder / _INCOMING
        try:
            folder.mkdir(parents=True, exist_ok=True)
            incoming = Incoming(folder / uuid.uuid4().hex, most_bytes)
            try:
                yield incoming
            finally:
                incoming.abandon()
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise JobsUnavailable(
                    f"{self._folder}: the upload does not fit on the disk ({error.strerror}). "
                    "Free space on the server, then send it again"
                ) from error
            raise

    def path(self, sha256: str) -> Path:
        """Where the file with that content stands, if it does."""
        return self._folder / sha256[:2] / sha256

    def place(self, incoming: Incoming) -> None:
        """Move a finished upload to its place, for good. Not its caller's concern whether it was there already."""
        target = self.path(incoming.sha256)
        target.parent.mkdir(exist_ok=True)
        incoming.path.replace(target)
        for folder in (target.parent, self._folder):
            _sync(folder)

    def remove(self, sha256: str) -> None:
        """Remove the file with that content, if it is there."""
        self.path(sha256).unlink(missing_ok=True)

    def stored(self) -> Iterator[str]:
        """The SHA-256 of every file there is."""
        for path in self._folder.glob("[0-9a-f][0-9a-f]/*"):
            yield path.name

    def sweep_incoming(self) -> None:
        """Remove what was being received when a server was killed: files nobody has written to for a day."""
        for path in (self._folder / _INCOMING).glob("*"):
            with suppress(FileNotFoundError):  # whoever received it is done just now
                if time.time() - path.stat().st_mtime > _INCOMING_SECONDS:
                    path.unlink()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
