"""List the files in folders that can be indexed, and compare a listing with a collection: the plan of a sync.

Only directory entries are read; no file is opened. Hidden files and folders, editors' temporary files and the caches of tools
are silently ignored. Symbolic links are not followed: what one points to inside the folder is found there, and what lies
outside was not asked for. The given paths may be links themselves.
"""

import errno
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.formats.registry import format_of, is_ignored, skip_reason
from index.records import DocumentSummary, FileStamp
from index.sync.retention import is_below
from index.uris import file_uri


@dataclass(frozen=True, slots=True)
class Rejection:
    """A file or folder that is not indexed: the reason, and what to do about it."""

    uri: str
    reason: str
    fix: str


@dataclass(frozen=True, slots=True)
class Remark:
    """What was not read of a document that is indexed, or may be wrong in it, as a sentence."""

    uri: str
    text: str


@dataclass(frozen=True, slots=True)
class File:
    """A file that can be indexed, with its size and modification time when the folder was listed.

    Of an object in a store, `path` is only its name.
    """

    path: Path
    uri: str
    source: FileStamp


@dataclass(frozen=True, slots=True)
class Listing:
    """The files under some paths. `skipped` are not documents; `rejected` should have been readable.

    `roots` are the URIs of the paths and `unknown` those that could not be listed. If a document is at or under a root, but
    neither among `files` nor at or under one of `unknown`, its file is gone.

    `missing` are the roots that are not there, `empty` those that hold no document; both are among `rejected`. `disks` are the
    roots that are there and the folders in them on which another disk is mounted, each with the identity of its file system.
    `unsettled` are files that are there, but still being written: they are among `unknown`.
    """

    files: tuple[File, ...]
    skipped: tuple[Rejection, ...]
    rejected: tuple[Rejection, ...]
    roots: tuple[str, ...]
    unknown: tuple[str, ...]
    missing: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    disks: tuple[tuple[str, int], ...] = ()
    unsettled: tuple[str, ...] = ()

    def is_gone(self, uri: str) -> bool:
        """Whether the file of the document at `uri`, which is not among the files, was deleted from these paths."""
        return _is_below_any(uri, self.roots) and not _is_below_any(uri, self.unknown)


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """The differences between a collection and a listing, by size and modification time.

    Reading may show that a changed file holds the same bytes, or that an added one is a gone one under a new name.
    `permitted` are documents whose files are unchanged but whose readers change.
    """

    added: tuple[File, ...]
    changed: tuple[File, ...]
    gone: tuple[DocumentSummary, ...]
    unchanged: tuple[str, ...]
    permitted: tuple[DocumentSummary, ...] = ()


def plan_sync(known: Iterable[DocumentSummary], listing: Listing, principals: frozenset[str] | None = None) -> SyncPlan:
    """Compare the documents of a collection with the files listed, which `principals` may read. Pure.

    With None, every document keeps its readers. A file that contains other files is unchanged if all documents from it were
    read from its present state. A file that an earlier version of Quoth read counts as changed: it is read again.
    """
    documents: dict[str, list[DocumentSummary]] = {}
    for document in known:
        documents.setdefault(file_uri(document.uri), []).append(document)
    added: list[File] = []
    changed: list[File] = []
    unchanged: list[str] = []
    permitted: list[DocumentSummary] = []
    for file in listing.files:
        indexed = documents.pop(file.uri, None)
        if indexed is None:
            added.append(file)
        elif any(document.source != file.source or not document.has_structure for document in indexed):
            changed.append(file)
        else:
            for document in indexed:
                if principals in (None, document.principals):
                    unchanged.append(document.uri)
                else:
                    permitted.append(document)
    gone = [document for uri, indexed in documents.items() if listing.is_gone(uri) for document in indexed]
    return SyncPlan(tuple(added), tuple(changed), tuple(gone), tuple(unchanged), tuple(permitted))


def list_files(paths: Sequence[Path]) -> Listing:
    """List everything under `paths`, which may be files and folders: each once, in the order of the paths and then by name."""
    walk = _Walk()
    for path in paths:
        walk.add_root(path)
    return Listing(
        files=tuple(walk.files.values()),
        skipped=tuple(walk.skipped.values()),
        rejected=tuple(walk.rejected.values()),
        roots=tuple(walk.roots),
        unknown=tuple(walk.unknown),
        missing=tuple(walk.missing),
        empty=tuple(walk.empty),
        disks=tuple(walk.disks.items()),
    )


