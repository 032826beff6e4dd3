"""Task, Observation: the face that a run drives. A task does the model work in `observe` and the arithmetic in `scores`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from evaluation.cases import Case

TaskName = Literal["answer", "retrieve", "read", "verify"]
Scores = dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Observation:
    """What came out for one case, as JSON values, and milliseconds by stage (kept apart: they differ from run to run)."""

    output: Mapping[str, Any]
    timings_ms: Mapping[str, float] = field(default_factory=dict)


class Task(Protocol):
    """Thread-safe. `observe` may fail; the run turns that into a row with an error."""

    name: TaskName

    def observe(self, case: Case) -> Observation:
        """Do the work of one case."""
        ...

    def scores(self, case: Case, output: Mapping[str, Any]) -> Scores:
        """Scores of one case from what was observed; None where the case is not eligible. Pure."""
        ...


def rounded(value: float) -> float:
    """Six decimals: what rows keep, so that the last bits of a float do not make two equal runs differ."""
    return round(float(value), 6)
