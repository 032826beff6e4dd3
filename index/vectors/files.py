"""The files that hold a collection's vector index beside the ledger, so that a new process need not read the whole ledger.

There are three: the structure as FAISS writes it, the numbers of chunks and documents by position, and `vectors.json`, which
names both, with their checksums and the mark of the ledger that they reflect. The two are complete and synced to disk
before the description names them, and old files are deleted last: a reader sees either the old state or the new one.
"""

import json
import os
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from index.ledger.state import Mark
from index.storage.atomic import replace_file
from index.vectors.builder import Kind, Sizes, read_structure
from index.vectors.segment import Segment

_DESCRIPTION = "vectors.json"
_FORMAT = 2
_BLOCK = 1 << 20


class VectorFileDamaged(Exception):
    """The files are missing, incomplete or altered. Never leaves index/: they are rebuilt from the ledger."""


@dataclass(frozen=True, slots=True)
class Description:
    """The content of `vectors.json`: names and CRC-32 of both files, and the ledger and its position that they reflect."""

    format: int
    kind: Kind
    dimension: int
    count: int
    ledger: int
    position: int
    structure: str
    structure_crc32: int
    numbers: str
    numbers_crc32: int

    @property
    def mark(self) -> Mark:
        """The state of the ledger that the files reflect."""
        return Mark(self.ledger, self.position)


class VectorFile:
    """The vector files in `folder`. One process at a time may write."""

    def __init__(self, folder: Path, dimension: int, sizes: Sizes) -> None:
        self._folder = folder
        self._dimension = dimension
        self._sizes = sizes

    def description(self) -> Description | None:
        """What the files hold; None without a readable description of this format and dimension."""
        try:
            description = Description(**json.loads((self._folder / _DESCRIPTION).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return description if (description.format, description.dimension) == (_FORMAT, self._dimension) else None

    def read(self, description: Description) -> Segment:
        """The segment in the files described. `VectorFileDamaged` if they are not as they were written."""
        path, numbers = self._folder / description.structure, self._folder / description.numbers
        try:
            for file, recorded in ((path, description.structure_crc32), (numbers, description.numbers_crc32)):
                if _checksum(file) != recorded:
                    raise VectorFileDamaged(f"{file}: the checksum differs")
            structure = read_structure(path, description.kind, self._sizes)
            chunks, documents = np.load(numbers)
        except (OSError, ValueError, RuntimeError) as error:
            raise VectorFileDamaged(str(error)) from error
        if not len(structure) == len(chunks) == description.count:
            raise VectorFileDamaged(f"{path}: {len(structure)} vectors, {description.count} expected")
        return Segment(structure, chunks, documents.astype(np.int32))

    def write(self, segment: Segment, kind: Kind, mark: Mark) -> Description:
        """Replace the files by those of `segment`, from which nothing was removed."""
        name = f"vectors-{mark.position}-{os.getpid()}"
        structure, numbers = self._folder / f"{name}.faiss", self._folder / f"{name}.npy"
        with replace_file(structure) as partial:
            segment.structure.write(partial)
            structure_crc32 = _checksum(partial)
        with replace_file(numbers) as partial:
            with partial.open("wb") as stream:
                np.save(stream, np.stack([segment.chunks, segment.documents.astype(np.int64)]))
            numbers_crc32 = _checksum(partial)
        description = Description(
            format=_FORMAT,
            kind=kind,
            dimension=self._dimension,
            count=len(segment),
            ledger=mark.ledger,
            position=mark.position,
            structure=structure.name,
            structure_crc32=structure_crc32,
            numbers=numbers.name,
            numbers_crc32=numbers_crc32,
        )
        with replace_file(self._folder / _DESCRIPTION) as partial:
            partial.write_text(json.dumps(asdict(description)), encoding="utf-8")
        for old in self._folder.glob("vectors-*"):
            if old not in (structure, numbers):
                old.unlink(missing_ok=True)
        return description


def _checksum(path: Path) -> int:
    checksum = 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            checksum = zlib.crc32(block, checksum)
    return checksum
