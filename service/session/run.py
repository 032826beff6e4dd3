"""One answer in the making: its steps run in worker threads, and it can be ended from outside at any time."""

from threading import Lock
from types import GeneratorType

from service.answering.answerer import Answerer, AnswerReady, Event
from service.progress import Stages, Stopped
from service.records import Answer, Question


class Making:
    """The events of one answer. Steps are taken one at a time, each in whatever thread.

    A thread cannot be killed: `end` keeps it from beginning another stage, and a step that still runs then closes behind
    itself.
    """

    def __init__(self, question: Question, answerer: Answerer) -> None:
        self.stages = Stages()
        self._events = answerer.stream(question, self.stages)
        self._guard = Lock()
        self._stepping = False
        self._ended = False

    def step(self) -> Event | None:
        """The next event; None after the last."""
        with self._guard:
            self._require_wanted()
            self._stepping = True
        try:
            return next(self._events, None)
        finally:
            with self._guard:
                self._stepping = False
                leftover = self._ended
            if leftover:
                self._close()

    def whole(self) -> Answer:
        """All steps, to the answer."""
        while event := self.step():
            if isinstance(event, AnswerReady):
                return event.answer
        raise AssertionError("a stream ends with AnswerReady")

    def end(self) -> None:
        """Stop the work and free what it holds; nothing happens after the last event."""
        self.stages.stop()
        with self._guard:
            self._ended = True
            if self._stepping:
                return
        self._close()

    def _require_wanted(self) -> None:
        if self._ended:
            raise Stopped("ended")

    def _close(self) -> None:
        if isinstance(self._events, GeneratorType):
            self._events.close()
