"""The task `verify`: does the support checker separate supported claims from unsupported ones?"""

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any, Protocol

from evaluation.cases import Case, SourceDocument
from evaluation.tasks.task import Observation, Scores, TaskName, round_score

SUPPORTED_FROM = 0.5


class Checker(Protocol):
    """The support checker of service/scoring/support.py."""

    def check(self, pairs: Sequence[tuple[str, str]]) -> Sequence[float]:
        """For every (claim, premise): the probability that the premise supports the claim."""
        ...


class VerificationTask:
    """Has the checker compare each claim with its evidence text. From SUPPORTED_FROM on, the verdict is "supported"."""

    name: TaskName = "verify"

    def __init__(self, checker: Checker, sources: Mapping[str, SourceDocument]) -> None:
        self._checker = checker
        self._sources = sources

    def observe(self, case: Case) -> Observation:
        """The probability that the evidence supports the claim, and the verdict."""
        premise = " ".join(self._sources[name].text for name in case.given)
        begun = perf_counter()
        support = self._checker.check([(case.question, premise)])[0]
        wall = (perf_counter() - begun) * 1000
        return Observation({"confidence": round_score(support), "supported": support >= SUPPORTED_FROM}, {"wall": wall})

    def scores(self, case: Case, output: Mapping[str, Any]) -> Scores:
        """1 if the verdict is right."""
        return {"correct": None if case.supported is None else float(output["supported"] == case.supported)}


def unfit(cases: Sequence[Case]) -> str | None:
    """Why these cases do not suit the task; None if they do."""
    without = next((case.id for case in cases if case.supported is None), None)
    return None if without is None else f"case {without!r} is a question, not a claim with evidence"
