"""Open and read one file, once; every reason why it cannot be read becomes a `DocumentRejected`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import IO

from index.errors import DocumentRejected
from index.formats.registry import contradiction
from index.records import FileStamp


@contextmanager
def open_source(path: Path, uri: str, max_bytes: int) -> Iterator[tuple[IO[bytes], FileStamp]]:
    """Open the file; yield it and its stamp.

    Raises `DocumentRejected` if the file is larger than `max_bytes`, or changes inside the `with` block.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise DocumentRejected(uri, "it vanished before it was read", "Index again if it should be there") from error
    except PermissionError as error:
        raise DocumentRejected(uri, "reading it is not permitted", "Give this user the right to read it") from error
    except OSError as error:
        raise _unreadable(uri, error) from error
    with file:
        before = os.fstat(file.fileno())
        if before.st_size > max_bytes:
            reason = f"its {before.st_size:,} bytes are over the limit of {max_bytes:,}"
            raise DocumentRejected(uri, reason, "Split it into smaller files")
        stamp = FileStamp(before.st_size, before.st_mtime_ns)
        yield file, stamp
        after = os.fstat(file.fileno())
        if FileStamp(after.st_size, after.st_mtime_ns) != stamp:
            raise _changed(uri)


def read_source(path: Path, uri: str, max_bytes: int) -> tuple[bytes, FileStamp]:
    """The bytes of the file, at most `max_bytes`, and its stamp. Raises `DocumentRejected`."""
    with open_source(path, uri, max_bytes) as (file, stamp):
        try:
            data = file.read(max_bytes + 1)
        except OSError as error:
            raise _unreadable(uri, error) from error
        if len(data) != stamp.size:
            raise _changed(uri)
    return data, stamp


def check_first_bytes(name: PurePath, data: bytes, uri: str) -> None:
    """Raise `DocumentRejected` if the first bytes `data` are blank, or contradict the file's name."""
    if not data.strip(b"\0 \t\r\n\f"):
        raise DocumentRejected(uri, "it is empty", "Write something into it, or remove it")
    kind = contradiction(name, data)
    if kind is not None:
        raise DocumentRejected(
            uri, f"it is named {name.suffix or 'without a suffix'} but holds {kind}", "Rename it, or fetch it again"
        )


def _unreadable(uri: str, error: OSError) -> DocumentRejected:
    return DocumentRejected(uri, f"it cannot be read ({error.strerror or error})", "Check the disk it is on")


def _changed(uri: str) -> DocumentRejected:
    return DocumentRejected(uri, "it changed while it was being read", "Index again when it has been written")
