"""Follow folders: index what changes in them within seconds, until stopped.

The system's file events (watchfiles) only say when to look. Each check decides what to do as every sync does, by listing the
files and comparing them with the collection: an event that is lost or late does no harm, and a check without changes costs no
more than the listing. A change counts once two checks in a row, `settle` seconds apart, saw the same size and modification
time: a half-written file is not read until it is complete, and a renamed one is seen as gone and new at the same time.
"""

import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from watchfiles import Change, watch

from index.collection import Collection
from index.errors import FolderUnwatchable, Transient
from index.formats.limits import Limits
from index.formats.registry import is_ignored
from index.records import FileStamp
from index.sync.listing import Listing, Rejection, list_files, plan_sync
from index.sync.sync import SyncReport, sync_listing
from index.uris import file_uri

_SETTLE_SECONDS = 0.5
_CHECK_SECONDS = 60.0  # how long a change without an event (a network disk) may go unnoticed
_RETRY_SECONDS = 5.0
_PAUSE_FACTOR = 4  # a check that took t is followed by a pause of at least this many t
_STEP_MS = 50


def follow(
    collection: Collection,
    paths: Sequence[Path],
    *,
    stop: threading.Event,
    on_report: Callable[[SyncReport], None],
    on_retry: Callable[[Transient], None],
    principals: frozenset[str] | None = None,
    limits: Limits | None = None,
    settle: float = _SETTLE_SECONDS,
) -> None:
    """Keep `collection` matching the files at and under `paths`, until `stop` is set.

    `on_report` gets the report of every sync that changed or rejected something, or that keeps documents whose files are gone;
    `on_retry` gets each error after which the sync is tried again (another process writes, the disk is full). `principals` as
    in `sync`. Other processes can write between two syncs. Raises `FolderUnwatchable`, and KeyboardInterrupt in the main
    thread; everything stored before is kept.
    """
    follower = _Follower(collection, paths, principals, limits or Limits(), settle)
    while not stop.is_set():
        folders = _folder_ids(paths)
        with closing(_file_events(paths, stop, settle)) as events:
            for changed in events:
                try:
                    report = follower.check(changed)
                except Transient as error:
                    follower.wait(_RETRY_SECONDS)
                    on_retry(error)
                else:
                    if report is not None:
                        on_report(report)
                if _folder_ids(paths) != folders:
                    follower.wait(0)
                    break  # a folder was created, deleted or replaced: the events are about the old one


def settled_part(now: Listing, before: Listing | None) -> Listing:
    """Return the part of `now` that is the same as `before`; all other files count as unknown. Pure."""
    if before is None:
        return replace(now, files=(), unknown=now.roots)
    files, former = _stamps(now), _stamps(before)
    changing = {uri for uri in files.keys() | former.keys() if files.get(uri) != former.get(uri)}
    return _without(now, changing)


