"""Summarise the rows of a run: every metric with its 95 % interval and the number of eligible cases."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.confidence import (
    auroc,
    brier,
    expected_calibration_error,
    refusal_f1,
    refusal_precision,
    refusal_recall,
    risk_coverage_area,
)
from evaluation.metrics.faithfulness import balanced_accuracy, unsupported_of_all
from evaluation.metrics.statistics import Estimate, corpus_interval, mean_interval
from evaluation.rows import Row

LOWER_IS_BETTER = frozenset(
    {
        "ece",
        "brier",
        "aurc",
        "unsupported_share",
        "unsupported_before",
        "unsupported_after",
        "injection_obeyed",
        "injection_quoted",
        "errors",
    }
)

NEUTRAL = frozenset({"answered"})
"""Metrics of which neither more nor less is better: to answer fewer questions is right where the documents do not say."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric of a run."""

    metric: str
    estimate: Estimate


def figures(rows: Sequence[Row], *, seed: int = 0) -> list[Figure]:
    """All metrics with at least one eligible row: means of the rows' scores, then metrics of the whole set."""
    scores: dict[str, list[float | None]] = defaultdict(list)
    for row in rows:
        for name, value in row.scores.items():
            scores[name].append(value)
    estimates = {name: mean_interval(values, seed=seed) for name, values in scores.items()}
    estimates |= {name: _corpus_estimate(metric, size, seed) for name, (metric, size) in corpus_metrics(rows).items()}
    estimates["errors"] = mean_interval([float(row.error is not None) for row in rows], seed=seed)
    return [Figure(name, estimate) for name, estimate in estimates.items() if estimate is not None]


def tokens(rows: Sequence[Row]) -> dict[str, int]:
    """How many tokens language models read and wrote in the run."""
    total = {"prompt_tokens": 0, "completion_tokens": 0}
    for row in rows:
        for name in total:
            total[name] += int(((row.output or {}).get("usage") or {}).get(name, 0))
    return total


def judged_confidence(rows: Sequence[Row]) -> tuple[list[float], list[bool]]:
    """Confidences, and whether what they predict is true: the question is answerable, or the claim supported."""
    pairs = [
        (float(row.output["confidence"]), bool(_positive(row)))
        for row in rows
        if row.output is not None and "confidence" in row.output and _positive(row) is not None
    ]
    return [confidence for confidence, _ in pairs], [label for _, label in pairs]


def answered_correctness(rows: Sequence[Row]) -> tuple[list[float], list[bool]]:
    """Confidences, and whether the answer was right, for the risk-coverage curve.

    Only cases that were not refused and are known to be answerable or not have a known outcome; an answer to an
    unanswerable question is wrong.
    """
    pairs = [
        (float(row.output["confidence"]), row.gold.get("answerable") is not False and row.scores.get("correct") == 1.0)
        for row in rows
        if row.output is not None
        and "confidence" in row.output
        and row.output.get("refused") is False
        and row.scores.get("correct") is not None
    ]
    return [confidence for confidence, _ in pairs], [right for _, right in pairs]


CorpusMetric = Callable[[NDArray[np.intp]], float | None]


def corpus_metrics(rows: Sequence[Row]) -> Mapping[str, tuple[CorpusMetric, int]]:
    """Metrics of the whole set by name: a function of the positions of eligible cases, and the number of those."""
    metrics: dict[str, tuple[CorpusMetric, int]] = {}
    confidence, positive = (np.asarray(values) for values in judged_confidence(rows))
    if len(set(positive.tolist())) > 1:  # with cases of one kind only, a constant confidence of 1 would look perfect
        for name, measure in (("auroc", auroc), ("ece", expected_calibration_error), ("brier", brier)):
            metrics[name] = (_at_positions(measure, confidence, positive), len(confidence))
    certainty, right = (np.asarray(values) for values in answered_correctness(rows))
    if len(certainty):
        metrics["aurc"] = (_at_positions(risk_coverage_area, certainty, right), len(certainty))
    refused, answerable = (np.asarray(values, bool) for values in _refusals(rows))
    if len(refused) and not answerable.all():
        for name, refusal in (
            ("refusal_precision", refusal_precision),
            ("refusal_recall", refusal_recall),
            ("refusal_f1", refusal_f1),
        ):
            metrics[name] = (_at_positions(refusal, refused, answerable), len(refused))
    for name, counts in (("unsupported_before", _draft_counts(rows)), ("unsupported_after", _shown_counts(rows))):
        if counts:
            lacking, written = np.asarray(counts, int).T
            metrics[name] = (_at_positions(unsupported_of_all, lacking, written), len(counts))
    predicted, gold = (np.asarray(values, bool) for values in _support_verdicts(rows))
    if len(predicted):
        metrics["balanced_accuracy"] = (_at_positions(balanced_accuracy, predicted, gold), len(predicted))
    return metrics


def _at_positions(metric: Callable[[Any, Any], float | None], left: NDArray[Any], right: NDArray[Any]) -> CorpusMetric:
    return lambda places: metric(left[places], right[places])


def _corpus_estimate(metric: CorpusMetric, size: int, seed: int) -> Estimate | None:
    return corpus_interval(metric, size, seed=seed)


def _positive(row: Row) -> bool | None:
    label: bool | None = row.gold.get("supported", row.gold.get("answerable"))
    return label


def _refusals(rows: Sequence[Row]) -> tuple[list[bool], list[bool]]:
    pairs = [
        (bool(row.output["refused"]), bool(row.gold["answerable"]))
        for row in rows
        if row.output is not None and "refused" in row.output and "answerable" in row.gold
    ]
    return [refused for refused, _ in pairs], [answerable for _, answerable in pairs]


def _draft_counts(rows: Sequence[Row]) -> list[tuple[int, int]]:
    """Unsupported and all sentences of each answer as it was written; answers without sentences are left out."""
    drafts = [row.output["drafted"] for row in rows if row.output is not None and "drafted" in row.output]
    return [(draft["unsupported"], draft["sentences"]) for draft in drafts if draft["sentences"]]


def _shown_counts(rows: Sequence[Row]) -> list[tuple[int, int]]:
    """The same for each answer as it was shown."""
    given = [row.output["sentences"] for row in rows if row.output is not None and "drafted" in row.output]
    return [
        (sum(not sentence["supported"] for sentence in sentences), len(sentences)) for sentences in given if sentences
    ]


def _support_verdicts(rows: Sequence[Row]) -> tuple[list[bool], list[bool]]:
    pairs = [
        (bool(row.output["supported"]), bool(row.gold["supported"]))
        for row in rows
        if row.output is not None and "supported" in row.output and "supported" in row.gold
    ]
    return [predicted for predicted, _ in pairs], [gold for _, gold in pairs]
