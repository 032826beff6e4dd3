"""Other systems on the same cases: four ways to ask, what is scored and what is left out, one table, pytest and notebooks."""

import json
import sys
import textwrap
from pathlib import Path

import pytest
from typer.testing import CliRunner

from evaluation.annotations import annotate
from evaluation.cases import Case, GoldEvidence
from evaluation.cli import app
from evaluation.datasets.golden import write_cases
from evaluation.errors import DataInvalid, RunInvalid, SystemAnswerInvalid, TargetInvalid
from evaluation.frame import frame
from evaluation.rows import read_rows
from evaluation.side_by_side import table
from evaluation.suite import Gate, GateResult
from evaluation.systems.answer import Source, read_answer
from evaluation.systems.citation_styles import read_reply
from evaluation.systems.execution import SystemPlan, execute_system
from evaluation.systems.targets import FunctionTarget, open_target

pytest_plugins = ["pytester"]
QUOTE = "Trainees have 27 days of leave a year."
CASES = [
    Case(
        "leave",
        "How many days of leave do trainees have?",
        answers=("27 days",),
        answerable=True,
        evidence=(GoldEvidence("leave.md", QUOTE),),
        tags={"topic": "leave"},
    ),
    Case("ferry", "When does the ferry leave?", answerable=False),
]
RIGHT = {"answer": "They have 27 days.", "citations": [{"document": "docs/leave.md", "quote": QUOTE}]}


@pytest.fixture
def cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUOTH_HOME", str(tmp_path / "home"))
    file = tmp_path / "cases.jsonl"
    write_cases(file, CASES)
    return file


def run(cases: Path, answers: dict[str, object], name: str = "run") -> dict[str, dict[str, float | None]]:
    def ask(question: str) -> object:
        return answers[next(case.id for case in CASES if case.question == question)]

    out = execute_system(SystemPlan(cases), FunctionTarget(ask, name), cases.parent / name)
    return {row.case: dict(row.scores) for row in read_rows(out)}


def test_an_answer_with_quotes_is_scored_like_quoths_and_a_refusal_in_words_counts_as_one(cases: Path) -> None:
    scores = run(cases, {"leave": RIGHT, "ferry": "The documents do not say."})
    assert scores["leave"]["correct"] == scores["leave"]["citation_hit"] == scores["leave"]["citation_recall"] == 1.0
    assert scores["leave"]["attribution_recall"] == 1.0
    assert scores["ferry"] == {"answered": 0.0, "correct": 1.0}


def test_what_a_system_does_not_say_is_absent_and_not_zero(cases: Path) -> None:
    scores = run(cases, {"leave": "They have 27 days.", "ferry": "At nine."})
    assert scores["leave"]["correct"] == scores["leave"]["contains_answer"] == 1.0
    assert not {"citation_hit", "citation_recall", "document_hit", "attribution_recall", "quote_validity"} & set(
        scores["leave"]
    )
    assert scores["ferry"]["correct"] == 0.0


def test_a_system_that_names_documents_only_has_document_hit_and_no_quotes_to_score(cases: Path) -> None:
    scores = run(cases, {"leave": {"answer": "27 days", "citations": ["leave.md"], "contexts": ["x.md"]}, "ferry": ""})
    assert scores["leave"]["document_hit"] == 1.0
    assert scores["leave"]["context_recall"] == 0.0
    assert "citation_hit" not in scores["leave"]


def test_a_system_that_cites_and_did_not_here_is_wrong_by_its_citations(cases: Path) -> None:
    scores = run(cases, {"leave": {"answer": "27 days", "citations": []}, "ferry": ""})
    assert scores["leave"]["citation_hit"] == scores["leave"]["correct"] == 0.0


def test_a_file_of_answers_is_read_by_id_and_an_absent_answer_is_an_error_of_its_case(cases: Path) -> None:
    file = cases.parent / "answers.jsonl"
    file.write_text(json.dumps({"id": "leave", **RIGHT}) + "\n", encoding="utf-8")
    out = execute_system(SystemPlan(cases), open_target(str(file)), cases.parent / "file")
    leave, ferry = read_rows(out)
    assert leave.scores["correct"] == 1.0
    assert ferry.error is not None
    assert "no answer to case 'ferry'" in ferry.error
    file.write_text(2 * (json.dumps({"id": "leave", "answer": "x"}) + "\n"), encoding="utf-8")
    with pytest.raises(DataInvalid, match="line 2: a second answer to case 'leave'"):
        open_target(str(file))


