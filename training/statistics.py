"""Metrics, bootstrap intervals and weighted logistic regression, as small functions of plain numbers."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = Sequence[float] | Array


def auroc(labels: Numbers, scores: Numbers) -> float:
    """Area under the ROC curve: the chance that a positive outscores a negative, ties counting half. NaN for one class."""
    truth, value = np.asarray(labels) > 0.5, np.asarray(scores, dtype=np.float64)
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return float("nan")
    order = np.argsort(value, kind="stable")
    ranks = np.empty(len(value))
    ranks[order] = np.arange(1, len(value) + 1)
    values, inverse, counts = np.unique(value, return_inverse=True, return_counts=True)
    sums = np.zeros(len(values))
    np.add.at(sums, inverse, ranks)
    ranks = (sums / counts)[inverse]
    return float((ranks[truth].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def balanced_accuracy(labels: Numbers, scores: Numbers, threshold: float) -> float:
    """Mean of the recall of both classes when a score of at least `threshold` counts as positive."""
    truth, predicted = np.asarray(labels) > 0.5, np.asarray(scores) >= threshold
    return float((predicted[truth].mean() + (~predicted)[~truth].mean()) / 2)


def best_threshold(labels: Numbers, scores: Numbers) -> float:
    """The threshold that maximises balanced accuracy, midway between two neighbouring scores."""
    values = np.unique(np.asarray(scores, dtype=np.float64))
    middles = (values[1:] + values[:-1]) / 2 if len(values) > 1 else values
    if len(middles) > 400:
        middles = middles[np.linspace(0, len(middles) - 1, 400).astype(int)]
    return float(max(middles, key=lambda t: balanced_accuracy(labels, scores, t)))


def ndcg(ranked_gains: Sequence[float], ideal_gains: Sequence[float], depth: int = 10) -> float:
    """Normalised discounted cumulative gain of a ranking at `depth` (Jaervelin and Kekaelaeinen 2002, log2 discount)."""
    discounts = 1 / np.log2(np.arange(2, depth + 2))
    gains = np.asarray(ranked_gains[:depth], dtype=np.float64)
    best = np.sort(np.asarray(ideal_gains, dtype=np.float64))[::-1][:depth]
    ideal = float(best @ discounts[: len(best)])
    return float(gains @ discounts[: len(gains)]) / ideal if ideal else float("nan")


def interval(
    measure: Callable[[NDArray[np.int64]], float], count: int, rounds: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """95 % percentile bootstrap interval of `measure`, which takes row numbers drawn with replacement out of `count`."""
    rng = np.random.default_rng(seed)
    values = [measure(rng.integers(0, count, count)) for _ in range(rounds)]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def fit_logistic(x: Array, y: Array, weight: Array, ridge: float, rounds: int = 60) -> tuple[Array, float]:
    """Weights (d,) and bias that minimise the weighted logistic loss of rows x (n, d) and labels y (n,) of 0 and 1.

    Newton's method with step halving: a step that does not lower the loss is halved. The L2 penalty is half of `ridge` times
    the squared weights; the bias is not penalised.
    """
    design = np.hstack([x, np.ones((len(x), 1))])
    penalty = np.array([ridge] * x.shape[1] + [0.0])

    def loss(solution: Array) -> float:
        margin = design @ solution
        return float(weight @ (np.logaddexp(0.0, margin) - y * margin) + penalty @ solution**2 / 2)

    solution = np.zeros(design.shape[1])
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-np.clip(design @ solution, -30, 30)))
        gradient = design.T @ (weight * (p - y)) + penalty * solution
        curve = (design * (weight * p * (1 - p))[:, None]).T @ design + np.diag(penalty) + 1e-9 * np.eye(len(solution))
        step = np.linalg.solve(curve, gradient)
        size = 1.0
        while loss(solution - size * step) > loss(solution) and size > 1e-6:
            size /= 2
        solution = solution - size * step
        if np.abs(size * step).max() < 1e-9:
            break
    return solution[:-1], float(solution[-1])
