"""The stages of one answer in the making: timed, and ended when nobody waits for the answer any more.

A stage that waits for another machine is cut off at once (`when_stopped`), one that writes word by word ends with the next
(`require_wanted`), any other runs to its end.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Event, Lock
from time import perf_counter_ns, time_ns

from index.inference.batching import ABANDONED

STAGES = ("rewrite", "retrieve", "read", "generate", "check")
"""In the order in which an answer passes through them; `read` reranks, too. The last two take turns, sentence by sentence."""
_NS_PER_MS = 1e6


class AnswerStopped(Exception):
    """Nobody waits for the answer any more. Whoever called `Stages.stop` expects it; it is nobody's error."""


@dataclass(frozen=True, slots=True)
class Lap:
    """One stretch of time in a stage, in nanoseconds since 1970. `failed`: it ended with an error."""

    stage: str
    begin_ns: int
    end_ns: int
    failed: bool = False


class Stages:
    """Filled by the thread that answers; `stop` may be called from any other."""

    def __init__(self) -> None:
        self._epoch_ns = time_ns() - perf_counter_ns()
        self._begin_ns = perf_counter_ns()
        self._stopped = Event()
        self._laps: list[Lap] = []
        self._guard = Lock()
        self._cuts: list[Callable[[], None]] = []
        self.unsupported = 0
        """Sentences that no passage supports, dropped or marked."""
        self.retries = 0
        """How often a request to a language model's server was repeated."""
        self.rewriting: str | None = None
        """What became of a language model's rewriting of the question: taken, rejected, failed; None: none was asked."""
        self.fell_back = False
        """The language model failed, and the answer was taken from the documents word for word."""

    @property
    def laps(self) -> tuple[Lap, ...]:
        """What was done so far, in order."""
        return tuple(self._laps)

    @property
    def start_ns(self) -> int:
        """When the making began, in nanoseconds since 1970."""
        return self._epoch_ns + self._begin_ns

    @contextmanager
    def lap(self, stage: str) -> Iterator[None]:
        """Time the block as part of `stage`, one of STAGES. Raises Stopped instead of beginning it after `stop`.

        The block is one thread's: it holds no `yield`. Models drop what still waits for its turn in it when `stop` is called.
        """
        self.raise_if_stopped()
        begin = perf_counter_ns()
        failed = True
        token, current_stages = ABANDONED.set(self._stopped), _CURRENT.set(self)
        try:
            yield
            failed = False
        finally:
            _CURRENT.reset(current_stages)
            ABANDONED.reset(token)
            self._laps.append(Lap(stage, self._epoch_ns + begin, self._epoch_ns + perf_counter_ns(), failed))

    def stop(self) -> None:
        """Let the stage that runs be the last, and cut off what it waits for."""
        with self._guard:
            self._stopped.set()
            cuts, self._cuts = self._cuts, []
        for cut in cuts:
            cut()

    def when_stopped(self, cut: Callable[[], None]) -> None:
        """Have `stop` call `cut`, from its own thread; at once if it came before. What was over by then `cut` leaves alone."""
        with self._guard:
            if not self._stopped.is_set():
                self._cuts.append(cut)
                return
        cut()

    def raise_if_stopped(self) -> None:
        """Raise Stopped after `stop`."""
        if self._stopped.is_set():
            raise AnswerStopped("nobody waits for the answer any more")

    def pause(self, seconds: float) -> None:
        """Wait so long. Raises Stopped as soon as `stop` is called."""
        self._stopped.wait(seconds)
        self.raise_if_stopped()

    def milliseconds(self) -> dict[str, float]:
        """Milliseconds by stage, and `total` since the making began."""
        spent: dict[str, float] = {}
        for lap in self._laps:
            spent[lap.stage] = spent.get(lap.stage, 0.0) + (lap.end_ns - lap.begin_ns) / _NS_PER_MS
        spent["total"] = (perf_counter_ns() - self._begin_ns) / _NS_PER_MS
        return {stage: round(ms, 3) for stage, ms in spent.items()}


_CURRENT: ContextVar[Stages | None] = ContextVar("_RUNNING", default=None)


def current_stages() -> Stages:
    """The stages of the answer that this thread works on now; outside of any answer, stages that nobody stops."""
    return _CURRENT.get() or Stages()
