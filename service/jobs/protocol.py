"""What jobs and uploaded files need of the place where they are kept: a home folder, or a database that machines share."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from service.jobs.incoming import Incoming


class Statements(Protocol):
    """A transaction. `for_update` and `skip_locked` end a SELECT whose rows no other transaction may change meanwhile."""

    @property
    def for_update(self) -> str:
        """Waits for transactions that have such rows; empty where writers exclude each other, and in one that only reads."""
        ...

    @property
    def skip_locked(self) -> str:
        """Leaves out the rows that another transaction has."""
        ...

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a SELECT, whose parameters are written as question marks."""
        ...

    def run(self, statement: str, *values: object) -> int:
        """Run another statement. Returns how many rows it changed."""
        ...

    def take_turn(self, *names: str) -> None:
        """Wait until no other transaction has the turn of these names, and have it until this one ends."""
        ...


class JobDatabase(Protocol):
    """Where jobs are kept: in an SQLite file or in PostgreSQL. Thread-safe; processes may share it.

    Raises JobsUnavailable when it does not answer, and JobsDamaged when it cannot be read.
    """

    def close(self) -> None:
        """Close the connections. It cannot be used afterwards."""
        ...

    def now(self) -> float:
        """Seconds since 1970, by the clock that all who share the database go by."""
        ...

    def reading(self) -> AbstractContextManager[Statements]:
        """A transaction that only reads."""
        ...

    def writing(self) -> AbstractContextManager[Statements]:
        """A transaction that commits when its block ends well, and else changes nothing."""
        ...


class OriginalStore(Protocol):
    """The uploaded files, byte for byte, by the SHA-256 of their content. Thread-safe; processes may share it.

    Raises JobsUnavailable when it does not answer, has no room or cannot be written; the message names it.
    """

    def receiving(self, max_bytes: int) -> AbstractContextManager[Incoming]:
        """A file to write an upload to, removed at the end of the `with` block unless `place` was called with it."""
        ...

    def require_room(self) -> None:
        """Raise JobsUnavailable unless a file can be received now."""
        ...

    def place(self, incoming: Incoming, transaction: Statements) -> None:
        """Keep a finished upload from the end of the transaction on."""
        ...

    def remove(self, sha256: str, transaction: Statements) -> None:
        """Remove the file with that content, if it exists, in a transaction that has the turn of that content."""
        ...

    def discard(self) -> None:
        """Delete the bytes of some files that transactions have removed. Workers call it every few seconds."""
        ...

    def opened(self, sha256: str) -> AbstractContextManager[Path]:
        """The path of the file with that content, to be read while the block lasts.

        Raises SourceMissing if it is not stored, and SourceChanged if it holds other bytes.
        """
        ...

    def digests(self) -> Iterator[str]:
        """The SHA-256 of the stored files, at least of all those that nothing needs."""
        ...

    def sweep_incoming(self) -> None:
        """Remove what a process left that was killed while it received a file."""
        ...
