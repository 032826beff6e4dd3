"""Sync objects in a store into a collection, such as those below s3://bucket/prefix, by the rules for files in folders.

An object is known by its size and the time when it was written, which S3 gives in seconds: one that was just written may be
written again within that second, so it is read once more by the next sync. It is downloaded into a temporary folder, read as a
file is, and deleted there. Nothing outside of the prefix is read. What cannot be listed, or opened, stays as it was in the
collection.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from index.collection import Collection
from index.errors import DocumentRejected
from index.formats.limits import Limits
from index.formats.registry import format_of, holds_members, is_document, is_ignored, skip_reason
from index.records import FileStamp
from index.storage.buckets import Bucket, NothingThere, NotReached, StoredObject
from index.sync.listing import File, Listing, Rejection
from index.sync.sync import SyncProgress, SyncReport, sync_listing

_YOUNG_NS = 10 * 10**9  # more than the clocks of a store and of this machine differ
_UNOPENABLE = {"", ".", ".."}


@dataclass(frozen=True, slots=True)
class ObjectFiles:
    """The objects of a listing as files to read: where each is, by its URI. See `index.sync.sync.Files` for its methods.

    Those that are `young` get another time than they have: the next listing finds them changed.
    """

    places: dict[str, tuple[Bucket, str]] = field(default_factory=dict)
    young: set[str] = field(default_factory=set)

    @contextmanager
    def local(self, file: File, limits: Limits) -> Iterator[Path]:
        """See `Files.local`."""
        store, key = self.places[file.uri]
        max_bytes = _max_bytes(file, limits)
        if file.source.size > max_bytes:
            reason = f"its {file.source.size:,} bytes are over the limit of {max_bytes:,}"
            raise DocumentRejected(file.uri, reason, "Split it into smaller files")
        with tempfile.TemporaryDirectory(prefix="quoth-") as folder:
            path = Path(folder) / "object"
            try:
                store.download(key, path, max_bytes)
            except NotReached as error:
                raise DocumentRejected(file.uri, error.reason, error.fix) from error
            modified_ns = file.source.modified_ns + (file.uri in self.young)
            os.utime(path, ns=(modified_ns, modified_ns))
            yield path

    def is_unchanged(self, uri: str, source: FileStamp) -> bool:
        """See `Files.is_unchanged`."""
        store, key = self.places[uri]
        try:
            return _stamp(store.get(key)) == source
        except NotReached:
            return False


def sync_objects(
    collection: Collection,
    urls: Sequence[str],
    *,
    principals: frozenset[str] | None = None,
    prune: bool = False,
    on_progress: Callable[[SyncProgress], None] | None = None,
    limits: Limits | None = None,
) -> SyncReport:
    """Make `collection` match the objects at and below `urls`, as `index.sync.sync.sync` does with files.

    `ObjectsUnsupported` if an address names no bucket, or the library that reads objects is not installed.
    """
    started = time.monotonic()
    listing, files = list_objects(urls)
    report = sync_listing(
        collection, listing, principals=principals, prune=prune, on_progress=on_progress, limits=limits, files=files
    )
    return replace(report, seconds=time.monotonic() - started)


def list_objects(urls: Sequence[str]) -> tuple[Listing, ObjectFiles]:
    """List the objects at and below `urls`: each once, in the order of the addresses and then by key; and how to read them."""
    walk = _Walk()
    for store in [Bucket(url) for url in urls]:
        walk.add_root(store)
    listing = Listing(
        files=tuple(walk.listed.values()),
        skipped=tuple(walk.skipped.values()),
        rejected=tuple(walk.rejected.values()),
        roots=tuple(walk.roots),
        unknown=tuple(walk.unknown),
        missing=tuple(walk.missing),
        empty=tuple(walk.empty),
    )
    return listing, walk.files


class _Walk:
    """Lists stores and collects their objects by URI."""

    def __init__(self) -> None:
        self.files = ObjectFiles()
        self.listed: dict[str, File] = {}
        self.skipped: dict[str, Rejection] = {}
        self.rejected: dict[str, Rejection] = {}
        self.roots: list[str] = []
        self.unknown: list[str] = []
        self.missing: list[str] = []
        self.empty: list[str] = []

    def add_root(self, store: Bucket) -> None:
        """Add everything in the store."""
        self.roots.append(store.root)
        try:
            objects = store.objects()
        except NotReached as error:
            (self.missing if isinstance(error, NothingThere) else self.unknown).append(store.root)
            self.rejected[store.root] = Rejection(store.root, error.reason, error.fix)
            return
        before = len(self.listed) + len(self.skipped) + len(self.rejected)
        for stored in objects:
            self._add(store, stored)
        if len(self.listed) + len(self.skipped) + len(self.rejected) == before:
            self.empty.append(store.root)
            self.rejected[store.root] = Rejection(
                store.root, "no document is in it", "Name a bucket and prefix that hold documents"
            )

    def _add(self, store: Bucket, stored: StoredObject) -> None:
        uri = store.uri(stored.key)
        path = PurePosixPath(stored.key)
        below = store.names_below(stored.key)
        if _UNOPENABLE.intersection(stored.key.split("/")):
            reason = "its key has an empty name, . or .. between its slashes, and cannot be opened"
            self.rejected[uri] = Rejection(uri, reason, "Give it another key")
        elif any(map(is_ignored, below)):
            return
        elif format_of(path) is None and not below:
            self.rejected[uri] = Rejection(uri, "it is no document", "Name documents, or a prefix that holds them")
        elif format_of(path) is None:
            self.skipped[uri] = Rejection(uri, skip_reason(path), "Leave it: it holds no document")
        else:
            self.listed[uri] = File(Path(path.name), uri, _stamp(stored))
            self.files.places[uri] = (store, stored.key)
            if stored.modified_ns > time.time_ns() - _YOUNG_NS:
                self.files.young.add(uri)


def _stamp(stored: StoredObject) -> FileStamp:
    return FileStamp(stored.size, stored.modified_ns)


def _max_bytes(file: File, limits: Limits) -> int:
    """How large the object may be: as large as a file of that name."""
    file_format = format_of(file.path)
    is_container = file_format is not None and holds_members(file_format) and not is_document(file_format)
    return limits.container_bytes if is_container else limits.file_bytes
