"""Folders -> the files in them that are worth reading, by their directory entries alone. Nothing is opened.

Hidden files and folders, editors' temporary files and the caches of tools are passed over in silence. Symbolic links are
not followed: what one points to inside the folder is found there, and what lies outside was not asked for. The paths that
were asked for may be links themselves.
"""

import errno
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.formats.registry import format_of, is_passed_over, why_skipped
from index.records import Source


@dataclass(frozen=True, slots=True)
class Rejection:
    """A file or folder that is not indexed: why, and what to do about it."""

    uri: str
    reason: str
    mend: str


@dataclass(frozen=True, slots=True)
class File:
    """A file that may be read, and how it looked when the folder was listed."""

    path: Path
    uri: str
    source: Source


@dataclass(frozen=True, slots=True)
class Listing:
    """What stands under some paths. `skipped` are not documents; `rejected` should have been readable.

    `roots` are URIs: of a document that stands at or under one and is not among `files`, the file is gone, unless it
    stands at or under one of `unknown`, the URIs that could not be listed.
    """

    files: tuple[File, ...]
    skipped: tuple[Rejection, ...]
    rejected: tuple[Rejection, ...]
    roots: tuple[str, ...]
    unknown: tuple[str, ...]

    def is_gone(self, uri: str) -> bool:
        """Whether the document at `uri`, which is not among the files, was under these paths."""
        return _is_under(uri, self.roots) and not _is_under(uri, self.unknown)


def listing(paths: Sequence[Path]) -> Listing:
    """Everything under `paths`, files and folders alike, each once, in the order of the paths and then of their names."""
    found = _Found()
    for path in paths:
        found.add_root(path)
    return Listing(
        files=tuple(found.files.values()),
        skipped=tuple(found.skipped.values()),
        rejected=tuple(found.rejected.values()),
        roots=tuple(found.roots),
        unknown=tuple(found.unknown),
    )


class _Found:
    """Collects what a walk meets, by URI."""

    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        self.skipped: dict[str, Rejection] = {}
        self.rejected: dict[str, Rejection] = {}
        self.roots: list[str] = []
        self.unknown: list[str] = []

    def add_root(self, path: Path) -> None:
        """Everything at and under `path`."""
        try:
            root = path.resolve(strict=True)
            status = root.stat()
        except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError before Python 3.13
            self._fail(Path(os.path.abspath(path)), error)
            return
        uri = root.as_uri()
        self.roots.append(uri)
        if stat.S_ISDIR(status.st_mode):
            before = len(self.files) + len(self.skipped) + len(self.rejected)
            self._walk(root)
            if len(self.files) + len(self.skipped) + len(self.rejected) == before:
                self.rejected[uri] = Rejection(uri, "no document is in it", "Name a folder that holds documents")
        elif stat.S_ISREG(status.st_mode) and format_of(root) is not None:
            self.files[uri] = File(root, uri, Source(status.st_size, status.st_mtime_ns))
        else:
            self.rejected[uri] = Rejection(uri, "it is no document", "Name documents, or a folder that holds them")

    def _walk(self, folder: Path) -> None:
        try:
            with os.scandir(folder) as entries:
                ordered = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self._fail(folder, error)
            return
        for entry in ordered:
            if is_passed_over(entry.name):
                continue
            path = folder / entry.name
            if entry.is_dir(follow_symlinks=False):
                self._walk(path)
            else:
                self._meet(entry, path)

    def _meet(self, entry: os.DirEntry[str], path: Path) -> None:
        uri = path.as_uri()
        if entry.is_symlink():
            self.skipped[uri] = Rejection(uri, "it is a symbolic link", "Name what it points to, if that is not listed")
        elif not entry.is_file(follow_symlinks=False):
            self.skipped[uri] = Rejection(uri, "it is no ordinary file", "Leave it: it holds no document")
        elif format_of(path) is None:
            self.skipped[uri] = Rejection(uri, why_skipped(path), "Leave it: it holds no document")
        else:
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError as error:
                self._fail(path, error)
            else:
                self.files[uri] = File(path, uri, Source(status.st_size, status.st_mtime_ns))

    def _fail(self, path: Path, error: OSError | RuntimeError) -> None:
        uri = path.as_uri()
        self.unknown.append(uri)
        self.rejected[uri] = _unreachable(uri, error)


def _unreachable(uri: str, error: OSError | RuntimeError) -> Rejection:
    if isinstance(error, FileNotFoundError):
        return Rejection(uri, "there is no such file or folder", "Check how it is spelled, and that its disk is there")
    if isinstance(error, PermissionError):
        return Rejection(uri, "opening it is not permitted", "Give this user the right to read it")
    if isinstance(error, RuntimeError) or error.errno == errno.ELOOP:
        return Rejection(uri, "it is a symbolic link that leads in a circle", "Remove the link")
    return Rejection(uri, f"it cannot be opened ({error.strerror})", "Check the disk it is on")


def _is_under(uri: str, roots: Iterable[str]) -> bool:
    return any(uri == root or uri.startswith(root.rstrip("/") + "/") for root in roots)
