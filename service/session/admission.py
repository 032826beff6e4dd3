"""Admission control: concurrency, queue, deadlines, shutdown."""

from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from anyio import CancelScope, Event

from service.errors import AnswerTimedOut, Overloaded, ShuttingDown
from service.observability.metrics import Metrics


class Admission:
    """At most `at_once` requests run, at most `max_waiting` more wait in order of arrival, and the rest are refused.

    Belongs to one event loop; not thread-safe.
    """

    def __init__(self, at_once: int, max_waiting: int, metrics: Metrics) -> None:
        self._at_once = at_once
        self._max_waiting = max_waiting
        self._metrics = metrics
        self._queue: deque[Event] = deque()
        self._answers: set[CancelScope] = set()
        self.busy = 0
        """Requests that run now."""
        self.closing = False
        """Whether new requests are refused."""
        self.ended = False
        """Whether running answers were cancelled."""

    def close(self) -> None:
        """Refuse new requests and wake those that wait, so that they are refused too. Running requests go on."""
        self.closing = True
        while self._queue:
            self.busy += 1
            self._admit_first()

    def end(self) -> None:
        """Close, and cancel the running answers, each with ShuttingDown."""
        self.close()
        self.ended = True
        for scope in self._answers:
            scope.cancel()

    @property
    def answering(self) -> int:
        """How many answers are being made now."""
        return len(self._answers)

    def require_open(self) -> None:
        """Raise ShuttingDown if new requests are refused."""
        if self.closing:
            raise ShuttingDown("The server is shutting down and takes no new requests. Ask again in a moment.")

    def enter(self) -> Event:
        """Join the queue. The event is set when the request may run. Every `enter` needs a `leave`, admitted or not.

        Raises Overloaded if the queue is full, ShuttingDown if the server is closing.
        """
        self.require_open()
        admitted = Event()
        if self.busy < self._at_once:
            self.busy += 1
            admitted.set()
        elif len(self._queue) < self._max_waiting:
            self._queue.append(admitted)
            self._metrics.waiting.set(len(self._queue))
        else:
            raise Overloaded(
                f"{self.busy} requests are being worked on and {len(self._queue)} wait; no more are taken. "
                "Ask again in a moment, or raise max_requests or max_waiting_requests."
            )
        return admitted

    def leave(self, admitted: Event) -> None:
        """End a request that ran, and admit the first one that waits; or remove a waiting request from the queue."""
        if admitted in self._queue:
            self._queue.remove(admitted)
            self._metrics.waiting.set(len(self._queue))
        elif self._queue:
            self._admit_first()
        else:
            self.busy -= 1

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for admission, then let the block run as an admitted request. Raises as `enter` does."""
        admitted = self.enter()
        try:
            await admitted.wait()
            self.require_open()
            yield
        finally:
            self.leave(admitted)

    @contextmanager
    def deadline(self, until: float) -> Iterator[None]:
        """Cancel the block at the time `until` (by the event loop's clock), or at `end`.

        Raises AnswerTimedOut or ShuttingDown after it was cancelled.
        """
        with CancelScope(deadline=until) as scope:
            self._answers.add(scope)
            if self.ended:
                scope.cancel()
            try:
                yield
            finally:
                self._answers.discard(scope)
        if scope.cancelled_caught:
            if self.ended:
                raise ShuttingDown("The server shut down before the answer was whole. Ask again in a moment.")
            raise AnswerTimedOut(
                "The answer took longer than answer_timeout_s allows. Ask for one thing at a time, or raise the setting."
            )

    def _admit_first(self) -> None:
        self._queue.popleft().set()
        self._metrics.waiting.set(len(self._queue))
