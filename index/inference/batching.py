"""The Batcher: callers in different threads share the runs of one model.

Calls that arrive during a run form the next batch. A single caller runs at once, in its own thread: there is no worker
thread and no timer, and no call waits for others.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from threading import Event, Lock
from typing import Generic, TypeVar

Row = TypeVar("Row")
Result = TypeVar("Result")

ABANDONED: ContextVar[Event | None] = ContextVar("ABANDONED", default=None)
"""Set by the caller before the call. Once the event is set, the call is dropped if it still waits for its turn."""


class Abandoned(Exception):
    """The call was dropped before its turn came, because its caller no longer wants the result."""


class _Ticket(Generic[Row, Result]):
    """One caller's rows, and their results when they are done."""

    def __init__(self, rows: Sequence[Row], size: int) -> None:
        self.rows = rows
        self.size = size
        self.abandoned = ABANDONED.get()
        self.called = Event()
        self.results: Sequence[Result] | None = None
        self.error: BaseException | None = None

    @property
    def is_wanted(self) -> bool:
        return self.abandoned is None or not self.abandoned.is_set()


class Batcher(Generic[Row, Result]):
    """Runs `run` for many threads, one run at a time.

    `run` returns one result a row, in order. `size` gives the size of a row; a batch includes further callers, in order
    of arrival, while its sizes sum up to at most `max_size`. If a joint run fails, it is repeated for each caller
    alone, so that each gets its own results or its own error.
    """

    def __init__(
        self, run: Callable[[Sequence[Row]], Sequence[Result]], size: Callable[[Row], int], max_size: int
    ) -> None:
        self._run = run
        self._size = size
        self._max_size = max_size
        self._guard = Lock()
        self._busy = False
        self._waiting: deque[_Ticket[Row, Result]] = deque()

    @property
    def waiting(self) -> int:
        """The number of callers that wait for their turn."""
        return len(self._waiting)

    def __call__(self, rows: Sequence[Row]) -> Sequence[Result]:
        """The results of `rows`. Raises what the run raises, or `Abandoned`."""
        ticket: _Ticket[Row, Result] = _Ticket(rows, sum(map(self._size, rows)))
        with self._guard:
            waits = self._busy
            self._busy = True
            if waits:
                self._waiting.append(ticket)
        if waits:
            ticket.called.wait()
        if (
            ticket.results is None and ticket.error is None
        ):  # no other thread ran it, so it is this thread's turn to run
            self._serve(ticket)
        if ticket.error is not None:
            raise ticket.error
        assert ticket.results is not None
        return ticket.results

    def _serve(self, first: _Ticket[Row, Result]) -> None:
        batch = self._next_batch(first)
        try:
            if len(batch) > 1:
                self._run_together(batch)
            for ticket in batch:
                if ticket.results is None and ticket.error is None:
                    self._run_alone(ticket)
        finally:
            with self._guard:
                following = self._waiting.popleft() if self._waiting else None
                self._busy = following is not None
            for ticket in batch[1:]:
                ticket.called.set()
            if following is not None:
                following.called.set()

    def _next_batch(self, first: _Ticket[Row, Result]) -> list[_Ticket[Row, Result]]:
        """The first ticket and those after it that fit. Tickets no longer wanted get `Abandoned` as their error."""
        batch = [first]
        room = self._max_size - first.size
        with self._guard:
            while self._waiting:
                ticket = self._waiting[0]
                if ticket.is_wanted and ticket.size > room:
                    break
                room -= ticket.size if ticket.is_wanted else 0
                batch.append(self._waiting.popleft())
        for ticket in batch:
            if not ticket.is_wanted:
                ticket.error = Abandoned("its caller no longer waits for it")
        return batch

    def _run_together(self, batch: Sequence[_Ticket[Row, Result]]) -> None:
        wanted = [ticket for ticket in batch if ticket.error is None]
        try:
            results = self._run([row for ticket in wanted for row in ticket.rows])
        except Exception:  # noqa: BLE001  (each caller's own run, which follows, raises it again)
            return
        done = 0
        for ticket in wanted:
            ticket.results = results[done : done + len(ticket.rows)]
            done += len(ticket.rows)

    def _run_alone(self, ticket: _Ticket[Row, Result]) -> None:
        try:
            ticket.results = self._run(ticket.rows)
        except BaseException as error:  # noqa: BLE001  (raised in the caller's own thread)
            ticket.error = error
