"""Sync a folder into a collection: read new and changed files, remove documents whose files are gone.

The plan is made from directory entries alone (`plan_sync`), so an unchanged folder costs no more than its listing: no file
is opened, no model loaded. Files are then parsed in other processes while the previous batch is stored. Each batch is one
transaction: if the process is killed, only the batch in progress is lost, and the next sync reads those files again. Text is
searchable as soon as its batch is stored; vectors follow at the end. Other processes may write between two batches: before a
batch is stored, the sync checks what they did to its documents meanwhile.
"""

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Protocol

from index.collection import Collection
from index.errors import DocumentRejected, NoWords
from index.extraction.contents import Contents, map_in_order, read_contents
from index.extraction.extractor import Extractor
from index.formats.limits import Limits
from index.ledger.rows import Inherited, Root
from index.records import DocumentSummary, FileStamp
from index.sync.folder_note import FolderNote, read_note, write_note
from index.sync.importer import Importer
from index.sync.listing import File, Listing, Rejection, Remark, list_files, plan_sync
from index.sync.retention import Kept, is_below, kept_documents
from index.uris import file_path

_PERMIT_BATCH = 500
_READ_AHEAD = 4  # files per worker that may be read before they are stored


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """How far a sync has come. `files_total` counts only files that must be read; `current` is the URI just read.

    `chunks_total` is 0 until all files are stored.
    """

    files_done: int
    files_total: int
    chunks_done: int = 0
    chunks_total: int = 0
    current: str | None = None


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did, or would do, as URIs. `renamed` holds the new ones.

    `rejected` are files that should have been readable; a version of them that was indexed before stays. `skipped` are
    pictures, programs and the like. `warnings` say what was not read of documents that were read now. `kept` are documents
    that stay although their files are gone (`index.sync.retention`), by folder. `inherited` counts the new documents that are
    restricted although no principals were given, by where their readers come from. `seconds` is wall-clock time.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    skipped: tuple[Rejection, ...] = ()
    warnings: tuple[Remark, ...] = ()
    kept: tuple[Kept, ...] = ()
    inherited: tuple[Inherited, ...] = ()
    seconds: float = 0.0


class Files(Protocol):
    """Where the files of a listing are read from. Thread-safe."""

    def local(self, file: File, limits: Limits) -> AbstractContextManager[Path]:
        """A file on this machine that holds its bytes and has its size and time. `DocumentRejected` if there is none."""
        ...

    def is_unchanged(self, uri: str, source: FileStamp) -> bool:
        """Whether the file still has the size and time that it was read with."""
        ...


class FolderFiles:
    """The files of folders on this machine. See `Files` for its methods."""

    def local(self, file: File, limits: Limits) -> AbstractContextManager[Path]:
        """See `Files.local`."""
        return nullcontext(file.path)

    def is_unchanged(self, uri: str, source: FileStamp) -> bool:
        """See `Files.is_unchanged`."""
        try:
            status = file_path(uri).stat()
        except OSError:
            return False
        return FileStamp(status.st_size, status.st_mtime_ns) == source


def sync(
    collection: Collection,
    paths: Sequence[Path],
    *,
    principals: frozenset[str] | None = None,
    prune: bool = False,
    on_progress: Callable[[SyncProgress], None] | None = None,
    limits: Limits | None = None,
) -> SyncReport:
    """Make `collection` match the files at and under `paths`; documents from elsewhere are not touched.

    `principals` may read the documents from then on (everybody if empty); they are remembered for the paths. With None,
    existing documents keep their readers, and new ones get the principals last given for the nearest path above them, or
    are for everybody if there are none.

    The documents of a path that is missing, suddenly empty, or without most of its files stay: see `kept` in the report. With
    `prune` they are removed like any other document whose file is gone.

    A file that fails does not stop the others: see `rejected` in the report. Raises `CollectionBusy` if another process
    writes for longer than 10 s at a time, and `DiskFull`; in both cases everything stored before is kept.
    """
    started = time.monotonic()
    report = sync_listing(
        collection, list_files(paths), principals=principals, prune=prune, on_progress=on_progress, limits=limits
    )
    return replace(report, seconds=time.monotonic() - started)


