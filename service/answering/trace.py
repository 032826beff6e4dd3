"""What each step of one answer saw and decided. `service/explaining` says from it where the right sentence was lost.

    trace = Trace()
    answer = answerer.answer(question, trace)
    trace.read[0].passages

A step tells `Stages.saw` what it did. Plain stages forget it at once; a trace keeps it, by reference, so nothing is copied.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from index.filters import Filter
from index.records import Hit
from service.answering.checking import CheckedSentence, Rejected
from service.answering.evidence import Weighed
from service.generators.protocol import Draft, Passage
from service.progress import Stages
from service.scoring.calibration import Signals


@dataclass(frozen=True, slots=True)
class Searched:
    """What was searched for, in which documents, and the `depth` passages that were found, best first."""

    queries: Sequence[str]
    where: Filter
    depth: int
    hits: Sequence[Hit]


@dataclass(frozen=True, slots=True)
class Read:
    """The passages as the reader scored them, most relevant first, and as they count, weighed by what the question names."""

    question: str
    passages: Sequence[Passage]
    weighed: Weighed


@dataclass(frozen=True, slots=True)
class Judged:
    """The confidence with the signals that it comes from, the lowest that is answered, and what the generator was shown."""

    signals: Signals | None
    confidence: float
    threshold: float
    shown: Sequence[Passage]


@dataclass(frozen=True, slots=True)
class Checked:
    """A sentence that a generator wrote from these passages: as it was shown, or why it was not."""

    draft: Draft
    passages: Sequence[Passage]
    outcome: CheckedSentence | Rejected


class Trace(Stages):
    """Stages that keep what was seen. Pass one to `Answerer.answer` or `Answerer.stream`, and read it afterwards."""

    def __init__(self) -> None:
        super().__init__()
        self.searched: list[Searched] = []
        self.read: list[Read] = []
        self.judged: list[Judged] = []
        self.checked: list[Checked] = []

    def saw(self, step: object) -> None:
        """Keep what a step saw, in order."""
        match step:
            case Searched():
                self.searched.append(step)
            case Read():
                self.read.append(step)
            case Judged():
                self.judged.append(step)
            case Checked():
                self.checked.append(step)
