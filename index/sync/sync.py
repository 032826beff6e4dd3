"""A folder against a collection: reads what is new or changed, retires what is gone.

What to do is decided from directory entries alone (`plan`), so an unchanged folder costs no more than its listing: no file
is opened, no model read. Files are then parsed in other processes while the batch before is stored. Each batch
is one transaction: a kill loses the batch in flight, and the next sync reads just that again. Text is searchable as soon
as its batch is stored; vectors follow at the end. Others may write between two batches: before one is stored, what they did to
its documents meanwhile is looked at.
"""

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from urllib.parse import unquote, urlsplit

from index.collection import Collection
from index.extraction.contents import Contents, contents
from index.extraction.extractor import Extractor
from index.extraction.prefetch import in_order
from index.formats.limits import Limits
from index.ledger.permissions import Inherited, Root
from index.records import DocumentSummary, Source
from index.sync.importer import Intake
from index.sync.listing import File, Listing, Rejection, listing
from index.sync.plan import plan

_BATCH_KNOWN = 500
_READ_AHEAD = 4  # files per worker that may be read before they are stored


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sync is. `files_total` counts only files that must be read; `current` is the URI just read.

    Chunks are counted once all files are stored: `chunks_total` is 0 until then.
    """

    files_done: int
    files_total: int
    chunks_done: int = 0
    chunks_total: int = 0
    current: str | None = None


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did, or is foreseen to do, as URIs. `renamed` gives the new ones.

    `rejected` are files that should have been readable; a version of theirs that was indexed before stays. `skipped` are
    pictures, programs and the like. `inherited` says which new documents are not for everybody though nobody was named.
    `seconds` is wall-clock time.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    skipped: tuple[Rejection, ...] = ()
    inherited: tuple[Inherited, ...] = ()
    seconds: float = 0.0


def sync(
    collection: Collection,
    paths: Sequence[Path],
    *,
    principals: frozenset[str] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    limits: Limits | None = None,
) -> SyncReport:
    """Make `collection` say what the files at and under `paths` say; documents from elsewhere are left alone.

    `principals` may read the documents from then on, everybody if there are none; they are remembered for the paths. With
    None, documents that are there already stay with those who may read them, and new ones are for those who were last named
    for the nearest path above them, or for everybody if nobody was.

    No file stops the others: see `rejected` in the report. Raises `CollectionBusy` if another process is writing for
    longer than 10 s at a time, `DiskFull`; either way everything stored before is kept.
    """
    started = time.monotonic()
    report = sync_listing(collection, listing(paths), principals=principals, on_progress=on_progress, limits=limits)
    return replace(report, seconds=time.monotonic() - started)


def sync_listing(
    collection: Collection,
    found: Listing,
    *,
    principals: frozenset[str] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    limits: Limits | None = None,
) -> SyncReport:
    """Make `collection` say what a listing found, as `sync` does."""
    started = time.monotonic()
    run = _Run(collection, collection.documents(), found, principals, on_progress or _silent)
    run.remember()
    run.permit()
    run.read_and_store(limits or Limits())
    run.retire_gone()
    run.embed()
    return run.report(time.monotonic() - started)


def foresee(
    known: Iterable[DocumentSummary],
    paths: Sequence[Path],
    *,
    principals: frozenset[str] | None = None,
    roots_of: Callable[[Sequence[str]], Mapping[str, Root]] = lambda _uris: {},
) -> SyncReport:
    """What a sync of `paths` would do to a collection of the documents `known`. Opens no file and changes nothing.

    `roots_of` is the collection's, which tells who may read new files. Only reading tells a renamed file from an added and a
    removed one, or shows that a touched file is the same, or that one must be rejected.
    """
    started = time.monotonic()
    found = listing(paths)
    difference = plan(known, found, principals)
    above = roots_of([file.uri for file in difference.added]) if principals is None else {}
    restricting = Counter(root for root in above.values() if root.principals)
    return SyncReport(
        added=tuple(file.uri for file in difference.added),
        changed=(*(file.uri for file in difference.changed), *(document.uri for document in difference.permitted)),
        removed=tuple(document.uri for document in difference.gone),
        unchanged=difference.unchanged,
        rejected=found.rejected,
        skipped=found.skipped,
        inherited=tuple(Inherited(root, count) for root, count in restricting.items()),
        seconds=time.monotonic() - started,
    )


class _Run:
    """One sync under way. Everything here happens in the caller's thread; only extraction runs beside it."""

    def __init__(
        self,
        collection: Collection,
        known: Sequence[DocumentSummary],
        found: Listing,
        principals: frozenset[str] | None,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._collection = collection
        self._found = found
        self._on_progress = on_progress
        self._plan = plan(known, found, principals)
        self._files = (*self._plan.changed, *self._plan.added)
        self._principals = principals
        self._intake = Intake(collection, known, self._plan.gone, _is_as_read, principals)

    def remember(self) -> None:
        """Note who is to read what stands below the paths, before anything is read."""
        if self._principals is not None:
            self._collection.note_roots(self._found.roots, self._principals)

    def permit(self) -> None:
        """Let the principals read the documents whose files need not be read again."""
        waiting = iter(self._plan.permitted)
        while documents := list(islice(waiting, _BATCH_KNOWN)):
            with self._collection.writing():
                there = {found.id for found in self._collection.documents([document.id for document in documents])}
                for document in documents:
                    if document.id in there:
                        self._collection.permit(document.id, self._principals or frozenset())
            self._intake.changed += [document.uri for document in documents]

    def read_and_store(self, limits: Limits) -> None:
        """Read every file that is new or changed; store in batches."""
        with closing(_read(self._files, limits)) as read:
            for done, (file, held) in enumerate(read, start=1):
                self._intake.take(file.uri, held)
                if self._intake.is_full or done == len(self._files):
                    self._intake.store()
                self._on_progress(Progress(done, len(self._files), current=file.uri))

    def retire_gone(self) -> None:
        """Take out of search what is gone and did not come back under another name."""
        self._intake.retire_gone()

    def embed(self) -> None:
        """Give every chunk a vector, those too that an earlier run left without."""
        files = len(self._files)
        self._collection.embed_pending(
            on_progress=lambda done, total: self._on_progress(Progress(files, files, done, total))
        )

    def report(self, seconds: float) -> SyncReport:
        """What was done."""
        done = self._intake
        return SyncReport(
            added=tuple(done.added),
            changed=tuple(done.changed),
            renamed=tuple(done.renamed),
            removed=tuple(done.removed),
            unchanged=(*self._plan.unchanged, *done.unchanged),
            rejected=(*self._found.rejected, *done.rejected),
            skipped=(*self._found.skipped, *done.skipped),
            inherited=done.inherited,
            seconds=seconds,
        )


def _read(files: Sequence[File], limits: Limits) -> Generator[tuple[File, Contents], None, None]:
    """Each file with what it holds, in the order given; some are read ahead in other processes."""
    if not files:
        return
    with Extractor(limits) as extractor, ThreadPoolExecutor(extractor.workers) as threads:

        def read(file: File) -> Contents:
            return contents(extractor, file.path, uri=file.uri)

        with closing(in_order(read, files, threads, ahead=extractor.workers * _READ_AHEAD)) as read_files:
            try:
                yield from read_files
            finally:
                extractor.close()


def _is_as_read(uri: str, source: Source) -> bool:
    """Whether the file still looks as it did when it was read."""
    try:
        status = Path(unquote(urlsplit(uri).path)).stat()
    except OSError:
        return False
    return Source(status.st_size, status.st_mtime_ns) == source


def _silent(progress: Progress) -> None:
    """Nobody watches."""