def sync_listing(
    collection: Collection,
    listing: Listing,
    *,
    principals: frozenset[str] | None = None,
    prune: bool = False,
    on_progress: Callable[[SyncProgress], None] | None = None,
    limits: Limits | None = None,
    files: Files | None = None,
) -> SyncReport:
    """Make `collection` match the files of a listing, as `sync` does. They are read from `files`, by default from folders."""
    started = time.monotonic()
    run = _FolderSync(
        collection,
        collection.documents.list(),
        listing,
        principals,
        on_progress or (lambda _: None),
        files or FolderFiles(),
    )
    run.remember()
    run.permit()
    run.read_and_store(limits or Limits())
    if not prune:
        run.keep_suspicious()
    run.remove_gone()
    run.embed()
    return run.report(time.monotonic() - started)


def preview(
    known: Iterable[DocumentSummary],
    listing: Listing,
    *,
    principals: frozenset[str] | None = None,
    note: FolderNote | None = None,
    roots_of: Callable[[Sequence[str]], Mapping[str, Root]] = lambda _uris: {},
) -> SyncReport:
    """Return what a sync of the listing would do to a collection that holds `known`. Opens no file, changes nothing.

    `roots_of` is that of the collection: who may read new files. `note` is the collection's note on its folders; without one,
    nothing is kept whose file is gone. Since nothing is read, a renamed file is reported as one added and one removed, a
    touched file as changed, and a file that would be rejected as added or changed.
    """
    started = time.monotonic()
    known = list(known)
    plan = plan_sync(known, listing, principals)
    added, wordless = note.worth_reading(plan.added) if note else (plan.added, [])
    new = {file.source for file in added}
    moved = {document.id for document in plan.gone if document.source in new}  # a renamed file keeps its size and time
    missed = [document for document in plan.gone if document.id not in moved]
    kept = kept_documents(known, missed, note.places(listing), note.kept) if note else []
    stays = {uri for place in kept for uri in place.documents}
    above = roots_of([file.uri for file in added]) if principals is None else {}
    restricting = Counter(root for root in above.values() if root.principals)
    return SyncReport(
        added=tuple(file.uri for file in added),
        changed=(*(file.uri for file in plan.changed), *(document.uri for document in plan.permitted)),
        removed=tuple(document.uri for document in plan.gone if document.uri not in stays),
        unchanged=plan.unchanged,
        rejected=_rejected(listing, known),
        skipped=(*listing.skipped, *wordless),
        kept=tuple(kept),
        inherited=tuple(Inherited(root, count) for root, count in restricting.items()),
        seconds=time.monotonic() - started,
    )


