"""A running Quoth over HTTP: the same scores as in process, follow-ups, and feedback that becomes cases."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from evaluation.errors import EndpointUnavailable, TaskUnfit
from evaluation.execution import RunPlan, execute
from evaluation.harvest import harvest_cases
from evaluation.rows import read_rows
from evaluation.targets import RemoteTarget
from service.answering.service import Service

SEEDS = Path(__file__).parent.parent / "seeds"
BRIEFING = "cyber-cooperation-briefing.md"


def watch(name: str, total: int | None = None) -> Any:
    return lambda *_: None


def turns(*texts: str) -> list[dict[str, str]]:
    return [{"speaker": "agent" if place % 2 else "user", "text": text} for place, text in enumerate(texts)]


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """The first single-turn golden questions, apart from their corpus."""
    file = tmp_path / "few.jsonl"
    lines = (SEEDS / "golden.jsonl").read_text(encoding="utf-8").splitlines()
    single = [line for line in lines if not json.loads(line).get("history")]
    file.write_text("\n".join(single[:2]) + "\n", encoding="utf-8")
    return file


@pytest.fixture
def conversations(tmp_path: Path) -> Path:
    """A folder of MTRAG's form over the shipped briefing: an opening question, a follow-up, and one never answered before."""
    first = "How many cyberattacks does Seoul blame on the North?"
    tasks = [
        ("opening", turns(first), "ANSWERABLE"),
        ("follow-up", turns(first, "At least six since 2007.", "Which of them struck banks?"), "ANSWERABLE"),
        ("unanswered", [*turns(first), *turns("And what did they cost?")], "UNANSWERABLE"),
    ]
    folder = tmp_path / "mtrag"
    folder.mkdir()
    (folder / "human_evaluations.json").write_text(
        json.dumps(
            {
                "documents": [{"document_id": BRIEFING, "text": (SEEDS / BRIEFING).read_text(encoding="utf-8")}],
                "tasks": [
                    {
                        "task_id": id,
                        "input": said,
                        "contexts": [{"document_id": BRIEFING}],
                        "targets": [],
                        "Answerability": [kind],
                    }
                    for id, said, kind in tasks
                ],
            }
        ),
        encoding="utf-8",
    )
    rewrite = {"_id": "follow-up", "text": "|user|: Which of the North's cyberattacks struck South Korean banks?"}
    (folder / "seeds_rewrite.jsonl").write_text(json.dumps(rewrite) + "\n", encoding="utf-8")
    return folder


def test_the_same_cases_in_process_and_over_http_give_the_same_scores(
    few: Path, tmp_path: Path, service: Service, served: str
) -> None:
    local = execute(RunPlan(few, corpus=SEEDS, settings={}), tmp_path / "local", tmp_path / "index", watch)
    remote = execute(RunPlan(few, corpus=SEEDS, endpoint=served), tmp_path / "remote", tmp_path / "index", watch)
    left, right = read_rows(local), read_rows(remote)
    assert [row.error for row in left + right] == [None] * 4
    for one, other in zip(left, right, strict=True):
        assert one.output is not None
        assert other.output is not None
        assert one.output["text"] == other.output["text"]
        assert one.scores["correct"] == other.scores["correct"]
        assert one.scores["quote_validity"] in (None, 1.0)
    assert any(row.scores["citation_hit"] == 1.0 for row in left)


