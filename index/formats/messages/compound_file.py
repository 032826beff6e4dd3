"""Compound files (MS-CFB), the file systems in one file that Outlook and old Office write -> their streams. Pure.

Nothing that such a file states about itself is trusted: chains that form a circle or leave the file raise `Damaged`. A
stream is read only on request, so many names for one stream cost no memory.
"""

import struct
import sys
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import NamedTuple

from index.formats.members import Damaged

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""The first bytes of every compound file."""

_HEADER = struct.Struct("<24xHHHHH6xIIIIIIIII")
# The first sectors of the allocation table, listed after the header; any others are listed in a chain of their own.
_LISTED = struct.Struct("<109I")
_ENTRY = struct.Struct("<64sHBxIII36xIQ")
_LAST, _NONE = 0xFFFFFFFE, 0xFFFFFFFF
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_MAX_DEPTH = 32


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream of bytes in a compound file, not read yet."""

    file: "_File"
    start: int
    size: int

    def read(self) -> bytes:
        """The bytes. Raises `Damaged` if some are missing."""
        return self.file.content(self.start, self.size)


Storage = Mapping[str, "Stream | Storage"]
"""Streams and storages by name, as a folder holds files and folders."""


def root_storage(data: bytes) -> Storage:
    """The root storage of the compound file. Raises `Damaged` if it cannot be read."""
    try:
        return _File(data).root()
    except (struct.error, UnicodeDecodeError) as error:
        raise Damaged(str(error)) from error


class _Entry(NamedTuple):
    name: bytes
    name_bytes: int
    kind: int
    left: int
    right: int
    child: int
    start: int
    size: int


class _File:
    """The sectors of a compound file, and the chains that join them."""

    def __init__(self, data: bytes) -> None:
        header = _HEADER.unpack_from(data)
        _, version, _, shift, mini_shift, _, _, directory, _, self._cutoff, mini_fat, _, more, _ = header
        if not data.startswith(MAGIC) or (version, shift, mini_shift) not in ((3, 9, 6), (4, 12, 6)):
            raise Damaged("it does not begin as a compound file")
        self._data = data
        self._sector, self._mini = 1 << shift, 1 << mini_shift
        self._sectors = len(data) // self._sector
        needed = -(-self._sectors * 4 // self._sector)
        self._fat = _table(self._sector_at(number) for number in islice(self._fat_sectors(more), needed))
        raw = b"".join(self._chain(directory))
        self._entries = [_Entry(*fields) for fields in _ENTRY.iter_unpack(raw)]
        if not self._entries or self._entries[0].kind != _ROOT:
            raise Damaged("it has no root")
        self._mini_fat = _table(self._chain(mini_fat)) if mini_fat != _LAST else array("I")
        self._small = b"".join(self._chain(self._entries[0].start)) if self._entries[0].size else b""
        self._is_large = version > 3

    def root(self) -> Storage:
        """The root storage, with everything in the file."""
        return self._storage(self._entries[0].child, set(), 1)

    def content(self, start: int, size: int) -> bytes:
        """The bytes of a stream."""
        if size < self._cutoff:
            sector = self._mini
            numbers = self._follow(start, self._mini_fat) if size else iter(())
            pieces: Iterator[bytes] = (self._small[number * sector : (number + 1) * sector] for number in numbers)
        else:
            sector = self._sector
            pieces = self._chain(start)
        data = b"".join(islice(pieces, -(-size // sector)))[:size]
        if len(data) < size:
            raise Damaged("a stream is cut short")
        return data

    def _storage(self, first: int, visited: set[int], depth: int) -> dict[str, "Stream | Storage"]:
        """The storage whose tree of entries begins at number `first`. `visited` are all entries seen so far."""
        storage: dict[str, Stream | Storage] = {}
        pending = [first]
        while pending:
            number = pending.pop()
            if number == _NONE:
                continue
            if number >= len(self._entries) or number in visited or depth > _MAX_DEPTH:
                raise Damaged("its directory runs in circles or out of the file")
            visited.add(number)
            entry = self._entries[number]
            name = entry.name[: max(0, entry.name_bytes - 2)].decode("utf-16-le")
            if entry.kind == _STREAM:
                size = entry.size if self._is_large else entry.size & 0xFFFFFFFF
                storage[name] = Stream(self, entry.start, size)
            elif entry.kind == _STORAGE:
                storage[name] = self._storage(entry.child, visited, depth + 1)
            pending += [entry.left, entry.right]
        return storage

    def _fat_sectors(self, more: int) -> Iterator[int]:
        """The numbers of the sectors that hold the allocation table, in order."""
        yield from (number for number in _LISTED.unpack_from(self._data, _HEADER.size) if number != _NONE)
        for _ in range(self._sectors):
            if more in (_LAST, _NONE):
                return
            *numbers, more = array("I", self._sector_at(more).ljust(self._sector, b"\xff"))
            yield from (number for number in numbers if number != _NONE)

    def _follow(self, start: int, table: "array[int]") -> Iterator[int]:
        """The sector numbers of a chain. Raises `Damaged` if the chain leaves the table or forms a circle."""
        number = start
        for _ in chain((0,), table):
            if number == _LAST:
                return
            if number >= len(table):
                raise Damaged("a chain leads out of the file")
            yield number
            number = table[number]
        raise Damaged("a chain runs in a circle")

    def _chain(self, start: int) -> Iterator[bytes]:
        return (self._sector_at(number) for number in self._follow(start, self._fat))

    def _sector_at(self, number: int) -> bytes:
        start = (number + 1) * self._sector
        if start >= len(self._data):
            raise Damaged("a sector is out of the file")
        return self._data[start : start + self._sector]


def _table(sectors: Iterator[bytes]) -> "array[int]":
    """The 32-bit numbers in these sectors."""
    raw = b"".join(sectors)
    table = array("I", raw[: len(raw) // 4 * 4])
    if sys.byteorder == "big":
        table.byteswap()
    return table
