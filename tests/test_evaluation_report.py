import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from evaluation.comparison import compare, holm, markdown
from evaluation.errors import RunInvalid
from evaluation.manifest import FILE
from evaluation.report import write_report
from evaluation.rows import ROWS, TIMINGS, Row, read_rows
from evaluation.summary import figures
from evaluation.worst import shared_range, worst_cases


def write_run(
    folder: Path, scores: list[float | None], *, data: str = "d", confidences: list[float] | None = None
) -> Path:
    folder.mkdir(parents=True)
    rows = []
    for number, score in enumerate(scores):
        output = {"confidence": confidences[number]} if confidences else {}
        gold = {"answerable": number % 2 == 0}
        rows.append(Row(str(number), f"question {number}", gold, {}, output, {"correct": score}))
    (folder / ROWS).write_bytes(b"".join(row.line() for row in rows))
    (folder / TIMINGS).write_text("".join(json.dumps({"case": row.case, "ms": {"wall": 1.0}}) + "\n" for row in rows))
    dataset = {"sha256": data, "name": "set", "format": "quoth", "cases": len(rows), "documents": 1, "notes": []}
    identity = {"dataset": dataset, "task": "answer", "seed": 0, "sample": None, "target": {}, "models": {}}
    identity["prompts_sha256"] = "p"
    machine = {"cpu": "c", "cores": 1, "memory_gib": 1, "system": "s"}
    (folder / FILE).write_text(json.dumps({"identity": identity, "began": "now", "machine": machine, "versions": {}}))
    return folder


def test_a_steady_gain_is_better_and_lists_its_wins(tmp_path: Path) -> None:
    before = write_run(tmp_path / "a", [0.0] * 12 + [1.0] * 8)
    after = write_run(tmp_path / "b", [1.0] * 11 + [0.0] + [1.0] * 8)
    found = compare(before, after)
    (change,) = found.changes
    assert (change.verdict, change.before, change.after) == ("better", 0.4, 0.95)
    assert change.difference.low > 0
    assert len(found.wins["correct"]) == 11
    assert found.losses["correct"] == ()
    assert not found.worse
    assert "| correct | 0.4000 | 0.9500 | +0.5500 |" in markdown(found)
    assert "`0` 0.000 -> 1.000: question 0" in markdown(found)


def test_the_same_change_the_other_way_is_worse(tmp_path: Path) -> None:
    found = compare(write_run(tmp_path / "a", [1.0] * 12), write_run(tmp_path / "b", [0.0] * 11 + [1.0]))
    assert found.worse
    assert len(found.losses["correct"]) == 11


def test_one_case_more_or_less_is_not_significant(tmp_path: Path) -> None:
    found = compare(write_run(tmp_path / "a", [0.0, 1.0] * 10), write_run(tmp_path / "b", [1.0, 1.0] + [0.0, 1.0] * 9))
    assert [change.verdict for change in found.changes] == ["same"]
    assert not found.worse


def test_only_cases_with_a_score_in_both_runs_are_paired(tmp_path: Path) -> None:
    found = compare(write_run(tmp_path / "a", [1.0, None, 0.0]), write_run(tmp_path / "b", [1.0, 1.0, None]))
    assert found.changes[0].difference.cases == 1


def test_metrics_of_the_whole_set_are_compared_too_and_know_which_way_is_better(tmp_path: Path) -> None:
    good = [0.9 if number % 2 == 0 else 0.1 for number in range(40)]
    bad = [0.5] * 40
    found = compare(
        write_run(tmp_path / "a", [1.0] * 40, confidences=bad), write_run(tmp_path / "b", [1.0] * 40, confidences=good)
    )
    verdicts = {change.metric: change.verdict for change in found.changes}
    assert verdicts["auroc"] == "better"
    assert verdicts["brier"] == "better"
    assert {change.metric: change.difference.value for change in found.changes}["brier"] < 0


def test_runs_on_other_data_are_not_compared(tmp_path: Path) -> None:
    with pytest.raises(RunInvalid, match="have other data"):
        compare(write_run(tmp_path / "a", [1.0]), write_run(tmp_path / "b", [1.0], data="e"))


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunInvalid, match="is not a run folder"):
        compare(write_run(tmp_path / "a", [1.0]), tmp_path)


def test_holm_steps_down_and_never_falls() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


GOLD = {"document": "d", "quote": "The Oder floods every March.", "start": 23, "end": 51, "group": 0}


