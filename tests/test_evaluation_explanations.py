"""Where cases are lost: explained in rows, in process and over HTTP, shown by the report and by comparisons."""

import json
from pathlib import Path
from typing import Any

import pytest

from evaluation.comparison import compare, markdown
from evaluation.execution import RunPlan, execute
from evaluation.explanations import ERROR, RIGHT, UNEXPLAINED_ANSWER, UNEXPLAINED_REFUSAL, losses, lost_at
from evaluation.report import run_report, write_report
from evaluation.rows import ROWS, Row, read_rows
from service.answering.service import Service
from tests.test_evaluation_endpoint import near
from tests.test_evaluation_report import write_run

SEEDS = Path(__file__).parent.parent / "seeds"
BRIEFING = "cyber-cooperation-briefing.md"
ATTACKS = "How many cyberattacks of note does Seoul hold the North responsible for since 2007?"


def watch(name: str, total: int | None = None) -> Any:
    return lambda *_: None


def gold(quote: str) -> list[dict[str, str]]:
    return [{"document": BRIEFING, "quote": quote}]


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """A case whose gold is another sentence than the answer, one whose gold nobody wrote, and one that is right."""
    heading = json.loads((SEEDS / "golden.jsonl").read_text(encoding="utf-8").splitlines()[0])
    others = (SEEDS / BRIEFING).read_text(encoding="utf-8").split("\n\n")
    other = next(part for part in others if "Seoul" not in part and not part.startswith("#")).split(". ")[0]
    cases = [
        {"id": "other", "question": ATTACKS, "evidence": gold(other)},
        {"id": "absent", "question": ATTACKS, "evidence": gold("Penguins guard the border.")},
        {"id": "right", "question": heading["question"], "evidence": heading["evidence"]},
    ]
    file = tmp_path / "wrong.jsonl"
    file.write_text("".join(json.dumps(case) + "\n" for case in cases), encoding="utf-8")
    return file


def test_wrong_cases_are_explained_the_same_in_process_and_over_http(
    wrong: Path, tmp_path: Path, service: Service, served: str
) -> None:
    local = RunPlan(wrong, collection="default", settings={"home": str(service.settings.home)})
    rows = read_rows(execute(local, tmp_path / "local", tmp_path / "i", watch))
    remote = read_rows(execute(RunPlan(wrong, endpoint=served), tmp_path / "remote", tmp_path / "i", watch))
    assert [lost_at(row) for row in rows] == ["another unit chosen", "not extracted", RIGHT]
    assert [lost_at(row) for row in remote] == [lost_at(row) for row in rows]
    for one, other in zip(rows, remote, strict=True):
        assert one.output is not None
        assert other.output is not None
        assert one.output.get("why") == near(other.output.get("why"))
    why = (rows[0].output or {})["why"]
    assert why["passages"][0]["document"] == BRIEFING
    assert "why" not in (rows[2].output or {})
    again = execute(local, tmp_path / "again", tmp_path / "i", watch)
    assert (again / ROWS).read_bytes() == (tmp_path / "local" / ROWS).read_bytes()


def row(case: str, stage: str | None, *, correct: float = 0.0, refused: bool = True, **gold: Any) -> Row:
    unit = {"total": 1.5, "text": "Dams were <built>.", "is_expected": True, "is_quoted": False, "lost": 0.0}
    passage = {"rank": 1, "title": "T", "page": 3, "document": "d.md", "relevance": 2.0, "lost": 1.0, "is_shown": True}
    ranks = {"words": 2, "vectors": None, "fused": 4}
    why: dict[str, Any] = {
        "stage": stage,
        "because": f"because of {stage}",
        "confidence": 0.3,
        "needed": 0.44,
        "shown": 8,
        "signals": [{"name": "relevance", "value": 1.0, "share": -0.5}],
        "constraints": [{"text": "Oder", "is_met": False, "is_met_by_expected": False}],
        "expected": [{"text": "Dams", "ranks": ranks, "read": 1, "stage": stage}],
        "passages": [{**passage, "ranks": ranks, "units": [unit]}],
        "written": [{"text": "Dams.", "outcome": "unsupported", "support": 0.1}],
    }
    output = {"text": "t", "refused": refused, "confidence": 0.3, "citations": [], **({"why": why} if stage else {})}
    return Row(case, f"question {case}", {"answerable": True, **gold}, {}, output, {"correct": correct})


def run_of(folder: Path, rows: list[Row]) -> Path:
    run = write_run(folder, [1.0] * len(rows))
    (run / ROWS).write_bytes(b"".join(row.line() for row in rows))
    return run


BEFORE = [row("a", "refused"), row("b", "refused"), row("c", "not read"), row("d", None, correct=1.0)]
AFTER = [row("a", None, correct=1.0), row("b", "not read"), row("c", "not read"), row("d", None, correct=1.0)]


def test_stages_are_counted_in_the_order_of_an_answer() -> None:
    failed = Row("e", "q", {}, {}, None, {}, "ValueError: x")
    found = losses([*BEFORE, failed])
    assert [(loss.stage, len(loss.rows), loss.left) for loss in found] == [
        (ERROR, 1, 4),
        ("not read", 1, 3),
        ("refused", 2, 1),
    ]
    assert lost_at(row("x", None)) == UNEXPLAINED_REFUSAL
    assert lost_at(row("x", None, refused=False)) == UNEXPLAINED_ANSWER
    assert lost_at(row("x", None, refused=False, answerable=False)) == "answered though not there"
    assert losses([Row("r", "q", {}, {}, {"rankings": {}}, {"ndcg@10": 0.0})]) == []


def test_the_report_opens_with_where_questions_are_lost_and_each_bar_opens_its_cases(tmp_path: Path) -> None:
    page, summary = write_report(run_of(tmp_path / "run", BEFORE))
    text = page.read_text(encoding="utf-8")
    assert text.index('class="card fall"') < text.index("<th>metric</th>")
    bars = text.split('<div class="card fall">')[1].split('<div class="right">')[0].split('class="name">')[1:]
    assert [bar.partition("<")[0] for bar in bars] == ["not read", "refused"]
    assert "question c" in bars[0]
    assert "question a" in bars[1]
    assert "question b" in bars[1]
    for shown in ("because of refused", "0.300", "0.440", "Dams were &lt;built&gt;.", "words 2", "support 0.10"):
        assert shown in bars[1]
    assert "| refused | 2 | `a`, `b` |" in summary.read_text(encoding="utf-8")


def test_a_comparison_shows_the_cases_that_moved_from_one_stage_to_another(tmp_path: Path) -> None:
    found = compare(run_of(tmp_path / "a", BEFORE), run_of(tmp_path / "b", AFTER))
    moved = {(move.before, move.after): move.cases for move in found.moves}
    assert moved == {("refused", RIGHT): ("a",), ("refused", "not read"): ("b",)}
    assert "| refused | right | 1 | `a` |" in markdown(found)


def test_the_words_of_a_judge_stand_in_the_report(tmp_path: Path) -> None:
    folder = run_of(tmp_path / "run", BEFORE)
    verdict = {"case": "a", "outcome": "partly", "reason": "half of it", "model": "m-7b", "request": "r"}
    (folder / "judge.jsonl").write_text(json.dumps(verdict) + '\n{"case": "b", "outc', encoding="utf-8")
    judged = run_report(folder).judged
    assert judged is not None
    assert dict(judged.outcomes) == {"partly": 1}
    text = write_report(folder)[0].read_text(encoding="utf-8")
    assert "partly: half of it" in text
    assert "m-7b: partly 1" in text
