"""A circuit breaker: a server that failed several times in a row is left alone for a while."""

from collections.abc import Callable
from threading import Lock
from time import monotonic


class Breaker:
    """Opens after `most` failures in a row. While it is open, one call in every `rest_s` seconds may try. Thread-safe.

    `clock` gives seconds that only grow.
    """

    def __init__(self, most: int = 3, rest_s: float = 20.0, clock: Callable[[], float] = monotonic) -> None:
        self._most = most
        self._rest_s = rest_s
        self._clock = clock
        self._lock = Lock()
        self._failures = 0
        self._next_try = 0.0

    def wait_s(self) -> float:
        """0 when a call may be made now, else the seconds until one may."""
        with self._lock:
            now = self._clock()
            if self._failures < self._most:
                return 0.0
            if now < self._next_try:
                return self._next_try - now
            self._next_try = now + self._rest_s
            return 0.0

    def succeeded(self) -> None:
        """Close it."""
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        """Count a failure."""
        with self._lock:
            self._failures += 1
            self._next_try = self._clock() + self._rest_s
