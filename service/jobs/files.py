"""The bytes of uploads on disk, named by the SHA-256 of their content: the same file sent twice is stored once.

A stored file is complete: it is written elsewhere in the folder, synced, and then moved to its place. The database decides
which files are needed; `service.jobs.queue` and `service.jobs.leases` place and remove a file inside the transaction that
decides it.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from index.storage.atomic import sync_to_disk
from service.jobs.incoming import Incoming, Spool
from service.jobs.protocol import Statements


class Originals:
    """The stored files below `folder`. See `OriginalStore` for its methods; transactions of other files exclude each other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._spool = Spool(folder / "incoming", folder)

    def receiving(self, max_bytes: int) -> AbstractContextManager[Incoming]:
        """See `OriginalStore.receiving`."""
        return self._spool.receiving(max_bytes)

    def require_room(self) -> None:
        """See `OriginalStore.require_room`."""
        self._spool.require_room()

    def path(self, sha256: str) -> Path:
        """The path of the file with that content, whether it exists or not."""
        return self.folder / sha256[:2] / sha256

    def place(self, incoming: Incoming, transaction: Statements) -> None:
        """Move a finished upload to its place, durably. A file with the same content is replaced."""
        target = self.path(incoming.sha256)
        target.parent.mkdir(exist_ok=True)
        incoming.path.replace(target)
        for folder in (target.parent, self.folder):
            sync_to_disk(folder)

    def remove(self, sha256: str, transaction: Statements) -> None:
        """Remove the file with that content, if it exists."""
        self.path(sha256).unlink(missing_ok=True)

    def discard(self) -> None:
        """Do nothing: a removed file is gone."""

    @contextmanager
    def opened(self, sha256: str) -> Iterator[Path]:
        """The path of the file, whether it exists or not, and whatever it holds: what reads it finds out."""
        yield self.path(sha256)

    def digests(self) -> Iterator[str]:
        """The SHA-256 of every stored file."""
        for path in self.folder.glob("[0-9a-f][0-9a-f]/*"):
            yield path.name

    def sweep_incoming(self) -> None:
        """See `OriginalStore.sweep_incoming`."""
        self._spool.sweep()
