"""Serialise the writers of a collection; refresh the search index after a write, at most once a second."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from index.engines.search_index import SearchIndex
from index.errors import CollectionBusy, CollectionDropped
from index.ledger.protocol import Ledger, Ledgers
from index.ledger.rows import PendingText
from index.maintenance.moving import copy_to, require_staying

WAIT_SECONDS = 10.0
"""Time that one writer waits for another before it gives up."""

_REFRESH_SECONDS = 1.0
_REFRESH_PAUSE = 9  # times as long as the refresh took, which then takes at most one second in ten
_LOG_KEPT = 100_000


class WriteCoordinator:
    """Holds the ledger's lock for one writer at a time and refreshes the index after it. Thread-safe."""

    def __init__(self, ledger: Ledger, index: SearchIndex) -> None:
        self._ledger = ledger
        self._index = index
        self._depth = 0
        self._due = 0.0

    @contextmanager
    def writing(self, wait: float = WAIT_SECONDS) -> Iterator[None]:
        """Hold the writer lock inside the `with` block; re-entrant. `CollectionBusy` after `wait` seconds.

        `CollectionDropped` if the collection was dropped meanwhile: what is written to a deleted file is lost.
        `CollectionMoving` if it is being moved. The index is brought up to date at the end, or by the next search if it was
        within the last second.
        """
        with self.hold_lock(wait):
            before = self._ledger.mark()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            is_due = self._depth == 0 and time.monotonic() >= self._due and self._ledger.mark() != before
            if is_due:
                self._refresh()
        if is_due:
            self.save()

    @contextmanager
    def hold_lock(self, wait: float = WAIT_SECONDS) -> Iterator[None]:
        """Hold the writer lock inside the `with` block and leave the index as it is. Raises as `writing` does."""
        with self._explain_move(), self.comparing(wait):
            require_staying(self._ledger)
            yield

    @contextmanager
    def comparing(self, wait: float = WAIT_SECONDS) -> Iterator[None]:
        """Hold the writer lock inside the `with` block to read what nobody may change meanwhile, also during a move."""
        with self._notice_drop(), self._ledger.writer.hold(wait):
            if not self._ledger.exists():
                raise self._dropped()
            yield

    @contextmanager
    def claim_pending(self, limit: int, wait: float) -> Iterator[list[PendingText]]:
        """At most `limit` texts to encode, which no other process gets while the block lasts. Raises as `writing` does."""
        with self._notice_drop(), self._ledger.claim_pending(limit, wait) as texts:
            if not self._ledger.exists():
                raise self._dropped()
            require_staying(self._ledger)
            yield texts

    @contextmanager
    def _notice_drop(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:  # of a lock: its folder is gone
            if self._ledger.exists():
                raise
            raise self._dropped() from error

    @contextmanager
    def _explain_move(self) -> Iterator[None]:
        try:
            yield
        except CollectionBusy:
            require_staying(self._ledger)
            raise

    def copy_to(self, target: Ledgers) -> None:
        """Let the collection appear among the ledgers `target`, too. See `index.maintenance.moving.copy_to`."""
        with self._notice_drop():
            copy_to(self._ledger, target)

    def refresh_if_due(self) -> None:
        """Refresh the index if that is due and an outer block goes on writing. Call it after a change inside `writing`."""
        if self._depth > 1 and time.monotonic() >= self._due:
            self._refresh()

    def refresh(self) -> None:
        """Bring the index up to date."""
        with self.hold_lock():
            self._refresh()

    def save(self, *, at_once: bool = False) -> None:
        """Let the index save what is due and trim the log behind it. Other writers do not wait for this.

        `at_once` is as at `SearchIndex.save`.
        """
        saved = self._index.save(at_once=at_once)
        if saved is not None and saved > _LOG_KEPT:
            with self.hold_lock():
                self._ledger.trim(saved - _LOG_KEPT)

    def _dropped(self) -> CollectionDropped:
        return CollectionDropped(
            f"{self._ledger.name}: another program dropped the collection meanwhile. Run again to see what is there"
        )

    def _refresh(self) -> None:
        """Refresh the index. The caller holds the writer lock, so that two writers never wait for each other's refresh.

        The longer a refresh takes, the later the next one is due: searches bring the index up to date anyway.
        """
        begun = time.monotonic()
        self._index.write()
        now = time.monotonic()
        self._due = now + max(_REFRESH_SECONDS, _REFRESH_PAUSE * (now - begun))