def test_a_command_reads_the_question_and_writes_text_or_json(cases: Path) -> None:
    program = cases.parent / "chain.py"
    program.write_text(
        "import json, os, sys\n"
        f"right = {RIGHT!r}\n"
        "print(json.dumps(right) if 'leave do trainees' in sys.stdin.read() else 'No answer for ' + os.environ['CASE_ID'])\n",
        encoding="utf-8",
    )
    out = execute_system(
        SystemPlan(cases), open_target(f"command:{sys.executable} {program}"), cases.parent / "command"
    )
    leave, ferry = read_rows(out)
    assert leave.scores["correct"] == 1.0
    assert ferry.output is not None
    assert ferry.output["text"] == "No answer for ferry"


def test_the_markers_of_a_reply_count_the_entries_of_its_list() -> None:
    body = {
        "choices": [{"message": {"role": "assistant", "content": "They have 27 days [2]."}}],
        "citations": ["other.md", {"document_name": "leave.md", "content": QUOTE}],
    }
    answer = read_reply(body, "list", "here")
    assert answer.text == "They have 27 days."
    assert answer.citations == (Source("leave.md", QUOTE),)
    assert answer.contexts == (Source("other.md", ""), Source("leave.md", QUOTE))
    fenced = {"choices": [{"message": {"content": f"```json\n{json.dumps(RIGHT)}\n```"}}]}
    assert read_reply(fenced, "json", "here").citations == (Source("docs/leave.md", QUOTE),)
    assert read_reply(body, "none", "here").citations is None
    with pytest.raises(SystemAnswerInvalid, match="no message"):
        read_reply({"choices": []}, "list", "here")


@pytest.mark.parametrize(
    ("content", "reference", "cited"),
    [
        ("At nine [ID:1][ID:0].", [{"document_name": "a.md"}, {"document_name": "b.md"}], ("b.md", "a.md")),
        ("At nine ##1$$.", [{"document_name": "a.md"}, {"document_name": "b.md"}], ("b.md",)),
        ("At nine [ID:20].", {"chunks": {"20": {"document_name": "c.md"}}, "doc_aggs": {}}, ("c.md",)),
        ("At nine [ID:7].", [{"document_name": "a.md"}], ()),
        ("At nine.", None, None),
    ],
)
def test_markers_of_ragflow_count_from_zero_or_name_a_key(
    content: str, reference: object, cited: tuple[str, ...] | None
) -> None:
    answer = read_reply({"choices": [{"message": {"content": content, "reference": reference}}]}, "ragflow", "here")
    assert answer.text == "At nine."
    assert (answer.citations and tuple(source.document for source in answer.citations)) == cited


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("The answer you are looking for is not found in the knowledge base!", True),
        ("Sorry! No relevant content was found in the knowledge base!", True),
        ("The duplicate was found in the knowledge base.", False),
    ],
)
def test_the_refusals_of_other_systems_count_as_refusals(text: str, refused: bool) -> None:
    assert read_answer(text, "here").refused is refused


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"answer": 3}, "'answer' is 3"),
        ({"answer": "x", "refused": "no"}, "Make it true or false"),
        ({"answer": "x", "confidence": 7}, "from 0 to 1"),
        ({"answer": "x", "citations": [{}]}, "neither a document nor words"),
        ({"anwser": "x"}, "unknown field 'anwser'"),
        (None, "NoneType"),
    ],
)
def test_an_answer_in_another_form_is_refused_with_its_fix(value: object, message: str) -> None:
    with pytest.raises(SystemAnswerInvalid, match=message):
        read_answer(value, "here")


@pytest.mark.parametrize("spec", ["nothing.jsonl", "python:json:no_such", "command:"])
def test_a_target_that_cannot_be_asked_is_refused_before_the_run(spec: str) -> None:
    with pytest.raises(TargetInvalid):
        open_target(spec)


