"""Compare two runs of the same cases: what got better or worse, how certain that is, and in which cases.

Per metric: the paired difference with its bootstrap interval and the p of a randomisation test (see
`metrics/statistics`); for metrics of the whole set a paired bootstrap. p values are corrected for the number of metrics
by Holm's method (1979), so that a change among twenty metrics is not found by chance. A metric without any change is
not tested and not counted.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation import manifest
from evaluation.errors import RunInvalid
from evaluation.explanations import lost_at
from evaluation.manifest import Difference, differences
from evaluation.metrics.statistics import CORPUS_DRAWS, Estimate, paired_difference
from evaluation.rows import Row, read_rows
from evaluation.summary import LOWER_IS_BETTER, NEUTRAL, corpus_metrics

_OVER_ANSWERS_GIVEN = "aurc"
_MAX_MOVED = 12  # cases of a move that are named
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class MetricChange:
    """One metric in both runs. `p` is corrected; `verdict` is better, worse, differs (a neutral metric) or same (no
    significant difference).
    """

    metric: str
    before: float
    after: float
    difference: Estimate
    p: float
    verdict: str


@dataclass(frozen=True, slots=True)
class CaseChange:
    """A case whose score changed."""

    case: str
    question: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Move:
    """The cases that were lost at one stage before and at another after; `right` is a stage, too."""

    before: str
    after: str
    cases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All metrics, and for each the cases that were won and lost, largest change first. `differences`: what the runs measured
    that is not the same. `moves`: the cases that are lost at another stage, most first.
    """

    before: str
    after: str
    cases: int
    changes: tuple[MetricChange, ...]
    wins: Mapping[str, tuple[CaseChange, ...]]
    losses: Mapping[str, tuple[CaseChange, ...]]
    notes: tuple[str, ...]
    differences: tuple[Difference, ...] = ()
    moves: tuple[Move, ...] = ()

    @property
    def worse(self) -> bool:
        """Whether any metric got significantly worse."""
        return any(change.verdict == "worse" for change in self.changes)


