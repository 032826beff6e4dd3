"""A lock that threads and processes share, with an error that names its holder.

The lock is `flock` on a small file. The kernel releases it however the process ends, so a killed writer never leaves a
collection locked. The file's content (process, host, time) is only for the error message.

A process that waits for the lock holds a second lock, the turn. A writer that releases the lock between two batches and wants
it back finds the turn taken and queues behind the process that waited. A long run thus keeps others waiting for one batch, not
for its whole length.
"""

import fcntl
import json
import os
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from index.errors import CollectionBusy
from index.storage.atomic import report_full_disk, report_read_only

_POLL_SECONDS = 0.02


class Lock(Protocol):
    """A lock that threads and processes share: a `FileLock`, or one that a database keeps."""

    def hold(self, wait: float) -> AbstractContextManager[None]:
        """Hold the lock inside the `with` block; re-entrant within a thread. `CollectionBusy` after `wait` seconds."""
        ...

    def working(self) -> AbstractContextManager[Callable[[], bool]]:
        """Keep the lock that this thread holds during long work elsewhere, as long as this process runs.

        Gives what says whether the lock is still held.
        """
        ...


def writer_lock(folder: Path) -> "FileLock":
    """Return the lock that a writer of the collection in `folder` must hold."""
    return FileLock(folder / "writer.lock")


class FileLock:
    """Re-entrant within a thread, exclusive between threads and processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.RLock()
        self._depth = 0
        self._descriptor: int | None = None
        self._turn: int | None = None
        _LOCKS.add(self)

    @contextmanager
    def hold(self, wait: float) -> Iterator[None]:
        """Hold the lock inside the `with` block. `CollectionBusy` after `wait` seconds names the holder."""
        deadline = time.monotonic() + wait
        if not self._threads.acquire(timeout=max(wait, 0.0)):
            raise CollectionBusy(self._busy_message())
        try:
            if self._depth == 0:
                self._descriptor = self._acquire(deadline)
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self.forget()
        finally:
            self._threads.release()

    def working(self) -> AbstractContextManager[Callable[[], bool]]:
        """See `Lock.working`: the kernel takes the lock only from a process that has ended."""
        return nullcontext(lambda: True)

    def is_on_disk(self) -> bool:
        """Whether the file that this object has locked is still the one at its path. False once its folder was moved away."""
        if self._descriptor is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except FileNotFoundError:
            return False

    def forget(self) -> None:
        """Close the descriptors. In a forked child this leaves the parent's lock alone."""
        self._release_turn()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _release_turn(self) -> None:
        if self._turn is not None:
            os.close(self._turn)
            self._turn = None

    def _acquire(self, deadline: float) -> int:
        self._turn = self._flock(self._path.with_name(f"{self._path.name}.turn"), deadline)
        try:
            descriptor = self._flock(self._path, deadline)
        finally:
            self._release_turn()
        holder = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        try:
            with report_full_disk(self._path):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, json.dumps(holder).encode(), 0)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _flock(self, path: Path, deadline: float) -> int:
        """Return a descriptor of `path` that holds the lock. `CollectionBusy` after the deadline."""
        with report_full_disk(path), report_read_only(path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return descriptor
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise CollectionBusy(self._busy_message()) from None
                    time.sleep(_POLL_SECONDS)
        except BaseException:
            os.close(descriptor)
            raise

    def _busy_message(self) -> str:
        try:
            holder = json.loads(self._path.read_text())
            who = f"process {holder['pid']} on {holder['host']} since {holder['since']}"
        except (OSError, ValueError, KeyError, TypeError):
            who = "another process"  # the holder has the lock but has not written its details yet
        return f"{self._path.parent.name}: {who} is writing. Wait until it is done, or stop it, and run again"


_LOCKS: weakref.WeakSet[FileLock] = weakref.WeakSet()


def _forget_in_child() -> None:
    for lock in list(_LOCKS):
        lock.forget()


# Otherwise a forked child that outlives a killed parent keeps the parent's lock through its copy of the descriptor.
os.register_at_fork(after_in_child=_forget_in_child)
