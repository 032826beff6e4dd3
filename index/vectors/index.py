"""Dense search over the ledger's vectors. A cache: everything here can be made again from the ledger.

Most chunks are in a main segment that never grows: exact, quantised or partitioned, by how many there are (see `Sizes`). What
came since it was made is in a recent segment beside it, which is exact. When that has grown to about a tenth of the main one,
whoever writes makes a new main segment from the ledger, in a file that every process takes up once it is there; searches go
on with the old one meanwhile. Where the structure only says about how near a vector is, more are taken than are wanted and
scored again with the ledger's vectors: scores are exact at every size. Cosine, higher is better.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.errors import CollectionBusy, IndexingError
from index.filters import Scope
from index.ledger.ledger import Ledger
from index.ledger.snapshot import Mark, Snapshot, VectorBatch
from index.storage.lock import FileLock
from index.vectors.builder import Kind, Sizes, built
from index.vectors.files import Description, VectorFile, VectorFileDamaged
from index.vectors.flat import Flat
from index.vectors.segment import Segment

_TIES = 32
_WAIT_SECONDS = 0.25
_SHARE_CHANGED = 10
_log = logging.getLogger(__name__)


class _Held(NamedTuple):
    """What is searched. `made` is the state of the ledger from which the main segment was made."""

    main: Segment
    recent: Segment
    made: Mark


class VectorIndex:
    """The vectors of the collection in `folder`, whose ledger this is. Thread-safe. Empty until the first `catch_up`.

    A new file is due after `least_to_save` vectors came or went, or a tenth of them, whichever is more.
    """

    def __init__(self, folder: Path, ledger: Ledger, *, least_to_save: int = 1000, sizes: Sizes | None = None) -> None:
        self._ledger = ledger
        self._sizes = sizes or Sizes()
        self._least_to_save = least_to_save
        self._file = VectorFile(folder, ledger.dimension, self._sizes)
        self._writing = FileLock(folder / "vectors.lock")
        self._updating = threading.Lock()
        self._growing = threading.Lock()
        self._held: _Held | None = None
        self._mark: Mark | None = None
        self._behind: threading.Thread | None = None
        self._unreadable: Description | None = None

    def __len__(self) -> int:
        """How many chunks can be found."""
        held = self._held
        return 0 if held is None else len(held.main) + len(held.recent)

    def close(self) -> None:
        """Wait until nothing goes on in the background."""
        if self._behind is not None:
            self._behind.join()

    def catch_up(self) -> None:
        """Reflect the ledger as it is now: read the file on first use, replay what is newer, start anew when that cannot be.

        What another process has made meanwhile is taken up in the background.
        """
        if self._mark == self._ledger.mark():
            return
        if not self._updating.acquire(timeout=-1 if self._mark is None else _WAIT_SECONDS):
            return  # another thread is at it; what is in memory serves meanwhile
        try:
            read = self._read() if self._held is None else None
            with self._ledger.snapshot() as snapshot:
                self._reflect(snapshot, read)
        finally:
            self._updating.release()
        if self._newer() is not None:
            self._do_behind(self._take_up)

    def search(self, query: NDArray[np.float32], k: int, scope: Scope | None = None) -> list[tuple[int, float]]:
        """The `k` chunks nearest to `query` (dimension,) among the documents in `scope`: ledger numbers and cosines.

        Best first; equal cosines by the smaller number.
        """
        held = self._held
        if held is None or (scope is not None and scope.is_empty):
            return []
        count = k + max(_TIES, k // 4)
        main = held.main.search(query, count, scope)
        with self._growing:
            recent = held.recent.search(query, count, scope)
        numbers, scores = np.concatenate([main.numbers, recent.numbers]), np.concatenate([main.scores, recent.scores])
        if not held.main.is_exact:
            numbers, scores = self._scored(query, numbers)
        order = np.lexsort((numbers, -scores))[:k]
        return [(int(numbers[place]), float(scores[place])) for place in order]

    def numbers(self) -> NDArray[np.int64]:
        """Ledger numbers of the chunks that are in it, ascending."""
        held = self._held
        return (
            np.zeros(0, np.int64)
            if held is None
            else np.sort(np.concatenate([held.main.numbers(), held.recent.numbers()]))
        )

    def differing(self, batch: VectorBatch) -> int:
        """How many of the chunks of the batch that are in it have other vectors in it."""
        held = self._held
        return 0 if held is None else held.main.differing(batch) + held.recent.differing(batch)

    def save(self) -> int | None:
        """Make a new file, with the structure that fits now, if one is due; answers the ledger's position that it holds.

        Searches go on meanwhile, and so may other writers. None if nothing was written: it was not due, or another process
        is at it.
        """
        found, now = self._file.description(), self._ledger.mark()
        is_of_use = found is not None and found.ledger == now.ledger and found != self._unreadable
        position, count = (found.position, found.count) if found is not None and is_of_use else (0, 0)
        due = max(self._least_to_save, count // _SHARE_CHANGED)
        if now.position - position < due:
            return None
        if found is not None and is_of_use:
            with self._ledger.snapshot() as snapshot:
                if snapshot.can_replay(found.mark) and snapshot.vectors_changed(position) < due:
                    return None
        return self._rewrite()

    def _rewrite(self) -> int | None:
        try:
            with self._writing.held(0):
                with self._ledger.snapshot() as snapshot:
                    mark, kind = snapshot.mark, self._sizes.fitting(snapshot.embedded())
                    made = built(snapshot, kind, self._ledger.dimension, self._sizes)
                self._file.write(made, kind, mark)
        except CollectionBusy:
            return None
        if self._held is not None:
            self._take_up()
        return mark.position

    def _newer(self) -> Description | None:
        """The files on disk, if they are newer than what is in memory and not known to be damaged."""
        found, held = self._file.description(), self._held
        if found is None or found == self._unreadable or found.ledger != self._ledger.identity:
            return None
        is_newer = held is None or (found.ledger, found.position) > held.made
        return found if is_newer else None

    def _read(self) -> tuple[Segment, Mark] | None:
        """The newest segment on disk that reads, and the state of the ledger that it reflects."""
        while (found := self._newer()) is not None:
            try:
                return self._file.read(found), found.mark
            except VectorFileDamaged as error:
                if found == self._file.description():  # else another process has just put newer ones in their place
                    _log.warning("%s; the vectors are read from the ledger", error)
                    self._unreadable = found
        return None

    def _take_up(self) -> None:
        """Search in the newest files from now on."""
        read = self._read()
        if read is not None:
            with self._updating, self._ledger.snapshot() as snapshot:
                main, made = read
                if snapshot.can_replay(made):
                    self._hold(_Held(main, self._empty(), made), made.position, snapshot)

    def _reflect(self, snapshot: Snapshot, read: tuple[Segment, Mark] | None) -> None:
        if read is not None and snapshot.can_replay(read[1]):
            self._hold(_Held(read[0], self._empty(), read[1]), read[1].position, snapshot)
        elif self._held is not None and self._mark is not None and snapshot.can_replay(self._mark):
            self._hold(self._held, self._mark.position, snapshot)
        else:
            count = snapshot.embedded()
            # Never partitioned: a search waits for this, and k-means takes long.
            kind: Kind = "exact" if count <= self._sizes.exact else "quantised"
            self._held = _Held(built(snapshot, kind, self._ledger.dimension, self._sizes), self._empty(), snapshot.mark)
            self._mark = snapshot.mark
            if kind != "exact":
                self._do_behind(self._rewrite)

    def _hold(self, held: _Held, since: int, snapshot: Snapshot) -> None:
        """Replay into `held` what came since, and search in it from then on. It may be what is searched already."""
        removed = np.array(snapshot.removed(since), dtype=np.int64)
        if removed.size:
            held.main.remove(removed)
            with self._growing:
                held.recent.remove(removed)
        for batch in snapshot.vectors(since):
            with self._growing:
                held.recent.add(batch)
        self._held, self._mark = held, snapshot.mark

    def _empty(self) -> Segment:
        nothing = np.zeros(0, dtype=np.int64)
        return Segment(Flat.exact(self._ledger.dimension), nothing, nothing.astype(np.int32))

    def _scored(
        self, query: NDArray[np.float32], numbers: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Those of the chunks that the ledger still has, with their exact scores."""
        there, vectors = self._ledger.vectors(numbers)
        return there, np.einsum("ij,j->i", vectors, query.astype(np.float32))

    def _do_behind(self, work: Callable[[], object]) -> None:
        """Do it in a thread of its own, unless there is one at work."""
        if self._behind is None or not self._behind.is_alive():
            self._behind = threading.Thread(target=_quietly, args=(work,), name="vectors", daemon=True)
            self._behind.start()


def _quietly(work: Callable[[], object]) -> None:
    """What fails in the background is logged: what is in memory goes on serving, and the next writer tries again."""
    try:
        work()
    except (IndexingError, sqlite3.Error, OSError):
        _log.warning("the vectors could not be brought up to date in the background", exc_info=True)
