"""Rates such as 60/min: the bucket behind them, and the headers that report it. Pure.

The bucket follows the generic cell rate algorithm, a token bucket stored as one number (ITU-T I.371): the time at which the
bucket is full again. A request moves that time `interval` seconds on, and is refused if the bucket would then need more than
`window_s` to fill. Because it is one number, one SQL statement can do it, and replicas on one database share the bucket.

The headers are those of draft-ietf-httpapi-ratelimit-headers-10: RateLimit-Policy and RateLimit, as structured fields.
"""

import math
import re
from dataclasses import dataclass

from service.errors import KeyOptionInvalid

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
_WRITTEN = re.compile(r"([0-9]{1,9})/(s|min|h|d)")
POLICY = '"key"'
SKEW_S = 5.0
"""How far apart the clocks of replicas may be. A last request further in the future was made before the clock was set back."""
SLACK_S = 0.001
"""A bucket counts as having room when it lacks less than this: floating point loses up to 1e-6 s on times since 1970."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `requests` at once, and as many again in each `window_s` seconds, regained one by one."""

    requests: int
    window_s: int

    @property
    def interval(self) -> float:
        """Seconds after which one more request is possible."""
        return self.window_s / self.requests

    def __str__(self) -> str:
        unit = next(name for name, seconds in _UNITS.items() if seconds == self.window_s)
        return f"{self.requests}/{unit}"


@dataclass(frozen=True, slots=True)
class BucketState:
    """The state of a key's bucket: `full_at` is when it is full again, `now` when that was read (seconds since 1970)."""

    rate: Rate
    full_at: float
    now: float

    @property
    def remaining(self) -> int:
        """Requests that are possible now."""
        return max(0, math.floor((self.rate.window_s - self._owed + SLACK_S) / self.rate.interval))

    @property
    def wait_s(self) -> int:
        """Whole seconds until a request is possible; 0 when one is."""
        over = self._owed + self.rate.interval - self.rate.window_s
        return max(0, math.ceil(over - SLACK_S))

    @property
    def _owed(self) -> float:
        return max(0.0, self.full_at - self.now)

    def headers(self) -> dict[str, str]:
        """RateLimit-Policy (quota `q` in a window of `w` seconds) and RateLimit (`r` remaining; all again in `t` seconds)."""
        return {
            "RateLimit-Policy": f"{POLICY};q={self.rate.requests};w={self.rate.window_s}",
            "RateLimit": f"{POLICY};r={self.remaining};t={math.ceil(self._owed)}",
        }


def full_at_after_jump(rate: Rate, full_at: float, last_used: float, now: float) -> float | None:
    """When a bucket is full again if the clock was set back since its last request; None if it was not.

    The bucket then lacks what it lacked at that request, at most all: no time is known to have passed since.
    """
    if last_used <= now + SKEW_S:
        return None
    return now + min(max(full_at - last_used, 0.0), rate.window_s)


def rate_of(written: str) -> Rate:
    """Parse a rate such as `60/min`. Raises KeyOptionInvalid, which says how a rate is written."""
    match = _WRITTEN.fullmatch(written.strip().lower())
    if match is None or int(match[1]) == 0:
        raise KeyOptionInvalid(
            f"The rate {written!r} cannot be read. Write a number of requests and a time, s, min, h or d: 60/min"
        )
    return Rate(int(match[1]), _UNITS[match[2]])
