"""The Answer in Slack is the Answer of the API: real models over seeds/, asked by mention and by POST /v1/chat."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.answering.service import Service
from service.session.session import make_session
from service.slack.app import Timing
from service.storage.conversations import ConversationStore
from tests import slack_rules, slack_server
from tests.slack_quoth import RunningSlackApp, settings_for
from tests.slack_server import SlackServer, event_body, mention, until
from tests.slack_web_api import BOT_USER

QUESTIONS = [
    "How many cyberattacks of note does Seoul hold the North responsible for since 2007?",
    "Who visited Seoul, and when?",
    "Which enzyme folds the outer membrane of a mitochondrion?",
]


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    yield from slack_server.run_slack()


def elements(blocks: list[Any], kind: str) -> list[str]:
    """The text of each paragraph or quote of a kind, in order."""
    found = [element for block in blocks if block["type"] == "rich_text" for element in block["elements"]]
    return ["".join(slack_rules.texts(element)) for element in found if element["type"] == kind]


@pytest.mark.timeout(300)
def test_text_numbers_and_quotes_are_the_same_in_slack_and_over_http(
    slack: SlackServer, service: Service, store: ConversationStore, served: str, tmp_path: Path
) -> None:
    settings = settings_for(tmp_path, slack.api_url)
    session = make_session(replace(service, settings=settings), store)
    timing = Timing(lease=timedelta(seconds=20), poll_s=0.2, seconds_between_posts=0)
    with RunningSlackApp(session, settings, timing):
        for question in QUESTIONS:
            event = slack.say("C1", "U1", f"<@{BOT_USER}> {question}")
            slack.push(event_body(mention(event)))
            (said,) = until(
                lambda ts=event["ts"]: [m for m in slack.in_thread("C1", ts) if m.buttons and not m.streaming], 120
            )
            answer = httpx.post(f"{served}/v1/chat", json={"question": question}, timeout=120).raise_for_status().json()
            paragraphs, quotes = elements(said.blocks, "rich_text_section"), elements(said.blocks, "rich_text_quote")
            if answer["refused"]:
                assert paragraphs[0] == answer["text"]
                continue
            count = len(answer["sentences"])
            assert " ".join(paragraphs[:count]) == answer["text"]
            assert quotes == [citation["quote"] for citation in answer["citations"]]
            assert paragraphs[count] == "Sources"
            for citation, place in zip(answer["citations"], paragraphs[count + 1 :], strict=True):
                assert place.startswith(f"[{citation['number']}] {citation['title']}")
        assert answer["refused"]