class _Walk:
    """Walks folders and collects their files by URI."""

    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        self.skipped: dict[str, Rejection] = {}
        self.rejected: dict[str, Rejection] = {}
        self.roots: list[str] = []
        self.unknown: list[str] = []
        self.missing: list[str] = []
        self.empty: list[str] = []
        self.disks: dict[str, int] = {}

    def add_root(self, path: Path) -> None:
        """Add everything at and under `path`."""
        try:
            root = path.resolve(strict=True)
            status = root.stat()
        except FileNotFoundError as error:
            missing = path.resolve()
            self.missing.append(missing.as_uri())
            self.roots.append(missing.as_uri())
            self.rejected[missing.as_uri()] = _access_failure(missing.as_uri(), error)
            return
        except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError before Python 3.13
            self._add_failure(Path(os.path.abspath(path)), error)
            return
        uri = root.as_uri()
        self.roots.append(uri)
        if stat.S_ISDIR(status.st_mode):
            before = len(self.files) + len(self.skipped) + len(self.rejected)
            self._add_disk(root)
            self._add_folder(root, status.st_dev)
            if len(self.files) + len(self.skipped) + len(self.rejected) == before:
                self.empty.append(uri)
                self.rejected[uri] = Rejection(uri, "no document is in it", "Name a folder that holds documents")
        elif stat.S_ISREG(status.st_mode) and format_of(root) is not None:
            self.files[uri] = File(root, uri, FileStamp(status.st_size, status.st_mtime_ns))
        else:
            self.rejected[uri] = Rejection(uri, "it is no document", "Name documents, or a folder that holds them")

    def _add_folder(self, folder: Path, device: int) -> None:
        """Add what is in the folder, which lies on the `device`."""
        try:
            with os.scandir(folder) as entries:
                ordered = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self._add_failure(folder, error)
            return
        for entry in ordered:
            if is_ignored(entry.name):
                continue
            path = folder / entry.name
            if entry.is_dir(follow_symlinks=False):
                try:
                    own = entry.stat(follow_symlinks=False).st_dev
                except OSError as error:
                    self._add_failure(path, error)
                    continue
                if own != device:
                    self._add_disk(path)
                self._add_folder(path, own)
            else:
                self._add_entry(entry, path)

    def _add_entry(self, entry: os.DirEntry[str], path: Path) -> None:
        uri = path.as_uri()
        if entry.is_symlink():
            self.skipped[uri] = Rejection(uri, "it is a symbolic link", "Name what it points to, if that is not listed")
        elif not entry.is_file(follow_symlinks=False):
            self.skipped[uri] = Rejection(uri, "it is not a regular file", "Leave it: it holds no document")
        elif format_of(path) is None:
            self.skipped[uri] = Rejection(uri, skip_reason(path), "Leave it: it holds no document")
        else:
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError as error:
                self._add_failure(path, error)
            else:
                self.files[uri] = File(path, uri, FileStamp(status.st_size, status.st_mtime_ns))

    def _add_disk(self, folder: Path) -> None:
        identity = disk_of(folder)
        if identity is not None:
            self.disks[folder.as_uri()] = identity

    def _add_failure(self, path: Path, error: OSError | RuntimeError) -> None:
        uri = path.as_uri()
        self.unknown.append(uri)
        self.rejected[uri] = _access_failure(uri, error)


def _access_failure(uri: str, error: OSError | RuntimeError) -> Rejection:
    if isinstance(error, FileNotFoundError):
        return Rejection(uri, "there is no such file or folder", "Check the spelling, and that its disk is mounted")
    if isinstance(error, PermissionError):
        return Rejection(uri, "opening it is not permitted", "Give this user the right to read it")
    if isinstance(error, RuntimeError) or error.errno == errno.ELOOP:
        return Rejection(uri, "it is a symbolic link that leads in a circle", "Remove the link")
    return Rejection(uri, f"it cannot be opened ({error.strerror})", "Check the disk it is on")


def disk_of(path: Path) -> int | None:
    """Return the identity of the file system at `path`, or at the nearest folder above that is there; None if it has none.

    It is the one that the system reports (`f_fsid`): of most file systems on disks it stays the same after a restart.
    """
    for place in (path, *path.parents):
        try:
            return os.statvfs(place).f_fsid or None
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return None


def _is_below_any(uri: str, roots: Iterable[str]) -> bool:
    return any(is_below(uri, root) for root in roots)
