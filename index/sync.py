"""A folder against a collection: reads what is new or changed, retires what is gone.

What to do is decided from directory entries alone (`plan`), so an unchanged folder costs no more than its listing: no file
is opened, no model read. Files are then parsed in other processes while the batch before is stored. Each batch
is one transaction: a kill loses the batch in flight, and the next sync reads just that again. Text is searchable as soon
as its batch is stored; vectors follow at the end.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from index.collection import Collection
from index.errors import DocumentRejected, NotADocument
from index.extraction import Extraction, Extractor, Limits
from index.folder import File, Listing, Rejection, listing
from index.summary import DocumentSummary

_BATCH_DOCUMENTS = 64
_BATCH_CHARACTERS = 1_000_000
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
    pictures, programs and the like. `seconds` is wall-clock time.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    skipped: tuple[Rejection, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What differs between a collection and a listing, by size and modification time.

    A changed file may turn out to hold the same bytes, and a new one to be a gone one under another name: only reading
    tells.
    """

    added: tuple[File, ...]
    changed: tuple[File, ...]
    gone: tuple[DocumentSummary, ...]
    unchanged: tuple[str, ...]


def plan(known: Iterable[DocumentSummary], found: Listing) -> Plan:
    """The difference between the documents of a collection and the files found. Pure."""
    documents = {document.uri: document for document in known}
    added: list[File] = []
    changed: list[File] = []
    unchanged: list[str] = []
    for file in found.files:
        document = documents.pop(file.uri, None)
        if document is None:
            added.append(file)
        elif document.source != file.source:
            changed.append(file)
        else:
            unchanged.append(file.uri)
    gone = tuple(document for document in documents.values() if found.is_gone(document.uri))
    return Plan(tuple(added), tuple(changed), gone, tuple(unchanged))


def sync(
    collection: Collection,
    paths: Sequence[Path],
    *,
    on_progress: Callable[[Progress], None] | None = None,
    limits: Limits | None = None,
) -> SyncReport:
    """Make `collection` say what the files at and under `paths` say; documents from elsewhere are left alone.

    No file stops the others: see `rejected` in the report. Raises `CollectionBusy` if another process is writing for
    longer than 10 s, `DiskFull` with everything stored before kept.
    """
    started = time.monotonic()
    report = sync_listing(collection, listing(paths), on_progress=on_progress, limits=limits)
    return replace(report, seconds=time.monotonic() - started)


def sync_listing(
    collection: Collection,
    found: Listing,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    limits: Limits | None = None,
) -> SyncReport:
    """Make `collection` say what a listing found, as `sync` does."""
    started = time.monotonic()
    with collection.writing():
        run = _Run(collection, collection.documents(), found, on_progress or _silent)
        run.read_and_store(limits or Limits())
        run.retire_gone()
        run.embed()
    return run.report(time.monotonic() - started)


def foresee(known: Iterable[DocumentSummary], paths: Sequence[Path]) -> SyncReport:
    """What a sync of `paths` would do to a collection of the documents `known`. Opens no file and changes nothing.

    Only reading tells a renamed file from an added and a removed one, or shows that a touched file is the same, or that one
    must be rejected.
    """
    started = time.monotonic()
    found = listing(paths)
    difference = plan(known, found)
    return SyncReport(
        added=tuple(file.uri for file in difference.added),
        changed=tuple(file.uri for file in difference.changed),
        removed=tuple(document.uri for document in difference.gone),
        unchanged=difference.unchanged,
        rejected=found.rejected,
        skipped=found.skipped,
        seconds=time.monotonic() - started,
    )