class _FolderSync:
    """One run of a sync. Everything here happens in the caller's thread, except extraction."""

    def __init__(
        self,
        collection: Collection,
        known: Sequence[DocumentSummary],
        listing: Listing,
        principals: frozenset[str] | None,
        on_progress: Callable[[SyncProgress], None],
        places: Files,
    ) -> None:
        self._collection = collection
        self._known = known
        self._places = places
        self._listing = listing
        self._on_progress = on_progress
        self._plan = plan_sync(known, listing, principals)
        self._note = read_note(collection)
        added, self._skipped = self._note.worth_reading(self._plan.added)
        self._files = (*self._plan.changed, *added)
        self._wordless: list[File] = []
        self._principals = principals
        self._importer = Importer(collection, known, self._plan.gone, places.is_unchanged, principals)
        self._kept: list[Kept] = []

    def remember(self) -> None:
        """Record who may read what lies under the paths, before anything is read."""
        if self._principals is not None:
            there = [uri for uri in self._listing.roots if uri not in self._listing.missing]
            self._collection.record_roots(there, self._principals)

    def permit(self) -> None:
        """Give the principals to the documents whose files need not be read again."""
        waiting = iter(self._plan.permitted)
        while documents := list(islice(waiting, _PERMIT_BATCH)):
            with self._collection.writing():
                present = self._collection.documents.list([document.id for document in documents])
                ids = {document.id for document in present}
                for document in documents:
                    if document.id in ids:
                        self._collection.permit(document.id, self._principals or frozenset())
            self._importer.changed += [document.uri for document in documents]

    def read_and_store(self, limits: Limits) -> None:
        """Read every new or changed file; store their documents in batches."""
        with closing(_read_files(self._files, limits, self._places)) as files:
            for done, (file, file_contents) in enumerate(files, start=1):
                self._importer.add(file.uri, file_contents)
                if any(isinstance(error, NoWords) and error.uri == file.uri for error in file_contents.rejected):
                    self._wordless.append(file)
                if self._importer.is_full or done == len(self._files):
                    self._importer.store()
                self._on_progress(SyncProgress(done, len(self._files), current=file.uri))

    def keep_suspicious(self) -> None:
        """Keep the documents of folders that look as if their disk were not mounted."""
        self._kept = kept_documents(self._known, self._importer.gone, self._note.places(self._listing), self._note.kept)
        self._importer.keep(uri for place in self._kept for uri in place.documents)

    def remove_gone(self) -> None:
        """Remove the documents that are gone and did not return under another name."""
        self._importer.remove_gone()
        write_note(self._collection, self._note.after(self._listing, self._kept, self._wordless))

    def embed(self) -> None:
        """Give every chunk a vector, including chunks that an earlier run left without one."""
        files = len(self._files)
        self._collection.embed_pending(
            on_progress=lambda done, total: self._on_progress(SyncProgress(files, files, done, total))
        )

    def report(self, seconds: float) -> SyncReport:
        """Return what the sync did."""
        imported = import_report(self._importer, seconds)
        return replace(
            imported,
            unchanged=(*self._plan.unchanged, *imported.unchanged),
            rejected=(*_rejected(self._listing, self._known), *imported.rejected),
            skipped=(*self._listing.skipped, *self._skipped, *imported.skipped),
            kept=tuple(self._kept),
        )


def import_report(importer: Importer, seconds: float) -> SyncReport:
    """Return what an importer did, as a report."""
    return SyncReport(
        added=tuple(importer.added),
        changed=tuple(importer.changed),
        renamed=tuple(importer.renamed),
        removed=tuple(importer.removed),
        unchanged=tuple(importer.unchanged),
        rejected=tuple(importer.rejected),
        skipped=tuple(importer.skipped),
        warnings=tuple(importer.warnings),
        inherited=importer.inherited,
        seconds=seconds,
    )


def _rejected(listing: Listing, known: Iterable[DocumentSummary]) -> tuple[Rejection, ...]:
    """Return what was rejected while listing, without the empty folders from which there are documents: they are `kept`."""
    uris = [document.uri for document in known]
    empty = {place for place in listing.empty if any(is_below(uri, place) for uri in uris)}
    return tuple(rejection for rejection in listing.rejected if rejection.uri not in empty)


def _read_files(files: Sequence[File], limits: Limits, places: Files) -> Generator[tuple[File, Contents], None, None]:
    """Yield each file with its contents, in the order given; some are read ahead in other processes."""
    if not files:
        return
    with Extractor(limits) as extractor, ThreadPoolExecutor(extractor.workers) as threads:

        def read(file: File) -> Contents:
            try:
                with places.local(file, limits) as path:
                    return read_contents(extractor, path, uri=file.uri, name=file.path.name)
            except DocumentRejected as error:
                return Contents((), (error,), None)

        with closing(map_in_order(read, files, threads, ahead=extractor.workers * _READ_AHEAD)) as read_files:
            try:
                yield from read_files
            finally:
                extractor.close()
