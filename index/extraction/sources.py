"""The file that a document was read from: found again, and checked to hold the same bytes.

A file of a folder is read in place. Nothing but the bytes of the version asked for leaves this module: their hash is compared
with the version, so a file that was replaced, also by a link to another one, is refused.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from index.errors import SourceChanged, SourceMissing
from index.extraction.extractor import Extractor
from index.records import FileStamp
from index.uris import file_path, file_uri, reading_hash

_BLOCK = 1 << 20
_IN_MEMORY = 4 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """The document at `uri` is, or lies inside, the file at `path`; `name` is the file's name, which gives its format.

    `sha256` is that of the file's bytes; None if only the document's version is known, a hash that covers them.
    """

    uri: str
    path: Path
    name: str
    sha256: str | None = None

    @property
    def is_member(self) -> bool:
        """Whether the document lies inside the file: in an archive, a mailbox or a mail."""
        return file_uri(self.uri) != self.uri

    def stamp(self) -> FileStamp:
        """Return the size and modification time of the file. `SourceMissing` if it is gone."""
        try:
            status = self.path.stat()
        except OSError as error:
            raise _gone(self.uri) from error
        return FileStamp(status.st_size, status.st_mtime_ns)


def folder_source(uri: str) -> Source:
    """Return the source of a document with a `file:` URI.

    `SourceMissing` if its file is gone, or its path now leads elsewhere through a symbolic link: there was none when it was
    indexed.
    """
    path = file_path(file_uri(uri))
    try:
        resolved = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError before Python 3.13
        raise _gone(uri) from error
    if resolved != path or not path.is_file():
        raise SourceMissing(
            f"{uri}: its path now leads elsewhere, through a symbolic link. Index what it leads to, or put the file back"
        )
    return Source(uri, path, path.name)


@contextmanager
def unpacked(source: Source, extractor: Extractor) -> Iterator[Path]:
    """Yield the path of the document's own bytes: the file, or the member, unpacked for as long as the block lasts.

    `SourceChanged` if the file no longer holds the member, `DocumentRejected` if it cannot be unpacked.
    """
    if not source.is_member:
        yield source.path
        return
    with tempfile.TemporaryDirectory(prefix="quoth-") as folder:
        container = file_uri(source.uri)
        unpacking = extractor.unpack(source.path, Path(folder), uri=container, name=source.name)
        files = [member.file for member in unpacking.members if member.uri == source.uri]
        if not files:
            raise _changed(source.uri)
        yield Path(folder) / files[0]


def checked_copy(path: Path, uri: str, digest: str, max_bytes: int) -> IO[bytes]:
    """Return a copy of the file, open at its beginning, whose bytes have this hash: a document's version, or their SHA-256.

    The caller closes it. `SourceMissing` if the file cannot be opened, `SourceChanged` if it holds other bytes.
    """
    plain, reading = hashlib.sha256(), reading_hash()
    copy: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 the caller closes it
    size = 0
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                size += len(block)
                if size > max_bytes:
                    raise _changed(uri)
                plain.update(block)
                reading.update(block)
                copy.write(block)
        if digest not in (plain.hexdigest(), reading.hexdigest()):
            raise _changed(uri)
    except BaseException as error:
        copy.close()
        if isinstance(error, OSError):
            raise _gone(uri) from error
        raise
    copy.seek(0)
    return copy


def draw_page(source: Source, extractor: Extractor, *, version: str, page: int, width: int) -> bytes:
    """Return the page with that number (from 1) of that version as a PNG of that width in pixels.

    Raises as `unpacked` does, and `SourceChanged` if the file holds other bytes.
    """
    with unpacked(source, extractor) as path:
        if not os.access(path, os.R_OK):
            raise _gone(source.uri)
        picture = extractor.draw(path, uri=source.uri, version=version, page=page, width=width)
    if picture is None:
        raise _changed(source.uri)
    return picture


def _gone(uri: str) -> SourceMissing:
    return SourceMissing(
        f"{uri}: its file is gone, or cannot be opened. Put it back, or check that its disk is mounted"
    )


def _changed(uri: str) -> SourceChanged:
    return SourceChanged(f"{uri}: its file has changed since it was read. Index it again")
