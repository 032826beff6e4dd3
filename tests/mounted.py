"""Folders that are small, or read-only. Root ignores permissions, so both are mounted; for others the rights are taken away."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

can_mount = pytest.mark.skipif(shutil.which("mount") is None or os.geteuid() != 0, reason="only root can mount a disk")


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """A new folder `place` that holds `size`, such as 6m."""
    place.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place))
    try:
        yield place
    finally:
        _unmount(place)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Inside the `with` block nothing in the folder can be written."""
    if os.geteuid() == 0:
        _mount("--bind", str(folder), str(folder))
        try:
            _mount("-o", "remount,ro,bind", str(folder))
            yield
        finally:
            _unmount(folder)
        return
    modes = {path: path.stat().st_mode for path in (folder, *folder.rglob("*"))}
    for path, mode in modes.items():
        path.chmod(mode & 0o555)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


def _mount(*arguments: str) -> None:
    made = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {made.stderr.strip()}")


def _unmount(place: Path) -> None:
    # Lazily: the lexicon keeps files mapped until it is garbage-collected.
    subprocess.run(["umount", "--lazy", str(place)], check=True)
