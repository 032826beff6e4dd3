"""TODO index/formats/limits.py"""

from dataclasses import dataclass

from index.errors import DocumentRejected
from index.records import Document, Source


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost. Beyond a limit the file is rejected; nothing else is affected.

    `file_bytes` is checked before a file is read; `characters` bounds the text that comes out; `seconds` is wall-clock
    time, `recognition_seconds` that for a scanned file; `memory_bytes` is the private memory of the process that reads
    it. What an archive or a mailbox holds meets these limits one by one. All together: an archive may be of
    `container_bytes` and hold `members` files, `unpacked_bytes` and `container_characters`, `depth` archives inside one
    another; a file in it may be packed to 1/`ratio` of its size.
    """

    file_bytes: int = 100 * 2**20
    characters: int = 30_000_000
    seconds: float = 120.0
    recognition_seconds: float = 1800.0
    memory_bytes: int = 2 * 2**30
    container_bytes: int = 2**30
    members: int = 10_000
    unpacked_bytes: int = 2 * 2**30
    container_characters: int = 60_000_000
    depth: int = 4
    ratio: int = 250


@dataclass(frozen=True, slots=True)
class Extraction:
    """A document, and what its file looked like when it was read."""

    document: Document
    source: Source


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A member of a file: its URI, what it is called, and the file in the folder given that holds its bytes."""

    uri: str
    name: str
    file: str


@dataclass(frozen=True, slots=True)
class Unpacking:
    """What came out of a file, what did not and why, and what the file looked like."""

    members: tuple[Unpacked, ...]
    refused: tuple[DocumentRejected, ...]
    source: Source
