"""Callers in different threads share the runs of one model: what comes while it is busy forms the next batch.

A caller who comes alone runs at once, in its own thread: there is no worker thread, no timer, and nobody waits for company.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from threading import Event, Lock
from typing import Generic, TypeVar

Row = TypeVar("Row")
Result = TypeVar("Result")

ABANDONED: ContextVar[Event | None] = ContextVar("ABANDONED", default=None)
"""Set by whoever calls: once the event is set, work that still waits for its turn is dropped."""


class Abandoned(Exception):
    """The work was dropped before its turn came, because its caller no longer wants it."""


class _Ticket(Generic[Row, Result]):
    """One caller's rows on their way."""

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

    `run` gives one result a row, in order. `size` says how much of a batch a row takes, and a batch takes in further callers,
    in the order in which they came, while the sizes sum up to at most `most`. A joint run that fails is repeated for each
    caller alone, so that each gets its own results or its own error.
    """

    def __init__(self, run: Callable[[Sequence[Row]], Sequence[Result]], size: Callable[[Row], int], most: int) -> None:
        self._run = run
        self._size = size
        self._most = most
        self._guard = Lock()
        self._busy = False
        self._waiting: deque[_Ticket[Row, Result]] = deque()

    @property
    def waiting(self) -> int:
        """Callers that wait for their turn."""
        return len(self._waiting)

    def __call__(self, rows: Sequence[Row]) -> Sequence[Result]:
        """The results of `rows`. Raises what the run raises, or Abandoned."""
        ticket: _Ticket[Row, Result] = _Ticket(rows, sum(map(self._size, rows)))
        with self._guard:
            waits = self._busy
            self._busy = True
            if waits:
                self._waiting.append(ticket)
        if waits:
            ticket.called.wait()
        if ticket.results is None and ticket.error is None:  # not served by another: it is this thread's turn to serve
            self._serve(ticket)
        if ticket.error is not None:
            raise ticket.error
        assert ticket.results is not None
        return ticket.results

    def _serve(self, first: _Ticket[Row, Result]) -> None:
        batch = self._batch(first)
        try:
            if len(batch) > 1:
                self._together(batch)
            for ticket in batch:
                if ticket.results is None and ticket.error is None:
                    self._alone(ticket)
        finally:
            with self._guard:
                following = self._waiting.popleft() if self._waiting else None
                self._busy = following is not None
            for ticket in batch[1:]:
                ticket.called.set()
            if following is not None:
                following.called.set()

    def _batch(self, first: _Ticket[Row, Result]) -> list[_Ticket[Row, Result]]:
        """The first and those behind it that fit; who no longer wants a result is told so instead."""
        batch = [first]
        room = self._most - first.size
        with self._guard:
            while self._waiting:
                ticket = self._waiting[0]
                if ticket.is_wanted and ticket.size > room:
                    break
                room -= ticket.size if ticket.is_wanted else 0
                batch.append(self._waiting.popleft())
        for ticket in batch:
            if not ticket.is_wanted:
                ticket.error = Abandoned("nobody waits for it any more")
        return batch

    def _together(self, batch: Sequence[_Ticket[Row, Result]]) -> None:
        wanted = [ticket for ticket in batch if ticket.error is None]
        try:
            results = self._run([row for ticket in wanted for row in ticket.rows])
        except Exception:  # noqa: BLE001  (each caller's own run, which follows, raises it again)
            return
        done = 0
        for ticket in wanted:
            ticket.results = results[done : done + len(ticket.rows)]
            done += len(ticket.rows)

    def _alone(self, ticket: _Ticket[Row, Result]) -> None:
        try:
            ticket.results = self._run(ticket.rows)
        except BaseException as error:  # noqa: BLE001  (raised in the caller's own thread)
            ticket.error = error
