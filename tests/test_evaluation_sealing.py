"""Sealed cases: encrypted, measured without their words, each look counted, and reports say when cases were opened."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from evaluation import manifest
from evaluation.cli import app
from evaluation.datasets import golden
from evaluation.errors import DataInvalid, RunInvalid, SealInvalid, TaskUnfit
from evaluation.execution import RunPlan, execute
from evaluation.judge import judge_run
from evaluation.report import run_report, write_report
from evaluation.rows import ROWS, Row, read_rows
from evaluation.sealing import seal, unseal

WORDS = "open sesame and barley"
SECRET = "Which heron nests at Kvarn?"


def watch(name: str, total: int | None = None) -> Any:
    return lambda *_: None


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    (tmp_path / "notes.md").write_text("The grey heron nests at Kvarn. Eels pass in May.", encoding="utf-8")
    file = tmp_path / "cases.jsonl"
    lines = [
        {"id": f"c{n}", "question": f"{SECRET} {n}", "relevant": {"notes.md": 1}, "tags": {"form": "x"}}
        for n in range(10)
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def sealed_by_command(cases: Path) -> Path:
    result = CliRunner().invoke(app, ["seal", str(cases), "--share", "0.3"], env={"EVAL_PASSPHRASE": WORDS})
    assert result.exit_code == 0, result.output
    return cases.with_suffix(".sealed")


def test_a_share_is_sealed_and_the_rest_stays_open(cases: Path) -> None:
    file = sealed_by_command(cases)
    assert "heron" not in file.read_text(encoding="utf-8")
    kept = golden.read(cases.with_suffix(".open.jsonl"), collection=True).cases
    held = golden.read(file, collection=True, unsealed=unseal(file, WORDS).text).cases
    assert (len(kept), len(held)) == (7, 3)
    assert {case.id for case in (*kept, *held)} == {f"c{n}" for n in range(10)}
    assert all(case.relevant == {"notes.md": 1} for case in held)
    again = CliRunner().invoke(app, ["seal", str(cases)], env={"EVAL_PASSPHRASE": WORDS})
    assert again.exit_code == 1


def test_another_passphrase_a_changed_file_and_another_file_are_told_apart(cases: Path, tmp_path: Path) -> None:
    file = tmp_path / "held.sealed"
    seal(golden.read(cases, collection=True).cases, file, WORDS)
    with pytest.raises(SealInvalid, match="the passphrase is another one"):
        unseal(file, "something else")
    record = json.loads(file.read_text(encoding="utf-8"))
    half = len(record["encrypted"]) // 2
    flipped = "A" if record["encrypted"][half] != "A" else "B"
    record["encrypted"] = record["encrypted"][:half] + flipped + record["encrypted"][half + 1 :]
    file.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(SealInvalid, match="or the file was changed"):
        unseal(file, WORDS)
    with pytest.raises(DataInvalid, match="not a sealed file"):
        unseal(cases, WORDS)
    with pytest.raises(SealInvalid, match="passphrase is empty"):
        seal([], tmp_path / "empty.sealed", "")


def plan(file: Path, **more: Any) -> RunPlan:
    return RunPlan(file, task="retrieve", retriever="bm25", passphrase=WORDS, **more)


def test_sealed_cases_are_measured_without_their_words_and_counted_until_they_are_opened(
    cases: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = sealed_by_command(cases)
    out = tmp_path_factory.mktemp("runs")
    folder = execute(plan(file), out / "first", out / "i", watch)
    rows = (folder / ROWS).read_bytes()
    for written in (*folder.glob("*"), *write_report(folder)):
        assert written.is_dir() or b"heron nests" not in written.read_bytes(), written
    assert {row.question for row in read_rows(folder)} == {""}
    assert all(row.scores["mrr@10"] == 1.0 and row.tags == {"form": "x"} for row in read_rows(folder))
    assert run_report(folder).looked_at == "These cases are sealed: measured once, and never opened."
    (folder / ROWS).write_bytes(rows.splitlines(keepends=True)[0])  # as a kill leaves it
    execute(plan(file), folder, out / "i", watch)
    assert (folder / ROWS).read_bytes() == rows
    assert len(unseal(file, WORDS).looks()) == 1  # the same run, resumed
    opened = execute(plan(file, opened=True), out / "second", out / "i", watch)
    assert SECRET in read_rows(opened)[0].question
    assert "were opened at" in run_report(opened).looked_at
    third = execute(plan(file), out / "third", out / "i", watch)
    assert "looked-at cases, measured 3 times" in run_report(third).looked_at
    with pytest.raises(RunInvalid, match="opened"):
        execute(plan(file, opened=True), third, out / "i", watch)


def test_a_changed_record_of_looks_is_noticed(cases: Path) -> None:
    file = sealed_by_command(cases)
    held = unseal(file, WORDS)
    held.record("one", opened=True)
    held.record("two", opened=False)
    record = file.with_name(file.name + ".looks")
    first, second = record.read_text(encoding="utf-8").splitlines()
    for forged in (first.replace("true", "false"), second):
        record.write_text(forged + "\n", encoding="utf-8")
        with pytest.raises(SealInvalid, match="was changed, or one before it is missing"):
            held.looks()
    record.write_text("{}\n", encoding="utf-8")
    with pytest.raises(SealInvalid, match="not a record of looks"):
        held.looks()


def test_open_cases_cannot_be_opened_and_say_that_they_are_open(cases: Path, tmp_path: Path) -> None:
    with pytest.raises(TaskUnfit, match="--open is for sealed cases"):
        execute(plan(cases, opened=True), tmp_path / "o", tmp_path / "i", watch)
    folder = execute(plan(cases), tmp_path / "p", tmp_path / "i", watch)
    assert run_report(folder).looked_at.startswith("These cases are open")
    assert "sealed" not in manifest.read(folder)


def test_a_blind_row_of_an_answer_keeps_figures_and_stage_and_no_word(tmp_path: Path) -> None:
    output = {
        "text": SECRET,
        "refused": False,
        "confidence": 0.7,
        "sentences": [{"text": SECRET, "supported": True}],
        "citations": [{"quote": SECRET}],
        "drafted": {"sentences": 1, "unsupported": 0},
        "why": {"stage": "refused", "because": SECRET},
    }
    gold = {"answerable": True, "answers": [SECRET]}
    row = Row("1", SECRET, gold, {"form": "x", "comment": SECRET}, output, {"correct": 0.0})
    blind = row.blind()
    assert SECRET not in str(blind)
    assert (blind.scores, blind.tags) == ({"correct": 0.0}, {"form": "x"})
    assert blind.output is not None
    assert blind.output["why"] == {"stage": "refused"}
    failed = Row("2", SECRET, {}, {}, None, {}, f"ValueError: {SECRET}").blind()
    assert (failed.error, failed.output) == ("ValueError", None)
    (tmp_path / ROWS).write_bytes(blind.line())
    with pytest.raises(RunInvalid, match="figures of sealed cases"):
        judge_run(tmp_path, None)  # type: ignore[arg-type]
