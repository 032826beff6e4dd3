"""Writers of a collection take turns, and each leaves the caches up to date, as often as that is worth its time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from index.ledger.ledger import Ledger
from index.lexicon.index import Lexicon
from index.storage.lock import FileLock
from index.vectors.index import VectorIndex

WAIT_SECONDS = 10.0
"""How long one writer waits for another before it gives up."""

_TENDING_SECONDS = 1.0
_SHARE_TENDING = 9  # one second in ten at most
_LOG_KEPT = 100_000


class Tending:
    """The turn to write, held by `lock`, and what is done for the caches at its end. Thread-safe."""

    def __init__(self, ledger: Ledger, vectors: VectorIndex, lexicon: Lexicon, lock: FileLock) -> None:
        self._ledger = ledger
        self._vectors = vectors
        self._lexicon = lexicon
        self._lock = lock
        self._depth = 0
        self._due = 0.0

    @contextmanager
    def writing(self, wait: float = WAIT_SECONDS) -> Iterator[None]:
        """Be the only writer inside the `with` block; re-entrant. `CollectionBusy` after `wait` seconds.

        The caches are brought up to date at the end, or by the next search if that was done within the last second.
        """
        with self._lock.held(wait):
            before = self._ledger.mark()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            is_due = self._depth == 0 and time.monotonic() >= self._due and self._ledger.mark() != before
            if is_due:
                self._tend_lexicon()
        if is_due:
            self.save_vectors()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Be the only writer inside the `with` block, and leave the caches as they are. `CollectionBusy` after 10 s."""
        with self._lock.held(WAIT_SECONDS):
            yield

    def changed(self) -> None:
        """After a change inside `writing`: bring the lexicon up to date if others are to follow and it is due."""
        if self._depth > 1 and time.monotonic() >= self._due:
            self._tend_lexicon()

    def tend_lexicon(self) -> None:
        """Bring the lexicon up to date."""
        with self._lock.held(WAIT_SECONDS):
            self._tend_lexicon()

    def save_vectors(self) -> None:
        """Make new files of vectors if they are due, and trim the log behind them. Other writers need not wait for it."""
        saved = self._vectors.save()
        if saved is not None and saved > _LOG_KEPT:
            with self._lock.held(WAIT_SECONDS):
                self._ledger.trim(saved - _LOG_KEPT)

    def _tend_lexicon(self) -> None:
        """For who holds the lock, so that two writers do not wait for each other's.

        The longer it takes, the longer the next one waits: searches bring it up to date anyway.
        """
        begun = time.monotonic()
        self._lexicon.catch_up(self._ledger)
        now = time.monotonic()
        self._due = now + max(_TENDING_SECONDS, _SHARE_TENDING * (now - begun))
