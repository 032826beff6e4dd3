"""A stored answer is replayed from the same passages: the same today, and every change is named."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import structlog
from typer.testing import CliRunner

import quoth
from index.library import Library
from index.sync.sync import sync
from service.answering.service import Service
from service.audit.replay import replay
from service.errors import ReplayImpossible
from service.records import Question
from service.storage.conversations import ConversationStore, StoredAnswer
from service.storage.database import Database

ATTACKS = "How many cyberattacks of note does Seoul hold the North responsible for since 2007?"


@pytest.fixture(scope="module")
def stored_answer(served: str, store: ConversationStore) -> StoredAnswer:
    found = httpx.post(f"{served}/v1/chat", json={"question": ATTACKS}, timeout=120).raise_for_status().json()
    assert not found["refused"]
    return store.answer(found["id"])


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_the_inputs_of_a_replay_are_stored_and_returned(
    stored_answer: StoredAnswer, served: str, service: Service
) -> None:
    given = httpx.get(f"{served}/v1/answers/{stored_answer.answer.id}").json()["recording"]
    assert (given["generator"], given["top_k"], given["strict"]) == ("extractive", 8, True)
    assert (given["reader"], given["support"]) == (service.reader.version, service.checker.version)
    assert given["threshold"] == service.answerer.policy.threshold
    assert given["llm_model"] is None
    assert given["support_threshold"] == service.answerer.policy.support.min_support


def test_the_same_passages_give_the_same_answer(stored_answer: StoredAnswer, service: Service) -> None:
    found = replay(stored_answer, service)
    assert (found.made_with, found.answer_changes) == ((), ())
    assert found.answer.sentences == stored_answer.answer.sentences
    assert [one.quote for one in found.answer.citations] == [one.quote for one in stored_answer.answer.citations]
    assert found.answer.confidence == pytest.approx(stored_answer.answer.confidence, abs=0.005)


def test_the_recorded_settings_are_used_instead_of_todays(stored_answer: StoredAnswer, service: Service) -> None:
    policy = replace(service.answerer.policy, threshold=1.0, top_k=1)
    strict = replace(service.answerer, policy=policy)
    assert replay(stored_answer, replace(service, answerer=strict)).answer_changes == ()


def test_changes_are_named(stored_answer: StoredAnswer, service: Service) -> None:
    sentence = replace(stored_answer.answer.sentences[0], text="Something else was said.")
    then = replace(
        stored_answer,
        answer=replace(
            stored_answer.answer, sentences=(sentence, *stored_answer.answer.sentences[1:]), confidence=0.01
        ),
        recording=replace(stored_answer.recording, reader="older", threshold=0.0),
    )
    found = replay(then, service)
    assert [(change.what, change.then, change.now) for change in found.made_with] == [
        ("reader", "older", service.reader.version)
    ]
    changes = {(change.what, change.then is None, change.now is None) for change in found.answer_changes}
    assert changes == {("sentence", False, True), ("sentence", True, False), ("confidence", False, False)}
    assert any((change.then or "").startswith("Something else was said. [“") for change in found.answer_changes)


def test_a_document_replaced_since_is_named_and_the_answer_stays(
    service: Service, tmp_path: Path, stored_answer: StoredAnswer
) -> None:
    file = tmp_path / "briefing.md"
    cited = stored_answer.answer.citations[0].uri.removeprefix("file://")
    shutil.copy(cited, file)
    library = Library(tmp_path / "home", service.library.encoder)
    collection = library.open_or_create("default")
    sync(collection, [file])
    answerer = replace(service.answerer, library=library)
    there = replace(service, library=library, answerer=answerer)
    answer = answerer.answer(Question(ATTACKS))
    assert not answer.refused
    stored = StoredAnswer(answer, "default", stored_answer.created_at, stored_answer.recording)
    assert replay(stored, there).made_with == ()
    file.write_text("# Nothing of the kind\n\nThis file says something else now.\n")
    sync(collection, [file])
    found = replay(stored, there)
    assert found.answer_changes == ()
    (change,) = found.made_with
    assert (change.what, change.then) == (f"document {file.as_uri()}", answer.citations[0].version[:12])
    library.drop("default")
    with pytest.raises(ReplayImpossible, match=r"is not in any collection here.*Index that version again"):
        replay(stored, there)
    library.close()


def test_an_answer_of_an_earlier_quoth_says_that_it_cannot_be_replayed(
    stored_answer: StoredAnswer, service: Service
) -> None:
    with pytest.raises(ReplayImpossible, match="did not record"):
        replay(replace(stored_answer, recording=None), service)


def test_the_command_shows_the_result_and_sets_its_exit_code(
    service: Service,
    stored_answer: StoredAnswer,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    logging_as_before: None,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUOTH_HOME", str(home))
    monkeypatch.setenv("QUOTH_DATABASE_URL", f"sqlite:///{tmp_path / 'c.sqlite'}")
    monkeypatch.setattr("service.composition.service.assemble", lambda _settings: service)
    store = ConversationStore(Database(f"sqlite:///{tmp_path / 'c.sqlite'}"))
    store.append(stored_answer.answer, stored_answer.collection, stored_answer.recording)
    other = replace(stored_answer.answer, id="other", refused=True, sentences=(), citations=())
    store.append(other, stored_answer.collection, stored_answer.recording)
    same = CliRunner().invoke(quoth.app, ["replay", stored_answer.answer.id])
    assert (same.exit_code, same.output) == (0, "✓ the same answer\n")
    changed = CliRunner().invoke(quoth.app, ["replay", "other"])
    assert changed.exit_code == 1
    assert "✗ the answer is another one" in changed.output
    assert "refused\n    - True\n    + False\n" in changed.output
    shown = json.loads(CliRunner().invoke(quoth.app, ["replay", "other", "--json"]).output)
    assert shown["answer"]["text"] == stored_answer.answer.text
    assert {"what": "refused", "then": "True", "now": "False"} in shown["answer_changes"]
    store.close()