def answer(case: str, correct: float, confidence: float, quote: str, start: int, answerable: bool = True) -> Row:
    citation = {
        "number": 1,
        "document": "d",
        "quote": quote,
        "start": start,
        "end": start + len(quote),
        "literal": True,
    }
    output = {
        "text": f"{quote} [1]",
        "refused": False,
        "confidence": confidence,
        "citations": [citation],
        "sentences": [],
    }
    gold = {"answerable": answerable, "evidence": [GOLD] if answerable else []}
    return Row(case, "When <b>does</b> it flood?", gold, {"form": "date"}, output, {"correct": correct})


class Balance(HTMLParser):
    """Checks that every element is closed, and collects what is loaded from elsewhere."""

    void = frozenset({"meta", "br", "i", "path", "use"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "br"}:
            self.open.append(tag)
        self.outside += [
            value or "" for name, value in attrs if name in {"src", "href"} and not (value or "").startswith("#")
        ]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    run = write_run(tmp_path / "run", [1.0] * 4)
    rows = [
        answer("right", 1.0, 0.9, "The Oder floods every March.", 23),
        answer("sure and wrong", 0.0, 0.95, "Dams were built in 1904.", 52),
        answer("unsure and wrong", 0.0, 0.2, "Dams were built in 1904.", 52, answerable=False),
        Row("failed", "q", {"answerable": True}, {}, None, {}, "ValueError: <oops>"),
    ]
    (run / ROWS).write_bytes(b"".join(row.line() for row in rows))
    return run


def test_the_page_is_whole_escaped_and_loads_nothing(folder: Path) -> None:
    page, summary = write_report(folder)
    text = page.read_text(encoding="utf-8")
    parser = Balance()
    parser.feed(text)
    assert parser.open == []
    assert parser.outside == []
    assert "<b>does</b>" not in text
    assert "ValueError: &lt;oops&gt;" in text
    assert text.count("<svg") >= 2
    assert "| correct | 0.3333 |" in summary.read_text(encoding="utf-8")


def test_equal_rows_give_equal_pages(folder: Path) -> None:
    first = [file.read_bytes() for file in write_report(folder)]
    assert [file.read_bytes() for file in write_report(folder)] == first


def test_several_runs_share_one_page(folder: Path) -> None:
    write_run(folder.parent / "second", [0.0] * 4)
    page, _ = write_report(folder.parent)
    assert re.findall(r'<section id="run-\d">\s*<h2>(\w+)</h2>', page.read_text(encoding="utf-8")) == ["run", "second"]


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunInvalid, match="holds no run"):
        write_report(tmp_path)


def test_errors_come_first_then_confident_mistakes(folder: Path) -> None:
    exhibits = worst_cases(read_rows(folder), 10)
    assert [exhibit.row.case for exhibit in exhibits] == ["failed", "sure and wrong", "unsure and wrong"]
    assert [exhibit.fault for exhibit in exhibits] == [
        "error",
        "no citation at the gold evidence",
        "answered, though the documents do not say",
    ]


def test_what_a_citation_shares_with_the_evidence_is_marked_by_place_and_by_words() -> None:
    cited = {"document": "d", "quote": "in spring. The Oder floods", "start": 12, "end": 38}
    assert shared_range(cited, GOLD) == (11, 26)
    elsewhere = {**cited, "start": 900, "end": 926}
    assert shared_range(elsewhere, GOLD) == (11, 26)
    assert shared_range({"document": "d", "quote": "Nothing alike", "start": 0, "end": 13}, GOLD) == (0, 0)


def test_figures_leave_out_what_no_case_is_eligible_for() -> None:
    rows = [Row("1", "q", {}, {}, {"usage": {}}, {"f1": None, "exact_match": 1.0})]
    assert [figure.metric for figure in figures(rows)] == ["exact_match", "errors"]


def test_sentences_without_support_are_counted_over_all_answers_before_and_after_the_check() -> None:
    def row(case: str, drafted: tuple[int, int], *supported: bool) -> Row:
        sentences = [{"supported": one} for one in supported]
        output = {"drafted": {"sentences": drafted[0], "unsupported": drafted[1]}, "sentences": sentences}
        return Row(case, "q", {}, {}, output, {})

    strict = [row("1", (4, 3), True), row("2", (0, 0)), row("3", (2, 2)), Row("old", "q", {}, {}, {"usage": {}}, {})]
    found = {figure.metric: figure.estimate for figure in figures(strict)}
    assert (found["unsupported_before"].value, found["unsupported_before"].cases) == (5 / 6, 2)
    assert (found["unsupported_after"].value, found["unsupported_after"].cases) == (0.0, 1)
    mark = [row("1", (4, 3), True, False, False, False), row("3", (2, 2), False, False)]
    assert {figure.metric: figure.estimate.value for figure in figures(mark)}["unsupported_after"] == 5 / 6
