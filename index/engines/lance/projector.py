"""Copies the ledger's log into the search table: one process at a time, batch by batch, now or in the background."""

import logging
import threading
import time

from index.engines.lance.table import ChunkTable
from index.errors import CollectionBusy, CollectionMissing, IndexingError
from index.ledger.protocol import Ledger
from index.ledger.state import Mark
from index.storage.lock import Lock

_BATCH = 4096
_TURN_SECONDS = 0.25
_PAUSE_SECONDS = 1.0
_PAUSE = 4  # times as long as the last copying took
_log = logging.getLogger(__name__)


class Projector:
    """Brings `table` up to date with `ledger`, as far as it gets the `turn`, which one process at a time has. Thread-safe.

    A batch is whole or not there, so whoever is killed or loses its turn loses and doubles nothing: the next one goes on.
    """

    def __init__(self, ledger: Ledger, table: ChunkTable, turn: Lock) -> None:
        self._ledger = ledger
        self._table = table
        self._turn = turn
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._due = 0.0
        self._is_worn = True

    def run(self, wait: float = _TURN_SECONDS) -> None:
        """Copy all that the log says, unless another process has the turn for longer than `wait` seconds.

        `SearchStorageUnreachable` if the storage does not answer, `CollectionMissing` if the collection is gone.
        """
        begun = time.monotonic()
        try:
            with self._turn.hold(wait), self._turn.working() as has_turn:
                while self._copy_batch():
                    self._is_worn = True
                    if self._stop.is_set() or not has_turn():
                        break
                self._table.refresh()
        except CollectionBusy:
            return
        except FileNotFoundError as error:  # of the lock: the folder is gone
            raise CollectionMissing("the collection is gone; another program dropped it") from error
        finally:
            now = time.monotonic()
            self._due = now + max(_PAUSE_SECONDS, _PAUSE * (now - begun))

    def is_due(self) -> bool:
        """Whether enough is waiting, or the last copying is long enough ago, that copying again is not copying crumbs."""
        if time.monotonic() >= self._due:
            return True
        mark = self._table.mark
        return mark is not None and self._ledger.mark().position - mark.position >= _BATCH

    def begin(self) -> threading.Thread:
        """Copy in the background, if that is not done already. Returns the thread, which ends when the table is up to date."""
        with self._guard:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run_unseen, name="projector", daemon=True)
                self._thread.start()
            return self._thread

    def compact(self) -> bool:
        """Compact the table if that is due and no other process has the turn. Returns whether it was done."""
        if not self._is_worn:
            return False
        try:
            with self._turn.hold(0), self._turn.working():
                if self._table.refresh() is None or not self._table.may_compact():
                    return False
                self._is_worn = self._table.compact()
                return self._is_worn
        except (CollectionBusy, FileNotFoundError):  # another process holds the lock, or the folder is gone
            return False

    def close(self) -> None:
        """Let copying in the background end after the batch that it is at."""
        self._stop.set()
        with self._guard:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run_unseen(self) -> None:
        try:
            self.run()
        except IndexingError as error:
            _log.warning("the search table is behind: %s", error)

    def _copy_batch(self) -> bool:
        """Copy one batch. Returns whether there was one.

        What a batch writes is what the ledger holds of its chunks now, so it may be repeated, and its order does not matter.
        """
        mark = self._table.refresh()
        with self._ledger.snapshot() as snapshot:
            if mark is None or not snapshot.can_replay(Mark(mark.ledger, mark.position)):
                mark = self._table.create(self._ledger.identity, snapshot.mark.position)
            if mark.through is not None:
                numbers = snapshot.numbers_after(mark.through, _BATCH)
                mark = mark._replace(through=numbers[-1] if numbers else None)
            else:
                changes = snapshot.changes(mark.position, _BATCH)
                if not changes:
                    return False
                numbers = list({chunk for _, chunk in changes})
                mark = mark._replace(position=changes[-1][0])
            chunks = list(snapshot.searchable(numbers))
        self._table.apply(chunks, set(numbers) - {chunk.lexical.number for chunk in chunks}, mark)
        return True
