"""`python -m training.threshold RUN...`: compare thresholds of refusal over whole corpora, and name the cheapest.

Each RUN is the folder of a run of `quoth eval run` with QUOTH_TARGET_PRECISION=0.5, so that hardly anything was refused. A
wrong answer that is shown costs 2, a right answer that is withheld costs 1; each corpus weighs the same, whatever its size.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.rows import Row, read_rows
from models import folder
from service.scoring.calibration import Calibration
from training.card import table

WRONG_SHOWN, RIGHT_WITHHELD = 2.0, 1.0
TARGETS = (0.52, 0.55, 0.6, 0.63, 0.66, 0.69, 0.72, 0.75, 0.77, 0.78, 0.79, 0.8, 0.82, 0.85, 0.9)
"""The target precisions that are compared."""


@dataclass(frozen=True)
class AskedCase:
    """A question that was asked: the confidence, whether the corpus answers it, and whether the answer shown was right."""

    confidence: float
    answerable: bool
    right: bool

    @classmethod
    def of(cls, row: Row) -> "AskedCase | None":
        """The case of a row; None if the run could not judge it.

        An answer is right if it cites the gold evidence, or where there is none, holds the gold answer.
        """
        if row.output is None or row.scores["correct"] is None:
            return None
        answerable = bool(row.gold["answerable"])
        right = answerable and not row.output["refused"] and row.scores["correct"] == 1.0
        return cls(float(row.output["confidence"]), answerable, right)


@dataclass(frozen=True)
class Outcome:
    """What a threshold does to the questions of a corpus, as shares of them all and of the two kinds.

    `answered_right` is the share of the answerable questions that are answered right, `refused` the share of the others that
    are refused; None where there are no such questions.
    """

    wrong_shown: float
    right_withheld: float
    answered_right: float | None
    refused: float | None

    @property
    def cost(self) -> float:
        """The cost of a question, on average."""
        return WRONG_SHOWN * self.wrong_shown + RIGHT_WITHHELD * self.right_withheld


def outcome(asked: Sequence[AskedCase], threshold: float) -> Outcome:
    """What happens to the questions if only a confidence of `threshold` or more is answered. Raises ValueError for none."""
    if not asked:
        raise ValueError("a run without a judged case has no outcome")
    shown = [case for case in asked if case.confidence >= threshold]
    answerable = [case for case in asked if case.answerable]
    others = [case for case in asked if not case.answerable]
    return Outcome(
        sum(not case.right for case in shown) / len(asked),
        sum(case.right and case.confidence < threshold for case in asked) / len(asked),
        sum(case.right for case in shown) / len(answerable) if answerable else None,
        sum(case.confidence < threshold for case in others) / len(others) if others else None,
    )


def mean_cost(runs: Mapping[str, Sequence[AskedCase]], threshold: float) -> float:
    """The mean of the corpora's costs."""
    return sum(outcome(asked, threshold).cost for asked in runs.values()) / len(runs)


def comparison(runs: Mapping[str, Sequence[AskedCase]], calibration: Calibration) -> str:
    """A Markdown table: for each target precision its threshold, its mean cost, and what it does to each corpus."""
    head = ["target", "threshold", "mean cost"]
    head += [f"{name} (n {len(asked)}): answered right, refused, cost" for name, asked in runs.items()]
    rows = []
    for target in TARGETS:
        threshold = calibration.threshold(target)
        found = [outcome(asked, threshold) for asked in runs.values()]
        cells = [f"{_share(o.answered_right)}, {_share(o.refused)}, {o.cost:.3f}" for o in found]
        rows.append((target, f"{threshold:.4f}", f"{mean_cost(runs, threshold):.4f}", *cells))
    cheapest = min(TARGETS, key=lambda target: (mean_cost(runs, calibration.threshold(target)), target))
    return f"{table(head, rows)}\n\nCheapest: {cheapest}\n"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+", help="folders of runs")
    options = parser.parse_args()
    asked = {run.name: [case for row in read_rows(run) if (case := AskedCase.of(row))] for run in options.runs}
    sys.stdout.write(comparison(asked, Calibration.load(folder("calibration"))))


if __name__ == "__main__":
    main()
