"""How often Slack lets us do things, and keeping to it before Slack has to say so.

From docs.slack.dev/apis/web-api/rate-limits: chat.postMessage takes about one message a second in a channel; chat.startStream
is of tier 2 (20 a minute), chat.update of tier 3 (50 a minute). What is turned away all the same is repeated after
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
MOST_RATE_LIMITED = 30


def retry_handlers() -> list[AsyncRetryHandler]:
    """What a client of Slack repeats by itself: calls that were turned away for their rate, as they did nothing.

    A call whose connection broke may have done its work, so that is not repeated blindly (service/slack/worker.py).
    """
    return [AsyncRateLimitErrorRetryHandler(max_retry_count=MOST_RATE_LIMITED)]


class Allowance:
    """At most `most` uses in any `seconds`; asking for one more is answered with no, not with waiting."""

    def __init__(self, most: int, seconds: float = 60.0, clock: Callable[[], float] = monotonic) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._used: deque[float] = deque()

    def take(self) -> bool:
        """Whether one more use is allowed now; if so, it counts."""
        now = self._clock()
        while self._used and self._used[0] <= now - self._seconds:
            self._used.popleft()
        if len(self._used) >= self._most:
            return False
        self._used.append(now)
        return True


class Turns:
    """Spaces what is posted in one channel, waiting where needed; channels do not wait for each other."""

    def __init__(self, seconds: float = SECONDS_BETWEEN_POSTS) -> None:
        self._seconds = seconds
        self._next: dict[str, float] = {}

    async def wait(self, channel: str) -> None:
        """Return when it is this caller's turn in the channel."""
        now = monotonic()
        turn = max(now, self._next.get(channel, 0.0))
        self._next = {other: at for other, at in self._next.items() if at > now} | {channel: turn + self._seconds}
        await asyncio.sleep(turn - now)


class Rates:
    """The allowances of one app in one workspace, shared by everything that it posts."""

    def __init__(self, seconds_between_posts: float = SECONDS_BETWEEN_POSTS) -> None:
        self.streams = Allowance(STREAMS_A_MINUTE)
        self.edits = Allowance(EDITS_A_MINUTE)
        self.posts = Turns(seconds_between_posts)
