"""`quoth why` and the field `why` of POST /v1/chat: the same explanation through both doors, for whom may see it."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from evaluation.cases import Case, GoldEvidence
from evaluation.document_matching import DocumentMatcher
from evaluation.targets import RemoteTarget
from quoth import app
from service.access.caller import Scope
from service.access.keyring import Keyring
from service.answering.service import Service
from service.composition.http import create_app
from service.storage.conversations import ConversationStore
from service.storage.database import Database
from tests.event_stream import events

ATTACKS = "How many cyberattacks of note does Seoul hold the North responsible for since 2007?"
QUOTE = "Seoul holds the North responsible for at least six cyberattacks of note since 2007."


@pytest.fixture(scope="module")
def keyed(service: Service, tmp_path_factory: pytest.TempPathFactory, loopback: Any) -> Iterator[tuple[str, str, str]]:
    """The address of a server with keys and a home of its own, a key for questions, and one for everything."""
    folder = tmp_path_factory.mktemp("why")
    store = ConversationStore(Database(f"sqlite:///{folder / 'c.sqlite'}"))
    own = replace(service, settings=service.settings.model_copy(update={"home": folder}))
    keys = Keyring(store.database)
    asker, admin = (keys.create(scope.value, [scope])[1] for scope in (Scope.ASK, Scope.ADMIN))
    with loopback(create_app(own, store)) as url:
        yield url, asker, admin
    store.close()


def chat(url: str, key: str, **body: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.post(f"{url}/v1/chat", json={"question": ATTACKS, **body}, headers=headers, timeout=60)


def test_an_answer_over_http_is_explained_to_a_key_with_the_scope_admin_only(keyed: tuple[str, str, str]) -> None:
    url, asker, admin = keyed
    assert "explanation" not in chat(url, asker).json()
    assert chat(url, asker, why={}).status_code == 403
    answer = chat(url, admin, why={"expected": [QUOTE], "answerable": True}).raise_for_status().json()
    found = answer["explanation"]
    assert (found["stage"], found["confidence"]) == ("not lost", answer["confidence"])
    assert [place["read"] for place in found["expected"]] == [1]
    assert any(unit["is_quoted"] and unit["is_expected"] for unit in found["passages"][0]["units"])
    nowhere = chat(url, admin, why={"expected": ["penguins guard the border"]}).json()["explanation"]
    assert (nowhere["stage"], nowhere["because"]) == (
        "not extracted",
        "No document of the collection holds the expected words.",
    )


def test_a_run_with_a_key_for_questions_only_is_measured_without_explanations(keyed: tuple[str, str, str]) -> None:
    url, asker, admin = keyed
    case = Case("1", ATTACKS, evidence=(GoldEvidence("cyber-cooperation-briefing.md", QUOTE),), answerable=True)
    for key, stage in ((asker, None), (admin, "not lost")):
        with closing(RemoteTarget(url, None, key=key)) as target:
            for _ in range(2):
                answer, why = target.answer_with_why(case, DocumentMatcher(()))
                explanation = why()
                assert not answer.refused
                assert (explanation and explanation.stage) == stage


def test_a_stream_ends_with_the_explanation(keyed: tuple[str, str, str]) -> None:
    url, _, admin = keyed
    headers = {"Authorization": f"Bearer {admin}"}
    body = {"question": ATTACKS, "stream": True, "why": {"expected": [QUOTE]}}
    with httpx.stream("POST", f"{url}/v1/chat", json=body, headers=headers, timeout=60) as response:
        named = list(events(response))
    assert [name for name, _ in named][-2:] == ["answer", "explanation"]
    assert named[-1][1]["stage"] == "not lost"


def test_the_command_says_where_the_expected_sentence_is_lost(
    service: Service, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {"QUOTH_HOME": str(home), "TERM": "dumb"}
    told = CliRunner().invoke(app, ["why", ATTACKS, "--expect", QUOTE], env=environment)
    assert told.exit_code == 0, told.output
    assert "Not lost. Nothing was lost." in told.output
    assert "← expected, quoted" in told.output
    assert f"the {service.answerer.policy.threshold:.3f} that is needed" in told.output
    as_json = CliRunner().invoke(
        app, ["why", ATTACKS, "--expect", "penguins guard the border", "--json"], env=environment
    )
    found = json.loads(as_json.stdout)
    assert found["stage"] == "not extracted"
    assert [signal["name"] for signal in found["signals"]] == ["relevance", "unit", "alone"]
    assert len(found["passages"]) <= found["depth"]
