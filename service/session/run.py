"""AnswerRun: one answer being made, step by step in worker threads, which can be stopped at any time."""

from threading import Lock
from types import GeneratorType

from service.answering.answerer import Answerer, AnswerReady, Event
from service.progress import AnswerStopped, Stages
from service.records import Answer, Question


class AnswerRun:
    """The events of one answer, computed one at a time. Each step may run in another thread.

    A thread cannot be killed. After `end`, a running step begins no further stage, and closes the generator when it returns.
    `stages` are new ones unless the caller passes a trace.
    """

    def __init__(self, question: Question, answerer: Answerer, stages: Stages | None = None) -> None:
        self.stages = stages or Stages()
        self._events = answerer.stream(question, self.stages)
        self._guard = Lock()
        self._stepping = False
        self._ended = False

    def step(self) -> Event | None:
        """The next event; None after the last."""
        with self._guard:
            self._require_running()
            self._stepping = True
        try:
            return next(self._events, None)
        finally:
            with self._guard:
                self._stepping = False
                close_here = self._ended
            if close_here:
                self._close()

    def answer(self) -> Answer:
        """Run every step and return the answer."""
        while event := self.step():
            if isinstance(event, AnswerReady):
                return event.answer
        raise AssertionError("a stream ends with AnswerReady")

    def end(self) -> None:
        """Stop the work and free its resources. Does nothing after the last event."""
        self.stages.stop()
        with self._guard:
            self._ended = True
            if self._stepping:
                return
        self._close()

    def _require_running(self) -> None:
        if self._ended:
            raise AnswerStopped("ended")

    def _close(self) -> None:
        if isinstance(self._events, GeneratorType):
            self._events.close()
