"""Keeps calls within Slack's rate limits.

From docs.slack.dev/apis/web-api/rate-limits: chat.postMessage takes about one message a second in a channel; chat.startStream
is of tier 2 (20 a minute), chat.update of tier 3 (50 a minute). A call that Slack rejects all the same is repeated after
`Retry-After` (slack_sdk's AsyncRateLimitErrorRetryHandler).
"""

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic

from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler

STREAMS_A_MINUTE = 18
EDITS_A_MINUTE = 40
SECONDS_BETWEEN_POSTS = 1.0
MAX_RATE_LIMIT_RETRIES = 30


def retry_handlers() -> list[AsyncRetryHandler]:
    """The calls that a client repeats by itself: those rejected for their rate, since they had no effect.

    A call whose connection broke may have taken effect, so it is not repeated blindly (see service/slack/worker.py).
    """
    return [AsyncRateLimitErrorRetryHandler(max_retry_count=MAX_RATE_LIMIT_RETRIES)]


class Allowance:
    """At most `max_uses` uses in any `seconds`; one more is refused, not delayed."""

    def __init__(self, max_uses: int, seconds: float = 60.0, clock: Callable[[], float] = monotonic) -> None:
        self._max_uses = max_uses
        self._seconds = seconds
        self._clock = clock
        self._used: deque[float] = deque()

    def take(self) -> bool:
        """Whether one more use is allowed now; if so, it is counted."""
        now = self._clock()
        while self._used and self._used[0] <= now - self._seconds:
            self._used.popleft()
        if len(self._used) >= self._max_uses:
            return False
        self._used.append(now)
        return True


class RateLimiter:
    """Spaces the posts in one channel by waiting; channels do not wait for each other."""

    def __init__(self, seconds: float = SECONDS_BETWEEN_POSTS) -> None:
        self._seconds = seconds
        self._next: dict[str, float] = {}

    async def wait(self, channel: str) -> None:
        """Wait until this caller may post in the channel."""
        now = monotonic()
        turn = max(now, self._next.get(channel, 0.0))
        self._next = {other: at for other, at in self._next.items() if at > now} | {channel: turn + self._seconds}
        await asyncio.sleep(turn - now)


class Rates:
    """The limits of one app in one workspace, shared by everything that it posts."""

    def __init__(self, seconds_between_posts: float = SECONDS_BETWEEN_POSTS) -> None:
        self.streams = Allowance(STREAMS_A_MINUTE)
        self.edits = Allowance(EDITS_A_MINUTE)
        self.posts = RateLimiter(seconds_between_posts)
