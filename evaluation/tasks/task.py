"""The interface of a task: it does the model work in `observe` and the arithmetic in `scores`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, get_args

from evaluation.cases import Case

TaskName = Literal["answer", "retrieve", "read", "verify"]
TASKS: tuple[TaskName, ...] = get_args(TaskName)
Scores = dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Observation:
    """The output for one case, as JSON values, and milliseconds by stage (separate: they differ from run to run)."""

    output: Mapping[str, Any]
    timings_ms: Mapping[str, float] = field(default_factory=dict)


class Task(Protocol):
    """What a run does with each case. Thread-safe. If `observe` fails, the run writes a row with the error."""

    name: TaskName

    def observe(self, case: Case) -> Observation:
        """Do the work of one case."""
        ...

    def scores(self, case: Case, output: Mapping[str, Any]) -> Scores:
        """Scores of one case from its output; None where the case is not eligible. Pure."""
        ...


def round_score(value: float) -> float:
    """The value with six decimals, as in rows, so that a float's last bits do not make equal runs differ."""
    return round(float(value), 6)
