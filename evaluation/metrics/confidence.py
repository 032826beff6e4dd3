"""Metrics of refusals and of the confidence: are refusals right, does the confidence rank well, and is it calibrated?

A refusal of an unanswerable case is a true positive. Precision, recall and F1 of refusing; area under the ROC curve of
the confidence (probability that a random answerable case has higher confidence than a random unanswerable one, ties
half; Hanley & McNeil 1982); area under the risk-coverage curve (Geifman & El-Yaniv 2017,
https://arxiv.org/abs/1705.08500). Expected calibration error after Naeini et al. 2015 and Guo et al. 2017
(https://arxiv.org/abs/1706.04599): ten bins of equal width; the gap between mean confidence and share of positives,
weighted by the bin's cases. Brier 1950: mean squared difference. All take arrays of equal length; None where undefined.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """The cases whose confidence falls in one tenth: how many, their mean confidence and their share of positives."""

    count: int
    confidence: float
    positives: float


def refusal_precision(refused: Sequence[bool], answerable: Sequence[bool]) -> float | None:
    """Share of the refusals that were right. None without refusals."""
    gave, could = np.asarray(refused, bool), np.asarray(answerable, bool)
    return float((~could[gave]).mean()) if gave.any() else None


def refusal_recall(refused: Sequence[bool], answerable: Sequence[bool]) -> float | None:
    """Share of the unanswerable cases that were refused. None without unanswerable cases."""
    gave, could = np.asarray(refused, bool), np.asarray(answerable, bool)
    return float(gave[~could].mean()) if (~could).any() else None


def refusal_f1(refused: Sequence[bool], answerable: Sequence[bool]) -> float | None:
    """2 TP / (2 TP + FP + FN) of refusing. None when nothing was refused and nothing should have been."""
    gave, could = np.asarray(refused, bool), np.asarray(answerable, bool)
    hits = int((gave & ~could).sum())
    total = int(gave.sum() + (~could).sum())
    return 2 * hits / total if total else None


def auroc(confidence: Sequence[float], answerable: Sequence[bool]) -> float | None:
    """Area under the ROC curve of `confidence` for `answerable`. None when all cases are of one kind."""
    scores, could = np.asarray(confidence, float), np.asarray(answerable, bool)
    positive, negative = int(could.sum()), int((~could).sum())
    if not positive or not negative:
        return None
    ranks = _mid_ranks(scores)
    return float((ranks[could].sum() - positive * (positive + 1) / 2) / (positive * negative))


def risk_coverage(
    confidence: Sequence[float], correct: Sequence[bool]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The curve: coverages 1/n ... 1, and for each the share of wrong cases among that many most confident ones.

    Cases of equal confidence enter together: each gets the group's mean error, so that order within a tie does not
    matter.
    """
    scores, wrong = np.asarray(confidence, float), ~np.asarray(correct, bool)
    values, group = np.unique(-scores, return_inverse=True)
    mean_error = np.bincount(group, weights=wrong) / np.bincount(group) if len(values) else np.zeros(0)
    errors = mean_error[np.sort(group)]
    counts = np.arange(1, len(scores) + 1)
    return counts / max(1, len(scores)), np.cumsum(errors) / counts


def risk_coverage_area(confidence: Sequence[float], correct: Sequence[bool]) -> float | None:
    """Mean risk over all coverages (AURC), lower is better. None without cases."""
    if not len(confidence):
        return None
    return float(risk_coverage(confidence, correct)[1].mean())


def _mid_ranks(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1; ties share the mean of their ranks."""
    _, group, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: NDArray[np.float64] = (last - (counts - 1) / 2)[group]
    return ranks


def reliability(confidence: Sequence[float], positive: Sequence[bool], bins: int = BINS) -> list[Bin]:
    """The bins that are not empty, in order. Bin i holds i/bins <= confidence < (i+1)/bins; 1.0 falls in the last."""
    scores, labels = np.asarray(confidence, float), np.asarray(positive, bool)
    if len(scores) and (scores.min() < 0 or scores.max() > 1):
        raise ValueError(f"a confidence of {scores.min() if scores.min() < 0 else scores.max()} is not a probability")
    places = np.minimum((scores * bins).astype(int), bins - 1)
    return [
        Bin(int(inside.sum()), float(scores[inside].mean()), float(labels[inside].mean()))
        for inside in (places == number for number in range(bins))
        if inside.any()
    ]


def expected_calibration_error(confidence: Sequence[float], positive: Sequence[bool], bins: int = BINS) -> float | None:
    """Weighted mean gap between confidence and share of positives, 0 is best. None without cases."""
    filled = reliability(confidence, positive, bins)
    total = sum(bin.count for bin in filled)
    return sum(bin.count * abs(bin.confidence - bin.positives) for bin in filled) / total if total else None


def brier(confidence: Sequence[float], positive: Sequence[bool]) -> float | None:
    """Mean squared difference between confidence and outcome, 0 is best. None without cases."""
    if not len(confidence):
        return None
    return float(np.mean((np.asarray(confidence, float) - np.asarray(positive, bool)) ** 2))
