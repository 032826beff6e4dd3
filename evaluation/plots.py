"""Plots of a run as inline SVG: risk-coverage, calibration, retrieval depth, latency.

Drawn by matplotlib without a display; the same rows give the same bytes.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from evaluation.metrics.confidence import reliability, risk_coverage
from evaluation.metrics.retrieval import DEPTHS
from evaluation.metrics.statistics import mean_interval, percentiles
from evaluation.rows import Row
from evaluation.summary import answered_correctness, judged_confidence

_INK, _ACCENT, _SOFT, _WARM = "#1f2933", "#2563eb", "#93c5fd", "#d97706"
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "quoth",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9aa5b1",
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.grid": True,
    "grid.color": "#e4e7eb",
    "axes.axisbelow": True,
}
_FORMS = {"": "as Quoth searches", "last": "last turn as it is", "gold": "rewritten by a person"}


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing with its title and a caption that says how to read it."""

    title: str
    caption: str
    svg: str


def plots(rows: Sequence[Row], timings: Mapping[str, Mapping[str, float]]) -> list[Plot]:
    """The plots that the rows have data for."""
    drawn = [_risk_coverage(rows), _calibration(rows), _depth(rows), _latency(timings)]
    return [plot for plot in drawn if plot is not None]


def _risk_coverage(rows: Sequence[Row]) -> Plot | None:
    confidence, correct = answered_correctness(rows)
    if len(set(confidence)) < 2:
        return None
    coverage, risk = risk_coverage(confidence, correct)

    def draw(axes: Any) -> None:
        axes.step(coverage, risk, where="post", color=_ACCENT, linewidth=2)
        axes.axhline(float(risk[-1]), color="#9aa5b1", linewidth=1, linestyle="--")
        axes.set(xlabel="share of these answers given", ylabel="share of them wrong", xlim=(0, 1.01), ylim=(0, None))

    caption = (
        "Give only the most confident answers, and this many of them are wrong. "
        "A useful confidence bends the line down to the left."
    )
    return Plot("Risk and coverage", caption, _svg(draw))


def _calibration(rows: Sequence[Row]) -> Plot | None:
    confidence, positive = judged_confidence(rows)
    if len(set(positive)) < 2:
        return None
    bins = reliability(confidence, positive)
    largest = max(bin.count for bin in bins)

    def draw(axes: Any) -> None:
        axes.plot([0, 1], [0, 1], color="#9aa5b1", linewidth=1, linestyle="--")
        axes.plot([bin.confidence for bin in bins], [bin.positives for bin in bins], color=_ACCENT, linewidth=1.5)
        sizes = [30 + 250 * bin.count / largest for bin in bins]
        axes.scatter(
            [bin.confidence for bin in bins], [bin.positives for bin in bins], s=sizes, color=_ACCENT, alpha=0.75
        )
        axes.set(xlabel="confidence", ylabel="share that came true", xlim=(-0.02, 1.02), ylim=(-0.02, 1.05))

    caption = "On the dashed line a confidence of 0.8 is right eight times in ten. Larger dots hold more cases."
    return Plot("Calibration", caption, _svg(draw))


def _depth(rows: Sequence[Row]) -> Plot | None:
    lines = {form: _recalls(rows, f"/{form}" if form else "") for form in _FORMS}
    lines = {form: points for form, points in lines.items() if points}
    if not lines:
        return None

    def draw(axes: Any) -> None:
        for (form, points), colour in zip(lines.items(), (_ACCENT, _WARM, "#059669"), strict=False):
            depths = [depth for depth, _ in points]
            axes.plot(depths, [e.value for _, e in points], color=colour, marker="o", markersize=4, label=_FORMS[form])
            axes.fill_between(depths, [e.low for _, e in points], [e.high for _, e in points], color=colour, alpha=0.15)
        axes.set_xscale("log")
        axes.set_xticks(DEPTHS, [str(depth) for depth in DEPTHS])
        axes.minorticks_off()
        axes.set(xlabel="documents looked at", ylabel="recall", ylim=(0, 1.02))
        if len(lines) > 1:
            axes.legend(frameon=False)

    return Plot(
        "Retrieval depth", "Share of the relevant documents among the first so many, with 95 % intervals.", _svg(draw)
    )


def _latency(timings: Mapping[str, Mapping[str, float]]) -> Plot | None:
    walls = sorted(stages["wall"] for stages in timings.values() if "wall" in stages)
    if len(walls) < 2:
        return None
    marks = percentiles(walls)

    def draw(axes: Any) -> None:
        axes.step(walls, np.arange(1, len(walls) + 1) / len(walls), where="post", color=_ACCENT, linewidth=2)
        for name in ("p50", "p95"):
            axes.axvline(marks[name], color=_WARM, linewidth=1, linestyle="--")
            axes.annotate(f"{name} {marks[name]:.0f} ms", (marks[name], 0.04), rotation=90, ha="right", color=_WARM)
        axes.set(xlabel="milliseconds per case", ylabel="share of cases", ylim=(0, 1.02), xlim=(0, None))

    return Plot("Latency", "Wall-clock time of each case, measured while other cases were running.", _svg(draw))


def _recalls(rows: Sequence[Row], suffix: str) -> list[tuple[int, Any]]:
    points = [(depth, mean_interval([row.scores.get(f"recall@{depth}{suffix}") for row in rows])) for depth in DEPTHS]
    return [(depth, estimate) for depth, estimate in points if estimate is not None]


def _svg(draw: Callable[[Any], None]) -> str:
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(5.2, 3.4), layout="constrained")
        figure.patch.set_alpha(0)
        draw(figure.subplots())
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]