class _Run:
    """One sync under way. Everything here happens in the caller's thread; only extraction runs beside it."""

    def __init__(
        self,
        collection: Collection,
        known: Sequence[DocumentSummary],
        found: Listing,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._collection = collection
        self._found = found
        self._on_progress = on_progress
        self._plan = plan(known, found)
        self._files = (*self._plan.changed, *self._plan.added)
        self._versions = {document.uri: document.version for document in known}
        self._gone = {document.id: document for document in self._plan.gone}
        self._gone_by_version: dict[str, list[str]] = {}
        for document in self._plan.gone:
            self._gone_by_version.setdefault(document.version, []).append(document.id)
        self._batch: list[Extraction] = []
        self._retired: list[str] = []
        self._added: list[str] = []
        self._changed: list[str] = []
        self._renamed: list[str] = []
        self._removed: list[str] = []
        self._unchanged = list(self._plan.unchanged)
        self._rejected = list(found.rejected)
        self._skipped = list(found.skipped)

    def read_and_store(self, limits: Limits) -> None:
        """Read every file that is new or changed; store in batches."""
        with closing(_extracted(self._files, limits)) as extracted:
            for done, (file, outcome) in enumerate(extracted, start=1):
                if isinstance(outcome, DocumentRejected):
                    self._refuse(outcome)
                else:
                    self._take(outcome)
                if _is_full(self._batch) or done == len(self._files):
                    self._store()
                self._on_progress(Progress(done, len(self._files), current=file.uri))

    def retire_gone(self) -> None:
        """Take out of search what is gone and did not come back under another name."""
        if self._gone:
            self._collection.change(remove=list(self._gone))
            self._removed += [document.uri for document in self._gone.values()]

    def embed(self) -> None:
        """Give every chunk a vector, those too that an earlier run left without."""
        files = len(self._files)
        self._collection.embed_pending(
            on_progress=lambda done, total: self._on_progress(Progress(files, files, done, total))
        )

    def report(self, seconds: float) -> SyncReport:
        """What was done."""
        return SyncReport(
            added=tuple(self._added),
            changed=tuple(self._changed),
            renamed=tuple(self._renamed),
            removed=tuple(self._removed),
            unchanged=tuple(self._unchanged),
            rejected=tuple(self._rejected),
            skipped=tuple(self._skipped),
            seconds=seconds,
        )

    def _take(self, extraction: Extraction) -> None:
        uri, version = extraction.document.uri, extraction.document.version
        before = self._versions.get(uri)
        self._batch.append(extraction)
        if before is not None:
            (self._unchanged if before == version else self._changed).append(uri)
            return
        if same := self._gone_by_version.get(version):
            former = same.pop(0)
            del self._gone[former]
            self._retired.append(former)
            self._renamed.append(uri)
        else:
            self._added.append(uri)

    def _refuse(self, error: DocumentRejected) -> None:
        group = self._skipped if isinstance(error, NotADocument) else self._rejected
        group.append(Rejection(error.uri, error.reason, error.mend))

    def _store(self) -> None:
        if self._batch:
            add = [(extraction.document, extraction.source) for extraction in self._batch]
            self._collection.change(add=add, remove=self._retired)
        self._batch, self._retired = [], []


def _extracted(
    files: Sequence[File], limits: Limits
) -> Generator[tuple[File, Extraction | DocumentRejected], None, None]:
    """Each file with what came of it, in the order given; some are read ahead in other processes."""
    if not files:
        return
    with Extractor(limits) as extractor, ThreadPoolExecutor(extractor.workers) as threads:
        ahead: deque[tuple[File, Future[Extraction]]] = deque()
        waiting = iter(files)
        try:
            while True:
                for file in islice(waiting, extractor.workers * _READ_AHEAD - len(ahead)):
                    ahead.append((file, threads.submit(extractor.extract, file.path, uri=file.uri)))
                if not ahead:
                    return
                file, future = ahead.popleft()
                try:
                    yield file, future.result()
                except DocumentRejected as error:
                    yield file, error
        finally:
            for _, future in ahead:
                future.cancel()
            extractor.close()


def _is_full(batch: Sequence[Extraction]) -> bool:
    characters = sum(len(extraction.document.text) for extraction in batch)
    return len(batch) >= _BATCH_DOCUMENTS or characters >= _BATCH_CHARACTERS


def _silent(progress: Progress) -> None:
    """Nobody watches."""
