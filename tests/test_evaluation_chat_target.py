"""`--target` at a chat endpoint over HTTP: Quoth's own server with its models, one with keys, and one that fails."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from evaluation.cases import Case, GoldEvidence
from evaluation.cli import app
from evaluation.datasets.golden import write_cases
from evaluation.rows import Row, read_rows
from service.records import Turn
from tests import model_server
from tests.served_app import ServedApp

QUOTE = "Seoul holds the North responsible for at least six cyberattacks of note since 2007."
CASES = [
    Case(
        "attacks",
        "How many cyberattacks does Seoul blame on the North?",
        answers=("at least six",),
        answerable=True,
        evidence=(GoldEvidence("cyber-cooperation-briefing.md", QUOTE),),
    ),
    Case("enzyme", "Which enzyme folds the outer membrane of a mitochondrion?", answerable=False),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUOTH_HOME", str(tmp_path / "home"))
    write_cases(tmp_path / "cases.jsonl", CASES)
    return tmp_path


def run(folder: Path, address: str, *options: str, cases: str = "cases.jsonl", path: str = "/v1") -> dict[str, Row]:
    out = folder / f"run{len(list(folder.glob('run*')))}"
    command = ["run", str(folder / cases), "--target", f"{address}{path}", "--out", str(out), *options]
    ran = CliRunner().invoke(app, command)
    assert ran.exit_code == 0, ran.output
    return {row.case: row for row in read_rows(out)}


def test_another_quoth_is_scored_by_the_quotes_of_its_reply(folder: Path, served: str) -> None:
    rows = run(folder, served, "--model", "quoth")
    attacks, enzyme = rows["attacks"], rows["enzyme"]
    assert attacks.scores["citation_hit"] == attacks.scores["citation_recall"] == attacks.scores["correct"] == 1.0
    assert attacks.output is not None
    assert "Sources:" not in attacks.output["text"]
    assert "[1]" not in attacks.output["text"]
    assert enzyme.scores == {"answered": 0.0, "correct": 1.0}


def test_without_citations_the_text_of_the_reply_decides(folder: Path, served: str) -> None:
    rows = run(folder, served, "--model", "quoth", "--citations", "none")
    assert rows["attacks"].scores["contains_answer"] == rows["attacks"].scores["correct"] == 1.0
    assert "citation_hit" not in rows["attacks"].scores


def test_the_key_and_the_earlier_turns_reach_the_server(folder: Path, loopback: Any) -> None:
    turn = Turn("When did the bridge open?", "In 1932.")
    write_cases(folder / "later.jsonl", [Case("vault", "And the vault?", history=(turn,), answerable=False)])
    with ServedApp(folder / "served", loopback, require_keys=True) as server:
        key = server.keys.create("evaluation", ("ask",))[1]
        (row,) = run(folder, server.url, "--model", "quoth", "--key", key, cases="later.jsonl").values()
        (asked,) = server.answerer.questions
        assert [(past.question, past.answer) for past in asked.history] == [(turn.question, turn.answer)]
        assert (asked.text, row.scores["correct"]) == ("And the vault?", 1.0)
        (refused,) = run(folder, server.url, "--model", "quoth", "--key", "quoth_wrong", cases="later.jsonl").values()
        assert refused.error is not None
        assert "/v1/chat/completions: status 401" in refused.error


def ragflow(path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
    """A reply as RAGFlow's reference of its HTTP API has it: a stream, and without its sources, unless told otherwise."""
    if path != "/api/v1/openai/desk/chat/completions" or key != "Bearer ragflow-key":
        return {"code": 102, "message": f"You don't own the chat {path.split('/')[4]}"}
    if body.get("stream", True):
        return {"choices": [{"delta": {"content": "At least six"}}]}
    message = {"role": "assistant", "content": "The answer you are looking for is not found in the knowledge base!"}
    chunks = [
        {"document_name": "other.md", "content": "Nothing of note."},
        {"document_name": "cyber-cooperation-briefing.md", "content": QUOTE},
    ]
    if body["messages"][-1]["content"] == CASES[0].question:
        message["content"] = "It blames the North for at least six [ID:1]."
    reference = {"reference": chunks} if body.get("extra_body", {}).get("reference") else {}
    return {"choices": [{"message": message | reference}]}


def test_ragflow_is_scored_by_the_chunks_that_its_markers_name(folder: Path) -> None:
    def turn(handler: Any) -> None:
        reply = ragflow(*server.bodies[-1], handler.headers["Authorization"])
        model_server.status(200, body=json.dumps(reply))(handler)

    server = model_server.ModelServer(turn)
    with model_server.serving(server) as address:
        root = f"{address.removesuffix('/v1')}/api/v1/openai"
        options = ("--citations", "ragflow", "--key", "ragflow-key", "--workers", "1")
        rows = run(folder, f"{root}/desk", *options, path="")
        attacks, enzyme = rows["attacks"], rows["enzyme"]
        assert (
            attacks.scores["citation_hit"] == attacks.scores["citation_precision"] == attacks.scores["correct"] == 1.0
        )
        assert attacks.scores["contains_answer"] == attacks.scores["context_recall"] == 1.0
        assert attacks.output is not None
        assert attacks.output["text"] == "It blames the North for at least six."
        assert enzyme.scores == {"answered": 0.0, "correct": 1.0}
        refused = run(folder, f"{root}/nowhere", *options, path="")["attacks"]
        assert refused.error is not None
        assert "You don't own the chat nowhere" in refused.error


def test_a_reply_that_is_no_answer_is_an_error_of_its_case_and_the_run_goes_on(folder: Path) -> None:
    reply = {"choices": [{"message": {"content": "It does not fold any."}}]}
    broken = model_server.ModelServer(
        model_server.status(200, body="<html>"), model_server.status(200, body=json.dumps(reply))
    )
    with model_server.serving(broken) as address:
        rows = run(folder, address.removesuffix("/v1"), "--model", "m", "--citations", "none", "--workers", "1")
    assert rows["attacks"].error is not None
    assert "Is the server running?" in rows["attacks"].error
    assert rows["enzyme"].error is None
    (_, body), _ = broken.bodies
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": CASES[0].question}],
        "temperature": 0,
        "stream": False,
    }
