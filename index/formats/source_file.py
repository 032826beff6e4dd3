"""A file opened for reading, once, with every reason why it cannot be read told as `DocumentRejected`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import IO

from index.errors import DocumentRejected
from index.formats.registry import contradiction
from index.records import FileStamp


@contextmanager
def opened(path: Path, uri: str, most_bytes: int) -> Iterator[tuple[IO[bytes], FileStamp]]:
    """The file and what it looks like. It is rejected if it is larger than `most_bytes`, or changes inside the `with` block."""
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
        if before.st_size > most_bytes:
            reason = f"its {before.st_size:,} bytes are over the limit of {most_bytes:,}"
            raise DocumentRejected(uri, reason, "Split it into smaller files")
        source = FileStamp(before.st_size, before.st_mtime_ns)
        yield file, source
        after = os.fstat(file.fileno())
        if FileStamp(after.st_size, after.st_mtime_ns) != source:
            raise _changed(uri)


def bytes_of(path: Path, uri: str, most_bytes: int) -> tuple[bytes, FileStamp]:
    """The bytes of the file, at most `most_bytes`, and what it looked like meanwhile."""
    with opened(path, uri, most_bytes) as (file, source):
        try:
            data = file.read(most_bytes + 1)
        except OSError as error:
            raise _unreadable(uri, error) from error
        if len(data) != source.size:
            raise _changed(uri)
    return data, source


def refuse_unless_like(name: PurePath, data: bytes, uri: str) -> None:
    """Reject a file whose first bytes `data` are nothing, or not what its name says."""
    if not data.strip(b"\0 \t\r\n\f"):
        raise DocumentRejected(uri, "it is empty", "Write something into it, or remove it")
    shown = contradiction(name, data)
    if shown is not None:
        raise DocumentRejected(
            uri, f"it is named {name.suffix or 'without a suffix'} but holds {shown}", "Rename it, or fetch it again"
        )


def _unreadable(uri: str, error: OSError) -> DocumentRejected:
    return DocumentRejected(uri, f"it cannot be read ({error.strerror or error})", "Check the disk it is on")


def _changed(uri: str) -> DocumentRejected:
    return DocumentRejected(uri, "it changed while it was being read", "Index again when it has been written")
