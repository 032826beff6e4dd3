"""Statistics of scores and times: percentiles, bootstrap intervals, and paired tests between two runs.

Efron & Tibshirani 1993 for the bootstrap; Smucker et al. 2007 (https://dl.acm.org/doi/10.1145/1321440.1321528) compare
the paired tests used in retrieval: the randomisation test and the paired bootstrap agree. All draws come from one
seeded generator, so the same numbers give the same interval.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 2_000
CORPUS_DRAWS = 500
_BLOCK = 4_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval and the number of cases that were eligible."""

    value: float
    low: float
    high: float
    cases: int


def mean_interval(scores: Sequence[float | None], *, seed: int = 0, draws: int = DRAWS) -> Estimate | None:
    """Mean of the scores that are not None, with its bootstrap interval. None when no case is eligible."""
    values = np.asarray([score for score in scores if score is not None], float)
    if not len(values):
        return None
    means = _resampled_means(values, np.random.default_rng(seed), draws)
    low, high = np.percentile(means, (2.5, 97.5))
    return Estimate(float(values.mean()), float(low), float(high), len(values))


def corpus_interval(
    metric: Callable[[NDArray[np.intp]], float | None], cases: int, *, seed: int = 0, draws: int = CORPUS_DRAWS
) -> Estimate | None:
    """Interval of a metric of the whole set (F1, AUROC, calibration error).

    `metric` takes the positions of a resampled set.

    Draws for which the metric is undefined are left out. None if it is undefined on the set itself.
    """
    value = metric(np.arange(cases))
    if value is None:
        return None
    rng = np.random.default_rng(seed)
    drawn = (metric(rng.integers(0, cases, cases)) for _ in range(draws))
    defined = [sample for sample in drawn if sample is not None]
    low, high = np.percentile(defined, (2.5, 97.5)) if defined else (value, value)
    return Estimate(value, float(low), float(high), cases)


def paired_difference(
    before: Sequence[float], after: Sequence[float], *, seed: int = 0, draws: int = 10_000
) -> tuple[Estimate, float]:
    """Mean of `after - before` over the same cases with its bootstrap interval, and the two-sided p of the sign-flip
    test.

    p is the share of random sign flips of the differences whose mean is at least as far from zero, counting the
    observed one (Phipson & Smyth 2010), so it is never 0. Without any difference p is 1.
    """
    differences = np.asarray(after, float) - np.asarray(before, float)
    if not len(differences):
        raise ValueError("no case in common")
    rng = np.random.default_rng(seed)
    low, high = np.percentile(_resampled_means(differences, rng, draws), (2.5, 97.5))
    observed = abs(differences.mean())
    extreme = 0
    for size in _blocks(draws, len(differences)):
        signs = rng.integers(0, 2, (size, len(differences)), dtype=np.int8) * 2 - 1
        extreme += int((np.abs(signs @ differences) / len(differences) >= observed - 1e-12).sum())
    estimate = Estimate(float(differences.mean()), float(low), float(high), len(differences))
    return estimate, (extreme + 1) / (draws + 1)


def _resampled_means(values: NDArray[np.float64], rng: np.random.Generator, draws: int) -> NDArray[np.float64]:
    """Means of `draws` resamples, computed in blocks that need some tens of megabytes of memory."""
    parts = [
        values[rng.integers(0, len(values), (size, len(values)))].mean(axis=1) for size in _blocks(draws, len(values))
    ]
    return np.concatenate(parts)


def _blocks(draws: int, cases: int) -> list[int]:
    size = max(1, min(draws, _BLOCK // cases))
    return [min(size, draws - begun) for begun in range(0, draws, size)]


PERCENTILES = (50, 90, 95, 99)


def percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """p50, p90, p95 and p99 with linear interpolation (numpy's default); empty without values."""
    if not len(milliseconds):
        return {}
    values = np.percentile(np.asarray(milliseconds, float), PERCENTILES)
    return {f"p{name}": float(value) for name, value in zip(PERCENTILES, values, strict=True)}
