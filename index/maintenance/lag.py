"""How far what is searched is behind the ledger: in changes, and in the time for which that has been so."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a search is behind: `changes` of the ledger that it does not reflect, the oldest seen `seconds` ago."""

    changes: int
    seconds: float


class LagWatch:
    """Measures the lag of one collection. Thread-safe.

    The ledger's log has no times, so a change counts from when this watch first saw it: how often it looks is how exact the
    seconds are. `clock` gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guard = Lock()
        self._seen: deque[tuple[int, float]] = deque(maxlen=_KEPT)

    def see(self, reflected: int, position: int) -> Lag:
        """Return the lag of a search that reflects the log up to `reflected`, where the log is at `position`."""
        now = self._clock()
        with self._guard:
            if self._seen and position < self._seen[-1][0]:  # another ledger, or one restored from a backup
                self._seen.clear()
            if not self._seen or position > self._seen[-1][0]:
                self._seen.append((position, now))
            while self._seen and self._seen[0][0] <= reflected:
                self._seen.popleft()
            changes = max(0, position - reflected)
            return Lag(changes, now - self._seen[0][1] if changes and self._seen else 0.0)
