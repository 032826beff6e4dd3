"""Is a confidence of 0.8 right eight times in ten? Expected calibration error and Brier score.

Naeini et al. 2015 and Guo et al. 2017 (https://arxiv.org/abs/1706.04599): ten bins of equal width; the gap between mean
confidence and share of positives, weighted by the bin's cases. Brier 1950: mean squared difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """The cases whose confidence falls in one tenth: how many, their mean confidence and their share of positives."""

    count: int
    confidence: float
    positives: float


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
