"""The commands, over the real service."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from evaluation.cli import app
from evaluation.datasets.loading import load
from evaluation.errors import DataInvalid, TaskUnfit
from evaluation.execution import RunPlan, default_task, execute
from evaluation.rows import ROWS, read_rows

SEEDS = Path(__file__).parent.parent / "seeds"
GOLDEN = SEEDS / "golden.jsonl"


def watch(name: str, total: int | None = None) -> object:
    return lambda *_: None


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """The first single-turn golden questions, apart from their corpus."""
    file = tmp_path / "few.jsonl"
    lines = GOLDEN.read_text(encoding="utf-8").splitlines()
    single = [line for line in lines if not json.loads(line).get("history")]
    file.write_text("\n".join(single[:4]) + "\n", encoding="utf-8")
    return file


def test_the_command_runs_reports_and_compares(few: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    common = ["--corpus", str(SEEDS), "--index", str(tmp_path / "index"), "--sample", "2"]
    for name in ("a", "b"):
        result = runner.invoke(app, ["run", str(few), "--out", str(tmp_path / name), *common])
        assert result.exit_code == 0, result.output
        assert "quote_validity" in result.output
    assert (tmp_path / "a" / ROWS).read_bytes() == (tmp_path / "b" / ROWS).read_bytes()
    assert runner.invoke(app, ["report", str(tmp_path / "a")]).exit_code == 0
    assert "Quoth evaluation" in (tmp_path / "a" / "report.html").read_text(encoding="utf-8")
    compared = runner.invoke(app, ["compare", str(tmp_path / "a"), str(tmp_path / "b")])
    assert compared.exit_code == 0
    assert "| correct |" in compared.output


def test_a_gate_that_fails_gives_exit_code_4(few: Path, tmp_path: Path) -> None:
    suite = tmp_path / "suite.toml"
    gate = '[[run.gate]]\nmetric = "quote_validity"\nat_least = '
    text = f'[[run]]\nname = "seeds"\ndataset = "{few.name}"\ncorpus = "{SEEDS}"\nsample = 2\n'
    suite.write_text(text + gate + "1.0\n", encoding="utf-8")
    runner = CliRunner()
    options = ["--index", str(tmp_path / "index")]
    passed = runner.invoke(app, ["run", str(suite), "--out", str(tmp_path / "good"), *options])
    assert (passed.exit_code, "pass  seeds" in passed.output) == (0, True), passed.output
    suite.write_text(text + gate + "1.5\n", encoding="utf-8")
    failed = runner.invoke(app, ["run", str(suite), "--out", str(tmp_path / "bad"), *options])
    assert (failed.exit_code, "FAIL  seeds" in failed.output) == (4, True), failed.output
    assert (tmp_path / "bad" / "report.html").exists()


def test_changed_data_is_refused_by_a_sealed_suite(few: Path, tmp_path: Path) -> None:
    suite = tmp_path / "suite.toml"
    sealed = load(few, corpus=SEEDS).sha256()
    suite.write_text(
        f'[[run]]\nname = "s"\ndataset = "{few.name}"\ncorpus = "{SEEDS}"\nsha256 = "{sealed}"\n', encoding="utf-8"
    )
    few.write_text(few.read_text(encoding="utf-8") + '{"id": "new", "question": "Why?"}\n', encoding="utf-8")
    result = CliRunner().invoke(app, ["run", str(suite), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "sealed was" in result.output


def test_bad_data_is_reported_before_any_model_runs(tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text('{"id": "1", "qestion": "?"}\n', encoding="utf-8")
    result = CliRunner().invoke(
        app, ["run", str(file), "--format", "quoth", "--collection", "x", "--out", str(tmp_path / "o")]
    )
    assert result.exit_code == 1
    assert "line 1: unknown field 'qestion'. Did you mean 'question'?" in result.output
    assert not (tmp_path / "o").exists()


def test_an_unknown_choice_lists_the_choices(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["run", str(GOLDEN), "--task", "sing"])
    assert result.exit_code == 2
    assert "retrieve" in result.output


def test_a_set_that_lacks_what_a_task_needs_is_refused(few: Path, tmp_path: Path) -> None:
    assert default_task(load(few, corpus=SEEDS)) == "answer"
    with pytest.raises(TaskUnfit, match="has no given passage"):
        execute(RunPlan(few, corpus=SEEDS, task="read"), tmp_path / "o", tmp_path / "i", watch)  # type: ignore[arg-type]


def test_only_the_cases_named_are_run_and_an_unknown_one_names_its_line(few: Path, tmp_path: Path) -> None:
    ids = [case.id for case in load(few, corpus=SEEDS).cases]
    only = tmp_path / "only.txt"
    only.write_text(f"{ids[2]}\n\n{ids[0]}\n", encoding="utf-8")
    plan = RunPlan(few, corpus=SEEDS, only=only, task="retrieve", retriever="bm25")
    folder = execute(plan, tmp_path / "o", tmp_path / "i", watch)  # type: ignore[arg-type]
    assert [row.case for row in read_rows(folder)] == [ids[0], ids[2]]
    only.write_text(f"{ids[0]}\nnobody\n", encoding="utf-8")
    with pytest.raises(DataInvalid, match="line 2: few has no case 'nobody'"):
        execute(plan, tmp_path / "o2", tmp_path / "i", watch)  # type: ignore[arg-type]


def test_a_gold_quote_that_its_document_holds_in_other_words_names_its_line(few: Path, tmp_path: Path) -> None:
    held = json.loads(few.read_text(encoding="utf-8").splitlines()[0])["evidence"][0]
    wrong = {**held, "quote": held["quote"].rsplit(" ", 1)[0] + " penguins."}
    case = {"id": "wrong", "question": "Who guards the border?", "evidence": [wrong]}
    few.write_text(few.read_text(encoding="utf-8") + f"\n{json.dumps(case)}\n", encoding="utf-8")
    plan = RunPlan(few, corpus=SEEDS, task="retrieve", retriever="bm25")
    with pytest.raises(DataInvalid, match=r"line 6: case 'wrong': \S+ does not hold the quote .*, but one like it"):
        execute(plan, tmp_path / "o", tmp_path / "i", watch)  # type: ignore[arg-type]
    assert not (tmp_path / "o" / ROWS).exists()
