"""`quoth verify` and `POST /v1/verify` over real answers: after re-indexing, on another machine, and tampered with."""

import copy
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from typer.testing import CliRunner

import quoth
from index.embedding.encoder import HashedEncoder
from index.errors import CollectionMissing
from index.library import Library
from index.sync.sync import sync
from service.audit.versions import Versions

ATTACKS = "How many cyberattacks of note does Seoul hold the North responsible for since 2007?"


@pytest.fixture(scope="module")
def answer(served: str) -> dict[str, Any]:
    found = httpx.post(f"{served}/v1/chat", json={"question": ATTACKS}, timeout=120).raise_for_status().json()
    assert not found["refused"]
    return found  # type: ignore[no-any-return]


@pytest.fixture
def logging_as_before() -> Any:
    yield
    structlog.reset_defaults()


def verify_over_http(served: str, answer: dict[str, Any], **more: Any) -> Any:
    response = httpx.post(f"{served}/v1/verify", json={"answer": answer, **more}, timeout=120)
    return response.raise_for_status().json()


def tamper(answer: dict[str, Any], place: list[Any], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(answer)
    part: Any = changed
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value(part[place[-1]])
    return changed


def test_a_real_answer_is_proved_over_http(served: str, answer: dict[str, Any]) -> None:
    found = verify_over_http(served, answer)
    assert found["findings"] == []
    assert found["verdict"] == "proved"
    assert found["quoted"] == len(answer["sentences"])
    assert found["quotes"] == len(answer["citations"]) + len(answer["passages"])
    stored = httpx.get(f"{served}/v1/answers/{answer['id']}").json()["answer"]
    assert verify_over_http(served, stored, collection="default")["verdict"] == "proved"


@pytest.mark.parametrize(
    ("place", "value", "subject"),
    [
        (["citations", 0, "quote"], lambda quote: quote.replace("e", "ê", 1), "citation 1"),
        (["citations", 0, "start"], lambda start: start + 1, "citation 1"),
        (["citations", 0, "end"], lambda end: end - 1, "citation 1"),
        (["citations", 0, "version"], lambda version: version[::-1], "citation 1"),
        (["citations", 0, "number"], lambda number: number + 1, "citations"),
        (["passages", 0, "text"], lambda text: text[:-1] + "?", "passage 1"),
        (["text"], lambda text: text.replace("[1]", "[2]"), "text"),
    ],
)
def test_a_tampered_answer_is_refuted(
    served: str, answer: dict[str, Any], place: list[Any], value: Any, subject: str
) -> None:
    found = verify_over_http(served, tamper(answer, place, value))
    assert found["verdict"] == "refuted"
    assert subject in [finding["subject"] for finding in found["findings"]]


def test_a_sentence_in_other_words_goes_to_the_real_checker(served: str, answer: dict[str, Any]) -> None:
    changed = copy.deepcopy(answer)
    changed["sentences"] = [{**changed["sentences"][0], "text": "Bananas are grown in the Alps.", "citations": [1]}]
    changed["citations"] = changed["citations"][:1]
    changed["text"] = "Bananas are grown in the Alps. [1]"
    found = verify_over_http(served, changed)
    assert [(f["subject"], f["fault"]) for f in found["findings"]] == [("sentence 1", "support-differs")]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "request-invalid"),
        ({"answer": {"id": "x"}}, 422, "request-invalid"),
    ],
)
def test_a_body_that_is_not_an_answer_is_a_problem(served: str, body: Any, status: int, code: str) -> None:
    response = httpx.post(f"{served}/v1/verify", json=body)
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_more_sentences_than_an_answer_has_are_not_checked(served: str, answer: dict[str, Any]) -> None:
    long = {**answer, "sentences": answer["sentences"][:1] * 501}
    response = httpx.post(f"{served}/v1/verify", json={"answer": long})
    assert (response.status_code, response.json()["code"]) == (422, "answer-invalid")


def test_half_a_surrogate_pair_and_an_unknown_collection_are_problems(served: str, answer: dict[str, Any]) -> None:
    content = json.dumps({"answer": {**answer, "question": "half \ud83d"}})
    response = httpx.post(f"{served}/v1/verify", content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (422, "answer-invalid")
    response = httpx.post(f"{served}/v1/verify", json={"answer": answer, "collection": "papers"})
    assert (response.status_code, response.json()["code"]) == (404, "collection-missing")


def test_the_command_proves_and_refutes_a_file_or_a_pipe(
    home: Path, tmp_path: Path, answer: dict[str, Any], logging_as_before: None
) -> None:
    def run(*words: str, given: str | None = None) -> Any:
        return CliRunner().invoke(quoth.app, ["verify", *words], input=given, env={"QUOTH_HOME": str(home)})

    file = tmp_path / "answer.json"
    file.write_text(json.dumps(answer))
    result = run(str(file))
    assert (result.exit_code, result.stdout.startswith("✓ proved: ")) == (0, True)
    assert run("-", given=json.dumps(answer)).exit_code == 0
    moved = tamper(answer, ["citations", 0, "start"], lambda start: start + 1)
    result = run("-", given=json.dumps(moved))
    assert (result.exit_code, result.stdout.splitlines()[0].startswith("✗ refuted")) == (1, True)
    assert f"stands at {answer['citations'][0]['start']}-{answer['citations'][0]['end']}" in result.stdout
    report = json.loads(run("-", "--json", given=json.dumps(moved)).stdout)
    assert report["findings"][0]["subject"] == "citation 1"
    assert "is not JSON" in str(run("-", given="{").exception)
    assert "cannot be read" in str(run(str(tmp_path / "none.json")).exception)


def test_replaced_versions_copies_elsewhere_and_other_collections_are_found(tmp_path: Path) -> None:
    library = Library(tmp_path / "home", HashedEncoder())
    folder, other = tmp_path / "one", tmp_path / "two"
    for place in (folder, other):
        place.mkdir()
        place.joinpath("a.md").write_text("# Title\n\nThe first text of all.\n")
    sync(library.open_or_create("papers"), [folder])
    old = library.open("papers").documents.list()[0]
    folder.joinpath("a.md").write_text("# Title\n\nThe second text of all.\n")
    sync(library.open("papers"), [folder])
    assert library.open("papers").documents.list()[0].version != old.version
    found = Versions(library)(old.id, old.version)
    assert found is not None
    assert "first text" in found.text
    assert Versions(library)(old.id, "f" * len(old.version)) is None

    sync(library.open_or_create("elsewhere"), [other])
    copied = Versions(library, ["elsewhere"])(old.id, old.version)
    assert copied is not None
    assert copied.id != old.id
    assert copied.text == found.text
    with pytest.raises(CollectionMissing):
        Versions(library, ["nowhere"])(old.id, old.version)
    library.close()
