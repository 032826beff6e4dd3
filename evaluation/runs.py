"""Run cases through a task, several at a time, and write their rows in order; a killed and resumed run ends the same.

A case that fails becomes a row with its error, and the run continues.
"""

import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from evaluation import manifest
from evaluation.cases import Case
from evaluation.errors import RunInvalid
from evaluation.rows import Row, RowWriter, cut_at_first_error, gold_fields
from evaluation.tasks.task import Observation, Task

_AHEAD = 4
Timed = tuple[Row, Mapping[str, float]]
"""A case's row, and its milliseconds by stage."""


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How many cases are done, out of how many, and how many failed since this run was started or resumed."""

    done: int
    total: int
    errors: int


def sample_cases(cases: Sequence[Case], count: int | None, seed: int) -> list[Case]:
    """`count` cases drawn with `seed`, in the order of the data set; all cases when `count` is None or larger."""
    if count is None or count >= len(cases):
        return list(cases)
    chosen = sorted(random.Random(seed).sample(range(len(cases)), count))
    return [cases[place] for place in chosen]


def run(
    cases: Sequence[Case],
    task: Task,
    folder: Path,
    identity: Mapping[str, Any],
    *,
    workers: int = 1,
    retry_errors: bool = False,
    blind: bool = False,
    on_progress: Callable[[RunProgress], None] | None = None,
) -> Path:
    """Run the cases that the folder does not hold yet, and return the folder.

    Raises RunInvalid if it holds another run.

    `workers` cases run at the same time; rows are written in the order of `cases`, whichever finishes first. With
    `retry_errors`, cases whose row is an error are run again, and the others are kept. `blind` stores no words of the cases.
    """
    folder.mkdir(parents=True, exist_ok=True)
    manifest.begin(folder, identity)
    kept = cut_at_first_error(folder) if retry_errors else {}
    begun = perf_counter()
    errors = 0
    with closing(RowWriter(folder)) as writer:
        done = writer.done
        if list(done) != [case.id for case in cases[: len(done)]]:
            raise RunInvalid(f"{folder} holds rows of other cases. Name a new folder with --out.")
        for number, (row, timings) in enumerate(_rows(cases[len(done) :], task, workers, kept), start=len(done) + 1):
            writer.write(row.blind() if blind else row, timings)
            errors += row.error is not None
            if on_progress is not None:
                on_progress(RunProgress(number, len(cases), errors))
    if len(done) < len(cases) or "rows" not in manifest.read(folder):
        manifest.finish(folder, {"rows": len(cases), "seconds": round(perf_counter() - begun, 3)})
    return folder


def _rows(cases: Sequence[Case], task: Task, workers: int, kept: Mapping[str, Timed]) -> Iterator[Timed]:
    """Rows in the order of the cases, with at most _AHEAD cases per worker submitted; `kept` rows are not run again."""
    pending: deque[Future[Timed]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="case") as pool:
        try:
            for case in cases:
                pending.append(pool.submit(_row, case, task, kept.get(case.id)))
                if len(pending) >= workers * _AHEAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def _row(case: Case, task: Task, kept: Timed | None) -> Timed:
    if kept is not None:
        return kept
    observed: Observation | None = None
    error: str | None = None
    try:
        observed = task.observe(case)
    except Exception as failure:  # noqa: BLE001 - any failure is reported in the case's row, and the run continues
        error = f"{type(failure).__name__}: {failure}"
    scores = {} if observed is None else task.scores(case, observed.output)
    output = None if observed is None else dict(observed.output)
    row = Row(case.id, case.question, gold_fields(case), dict(case.tags), output, scores, error)
    return row, {} if observed is None else observed.timings_ms
