"""Percentiles of seconds, and tokens."""

from collections.abc import Sequence

import numpy as np

PERCENTILES = (50, 90, 95, 99)


def percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """p50, p90, p95 and p99 with linear interpolation (numpy's default); empty without values."""
    if not len(milliseconds):
        return {}
    found = np.percentile(np.asarray(milliseconds, float), PERCENTILES)
    return {f"p{name}": float(value) for name, value in zip(PERCENTILES, found, strict=True)}
