"""What a server is at: so many requests at once, so many waiting, answers that end in time, and its own closing."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from anyio import CancelScope, Event

from service.errors import AnswerTimedOut, Overloaded, ShuttingDown
from service.observability.metrics import Metrics


class Running:
    """`at_once` requests have a turn, `waiting` more stand in a queue, first come first served; the rest are refused.

    Lives on the event loop; not thread-safe.
    """

    def __init__(self, at_once: int, waiting: int, metrics: Metrics) -> None:
        self._at_once = at_once
        self._most_waiting = waiting
        self._metrics = metrics
        self._queue: deque[Event] = deque()
        self._answers: set[CancelScope] = set()
        self.busy = 0
        """Requests that have their turn now."""
        self.closing = False
        """No new request is taken."""
        self.ended = False
        """No answer goes on."""

    def close(self) -> None:
        """Take no new request, and tell those in the queue; what has its turn goes on."""
        self.closing = True
        while self._queue:
            self.busy += 1
            self._call_first()

    def end(self) -> None:
        """Close, and end the answers that are being made: each with ShuttingDown."""
        self.close()
        self.ended = True
        for scope in self._answers:
            scope.cancel()

    def require_open(self) -> None:
        """Raise ShuttingDown when no new request is taken."""
        if self.closing:
            raise ShuttingDown("The server is shutting down and takes no new requests. Ask again in a moment.")

    def line_up(self) -> Event:
        """Stand in the queue: the event is set when it is one's turn. Whoever lines up has to `leave`, turn or not.

        Raises Overloaded when the queue is full, ShuttingDown when the server is closing.
        """
        self.require_open()
        called = Event()
        if self.busy < self._at_once:
            self.busy += 1
            called.set()
        elif len(self._queue) < self._most_waiting:
            self._queue.append(called)
            self._metrics.waiting.set(len(self._queue))
        else:
            raise Overloaded(
                f"{self.busy} requests are being worked on and {len(self._queue)} wait; no more are taken. "
                "Ask again in a moment, or raise max_requests or max_waiting_requests."
            )
        return called

    def leave(self, called: Event) -> None:
        """Give the turn to the first in the queue, before any newcomer; or leave the queue."""
        if called in self._queue:
            self._queue.remove(called)
            self._metrics.waiting.set(len(self._queue))
        elif self._queue:
            self._call_first()
        else:
            self.busy -= 1

    @contextmanager
    def answering(self, until: float) -> Iterator[None]:
        """Cancel the block at the time `until` (of the event loop's clock), or at `end`.

        Raises AnswerTimedOut or ShuttingDown then.
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

    def _call_first(self) -> None:
        self._queue.popleft().set()
        self._metrics.waiting.set(len(self._queue))
