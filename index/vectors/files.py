"""The vectors of a collection on disk, beside the ledger, so that the next process need not read the ledger whole.

Three files: the structure as FAISS writes it, the numbers of chunks and documents by position, and `vectors.json`, which
points to both, with their checksums and the ledger's mark that they reflect. The two stand complete and synced before the
description points to them, and the old ones go last: whoever reads finds the old state or the new one.
"""

import json
import os
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from index.ledger.snapshot import Mark
from index.storage.atomic import replaced
from index.vectors.builder import Kind, Sizes, opened
from index.vectors.segment import Segment

_DESCRIPTION = "vectors.json"
_FORMAT = 2
_BLOCK = 1 << 20


class VectorFileDamaged(Exception):
    """The files are missing, incomplete or altered. Never leaves index/: they are made again from the ledger."""


@dataclass(frozen=True, slots=True)
class Description:
    """What stands in the files: names and CRC-32 of both, and the ledger and its position that they reflect."""

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
    """The files in `folder`. One process at a time may write."""

    def __init__(self, folder: Path, dimension: int, sizes: Sizes) -> None:
        self._folder = folder
        self._dimension = dimension
        self._sizes = sizes

    def description(self) -> Description | None:
        """What the files hold, by their description alone; None if there is none that fits."""
        try:
            found = Description(**json.loads((self._folder / _DESCRIPTION).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return found if (found.format, found.dimension) == (_FORMAT, self._dimension) else None

    def read(self, found: Description) -> Segment:
        """The segment in the files that `found` describes. `VectorFileDamaged` if they are not as they were written."""
        structure, numbers = self._folder / found.structure, self._folder / found.numbers
        try:
            for path, recorded in ((structure, found.structure_crc32), (numbers, found.numbers_crc32)):
                if _checksum(path) != recorded:
                    raise VectorFileDamaged(f"{path}: the checksum differs")
            kept = opened(structure, found.kind, self._sizes)
            chunks, documents = np.load(numbers)
        except (OSError, ValueError, RuntimeError) as error:
            raise VectorFileDamaged(str(error)) from error
        if not len(kept) == len(chunks) == found.count:
            raise VectorFileDamaged(f"{structure}: {len(kept)} vectors, {found.count} expected")
        return Segment(kept, chunks, documents.astype(np.int32))

    def write(self, segment: Segment, kind: Kind, mark: Mark) -> Description:
        """Put the segment, from which nothing was removed, in place of what is there."""
        name = f"vectors-{mark.position}-{os.getpid()}"
        structure, numbers = self._folder / f"{name}.faiss", self._folder / f"{name}.npy"
        with replaced(structure) as partial:
            segment.structure.write(partial)
            structure_crc32 = _checksum(partial)
        with replaced(numbers) as partial:
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
        with replaced(self._folder / _DESCRIPTION) as partial:
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