def test_runs_stand_side_by_side_with_metrics_that_one_lacks_left_empty(cases: Path) -> None:
    run(cases, {"leave": RIGHT, "ferry": ""}, "ours")
    run(cases, {"leave": "27 days", "ferry": ""}, "theirs")
    lines = table([cases.parent / "ours", cases.parent / "theirs"]).splitlines()
    assert lines[0] == "| metric | ours | theirs |"
    (hit,) = [line for line in lines if line.startswith("| citation_hit")]
    assert hit.endswith("|  |")
    assert any(line.startswith("| correct | 1.000") for line in lines)
    other = cases.parent / "other.jsonl"
    write_cases(other, [Case("x", "Why?")])
    execute_system(SystemPlan(other), FunctionTarget(lambda _: "x", "x"), cases.parent / "third")
    with pytest.raises(RunInvalid, match="not runs of the same cases"):
        table([cases.parent / "ours", cases.parent / "third"])


def test_the_command_asks_another_system_and_refuses_what_says_how_quoth_answers(cases: Path) -> None:
    file = cases.parent / "answers.jsonl"
    lines = [{"id": "leave", **RIGHT}, {"id": "ferry", "answer": "", "refused": True}]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    out = cases.parent / "cli"
    ran = CliRunner().invoke(app, ["run", str(cases), "--target", str(file), "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    assert "correct                    1.0000" in ran.output
    refused = CliRunner().invoke(app, ["run", str(cases), "--target", str(file), "--generator", "local"])
    assert refused.exit_code == 2
    assert "Leave it out with --target" in " ".join(refused.output.replace("│", " ").split())
    shown = CliRunner().invoke(app, ["table", str(out), str(out)])
    assert shown.exit_code == 0


def test_a_frame_has_one_flat_record_for_each_case_with_the_same_keys(cases: Path) -> None:
    run(cases, {"leave": RIGHT, "ferry": ""})
    leave, ferry = frame(cases.parent / "run")
    assert list(leave) == list(ferry)
    assert (leave["case"], leave["tag.topic"], leave["score.correct"], leave["refused"]) == (
        "leave",
        "leave",
        1.0,
        False,
    )
    assert ferry["score.citation_hit"] is None


def test_github_gets_an_annotation_for_a_failed_gate_and_the_report_as_summary(tmp_path: Path) -> None:
    gate = Gate("correct", 0.9, None, "value")
    results = [GateResult("hand: book", gate, 0.5, False), GateResult("x", gate, 0.95, True)]
    report, summary = tmp_path / "report.md", tmp_path / "summary.md"
    report.write_text("# Report\n", encoding="utf-8")
    environment = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    (line,) = annotate(results, Path("ci/suite.toml"), report, environment)
    assert line.startswith("::error file=ci/suite.toml,title=hand%3A book%3A correct::FAIL")
    assert summary.read_text(encoding="utf-8") == "# Report\n"
    assert list(annotate(results, Path("ci/suite.toml"), report, {})) == []


def test_the_pytest_plugin_measures_a_function_and_fails_with_the_lowest_cases(
    cases: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # an installed Quoth is a plugin already
    pytester.makepyfile(
        test_chain=textwrap.dedent(f"""
        def answer(question):
            return {{"answer": "27 days", "citations": []}}

        def test_good(quoth_eval):
            measured = quoth_eval({str(cases)!r}, target=answer)
            measured.at_least("contains_answer", 1.0)
            assert len(measured.records()) == 2

        def test_bad(quoth_eval):
            quoth_eval({str(cases)!r}, target=answer).at_least("citation_hit", 0.5)
        """)
    )
    ran = pytester.runpytest("-p", "evaluation.pytest_plugin", "-p", "no:cacheprovider", "--junitxml=junit.xml")
    ran.assert_outcomes(passed=1, failed=1)
    ran.stdout.fnmatch_lines(["*citation_hit (value) is 0.0000, wanted >= 0.5. Lowest: leave: How many days*"])
    assert 'failures="1"' in (pytester.path / "junit.xml").read_text(encoding="utf-8")
