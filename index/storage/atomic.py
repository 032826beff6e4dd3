"""Replace files atomically, so that a crash leaves the old or the new one, and name what keeps a file from being written.

A full disk is `DiskFull`; a folder or file that is read-only or another user's is `NotWritable`.
"""

import errno
import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from index.errors import DiskFull, NotWritable

PARTIAL = ".partial"
"""The ending of a file that is still being written."""

_NEARLY_FULL = 1 << 20
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_NO_RIGHT = {errno.EROFS, errno.EACCES, errno.EPERM}


@contextmanager
def replace_file(target: Path) -> Iterator[Path]:
    """Yield a path to write to; if the `with` block succeeds, the file is synced and replaces `target`.

    `DiskFull` if there is no room. The old file at `target` stays until the new one is complete.
    """
    partial = target.with_name(f"{target.name}.{os.getpid()}.{threading.get_ident()}{PARTIAL}")
    try:
        with report_full_disk(target):
            yield partial
            sync_to_disk(partial)
            partial.replace(target)
            sync_to_disk(target.parent)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def report_full_disk(path: Path) -> Iterator[None]:
    """Inside the `with` block a failed write becomes `DiskFull` if the disk of `path` is full.

    FAISS and Tantivy report a failed write as RuntimeError or ValueError; for those the free space decides.
    """
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        if getattr(error, "errno", None) in _NO_ROOM or is_full(path):
            raise full_disk(path) from error
        raise


@contextmanager
def report_read_only(path: Path) -> Iterator[None]:
    """Inside the `with` block a write that the system forbids becomes `NotWritable`, which names the file or folder.

    Tantivy reports it as ValueError; for that the rights on `path` decide.
    """
    try:
        yield
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) in _NO_RIGHT:
            target = Path(getattr(error, "filename", None) or path)
            raise not_writable(next(place for place in (target, *target.parents) if place.exists())) from error
        if isinstance(error, ValueError) and (place := read_only_place([path])):
            raise not_writable(place) from error
        raise


def read_only_place(paths: Iterable[Path]) -> Path | None:
    """The first of these files and folders that exists and may not be written."""
    return next((path for path in paths if path.exists() and not os.access(path, os.W_OK)), None)


def not_writable(place: Path) -> NotWritable:
    """The error for a file or folder that may not be written."""
    return NotWritable(
        f"{place} cannot be written: it is read-only or another user's. Quoth needs locks and logs even to read there. "
        "Make it writable for this user, or use another home folder"
    )


def full_disk(path: Path) -> DiskFull:
    """The error for a file or folder on a full disk."""
    return DiskFull(f"{path}: the disk is full. Everything acknowledged before is safe; free space and run again")


def is_full(path: Path) -> bool:
    """Whether less than a megabyte is free on the disk of `path`."""
    there = next(folder for folder in path.parents if folder.exists())
    return shutil.disk_usage(there).free < _NEARLY_FULL


def bytes_below(folder: Path) -> int:
    """Return the total size of the files in the folder and below it."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue  # a cache file that was replaced in the meantime
    return total


def seconds_unchanged(path: Path) -> float:
    """Return how long ago a file or folder last changed.

    A time in the future, from before the clock was set back, is corrected to now: else the file stays young until then.
    """
    age = time.time() - path.stat().st_mtime
    if age < 0:
        os.utime(path)
    return max(age, 0.0)


def sync_to_disk(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk (fsync)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