def compare(before: Path, after: Path, *, alpha: float = 0.05, seed: int = 0) -> Comparison:
    """Compare two run folders. Raises RunInvalid unless they ran the same task on the same data and share cases."""
    about = [manifest.read(folder)["identity"] for folder in (before, after)]
    for what, values in {
        "data (sha256)": [ident["dataset"]["sha256"] for ident in about],
        "tasks": [ident["task"] for ident in about],
    }.items():
        if values[0] != values[1]:
            raise RunInvalid(
                f"{before} and {after} have other {what}: {values[0]} and {values[1]}. Run both on the same."
            )
    left, right = ({row.case: row for row in read_rows(folder)} for folder in (before, after))
    common = [case for case in left if case in right]
    if not common:
        raise RunInvalid(f"{before} and {after} share no case. Run both with the same sample and seed.")
    pairs = [(left[case], right[case]) for case in common]
    notes = _notes(left, right, common)
    raw = [*_mean_changes(pairs, seed), *_corpus_changes(pairs, seed)]
    changed = [p for *_, difference, p in raw if (difference.low, difference.high) != (0, 0)]
    corrected = iter(holm(changed))
    adjusted = [next(corrected) if (item[3].low, item[3].high) != (0, 0) else 1.0 for item in raw]
    changes = tuple(
        MetricChange(metric, old, new, difference, p, _direction(metric, difference.value, p, alpha))
        for (metric, old, new, difference, _), p in zip(raw, adjusted, strict=True)
    )
    by_metric = {change.metric: _case_changes(pairs, change.metric) for change in changes}
    return Comparison(
        before.name,
        after.name,
        len(common),
        changes,
        wins={metric: tuple(c for c in cases if _gain(metric, c) > 0) for metric, cases in by_metric.items()},
        losses={metric: tuple(c for c in cases if _gain(metric, c) < 0) for metric, cases in by_metric.items()},
        notes=notes,
        differences=tuple(differences(*about)),
        moves=_moves(pairs),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction in the given order: p times the tests not yet rejected, never falling, at most 1."""
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, p_values[place] * (len(p_values) - rank)))
        adjusted[place] = highest
    return adjusted


def markdown(comparison: Comparison, *, cases: int = 5) -> str:
    """The comparison for a terminal or a pull request, with up to `cases` wins and losses for each changed metric."""
    lines = [
        f"# {comparison.before} -> {comparison.after}, {comparison.cases} cases",
        "",
        "| metric | before | after | difference | 95 % interval | p (Holm) | won | lost | |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for change in comparison.changes:
        won, lost = len(comparison.wins[change.metric]), len(comparison.losses[change.metric])
        d = change.difference
        lines.append(
            f"| {change.metric} | {change.before:.4f} | {change.after:.4f} | {d.value:+.4f} | {d.low:+.4f} – {d.high:+.4f} "
            f"| {change.p:.4f} | {won} | {lost} | {change.verdict} |"
        )
    lines += ["", *(f"Note: {note}" for note in comparison.notes)]
    lines += _move_lines(comparison.moves)
    lines += _difference_lines(comparison.differences)
    for change in comparison.changes:
        if change.verdict != "same":
            lines += _case_lines(f"{change.metric}: won", comparison.wins[change.metric][:cases])
            lines += _case_lines(f"{change.metric}: lost", comparison.losses[change.metric][:cases])
    return "\n".join(lines)


_Raw = tuple[str, float, float, Estimate, float]


def _mean_changes(pairs: Sequence[tuple[Row, Row]], seed: int) -> list[_Raw]:
    changes: list[_Raw] = []
    names = dict.fromkeys(name for old, new in pairs for name in old.scores if name in new.scores)
    for name in names:
        both = [(old.scores.get(name), new.scores.get(name)) for old, new in pairs]
        scored = [(old, new) for old, new in both if old is not None and new is not None]
        if scored:
            old, new = zip(*scored, strict=True)
            difference, p = paired_difference(old, new, seed=seed)
            changes.append((name, float(np.mean(old)), float(np.mean(new)), difference, p))
    return changes


def _corpus_changes(pairs: Sequence[tuple[Row, Row]], seed: int) -> list[_Raw]:
    """Metrics of the whole set, by a paired bootstrap over the cases with an output in both runs."""
    both = [(old, new) for old, new in pairs if old.output is not None and new.output is not None]
    before, after = (corpus_metrics([pair[side] for pair in both]) for side in (0, 1))
    changes: list[_Raw] = []
    for name, (metric, size) in before.items():
        if name not in after or after[name][1] != size or name == _OVER_ANSWERS_GIVEN:
            continue
        other = after[name][0]
        old, new = metric(np.arange(size)), other(np.arange(size))
        if old is None or new is None:
            continue
        rng = np.random.default_rng(seed)
        draws = [rng.integers(0, size, size) for _ in range(CORPUS_DRAWS)]
        sampled = [(metric(places), other(places)) for places in draws]
        differences = np.asarray([b - a for a, b in sampled if a is not None and b is not None])
        low, high = np.percentile(differences, (2.5, 97.5))
        tail = min((differences <= 0).sum(), (differences >= 0).sum()) + 1
        p = min(1.0, 2 * tail / (len(differences) + 1))
        changes.append((name, old, new, Estimate(new - old, float(low), float(high), size), float(p)))
    return changes


def _case_changes(pairs: Sequence[tuple[Row, Row]], metric: str) -> list[CaseChange]:
    changes = []
    for old, new in pairs:
        before, after = old.scores.get(metric), new.scores.get(metric)
        if before is not None and after is not None and before != after:
            changes.append(CaseChange(old.case, old.question, before, after))
    return sorted(changes, key=lambda change: (-abs(change.after - change.before), change.case))


def _gain(metric: str, change: CaseChange) -> float:
    return (change.before - change.after) if metric in LOWER_IS_BETTER else (change.after - change.before)


def _direction(metric: str, difference: float, p: float, alpha: float) -> str:
    if p >= alpha or difference == 0:
        return "same"
    if metric in NEUTRAL:
        return "differs"
    return "better" if (difference > 0) != (metric in LOWER_IS_BETTER) else "worse"


def _notes(left: Mapping[str, Row], right: Mapping[str, Row], common: Sequence[str]) -> tuple[str, ...]:
    notes = []
    unpaired = len(left) + len(right) - 2 * len(common)
    if unpaired:
        notes.append(f"{unpaired} cases are in one run only and are left out.")
    errors = [sum(rows[case].error is not None for case in common) for rows in (left, right)]
    if any(errors):
        notes.append(f"errors: {errors[0]} before, {errors[1]} after; those cases have no scores.")
    return tuple(notes)


def _moves(pairs: Sequence[tuple[Row, Row]]) -> tuple[Move, ...]:
    moved: dict[tuple[str, str], list[str]] = {}
    for old, new in pairs:
        before, after = lost_at(old), lost_at(new)
        if before is not None and after is not None and before != after:
            moved.setdefault((before, after), []).append(old.case)
    order = sorted(moved, key=lambda stages: (-len(moved[stages]), stages))
    return tuple(Move(*stages, tuple(moved[stages])) for stages in order)


def _move_lines(moves: Sequence[Move]) -> list[str]:
    if not moves:
        return []
    lines = ["## Cases that moved", "", "| lost before | lost after | cases | |", "| --- | --- | ---: | --- |"]
    for move in moves:
        named = ", ".join(f"`{case}`" for case in move.cases[:_MAX_MOVED])
        more = f" and {len(move.cases) - _MAX_MOVED} more" if len(move.cases) > _MAX_MOVED else ""
        lines.append(f"| {move.before} | {move.after} | {len(move.cases)} | {named}{more} |")
    return [*lines, ""]


def _difference_lines(found: Sequence[Difference]) -> list[str]:
    if not found:
        return ["The two runs measured the same: documents, settings, models, prompts and code."]
    lines = ["## What differs", "", "| | before | after |", "| --- | --- | --- |"]
    return lines + [f"| {item.name} | {_cell(item.before)} | {_cell(item.after)} |" for item in found]


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"{text[:12]}…" if _HASH.fullmatch(text) else text.replace("|", "\\|")


def _case_lines(title: str, changes: Sequence[CaseChange]) -> list[str]:
    if not changes:
        return []
    return ["", f"## {title}", "", *(f"- `{c.case}` {c.before:.3f} -> {c.after:.3f}: {c.question}" for c in changes)]