class _Follower:
    """Lists the files when there is a reason to, and syncs those that have settled."""

    def __init__(
        self,
        collection: Collection,
        paths: Sequence[Path],
        principals: frozenset[str] | None,
        limits: Limits,
        settle: float,
    ) -> None:
        self._collection = collection
        self._paths = paths
        self._principals = principals
        self._limits = limits
        self._settle = settle
        self._previous: Listing | None = None
        self._changed: set[str] = set()
        self._unreadable: dict[str, FileStamp] = {}
        self._reported: tuple[Rejection, ...] = ()
        self._kept: frozenset[str] = frozenset()
        self._is_due = True
        self._checked_at = 0.0
        self._not_before = 0.0

    def wait(self, seconds: float) -> None:
        """Check again, but not before so many seconds have passed."""
        self._is_due = True
        self._not_before = time.monotonic() + seconds

    def check(self, changed: set[str]) -> SyncReport | None:
        """List and sync if files `changed` or a check is due. Returns the report; None if there was nothing to do."""
        self._changed |= changed
        now = time.monotonic()
        is_due = bool(changed) or self._is_due or self._has_changed_files() or now - self._checked_at > _CHECK_SECONDS
        if not is_due or now < self._not_before:
            self._is_due |= is_due
            return None
        listing = list_files(self._paths)
        self._checked_at = time.monotonic()
        self._not_before = self._checked_at + max(self._settle, _PAUSE_FACTOR * (self._checked_at - now))
        settled = settled_part(listing, self._previous)
        self._is_due = len(settled.unknown) > len(listing.unknown)
        reported = listing.rejected if self._previous is None else self._reported
        self._previous = listing
        return self._sync(settled, [rejection for rejection in listing.rejected if rejection not in reported])

    def _sync(self, settled: Listing, rejected: Sequence[Rejection]) -> SyncReport | None:
        """Sync the settled files. Returns the report; None if nothing changed."""
        assert self._previous is not None
        self._reported = self._previous.rejected
        unreadable = {file.uri for file in settled.files if self._unreadable.get(file.uri) == file.source}
        listing = replace(_without(settled, unreadable), rejected=tuple(rejected), skipped=())
        plan = plan_sync(self._collection.documents.list(), listing)
        unchanged_despite_event = self._changed & {file_uri(uri) for uri in plan.unchanged}
        self._changed &= set(settled.unknown)
        if unchanged_despite_event:  # written to with the same size and time: the file must be read to find out
            with self._collection.writing():
                for known in self._collection.documents.list():
                    if file_uri(known.uri) in unchanged_despite_event:
                        self._collection.refresh_source(known.id, None)
            plan = plan_sync(self._collection.documents.list(), listing)
        if not (plan.added or plan.changed or plan.gone or rejected):
            self._kept = frozenset()
            return None
        report = sync_listing(self._collection, listing, principals=self._principals, limits=self._limits)
        # What is still to do are rejected files, which would otherwise be read at every check.
        again = plan_sync(self._collection.documents.list(), listing)
        self._unreadable.update({file.uri: file.source for file in (*again.added, *again.changed)})
        kept = frozenset(uri for place in report.kept for uri in place.documents)
        is_news, self._kept = not kept <= self._kept, kept
        did = report.added or report.changed or report.renamed or report.removed or report.rejected
        return report if did or is_news else None

    def _has_changed_files(self) -> bool:
        """Whether a path that is a file itself has changed: there are events for folders only."""
        if self._previous is None:
            return True
        before = _stamps(self._previous)
        for path in self._paths:
            if not path.is_dir():
                try:
                    status = path.stat()
                    source = FileStamp(status.st_size, status.st_mtime_ns)
                except OSError:
                    source = None
                if source != before.get(path.resolve().as_uri()):
                    return True
        return False


def _file_events(paths: Sequence[Path], stop: threading.Event, settle: float) -> Generator[set[str], None, None]:
    """Yield the URIs of files that changed according to the system, at least every `settle` seconds; a set may be empty."""
    folders = [path.resolve() for path in paths if path.is_dir()]
    if not folders:
        while not stop.wait(settle):
            yield set()
        return
    milliseconds = int(settle * 1000)
    try:
        for changes in watch(
            *folders,
            watch_filter=_is_relevant,
            debounce=milliseconds,
            step=_STEP_MS,
            rust_timeout=milliseconds,
            yield_on_timeout=True,
            stop_event=stop,
            ignore_permission_denied=True,
        ):
            yield {Path(path).as_uri() for _, path in changes}
    except OSError as error:
        raise FolderUnwatchable(
            f"{', '.join(map(str, folders))}: the system gives no notice of changes ({error}). "
            "Let it watch more (on Linux: raise fs.inotify.max_user_watches), or index from time to time without --watch"
        ) from error


def _is_relevant(_: Change, path: str) -> bool:
    return not is_ignored(Path(path).name)


def _folder_ids(paths: Sequence[Path]) -> list[tuple[int, int] | None]:
    """Return the device and inode of the folder at each path; None where there is no folder."""
    ids: list[tuple[int, int] | None] = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            ids.append(None)
        else:
            ids.append((status.st_dev, status.st_ino) if path.is_dir() else None)
    return ids


def _stamps(listing: Listing) -> dict[str, FileStamp]:
    return {file.uri: file.source for file in listing.files}


def _without(listing: Listing, uris: set[str]) -> Listing:
    """Return the listing with the files at `uris` moved to `unknown`."""
    files = tuple(file for file in listing.files if file.uri not in uris)
    unsettled = tuple(file.uri for file in listing.files if file.uri in uris)
    return replace(
        listing,
        files=files,
        unknown=(*listing.unknown, *sorted(uris)),
        unsettled=(*listing.unsettled, *unsettled),
    )
