"""A plugin for pytest: ask a system the cases of a file in a test, and assert gates on what comes out.

    def test_our_chain_is_good_enough(quoth_eval):
        measured = quoth_eval("cases.jsonl", target=my_chain.answer)
        measured.at_least("correct", 0.8)
        measured.at_least("quote_validity", 1.0, of="low")

`target` is a Python function, or what `quoth eval run --target` takes. Without it, Quoth in this process is asked over the
collection, or over the files beside the cases. JUnit files, retries and selection are pytest's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pytest

if TYPE_CHECKING:
    from evaluation.summary import Figure


@dataclass(frozen=True)
class Measured:
    """The figures of a run, whose rows are in `folder`."""

    folder: Path
    figures: tuple[Figure, ...]

    def value(self, metric: str, of: Literal["value", "low", "high"] = "value") -> float:
        """A metric, or an end of its interval. Fails the test if the run does not have the metric."""
        found = {figure.metric: figure.estimate for figure in self.figures}
        if metric not in found:
            pytest.fail(f"{metric} was not measured; there are {', '.join(sorted(found))}. Rows: {self.folder}")
        number: float = getattr(found[metric], of)
        return number

    def at_least(self, metric: str, bound: float, of: Literal["value", "low", "high"] = "value") -> None:
        """Fail the test, naming the cases to look at first, if the metric is below the bound."""
        measured = self.value(metric, of)
        if measured < bound:
            pytest.fail(f"{metric} ({of}) is {measured:.4f}, wanted >= {bound}. {self._lowest(metric)}")

    def at_most(self, metric: str, bound: float, of: Literal["value", "low", "high"] = "value") -> None:
        """Fail the test, naming the cases to look at first, if the metric is above the bound."""
        measured = self.value(metric, of)
        if measured > bound:
            pytest.fail(f"{metric} ({of}) is {measured:.4f}, wanted <= {bound}. Rows: {self.folder}")

    def records(self) -> list[dict[str, Any]]:
        """The cases as flat records, for a data frame."""
        from evaluation.frame import frame

        return frame(self.folder)

    def _lowest(self, metric: str) -> str:
        scored = [record for record in self.records() if record.get(f"score.{metric}") is not None]
        lowest = sorted(scored, key=lambda record: record[f"score.{metric}"])[:3]
        return "Lowest: " + "; ".join(f"{r['case']}: {r['question']}" for r in lowest) + f". Rows: {self.folder}"


class Evaluate(Protocol):
    """The fixture `quoth_eval`: run cases and return what was measured."""

    def __call__(
        self,
        cases: Path | str,
        *,
        target: str | Callable[[str], object] | None = None,
        collection: str | None = None,
        sample: int | None = None,
        seed: int = 0,
        **options: Any,
    ) -> Measured:
        """Run the cases of a file. `options` are those of an endpoint: `model`, `citations`, `key`."""
        ...


@pytest.fixture(scope="session")
def quoth_eval(tmp_path_factory: pytest.TempPathFactory) -> Evaluate:
    """Run the cases of a file through a system, in a folder of the test session."""

    def evaluate(
        cases: Path | str,
        *,
        target: str | Callable[[str], object] | None = None,
        collection: str | None = None,
        sample: int | None = None,
        seed: int = 0,
        **options: Any,
    ) -> Measured:
        from evaluation.rows import read_rows
        from evaluation.summary import figures

        out = tmp_path_factory.mktemp("quoth_eval")
        if target is None:
            from evaluation.execution import RunPlan, execute

            execute(
                RunPlan(Path(cases), collection=collection, sample=sample, seed=seed), out, out / "index", _Unwatched()
            )
        else:
            from evaluation.systems.execution import SystemPlan, execute_system
            from evaluation.systems.targets import FunctionTarget, open_target

            named = getattr(target, "__qualname__", "function")
            system = open_target(target, **options) if isinstance(target, str) else FunctionTarget(target, named)
            plan = SystemPlan(Path(cases), collection=collection, sample=sample, seed=seed)
            execute_system(plan, system, out)
            system.close()
        return Measured(out, tuple(figures(read_rows(out), seed=seed)))

    return evaluate


class _Unwatched:
    """A watcher that shows nothing."""

    def __call__(self, name: str, total: int | None = None) -> Callable[..., None]:
        return lambda *_: None