def near(value: Any) -> Any:
    """The value, with room for the last digits of its numbers: they vary with what else is in the same batch of a network."""
    if isinstance(value, dict):
        return {key: near(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [near(inner) for inner in value]
    return pytest.approx(value, abs=0.01) if isinstance(value, float) else value


def compared(output: dict[str, Any]) -> dict[str, Any]:
    """What both ways give: all but what only one process knows."""
    return {key: value for key, value in output.items() if key not in ("attribution", "prompt_hash")}


def test_a_follow_up_over_http_is_answered_after_its_history_as_in_process(
    conversations: Path, tmp_path: Path, service: Service, served: str
) -> None:
    remote = read_rows(execute(RunPlan(conversations, endpoint=served), tmp_path / "remote", tmp_path / "i", watch))
    assert [row.error for row in remote] == [None, None, None]
    opening, follow_up, unanswered = (row.output or {} for row in remote)
    assert opening["rewritten_question"] == remote[0].question
    for output, row in ((follow_up, remote[1]), (unanswered, remote[2])):
        assert output["rewritten_question"].startswith(row.question)
        assert "Seoul" in output["rewritten_question"]
    plan = RunPlan(conversations, collection="default", settings={"home": service.settings.home})
    local = read_rows(execute(plan, tmp_path / "local", tmp_path / "i", watch))
    for one, other in zip(local, remote, strict=True):
        assert compared(one.output or {}) == near(compared(other.output or {}))


def test_follow_ups_are_searched_over_http_in_all_three_forms(conversations: Path, tmp_path: Path, served: str) -> None:
    plan = RunPlan(conversations, endpoint=served, task="retrieve")
    rows = {row.case: row for row in read_rows(execute(plan, tmp_path / "o", tmp_path / "i", watch))}
    assert set((rows["follow-up"].output or {})["queries"]) == {"", "last", "gold"}
    assert rows["follow-up"].scores["recall@100/gold"] == 1.0
    assert set((rows["opening"].output or {})["queries"]) == {""}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"generator": "remote"}, "leave --generator out"),
        ({"task": "retrieve", "retriever": "bm25"}, "Leave --retriever out"),
        ({"task": "retrieve", "generator": "remote"}, "Leave --generator or --endpoint out"),
    ],
)
def test_what_a_running_quoth_cannot_be_asked_is_refused_before_it_is_asked(
    conversations: Path, tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(TaskUnfit, match=reason):
        execute(RunPlan(conversations, endpoint="http://127.0.0.1:9", **change), tmp_path / "o", tmp_path / "i", watch)


def test_a_server_that_is_not_there_is_named() -> None:
    target = RemoteTarget("http://127.0.0.1:9", None)
    with pytest.raises(EndpointUnavailable, match="Is `quoth serve` running there"):
        target.describe()
    target.close()


def test_searching_over_http_finds_the_seed(served: str) -> None:
    target = RemoteTarget(served, None)
    found = target.search("cyberattacks since 2007", 5)
    target.close()
    assert found
    assert found[0].uri.endswith(".md")


def test_feedback_on_a_running_quoth_becomes_cases(served: str, tmp_path: Path) -> None:
    with httpx.Client(base_url=served, timeout=60) as client:
        first = client.post(
            "/v1/chat", json={"question": "How many cyberattacks does Seoul blame on the North?"}
        ).json()
        follow_up = {"question": "Since when, exactly, did they count?", "conversation_id": first["conversation_id"]}
        second = client.post("/v1/chat", json=follow_up).json()
        for answer, rating, comment in ((first, "up", ""), (second, "down", "Since 2007.")):
            body = {"answer_id": answer["id"], "rating": rating, "comment": comment}
            assert client.post("/v1/feedback", json=body).status_code == 201
        export = client.get("/v1/feedback", params={"format": "jsonl"})
    file = tmp_path / "feedback.jsonl"
    file.write_bytes(export.content)
    cases = {case.question: case for case in harvest_cases(file)}
    good = cases[first["question"]]
    assert [evidence.quote for evidence in good.evidence] == [citation["quote"] for citation in first["citations"]]
    assert good.answerable is True
    bad = cases[follow_up["question"]]
    assert [turn.question for turn in bad.history] == [first["question"]]
    assert (bad.answerable, bad.evidence, bad.tags["comment"]) == (None, (), "Since 2007.")
    assert bad.tags["verdict"] == "down"


def test_a_generator_that_rewrites_no_follow_ups_is_refused_before_anything_is_indexed(
    conversations: Path, tmp_path: Path
) -> None:
    plan = RunPlan(conversations, task="retrieve", generator="remote")
    with pytest.raises(TaskUnfit, match="No language model is set for the generator 'remote'"):
        execute(plan, tmp_path / "o", tmp_path / "i", watch)
    assert not (tmp_path / "i").exists()
