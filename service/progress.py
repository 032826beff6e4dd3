"""The stages of one answer: times them, and stops the work when nobody waits for the answer any more.

A stage that waits for another machine is cut off at once (`when_stopped`), one that generates token by token ends at the
next token (`raise_if_stopped`), and any other stage runs to its end.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Event, Lock
from time import perf_counter_ns, time_ns

from index.inference.batching import ABANDONED

STAGES = ("rewrite", "retrieve", "read", "generate", "check")
"""In the order in which an answer passes through them; `read` also reranks. The last two alternate, sentence by sentence."""
_NS_PER_MS = 1e6


class AnswerStopped(Exception):
    """Nobody waits for the answer any more. The caller of `Stages.stop` expects this exception; it is not a failure."""


@dataclass(frozen=True, slots=True)
class Lap:
    """One period of time in a stage, in nanoseconds since 1970. `failed`: it ended with an error."""

    stage: str
    begin_ns: int
    end_ns: int
    failed: bool = False


class Stages:
    """The timings and counts of one answer. The answering thread fills it; `stop` may be called from any other thread."""

    def __init__(self) -> None:
        self._epoch_ns = time_ns() - perf_counter_ns()
        self._begin_ns = perf_counter_ns()
        self._stopped = Event()
        self._laps: list[Lap] = []
        self._guard = Lock()
        self._cuts: list[Callable[[], None]] = []
        self.unsupported = 0
        """How many sentences no passage supports (dropped or marked)."""
        self.retries = 0
        """How often a request to a language model's server was repeated."""
        self.rewriting: str | None = None
        """The outcome of a language model's rewriting of the question: taken, rejected or failed; None if none was asked."""
        self.fell_back = False
        """Whether the language model failed and the answer was quoted from the documents instead."""

    @property
    def laps(self) -> tuple[Lap, ...]:
        """The laps so far, in order."""
        return tuple(self._laps)

    @property
    def start_ns(self) -> int:
        """When the work on the answer began, in nanoseconds since 1970."""
        return self._epoch_ns + self._begin_ns

    @contextmanager
    def lap(self, stage: str) -> Iterator[None]:
        """Time the block as part of `stage`, one of STAGES. After `stop`, raises AnswerStopped instead of running the block.

        The block must run in one thread, so it holds no `yield`. When `stop` is called, the models drop this thread's inputs
        that are still queued.
        """
        self.raise_if_stopped()
        begin = perf_counter_ns()
        failed = True
        abandoned, current = ABANDONED.set(self._stopped), _CURRENT.set(self)
        try:
            yield
            failed = False
        finally:
            _CURRENT.reset(current)
            ABANDONED.reset(abandoned)
            self._laps.append(Lap(stage, self._epoch_ns + begin, self._epoch_ns + perf_counter_ns(), failed))

    def stop(self) -> None:
        """Make the running stage the last one, and cut off the requests that it waits for."""
        with self._guard:
            self._stopped.set()
            cuts, self._cuts = self._cuts, []
        for cut in cuts:
            cut()

    def when_stopped(self, cut: Callable[[], None]) -> None:
        """Have `stop` call `cut`, in the thread that calls `stop`; call it now if `stop` came before.

        `cut` must do nothing when the request is already over.
        """
        with self._guard:
            if not self._stopped.is_set():
                self._cuts.append(cut)
                return
        cut()

    def saw(self, step: object) -> None:
        """Take what a step saw and decided, and forget it; `service.answering.trace.Trace` keeps it."""

    def raise_if_stopped(self) -> None:
        """Raise AnswerStopped after `stop`."""
        if self._stopped.is_set():
            raise AnswerStopped("nobody waits for the answer any more")

    def pause(self, seconds: float) -> None:
        """Wait for so many seconds. Raises AnswerStopped as soon as `stop` is called."""
        self._stopped.wait(seconds)
        self.raise_if_stopped()

    def milliseconds(self) -> dict[str, float]:
        """Milliseconds by stage, and `total` since the work began."""
        spent: dict[str, float] = {}
        for lap in self._laps:
            spent[lap.stage] = spent.get(lap.stage, 0.0) + (lap.end_ns - lap.begin_ns) / _NS_PER_MS
        spent["total"] = (perf_counter_ns() - self._begin_ns) / _NS_PER_MS
        return {stage: round(ms, 3) for stage, ms in spent.items()}


_CURRENT: ContextVar[Stages | None] = ContextVar("_CURRENT", default=None)


def current_stages() -> Stages:
    """The stages of the answer that this thread works on; outside of any answer, new stages that nobody stops."""
    return _CURRENT.get() or Stages()
