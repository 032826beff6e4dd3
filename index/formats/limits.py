"""The limits on reading one file, and the results: values that pass between Quoth and the parsing process."""

from dataclasses import dataclass

from index.errors import DocumentRejected
from index.records import Document, FileStamp


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost. A file beyond a limit is rejected; nothing else is affected.

    `file_bytes` is checked before a file is read; `characters` bounds its text; `seconds` is wall-clock time,
    `recognition_seconds` that for a scanned file; `memory_bytes` is the private memory of the process that reads it.
    Each member of an archive or mailbox must keep these limits by itself. For the container as a whole:
    `container_bytes` is its size, `members` the number of files in it, `unpacked_bytes` their size together,
    `container_characters` their text together, `depth` how many archives may be nested; a member may be packed to
    1/`ratio` of its size.
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
    """A document, and the state of its file when it was read."""

    document: Document
    source: FileStamp


@dataclass(frozen=True, slots=True)
class UnpackedMember:
    """An unpacked member: its URI, its name, and the name of the file that holds its bytes in the target folder."""

    uri: str
    name: str
    file: str


@dataclass(frozen=True, slots=True)
class Unpacking:
    """The members of a file, those that were rejected and why, and the state of the file when it was read."""

    members: tuple[UnpackedMember, ...]
    rejected: tuple[DocumentRejected, ...]
    source: FileStamp
