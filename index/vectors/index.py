"""The vector index: dense search over the ledger's vectors. A cache: everything here can be rebuilt from the ledger.

Most chunks are in a main segment that never grows: exact, quantised or partitioned, depending on their number (see `Sizes`).
Chunks added since it was built are in a recent segment beside it, which is exact. When that has grown to about a tenth of the
main one, the process that writes builds a new main segment from the ledger and writes it to a file, which every process
then loads; until then searches use the old one. Where a structure's scores are approximate, the index asks for more chunks
than it needs and rescores them with the ledger's vectors: scores are exact at every size. Cosine, higher is better.
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
from index.ledger.protocol import Ledger, Snapshot
from index.ledger.selection import Selection
from index.ledger.state import Mark, VectorBatch
from index.storage.lock import FileLock
from index.vectors.builder import Kind, Sizes, build_segment
from index.vectors.files import Description, VectorFile, VectorFileDamaged
from index.vectors.segment import Segment
from index.vectors.structure import Flat

_TIES = 32
_WAIT_SECONDS = 0.25
_SHARE_CHANGED = 10
_log = logging.getLogger(__name__)


class _Segments(NamedTuple):
    """The segments in use. `built_from` is the state of the ledger from which the main one was built."""

    main: Segment
    recent: Segment
    built_from: Mark


class VectorIndex:
    """The vector index in `folder` for the chunks of `ledger`. Thread-safe. Empty until the first `catch_up`.

    New files are due once `min_to_save` vectors, or a tenth of all if that is more, were added or removed.
    """

    def __init__(self, folder: Path, ledger: Ledger, *, min_to_save: int = 1000, sizes: Sizes | None = None) -> None:
        self._ledger = ledger
        self._sizes = sizes or Sizes()
        self._min_to_save = min_to_save
        self._file = VectorFile(folder, ledger.dimension, self._sizes)
        self._file_lock = FileLock(folder / "vectors.lock")
        self._update_lock = threading.Lock()
        self._recent_lock = threading.Lock()
        self._segments: _Segments | None = None
        self._mark: Mark | None = None
        self._background: threading.Thread | None = None
        self._unreadable: Description | None = None

    def __len__(self) -> int:
        """How many chunks can be found."""
        segments = self._segments
        return 0 if segments is None else len(segments.main) + len(segments.recent)

    @property
    def position(self) -> int:
        """The position in the ledger's log that searches reflect; 0 before the first `catch_up`."""
        mark = self._mark
        return 0 if mark is None else mark.position

    def close(self) -> None:
        """Wait for work in the background to end."""
        if self._background is not None:
            self._background.join()

    def catch_up(self) -> None:
        """Reflect the ledger as it is now: read the files on first use, replay newer changes, rebuild where that fails.

        Files that another process has written meanwhile are loaded in the background.
        """
        if self._mark == self._ledger.mark():
            return
        if not self._update_lock.acquire(timeout=-1 if self._mark is None else _WAIT_SECONDS):
            return  # another thread is updating; searches use what is in memory
        try:
            loaded = self._read_newest() if self._segments is None else None
            with self._ledger.snapshot() as snapshot:
                self._update(snapshot, loaded)
        finally:
            self._update_lock.release()
        if self._newer_files() is not None:
            self._run_in_background(self._load_newest)

    def search(self, query: NDArray[np.float32], k: int, selection: Selection | None = None) -> list[tuple[int, float]]:
        """The `k` chunks nearest to `query` (dimension,) among the documents of `selection`: ledger numbers and cosines.

        Best first; equal cosines by the smaller number.
        """
        segments = self._segments
        if segments is None or (selection is not None and selection.is_empty):
            return []
        count = k + max(_TIES, k // 4)
        main = segments.main.search(query, count, selection)
        with self._recent_lock:
            recent = segments.recent.search(query, count, selection)
        numbers, scores = np.concatenate([main.numbers, recent.numbers]), np.concatenate([main.scores, recent.scores])
        if not segments.main.is_exact:
            numbers, scores = self._rescore(query, numbers)
        order = np.lexsort((numbers, -scores))[:k]
        return [(int(numbers[place]), float(scores[place])) for place in order]

    def numbers(self) -> NDArray[np.int64]:
        """Ledger numbers of the chunks in the index, ascending."""
        segments = self._segments
        if segments is None:
            return np.zeros(0, np.int64)
        return np.sort(np.concatenate([segments.main.numbers(), segments.recent.numbers()]))

    def count_differing(self, batch: VectorBatch) -> int:
        """How many chunks of the batch have another vector in the index. Chunks that are not in it do not count."""
        segments = self._segments
        if segments is None:
            return 0
        return segments.main.count_differing(batch) + segments.recent.count_differing(batch)

    def save(self) -> int | None:
        """Write new files, with the structure that fits now, if they are due; returns the ledger's position that they hold.

        Searches go on meanwhile, and so may other writers. None if nothing was written: it was not due, or another process
        is writing.
        """
        description, now = self._file.description(), self._ledger.mark()
        is_usable = description is not None and description.ledger == now.ledger and description != self._unreadable
        position, count = (description.position, description.count) if description is not None and is_usable else (0, 0)
        due = max(self._min_to_save, count // _SHARE_CHANGED)
        if now.position - position < due:
            return None
        if description is not None and is_usable:
            with self._ledger.snapshot() as snapshot:
                if snapshot.can_replay(description.mark) and snapshot.count_vector_changes(position) < due:
                    return None
        return self._rewrite()

    def _rewrite(self) -> int | None:
        try:
            with self._file_lock.hold(0):
                with self._ledger.snapshot() as snapshot:
                    mark, kind = snapshot.mark, self._sizes.kind_for(snapshot.count_embedded())
                    segment = build_segment(snapshot, kind, self._ledger.dimension, self._sizes)
                self._file.write(segment, kind, mark)
        except CollectionBusy:
            return None
        if self._segments is not None:
            self._load_newest()
        return mark.position

    def _newer_files(self) -> Description | None:
        """The files on disk, if they are newer than what is in memory and not known to be damaged."""
        description, segments = self._file.description(), self._segments
        if description is None or description == self._unreadable or description.ledger != self._ledger.identity:
            return None
        is_newer = segments is None or (description.ledger, description.position) > segments.built_from
        return description if is_newer else None

    def _read_newest(self) -> tuple[Segment, Mark] | None:
        """The segment of the newest undamaged files on disk, and the state of the ledger that it reflects."""
        while (description := self._newer_files()) is not None:
            try:
                return self._file.read(description), description.mark
            except VectorFileDamaged as error:
                if description == self._file.description():  # else another process has just replaced the files
                    _log.warning("%s; the vectors are read from the ledger", error)
                    self._unreadable = description
        return None

    def _load_newest(self) -> None:
        """Switch searches to the newest files."""
        loaded = self._read_newest()
        if loaded is not None:
            with self._update_lock, self._ledger.snapshot() as snapshot:
                main, built_from = loaded
                if snapshot.can_replay(built_from):
                    self._replay(_Segments(main, self._empty(), built_from), built_from.position, snapshot)

    def _update(self, snapshot: Snapshot, loaded: tuple[Segment, Mark] | None) -> None:
        if loaded is not None and snapshot.can_replay(loaded[1]):
            self._replay(_Segments(loaded[0], self._empty(), loaded[1]), loaded[1].position, snapshot)
        elif self._segments is not None and self._mark is not None and snapshot.can_replay(self._mark):
            self._replay(self._segments, self._mark.position, snapshot)
        else:
            count = snapshot.count_embedded()
            # Never partitioned: a search waits for this, and k-means takes long.
            kind: Kind = "exact" if count <= self._sizes.exact else "quantised"
            main = build_segment(snapshot, kind, self._ledger.dimension, self._sizes)
            self._segments = _Segments(main, self._empty(), snapshot.mark)
            self._mark = snapshot.mark
            if kind != "exact":
                self._run_in_background(self._rewrite)

    def _replay(self, segments: _Segments, since: int, snapshot: Snapshot) -> None:
        """Apply the changes since a position to `segments`, new ones or those in use, and search them from then on."""
        removed = np.array(snapshot.removed_chunks(since), dtype=np.int64)
        if removed.size:
            segments.main.remove(removed)
            with self._recent_lock:
                segments.recent.remove(removed)
        for batch in snapshot.vectors(since):
            with self._recent_lock:
                segments.recent.add(batch)
        self._segments, self._mark = segments, snapshot.mark

    def _empty(self) -> Segment:
        nothing = np.zeros(0, dtype=np.int64)
        return Segment(Flat.exact(self._ledger.dimension), nothing, nothing.astype(np.int32))

    def _rescore(
        self, query: NDArray[np.float32], numbers: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Those of the chunks that the ledger still has, with their exact scores."""
        kept, vectors = self._ledger.chunks.vectors(numbers)
        return kept, np.einsum("ij,j->i", vectors, query.astype(np.float32))

    def _run_in_background(self, work: Callable[[], object]) -> None:
        """Start `work` in a thread of its own, unless one is still running."""
        if self._background is None or not self._background.is_alive():
            self._background = threading.Thread(target=_log_failure, args=(work,), name="vectors", daemon=True)
            self._background.start()


def _log_failure(work: Callable[[], object]) -> None:
    """Run `work` and log its failure: searches go on with what is in memory, and the next writer tries again."""
    try:
        work()
    except (IndexingError, sqlite3.Error, OSError):
        _log.warning("the vectors could not be brought up to date in the background", exc_info=True)
