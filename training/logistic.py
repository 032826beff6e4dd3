"""Logistic regression with weights and an L2 penalty, by Newton's method with step halving."""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def fit(x: Numbers, y: Numbers, weight: Numbers, ridge: float, rounds: int = 60) -> tuple[Numbers, float]:
    """Weights (d,) and bias that minimise the weighted loss of rows x (n, d) and labels y (n,) of 0 and 1.

    The penalty, half of `ridge` times the squared weights, spares the bias. A step that does not lower the loss is halved.
    """
    design = np.hstack([x, np.ones((len(x), 1))])
    penalty = np.array([ridge] * x.shape[1] + [0.0])

    def loss(solution: Numbers) -> float:
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
