import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from evaluation import manifest
from evaluation.cases import Case
from evaluation.errors import RunInvalid
from evaluation.rows import ROWS, TIMINGS, Row, read_rows, read_timings
from evaluation.runs import RunProgress, run, sample_cases
from evaluation.tasks.task import Observation, Scores, TaskName

IDENTITY = {"dataset": {"sha256": "d"}, "task": "answer", "seed": 0}


class Counting:
    """A task that works on a question for as long as its text says, and fails on the question "broken"."""

    name: TaskName = "answer"

    def __init__(self) -> None:
        self.seen: list[str] = []

    def observe(self, case: Case) -> Observation:
        if case.question == "broken":
            raise ValueError("no such luck")
        begun = time.perf_counter()
        time.sleep(float(case.question))
        self.seen.append(case.id)
        return Observation({"length": len(case.id)}, {"wall": (time.perf_counter() - begun) * 1000})

    def scores(self, case: Case, output: Mapping[str, Any]) -> Scores:
        return {"even": None if output["length"] > 2 else float(int(case.id) % 2 == 0)}


def cases(count: int, question: str = "0") -> list[Case]:
    return [Case(str(number), question) for number in range(count)]


def test_rows_stand_in_the_order_of_the_cases_whatever_order_they_end_in(tmp_path: Path) -> None:
    slow_first = [Case(str(number), str(0.05 if number % 3 == 0 else 0.0)) for number in range(12)]
    task = Counting()
    run(slow_first, task, tmp_path, IDENTITY, workers=4)
    assert [row.case for row in read_rows(tmp_path)] == [case.id for case in slow_first]
    assert list(read_timings(tmp_path)) == [case.id for case in slow_first]
    assert task.seen != [case.id for case in slow_first]


def test_two_equal_runs_have_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(cases(9), Counting(), tmp_path / name, IDENTITY, workers=3)
    assert (tmp_path / "a" / ROWS).read_bytes() == (tmp_path / "b" / ROWS).read_bytes()


def test_a_failing_case_is_a_row_with_its_error_and_the_run_goes_on(tmp_path: Path) -> None:
    seen: list[RunProgress] = []
    run([Case("0", "0"), Case("1", "broken"), Case("2", "0")], Counting(), tmp_path, IDENTITY, on_progress=seen.append)
    rows = read_rows(tmp_path)
    assert [row.error for row in rows] == [None, "ValueError: no such luck", None]
    assert (rows[1].output, rows[1].scores) == (None, {})
    assert seen[-1] == RunProgress(3, 3, 1)


@pytest.mark.parametrize("torn", [b'{"case":"4","que', b""])
def test_a_resumed_run_has_the_bytes_of_one_never_stopped(tmp_path: Path, torn: bytes) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    run(cases(9), Counting(), whole, IDENTITY)
    run(cases(9), Counting(), cut, IDENTITY)
    kept = (whole / ROWS).read_bytes().splitlines(keepends=True)
    (cut / ROWS).write_bytes(b"".join(kept[:4]) + torn)
    task = Counting()
    run(cases(9), task, cut, IDENTITY)
    assert (cut / ROWS).read_bytes() == (whole / ROWS).read_bytes()
    assert task.seen == ["4", "5", "6", "7", "8"]
    assert len(read_timings(cut)) == 9


def test_only_errors_are_run_again_and_the_run_is_then_one_that_never_had_any(tmp_path: Path) -> None:
    class Away(Counting):
        """Fails on some cases, as while a server is away."""

        def observe(self, case: Case) -> Observation:
            if case.id in {"2", "3", "6"}:
                raise ConnectionError("away")
            return super().observe(case)

    folder, whole = tmp_path / "mended", tmp_path / "whole"
    run(cases(9), Away(), folder, IDENTITY, workers=2)
    untouched = Counting()
    run(cases(9), untouched, folder, IDENTITY)
    assert untouched.seen == []
    before = read_timings(folder)
    task = Counting()
    run(cases(9), task, folder, IDENTITY, retry_errors=True)
    assert task.seen == ["2", "3", "6"]
    run(cases(9), Counting(), whole, IDENTITY, retry_errors=True)
    assert (folder / ROWS).read_bytes() == (whole / ROWS).read_bytes()
    after = read_timings(folder)
    assert list(after) == [case.id for case in cases(9)]
    assert [after[name] for name in ("1", "4", "8")] == [before[name] for name in ("1", "4", "8")]


