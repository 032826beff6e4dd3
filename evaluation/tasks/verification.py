"""Checking support: does the checker tell supported claims from unsupported ones?"""

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

from evaluation.cases import Case, Source
from evaluation.tasks.task import Observation, Scores, TaskName, rounded


class Verifying:
    """Gives the checker each claim and its evidence text. `probability(premise, claim)` is the checker's."""

    name: TaskName = "verify"

    def __init__(
        self, probability: Callable[[str, str], float], threshold: float, sources: Mapping[str, Source]
    ) -> None:
        self._probability = probability
        self._threshold = threshold
        self._sources = sources

    def observe(self, case: Case) -> Observation:
        """The probability that the evidence supports the claim, and the verdict at the checker's threshold."""
        premise = " ".join(self._sources[name].text for name in case.given)
        begun = perf_counter()
        support = self._probability(premise, case.question)
        wall = (perf_counter() - begun) * 1000
        return Observation({"confidence": rounded(support), "supported": support >= self._threshold}, {"wall": wall})

    def scores(self, case: Case, output: Mapping[str, Any]) -> Scores:
        """1 if the verdict is right."""
        return {"correct": None if case.supported is None else float(output["supported"] == case.supported)}


def unfit(cases: Sequence[Case]) -> str | None:
    """Why these cases cannot be verified, None if they can."""
    without = next((case.id for case in cases if case.supported is None), None)
    return None if without is None else f"case {without!r} is a question, not a claim with evidence"
