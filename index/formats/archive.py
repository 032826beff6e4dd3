"""Zip and tar archives -> their members in order. Nothing is written, and no name of a member ever reaches the disk.

What an archive says of the size of a member is not believed: `index.formats.unpack` counts the bytes as they come. A compressed
tar archive has no directory, so that passing over a member unpacks it, too: there they are counted here.
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

_AT_ONCE = 2**18
_ENCRYPTED = MemberFault("it is encrypted", "Pack it again without a password")
_LINK = MemberFault("it is a link", "Leave it: it holds no document", is_expected=True)
_NO_FILE = MemberFault("it is no ordinary file", "Leave it: it holds no document", is_expected=True)
_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)
ZIP_DAMAGE = (*_DAMAGE, NotImplementedError, RuntimeError)
"""What `zipfile` raises for an archive, or a part of one, that does not read."""


class _Readable(Protocol):
    """A file, or what unpacks one."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes."""
        ...


def zip_members(file: IO[bytes]) -> Iterator[Member]:
    """The files in the zip archive, folders left out. `Damaged` if its directory does not read."""
    try:
        archive = zipfile.ZipFile(file)
    except ZIP_DAMAGE as error:
        raise Damaged(str(error)) from error
    with archive:
        for info in archive.infolist():
            if not info.is_dir():
                name = info.orig_filename.replace("\\", "/")
                yield Member(name, _zip_reader(archive, info), packed_bytes=info.compress_size, fault=_zip_fault(info))


def tar_members(file: IO[bytes], *, most_bytes: int) -> Iterator[Member]:
    """The files in the tar archive, compressed or not, folders left out.

    `Overflow` if more than `most_bytes` come out of it, `Damaged` where it ends too soon or does not read.
    """
    try:
        stream = _Counted(_unpacked(file), most_bytes)
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for info in archive:
                if not info.isdir():
                    yield Member(info.name, _tar_reader(archive, info), fault=_tar_fault(info))
            if (
                archive.offset >= stream.given
            ):  # tarfile takes an end without the mark that ends an archive for one with it
                raise Damaged("its end is missing")
    except _DAMAGE as error:
        raise Damaged(str(error)) from error


class _Counted(io.BufferedIOBase):
    """A stream that refuses to give more than so many bytes."""

    def __init__(self, stream: _Readable, most: int) -> None:
        self._stream = stream
        self._most = most
        self.given = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes."""
        data = self._stream.read(-1 if size is None else size)
        self.given += len(data)
        if self.given > self._most:
            raise Overflow(f"more than {self._most:,} bytes come out of it")
        return data


def _unpacked(file: IO[bytes]) -> _Readable:
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
    return None if info.isfile() else _NO_FILE


def _zip_reader(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], Iterator[bytes]]:
    def data() -> Iterator[bytes]:
        try:
            with archive.open(info) as stream:
                while piece := stream.read(_AT_ONCE):
                    yield piece
        except ZIP_DAMAGE as error:
            raise Damaged(str(error)) from error

    return data


def _tar_reader(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[], Iterator[bytes]]:
    def data() -> Iterator[bytes]:
        try:
            stream = archive.extractfile(info)
            assert stream is not None  # it is an ordinary file
            with stream:
                while piece := stream.read(_AT_ONCE):
                    yield piece
        except _DAMAGE as error:
            raise Damaged(str(error)) from error

    return data
