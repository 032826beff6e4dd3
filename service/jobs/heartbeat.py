"""Which workers are there: each holds a lock for as long as it lives, which the kernel drops however it ends.

So a worker that was killed is known to be gone at once, whatever the clock says, and without trusting process numbers, which
are given to others and mean nothing in another container. A lease that runs out covers what this cannot see: a worker that
hangs, or one on another machine.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from index.errors import CollectionBusy
from index.storage.lock import FileLock

_WAIT_SECONDS = 5.0  # nobody else wants the lock, but one may be looking whether it is free
_SETTLED_SECONDS = 60.0  # a worker that is just starting may not have its lock yet


class Presence:
    """The locks in `folder`, one a worker."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def announced(self) -> Iterator[str]:
        """Be there as a worker, under the name given, until the `with` block or the process ends."""
        self._folder.mkdir(parents=True, exist_ok=True)
        worker = uuid.uuid4().hex
        try:
            with FileLock(self._folder / worker).held(_WAIT_SECONDS):
                yield worker
        finally:
            self._forget(worker)

    def is_gone(self, worker: str) -> bool:
        """Whether the worker of that name has ended."""
        place = self._folder / worker
        if not place.exists():
            return True
        try:
            with FileLock(place).held(0):
                pass
        except CollectionBusy:
            return False
        self._forget(worker)
        return True

    def sweep(self) -> None:
        """Remove the locks of workers that ended without removing them."""
        for place in self._folder.glob("*"):
            with suppress(FileNotFoundError):  # another worker sweeps, too
                if place.suffix != ".turn" and time.time() - place.stat().st_mtime > _SETTLED_SECONDS:
                    self.is_gone(place.name)

    def _forget(self, worker: str) -> None:
        for name in (worker, f"{worker}.turn"):
            (self._folder / name).unlink(missing_ok=True)
