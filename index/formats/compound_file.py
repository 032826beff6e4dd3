"""Compound files (MS-CFB), the folders in one file that Outlook and old Office programs write -> their streams. Pure.

Nothing that such a file says of itself is believed: chains that run in circles or out of the file are `Damaged`. A stream is
read when it is asked for, so that many names for one stream cost no memory.
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
"""What a compound file begins with."""

_HEADER = struct.Struct("<24xHHHHH6xIIIIIIIII")
_LISTED = struct.Struct(
    "<109I"
)  # where the allocation table stands, behind the header; more of it in a chain of its own
_ENTRY = struct.Struct("<64sHBxIII36xIQ")
_LAST, _NONE = 0xFFFFFFFE, 0xFFFFFFFF
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Stream:
    """Bytes in a compound file, not read yet."""

    file: "_File"
    start: int
    size: int

    def read(self) -> bytes:
        """The bytes. `Damaged` if they are not all there."""
        return self.file.content(self.start, self.size)


Storage = Mapping[str, "Stream | Storage"]
"""Streams and storages by name, as a folder holds files and folders."""


def storage_of(data: bytes) -> Storage:
    """The root storage of the compound file. `Damaged` if it does not read."""
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
        self._fat = _table(self._at(place) for place in islice(self._fat_places(more), needed))
        raw = b"".join(self._chain(directory))
        self._entries = [_Entry(*fields) for fields in _ENTRY.iter_unpack(raw)]
        if not self._entries or self._entries[0].kind != _ROOT:
            raise Damaged("it has no root")
        self._mini_fat = _table(self._chain(mini_fat)) if mini_fat != _LAST else array("I")
        self._small = b"".join(self._chain(self._entries[0].start)) if self._entries[0].size else b""
        self._is_large = version > 3

    def root(self) -> Storage:
        """Everything in the file."""
        return self._below(self._entries[0].child, set(), 1)

    def content(self, start: int, size: int) -> bytes:
        """The bytes of a stream."""
        if size < self._cutoff:
            step = self._mini
            places = self._follow(start, self._mini_fat) if size else iter(())
            pieces: Iterator[bytes] = (self._small[place * step : (place + 1) * step] for place in places)
        else:
            step = self._sector
            pieces = self._chain(start)
        data = b"".join(islice(pieces, -(-size // step)))[:size]
        if len(data) < size:
            raise Damaged("a stream is cut short")
        return data

    def _below(self, first: int, met: set[int], depth: int) -> dict[str, "Stream | Storage"]:
        """The entries of a storage, whose tree begins at `first`. `met` are all entries that were met in the file."""
        found: dict[str, Stream | Storage] = {}
        waiting = [first]
        while waiting:
            place = waiting.pop()
            if place == _NONE:
                continue
            if place >= len(self._entries) or place in met or depth > _DEEPEST:
                raise Damaged("its directory runs in circles or out of the file")
            met.add(place)
            entry = self._entries[place]
            name = entry.name[: max(0, entry.name_bytes - 2)].decode("utf-16-le")
            if entry.kind == _STREAM:
                size = entry.size if self._is_large else entry.size & 0xFFFFFFFF
                found[name] = Stream(self, entry.start, size)
            elif entry.kind == _STORAGE:
                found[name] = self._below(entry.child, met, depth + 1)
            waiting += [entry.left, entry.right]
        return found

    def _fat_places(self, more: int) -> Iterator[int]:
        """The sectors that hold the allocation table, in order."""
        yield from (place for place in _LISTED.unpack_from(self._data, _HEADER.size) if place != _NONE)
        for _ in range(self._sectors):
            if more in (_LAST, _NONE):
                return
            *places, more = array("I", self._at(more).ljust(self._sector, b"\xff"))
            yield from (place for place in places if place != _NONE)

    def _follow(self, start: int, table: "array[int]") -> Iterator[int]:
        """The places of a chain. `Damaged` if it leads out of the table or in a circle."""
        place = start
        for _ in chain((0,), table):
            if place == _LAST:
                return
            if place >= len(table):
                raise Damaged("a chain leads out of the file")
            yield place
            place = table[place]
        raise Damaged("a chain runs in a circle")

    def _chain(self, start: int) -> Iterator[bytes]:
        return (self._at(place) for place in self._follow(start, self._fat))

    def _at(self, place: int) -> bytes:
        start = (place + 1) * self._sector
        if start >= len(self._data):
            raise Damaged("a sector is out of the file")
        return self._data[start : start + self._sector]


def _table(sectors: Iterator[bytes]) -> "array[int]":
    """The numbers in these sectors."""
    raw = b"".join(sectors)
    table = array("I", raw[: len(raw) // 4 * 4])
    if sys.byteorder == "big":
        table.byteswap()
    return table
