import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from evaluation.errors import JudgeUnavailable, RunInvalid
from evaluation.judge import Judge, cohen_kappa, judge_run, markdown, parsed, prompt
from evaluation.rows import ROWS, Row

TEMPLATE = "{{question}} | {{reference}} | {{answer}} | {{quotes}}"


def row(case: str, answer: str, correct: float | None, **gold: object) -> Row:
    output = {
        "text": answer,
        "refused": False,
        "sentences": [{"text": answer}],
        "citations": [{"number": 1, "quote": "In 1904."}],
    }
    return Row(case, f"When? ({case})", gold, {}, output, {"correct": correct})


def write(folder: Path, *rows: Row) -> Path:
    (folder / ROWS).write_bytes(b"".join(item.line() for item in rows))
    return folder


@contextmanager
def serving(replies: dict[str, str], status: int = 200) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server on loopback that answers chat completions by the first key that the prompt contains."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(body)
            text = body["messages"][0]["content"]
            content = next(reply for key, reply in replies.items() if key in text)
            data = json.dumps({"model": "judge-7b-pinned", "choices": [{"message": {"content": content}}]}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def verdict(kind: str) -> str:
    return json.dumps({"reason": "because", "verdict": kind})


def test_only_the_exact_form_is_a_verdict() -> None:
    assert parsed(verdict("right")) == ("right", "because")
    for reply in (
        "right",
        "```json\n" + verdict("right") + "\n```",
        json.dumps({"verdict": "right"}),
        json.dumps({"reason": "x", "verdict": "Right"}),
        json.dumps({"reason": "x", "verdict": "right", "score": 1}),
        json.dumps(["right"]),
        None,
    ):
        assert parsed(reply)[0] == "unparsable"


def test_an_unparsable_verdict_is_counted_apart_and_never_as_a_class(tmp_path: Path) -> None:
    rows = [row("a", "1904", 1.0, answers=["1904"]), row("b", "1905", 0.0, answers=["1904"]), row("c", "1906", 1.0)]
    replies = {"(a)": verdict("right"), "(b)": verdict("right"), "(c)": "It is right, I believe."}
    with serving(replies) as (url, _):
        judge = Judge(url, "judge-7b")
        result = judge_run(write(tmp_path, *rows), judge)
        judge.close()
    assert [v.outcome for v in result.verdicts] == ["right", "right", "unparsable"]
    assert result.right is not None
    assert (result.right.value, result.right.cases, result.unparsable) == (1.0, 2, 1)
    assert result.agreement is not None
    assert (result.agreement.value, result.agreement.cases) == (0.5, 2)
    assert "| unparsable verdicts | 1 of 3 |" in markdown(result)


def test_the_model_that_answered_is_recorded_and_the_request_is_pinned(tmp_path: Path) -> None:
    with serving({"(a)": verdict("wrong")}) as (url, asked):
        judge = Judge(url, "judge-7b")
        result = judge_run(write(tmp_path, row("a", "1904", 0.0)), judge)
        judge.close()
    assert result.models == ("judge-7b-pinned",)
    (body,) = asked
    assert (body["temperature"], body["seed"]) == (0, 0)
    assert body["response_format"]["json_schema"]["schema"]["properties"]["verdict"]["enum"] == [
        "right",
        "partly",
        "wrong",
    ]


def test_verdicts_that_are_there_are_not_asked_for_again(tmp_path: Path) -> None:
    write(tmp_path, row("a", "1904", 1.0), row("b", "1905", 0.0))
    with serving({"(a)": verdict("right"), "(b)": verdict("wrong")}) as (url, asked):
        judge = Judge(url, "judge-7b")
        first = judge_run(tmp_path, judge)
        again = judge_run(tmp_path, judge)
        judge.close()
    assert len(asked) == 2
    assert again == first


def test_a_server_that_fails_or_is_not_there_is_named(tmp_path: Path) -> None:
    write(tmp_path, row("a", "1904", 1.0))
    with serving({"(a)": verdict("right")}, status=500) as (url, _):
        judge = Judge(url, "judge-7b")
        with pytest.raises(JudgeUnavailable, match="500"):
            judge_run(tmp_path, judge)
        judge.close()
    judge = Judge(url, "judge-7b")
    with pytest.raises(JudgeUnavailable, match="Check the URL"):
        judge_run(tmp_path, judge)
    judge.close()


def test_a_run_without_answers_cannot_be_judged(tmp_path: Path) -> None:
    write(tmp_path, Row("a", "q", {}, {}, {"rankings": {}}, {}))
    judge = Judge("http://127.0.0.1:9/v1", "judge-7b")
    with pytest.raises(RunInvalid, match="holds no answers"):
        judge_run(tmp_path, judge)
    judge.close()


def test_the_prompt_holds_the_case_and_a_placeholder_in_an_answer_stays_text() -> None:
    shown = prompt(TEMPLATE, row("a", "{{quotes}}", 1.0, answers=["1904"]))
    assert shown == "When? (a) | - 1904 | {{quotes}} | [1] In 1904."
    refused = prompt(TEMPLATE, row("a", "x", 1.0, answerable=False))
    assert "do not answer this question" in refused


def test_kappa_is_agreement_beyond_chance() -> None:
    # observed 3/4; chance 3/4 * 1/2 + 1/4 * 1/2 = 1/2
    assert cohen_kappa([(True, True), (True, True), (True, False), (False, False)]) == pytest.approx(0.5)
    assert cohen_kappa([(True, True)]) is None
    assert cohen_kappa([]) is None
