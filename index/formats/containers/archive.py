"""Zip and tar archives, and files packed with gzip -> their members in order.

Nothing is written, and no member's name ever becomes a path on disk. The size that an archive states for a member is not
trusted: `index.formats.containers.unpack` counts the bytes as they arrive. A compressed tar archive has no directory, so
even skipping a member decompresses it; its bytes are counted here.
"""

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Protocol

from index.formats.members import Damaged, Member, MemberFault, Overflow

_PIECE_BYTES = 2**18
_ENCRYPTED = MemberFault("it is encrypted", "Pack it again without a password")
_LINK = MemberFault("it is a link", "Leave it: it holds no document", is_expected=True)
_NOT_A_FILE = MemberFault("it is no ordinary file", "Leave it: it holds no document", is_expected=True)
_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)
ZIP_DAMAGE = (*_DAMAGE, NotImplementedError, RuntimeError)
"""The exceptions that `zipfile` raises for an archive, or a part of one, that cannot be read."""


class _Readable(Protocol):
    """A file, or a stream that decompresses one."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes."""
        ...


def zip_members(file: IO[bytes]) -> Iterator[Member]:
    """The files in the zip archive, without folders. Raises `Damaged` if its directory cannot be read."""
    try:
        archive = zipfile.ZipFile(file)
    except ZIP_DAMAGE as error:
        raise Damaged(str(error)) from error
    with archive:
        for info in archive.infolist():
            if not info.is_dir():
                name = info.orig_filename.replace("\\", "/")
                yield Member(name, _zip_data(archive, info), packed_bytes=info.compress_size, fault=_zip_fault(info))


def tar_members(file: IO[bytes], *, max_bytes: int) -> Iterator[Member]:
    """The files in the tar archive, compressed or not, without folders.

    Raises `Overflow` if it decompresses to more than `max_bytes`, `Damaged` where it ends too soon or cannot be read.
    """
    try:
        stream = _BoundedStream(_decompressed(file), max_bytes)
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for info in archive:
                if not info.isdir():
                    yield Member(info.name, _tar_data(archive, info), fault=_tar_fault(info))
            # tarfile accepts an archive that lacks its end mark.
            if archive.offset >= stream.bytes_read:
                raise Damaged("its end is missing")
    except _DAMAGE as error:
        raise Damaged(str(error)) from error


def gzip_members(file: IO[bytes], name: str) -> Iterator[Member]:
    """The one file in a file packed with gzip, under that `name`."""
    packed_bytes = file.seek(0, io.SEEK_END)

    def data() -> Iterator[bytes]:
        file.seek(0)
        try:
            with gzip.open(file) as stream:
                while piece := stream.read(_PIECE_BYTES):
                    yield piece
        except _DAMAGE as error:
            raise Damaged(str(error)) from error

    yield Member(name, data, packed_bytes=packed_bytes)


class _BoundedStream(io.BufferedIOBase):
    """A stream that counts the bytes it gives and raises `Overflow` beyond `max_bytes`."""

    def __init__(self, stream: _Readable, max_bytes: int) -> None:
        self._stream = stream
        self._max_bytes = max_bytes
        self.bytes_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes."""
        data = self._stream.read(-1 if size is None else size)
        self.bytes_read += len(data)
        if self.bytes_read > self._max_bytes:
            raise Overflow(f"more than {self._max_bytes:,} bytes come out of it")
        return data


def _decompressed(file: IO[bytes]) -> _Readable:
    head = file.read(6)
    file.seek(0)
    if head.startswith(b"\x1f\x8b"):
        return gzip.open(file)
    if head.startswith(b"BZh"):
        return bz2.open(file)
    return lzma.open(file) if head == b"\xfd7zXZ\0" else file


def _zip_fault(info: zipfile.ZipInfo) -> MemberFault | None:
    mode = info.external_attr >> 16
    if info.flag_bits & 1:
        return _ENCRYPTED
    if stat.S_ISLNK(mode):
        return _LINK
    return None


def _tar_fault(info: tarfile.TarInfo) -> MemberFault | None:
    if info.issym() or info.islnk():
        return _LINK
    return None if info.isfile() else _NOT_A_FILE


def _zip_data(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], Iterator[bytes]]:
    def data() -> Iterator[bytes]:
        try:
            with archive.open(info) as stream:
                while piece := stream.read(_PIECE_BYTES):
                    yield piece
        except ZIP_DAMAGE as error:
            raise Damaged(str(error)) from error

    return data


def _tar_data(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[], Iterator[bytes]]:
    def data() -> Iterator[bytes]:
        try:
            stream = archive.extractfile(info)
            assert stream is not None  # `_tar_fault` lets only ordinary files through
            with stream:
                while piece := stream.read(_PIECE_BYTES):
                    yield piece
        except _DAMAGE as error:
            raise Damaged(str(error)) from error

    return data
