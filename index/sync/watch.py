"""Folders followed: what changes in them is indexed within seconds, until told to stop.

The system's notices (watchfiles) only say when to look. What to do is decided as in every sync, by listing the files and
comparing them with the collection: a notice that is lost or late does no harm, and a look that finds nothing new costs no more
than the listing. A difference counts once two looks in a row, `settle` seconds apart, saw the same size and modification
time: a half-written file is left alone until it is whole, and a renamed one is seen as gone and new at once.
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
from index.formats.registry import is_passed_over
from index.records import Source
from index.sync.listing import Listing, Rejection, listing
from index.sync.plan import plan
from index.sync.sync import SyncReport, sync_listing
from index.uris import file_uri

_SETTLE_SECONDS = 0.5
_LOOK_SECONDS = 60.0  # how long a change that the system gave no notice of (a network disk) may stay unseen
_RETRY_SECONDS = 5.0
_SHARE_LOOKING = 4  # a look that took t is followed by at least as many t without one
_STEP_MS = 50


def follow(
    collection: Collection,
    paths: Sequence[Path],
    *,
    stop: threading.Event,
    on_report: Callable[[SyncReport], None],
    on_trouble: Callable[[Transient], None],
    principals: frozenset[str] | None = None,
    limits: Limits | None = None,
    settle: float = _SETTLE_SECONDS,
) -> None:
    """Keep `collection` saying what the files at and under `paths` say, until `stop` is set.

    `on_report` hears of every sync that changed or rejected something, `on_trouble` of what will be tried again (another
    process writes, the disk is full). `principals` as in `sync`. Others can write between two syncs. Raises
    `FolderUnwatchable`, and KeyboardInterrupt in the main thread; whatever was stored before stays.
    """
    follower = _Follower(collection, paths, principals, limits or Limits(), settle)
    while not stop.is_set():
        places = _places(paths)
        with closing(_notices(paths, stop, settle)) as notices:
            for changed in notices:
                try:
                    report = follower.heed(changed)
                except Transient as error:
                    follower.wait(_RETRY_SECONDS)
                    on_trouble(error)
                else:
                    if report is not None:
                        on_report(report)
                if _places(paths) != places:
                    follower.wait(0)
                    break  # a folder came, went or was replaced: the system's notices are about the old one


def settled(now: Listing, before: Listing | None) -> Listing:
    """The part of `now` that is as it was `before`; the rest counts as unknown. Pure."""
    if before is None:
        return replace(now, files=(), unknown=now.roots)
    files, former = _sources(now), _sources(before)
    moving = {uri for uri in files.keys() | former.keys() if files.get(uri) != former.get(uri)}
    return _without(now, moving)


class _Follower:
    """Looks when there is reason to, and syncs what has settled."""

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
        self._before: Listing | None = None
        self._noticed: set[str] = set()
        self._refused: dict[str, Source] = {}
        self._told: tuple[Rejection, ...] = ()
        self._is_curious = True
        self._looked = 0.0
        self._not_before = 0.0

    def wait(self, seconds: float) -> None:
        """Look again, but not within so many seconds."""
        self._is_curious = True
        self._not_before = time.monotonic() + seconds

    def heed(self, noticed: set[str]) -> SyncReport | None:
        """Look if there was a notice or it is time; what a sync did, None if there was nothing to do."""
        self._noticed |= noticed
        now = time.monotonic()
        is_due = bool(noticed) or self._is_curious or self._has_changed_files() or now - self._looked > _LOOK_SECONDS
        if not is_due or now < self._not_before:
            self._is_curious |= is_due
            return None
        found = listing(self._paths)
        self._looked = time.monotonic()
        self._not_before = self._looked + max(self._settle, _SHARE_LOOKING * (self._looked - now))
        steady = settled(found, self._before)
        self._is_curious = len(steady.unknown) > len(found.unknown)
        told = found.rejected if self._before is None else self._told
        self._before = found
        return self._synced(steady, [rejection for rejection in found.rejected if rejection not in told])

    def _synced(self, steady: Listing, rejected: Sequence[Rejection]) -> SyncReport | None:
        """What the sync of the settled files did, if it did anything."""
        assert self._before is not None
        self._told = self._before.rejected
        refused = {file.uri for file in steady.files if self._refused.get(file.uri) == file.source}
        found = replace(_without(steady, refused), rejected=tuple(rejected), skipped=())
        difference = plan(self._collection.documents(), found)
        same_looking = self._noticed & {file_uri(uri) for uri in difference.unchanged}
        self._noticed &= set(steady.unknown)
        if same_looking:  # written to, though size and time say otherwise: only reading tells
            with self._collection.writing():
                for known in self._collection.documents():
                    if file_uri(known.uri) in same_looking:
                        self._collection.refresh_source(known.id, None)
            difference = plan(self._collection.documents(), found)
        if not (difference.added or difference.changed or difference.gone or rejected):
            return None
        report = sync_listing(self._collection, found, principals=self._principals, limits=self._limits)
        again = plan(self._collection.documents(), found)  # would be read once more, though nothing about them is new
        self._refused.update({file.uri: file.source for file in (*again.added, *again.changed)})
        did = report.added or report.changed or report.renamed or report.removed or report.rejected
        return report if did else None

    def _has_changed_files(self) -> bool:
        """Whether a path that is a file itself looks different: the system gives notice of folders only."""
        if self._before is None:
            return True
        before = _sources(self._before)
        for path in self._paths:
            if not path.is_dir():
                try:
                    status = path.stat()
                    source = Source(status.st_size, status.st_mtime_ns)
                except OSError:
                    source = None
                if source != before.get(path.resolve().as_uri()):
                    return True
        return False


def _notices(paths: Sequence[Path], stop: threading.Event, settle: float) -> Generator[set[str], None, None]:
    """URIs of files that the system says have changed; at least every `settle` seconds a set, if an empty one."""
    folders = [path.resolve() for path in paths if path.is_dir()]
    if not folders:
        while not stop.wait(settle):
            yield set()
        return
    milliseconds = int(settle * 1000)
    try:
        for changes in watch(
            *folders,
            watch_filter=_concerns,
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


def _concerns(_: Change, path: str) -> bool:
    return not is_passed_over(Path(path).name)


def _places(paths: Sequence[Path]) -> list[tuple[int, int] | None]:
    """Which folder each path is now, by device and inode; None if it is none."""
    found: list[tuple[int, int] | None] = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            found.append(None)
        else:
            found.append((status.st_dev, status.st_ino) if path.is_dir() else None)
    return found


def _sources(found: Listing) -> dict[str, Source]:
    return {file.uri: file.source for file in found.files}


def _without(found: Listing, uris: set[str]) -> Listing:
    """The listing as if nobody could tell how the files at `uris` stand."""
    files = tuple(file for file in found.files if file.uri not in uris)
    return replace(found, files=files, unknown=(*found.unknown, *sorted(uris)))
