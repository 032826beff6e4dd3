"""Answers in progress in Slack when the process stops: finished, or given back for the next start."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from service.generators.protocol import Passage
from service.generators.scripted import ScriptedGenerator
from service.slack.store.questions import Questions
from tests import slack_server
from tests.slack_people import DOCUMENTS, SIX, TIMING, answer, ask
from tests.slack_quoth import RunningSlackApp, settings_for, small_session
from tests.slack_server import SlackServer, until


class HeldGenerator:
    """Writes one sentence, once the test allows."""

    name = "held"

    def __init__(self) -> None:
        self.begun, self.let = Event(), Event()

    def generate(self, question: str, passages: Sequence[Passage], parts: Sequence[str] = ()) -> Iterator[Any]:
        self.begun.set()
        assert self.let.wait(60)
        yield from ScriptedGenerator([f"{SIX} [1]"]).generate(question, passages)


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    yield from slack_server.run_slack()


def test_an_answer_that_is_begun_is_finished_before_the_process_ends_and_no_other_is_begun(
    slack: SlackServer, tmp_path: Path
) -> None:
    held = HeldGenerator()
    session = small_session(tmp_path, {"held": held}, DOCUMENTS)
    kept = Questions(session.store.database, session.store.new_id)
    with RunningSlackApp(session, settings_for(tmp_path, slack.api_url), TIMING) as running:
        asked = ask(slack)
        assert held.begun.wait(60)
        later = ask(slack, "And in May?", thread=asked)  # it waits for the one before it
        until(lambda: kept.waiting() == 2)
        running.stop()
        until(lambda: not slack.connected)
        held.let.set()
    assert answer(slack, asked).shown.startswith(f"{SIX} [1]")
    assert len(slack.in_thread("C1", asked)) == 1, later
    assert kept.waiting() == 1
    session.store.close()


def test_an_answer_that_takes_longer_than_the_grace_is_given_back_for_the_next_start(
    slack: SlackServer, tmp_path: Path
) -> None:
    held = HeldGenerator()
    session = small_session(tmp_path, {"held": held}, DOCUMENTS)
    settings = settings_for(tmp_path, slack.api_url, shutdown_grace_s=0.1)
    with RunningSlackApp(session, settings, TIMING):
        asked = ask(slack)
        assert held.begun.wait(60)
    assert [message for message in slack.in_thread("C1", asked) if message.buttons] == []
    assert Questions(session.store.database, session.store.new_id).waiting() == 1
    held.let.set()
    with RunningSlackApp(session, settings, TIMING):
        assert answer(slack, asked).shown.startswith(f"{SIX} [1]")
    assert len(slack.in_thread("C1", asked)) == 1
    session.store.close()
