"""Writes compound files (MS-CFB, version 3), the format of Outlook's mails, from names and bytes."""

import struct
from collections.abc import Mapping

_SECTOR, _MINI, _SMALL = 512, 64, 4096
_FREE, _END, _FAT, _NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
Storage = Mapping[str, "bytes | Storage"]


class _Entry:
    def __init__(self, name: str, kind: int) -> None:
        self.name, self.kind = name, kind
        self.left = self.right = self.child = _NONE
        self.start, self.size = _END, 0

    def packed(self) -> bytes:
        name = self.name.encode("utf-16-le") + b"\0\0"
        return struct.pack(
            "<64sHBBIII16sIQQIQ", name, len(name), self.kind, 1, self.left, self.right, self.child, b"", 0, 0, 0, self.start,
            self.size,
        )  # fmt: skip


def compound(root: Storage) -> bytes:
    """The bytes of a compound file whose root storage holds these streams and storages."""
    entries = [_Entry("Root Entry", 5)]
    streams: list[tuple[_Entry, bytes]] = []

    def put(parent: _Entry, storage: Storage) -> None:
        ordered = sorted(storage, key=lambda name: (len(name), name.upper()))
        places = []
        for name in ordered:
            content = storage[name]
            entry = _Entry(name, 2 if isinstance(content, bytes) else 1)
            places.append(len(entries))
            entries.append(entry)
            if isinstance(content, bytes):
                streams.append((entry, content))
            else:
                put(entry, content)
        parent.child = _tree(places, entries)

    put(entries[0], root)
    mini, mini_fat, sectors, fat = bytearray(), [], bytearray(), []

    def chain(table: list[int], count: int) -> int:
        first = len(table)
        table += [*range(first + 1, first + count), _END]
        return first

    def store(data: bytes) -> int:
        count = -(-len(data) // _SECTOR)
        sectors.extend(data.ljust(count * _SECTOR, b"\0"))
        return chain(fat, count)

    for entry, content in streams:
        entry.size = len(content)
        if len(content) >= _SMALL:
            entry.start = store(content)
        elif content:
            entry.start = chain(mini_fat, -(-len(content) // _MINI))
            mini += content.ljust(-(-len(content) // _MINI) * _MINI, b"\0")
    if mini:
        entries[0].start, entries[0].size = store(bytes(mini)), len(mini)
    mini_start = store(struct.pack(f"<{len(mini_fat)}I", *mini_fat).ljust(_SECTOR, b"\xff")) if mini_fat else _END
    mini_count = -(-4 * len(mini_fat) // _SECTOR)
    packed = b"".join(entry.packed() for entry in entries)
    directory = store(packed)
    fat_count = 1
    while fat_count * (_SECTOR // 4) < len(fat) + fat_count:
        fat_count += 1
    fat_places = list(range(len(fat), len(fat) + fat_count))
    table = [*fat, *[_FAT] * fat_count]
    sectors.extend(struct.pack(f"<{len(table)}I", *table).ljust(fat_count * _SECTOR, b"\xff"))
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, b"", 0, fat_count,
        directory, 0, _SMALL, mini_start, mini_count, _END, 0, 0,
    )[:76]  # fmt: skip
    return header + struct.pack("<109I", *fat_places, *[_FREE] * (109 - fat_count)) + bytes(sectors)


def _tree(places: list[int], entries: list[_Entry]) -> int:
    """Link these sorted entries into a balanced tree; return the position of its root."""
    if not places:
        return _NONE
    middle = len(places) // 2
    entry = entries[places[middle]]
    entry.left, entry.right = _tree(places[:middle], entries), _tree(places[middle + 1 :], entries)
    return places[middle]
