"""Writing files so that a crash leaves the old one or the new one, and a full disk is told as such."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from index.errors import DiskFull

_NEARLY_FULL = 1 << 20


@contextmanager
def replaced(target: Path) -> Iterator[Path]:
    """A path to write to; when the `with` block ends well, the file is synced and takes the place of `target`.

    `DiskFull` when there is no room. What stood at `target` stays until the new file is complete.
    """
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        with explained(target):
            yield partial
            _sync(partial)
            partial.replace(target)
            _sync(target.parent)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Inside the `with` block a failed write becomes `DiskFull` if the disk of `path` is full.

    FAISS and Tantivy report failed writes as RuntimeError and ValueError, so for those the free space decides.
    """
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or is_full(path):
            raise DiskFull(
                f"{path}: the disk is full. Everything acknowledged before is safe; free space and run again"
            ) from error
        raise


def is_full(path: Path) -> bool:
    """Whether less than a megabyte is free where `path` stands."""
    return shutil.disk_usage(path.parent).free < _NEARLY_FULL


def bytes_below(folder: Path) -> int:
    """How much the files in the folder and below it take."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue  # a cache file that was replaced meanwhile
    return total


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
