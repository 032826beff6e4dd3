"""Replace files atomically, so that a crash leaves the old or the new one, and report a full disk as `DiskFull`."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from index.errors import DiskFull

_NEARLY_FULL = 1 << 20


@contextmanager
def replace_file(target: Path) -> Iterator[Path]:
    """Yield a path to write to; if the `with` block succeeds, the file is synced and replaces `target`.

    `DiskFull` if there is no room. The old file at `target` stays until the new one is complete.
    """
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
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
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or is_full(path):
            raise DiskFull(
                f"{path}: the disk is full. Everything acknowledged before is safe; free space and run again"
            ) from error
        raise


def is_full(path: Path) -> bool:
    """Whether less than a megabyte is free on the disk of `path`."""
    return shutil.disk_usage(path.parent).free < _NEARLY_FULL


def bytes_below(folder: Path) -> int:
    """Return the total size of the files in the folder and below it."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue  # a cache file that was replaced in the meantime
    return total


def sync_to_disk(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk (fsync)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
