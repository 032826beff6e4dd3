"""Several runs of the same cases in one table: each metric with its interval, run by run, so that systems compare."""

from collections.abc import Sequence
from pathlib import Path

from evaluation import manifest
from evaluation.errors import RunInvalid
from evaluation.rows import Row, read_rows
from evaluation.summary import LOWER_IS_BETTER, NEUTRAL, Figure, figures


def table(folders: Sequence[Path]) -> str:
    """A Markdown table of the runs' metrics. A metric that a run does not have is left empty; the best value is bold if its
    interval lies apart from all others.

    Raises RunInvalid if the runs are not of the same cases.
    """
    runs = [read_rows(folder) for folder in folders]
    for folder, rows in zip(folders, runs, strict=True):
        _require_same_cases(folders[0], runs[0], folder, rows)
    names = _names(folders)
    columns = [_figures(folder, rows) for folder, rows in zip(folders, runs, strict=True)]
    metrics = list(dict.fromkeys(metric for column in columns for metric in column))
    lines = [f"| metric | {' | '.join(names)} |", f"| --- |{' ---: |' * len(names)}"]
    lines += [f"| {metric} | {' | '.join(_cells(metric, columns))} |" for metric in metrics]
    return "\n".join(lines)


def _names(folders: Sequence[Path]) -> list[str]:
    names = [folder.resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]


def _figures(folder: Path, rows: Sequence[Row]) -> dict[str, Figure]:
    seed = manifest.read(folder)["identity"]["seed"]
    return {figure.metric: figure for figure in figures(rows, seed=seed)}


def _cells(metric: str, columns: Sequence[dict[str, Figure]]) -> list[str]:
    found = [column.get(metric) for column in columns]
    best = _clear_best(metric, [figure for figure in found if figure is not None])
    return ["" if figure is None else _cell(figure, figure is best) for figure in found]


def _cell(figure: Figure, is_best: bool) -> str:
    estimate = figure.estimate
    value = f"**{estimate.value:.3f}**" if is_best else f"{estimate.value:.3f}"
    return f"{value} ({estimate.low:.3f} – {estimate.high:.3f}; {estimate.cases})"


def _clear_best(metric: str, found: Sequence[Figure]) -> Figure | None:
    """The figure whose interval lies on the better side of all others; None without one, or for a neutral metric."""
    if len(found) < 2 or metric in NEUTRAL:
        return None
    if metric in LOWER_IS_BETTER:
        best = min(found, key=lambda figure: figure.estimate.value)
        clear = all(best.estimate.high < other.estimate.low for other in found if other is not best)
    else:
        best = max(found, key=lambda figure: figure.estimate.value)
        clear = all(best.estimate.low > other.estimate.high for other in found if other is not best)
    return best if clear else None


def _require_same_cases(first: Path, rows: Sequence[Row], other: Path, others: Sequence[Row]) -> None:
    left = {row.case: (row.question, row.gold) for row in rows}
    right = {row.case: (row.question, row.gold) for row in others}
    if left != right:
        differs = sorted(case for case in {*left, *right} if left.get(case) != right.get(case))
        raise RunInvalid(
            f"{first} and {other} are not runs of the same cases: {len(differs)} differ, the first is {differs[0]}. "
            "Run both on one case file."
        )
