"""Which workers are alive: each holds a file lock while it lives, and the kernel releases it however the worker ends.

So a killed worker is known to have ended at once, whatever the clock says, and without process numbers, which are reused and
mean nothing in another container. The end of a lease covers what this cannot see: a worker that hangs, or one on another
machine.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from index.errors import CollectionBusy
from index.storage.lock import FileLock

_WAIT_SECONDS = 5.0  # only a process that checks whether the lock is free can hold it meanwhile
_SETTLED_SECONDS = 60.0  # a worker that is just starting may not have its lock yet


class Presence:
    """The locks in `folder`, one per worker."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def announce(self) -> Iterator[str]:
        """Hold the lock of a new worker until the `with` block or the process ends. Gives the worker's name."""
        self._folder.mkdir(parents=True, exist_ok=True)
        worker = uuid.uuid4().hex
        try:
            with FileLock(self._folder / worker).held(_WAIT_SECONDS):
                yield worker
        finally:
            self._forget(worker)

    def is_gone(self, worker: str) -> bool:
        """Whether the worker of that name has ended."""
        path = self._folder / worker
        if not path.exists():
            return True
        try:
            with FileLock(path).held(0):
                pass
        except CollectionBusy:
            return False
        self._forget(worker)
        return True

    def sweep(self) -> None:
        """Remove the locks of workers that ended without removing them."""
        for path in self._folder.glob("*"):
            with suppress(FileNotFoundError):  # another worker sweeps, too
                if path.suffix != ".turn" and time.time() - path.stat().st_mtime > _SETTLED_SECONDS:
                    self.is_gone(path.name)

    def _forget(self, worker: str) -> None:
        for name in (worker, f"{worker}.turn"):
            (self._folder / name).unlink(missing_ok=True)