def test_a_run_killed_by_the_system_is_resumed_to_the_same_bytes(tmp_path: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; "
        "from test_evaluation_runs import IDENTITY, Counting, cases; from evaluation.runs import run; "
        "run(cases(40, '0.02'), Counting(), Path(sys.argv[2]), IDENTITY, workers=2)"
    )
    here = Path(__file__).parent
    folder = tmp_path / "killed"
    environment = {**os.environ, "PYTHONPATH": str(here.parent)}
    process = subprocess.Popen([sys.executable, "-c", program, str(here), str(folder)], env=environment)
    deadline = time.monotonic() + 60
    while not (folder / ROWS).exists() or (folder / ROWS).read_bytes().count(b"\n") < 5:
        assert time.monotonic() < deadline, "the run did not begin"
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = (folder / ROWS).read_bytes().count(b"\n")
    assert done < 40
    task = Counting()
    run(cases(40, "0.02"), task, folder, IDENTITY, workers=2)
    run(cases(40, "0.02"), Counting(), tmp_path / "whole", IDENTITY, workers=2)
    assert len(task.seen) <= 40 - 5
    assert (folder / ROWS).read_bytes() == (tmp_path / "whole" / ROWS).read_bytes()


def test_a_finished_run_is_left_as_it_is(tmp_path: Path) -> None:
    run(cases(3), Counting(), tmp_path, IDENTITY)
    before = (tmp_path / manifest.FILE).read_bytes()
    task = Counting()
    run(cases(3), task, tmp_path, IDENTITY)
    assert task.seen == []
    assert (tmp_path / manifest.FILE).read_bytes() == before


def test_another_run_is_not_mixed_into_a_folder(tmp_path: Path) -> None:
    run(cases(3), Counting(), tmp_path, IDENTITY)
    with pytest.raises(RunInvalid, match=r"what differs: seed \(0 and 1\)"):
        run(cases(3), Counting(), tmp_path, {**IDENTITY, "seed": 1})
    with pytest.raises(RunInvalid, match="rows of other cases"):
        run(cases(4)[1:], Counting(), tmp_path, IDENTITY)


def test_a_score_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        Row("1", "q", {}, {}, {}, {"f1": float("nan")}).line()


def test_a_broken_rows_file_names_its_line(tmp_path: Path) -> None:
    run(cases(2), Counting(), tmp_path, IDENTITY)
    with (tmp_path / ROWS).open("a") as stream:
        stream.write("oops\n")
    with pytest.raises(RunInvalid, match="line 3: not JSON"):
        read_rows(tmp_path)


def test_the_manifest_says_what_the_figures_depend_on(tmp_path: Path) -> None:
    run(cases(2), Counting(), tmp_path, IDENTITY)
    about = manifest.read(tmp_path)
    assert about["identity"] == IDENTITY
    assert about["rows"] == 2
    assert about["machine"]["cores"] >= 1
    assert "python" in about["versions"]
    assert "numpy" in about["versions"]


def test_a_sample_is_drawn_by_its_seed_and_keeps_the_order() -> None:
    everything = cases(50)
    drawn = sample_cases(everything, 10, seed=3)
    assert drawn == sample_cases(everything, 10, seed=3)
    assert drawn != sample_cases(everything, 10, seed=4)
    assert [int(case.id) for case in drawn] == sorted(int(case.id) for case in drawn)
    assert sample_cases(everything, None, 0) == sample_cases(everything, 99, 0) == everything


def test_timings_do_not_enter_the_rows(tmp_path: Path) -> None:
    run(cases(2, "0.01"), Counting(), tmp_path, IDENTITY)
    assert "wall" not in (tmp_path / ROWS).read_text(encoding="utf-8")
    lines = [json.loads(line) for line in (tmp_path / TIMINGS).read_text(encoding="utf-8").splitlines()]
    assert all(line["ms"]["wall"] >= 10 for line in lines)
