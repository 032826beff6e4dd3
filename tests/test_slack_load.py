"""Fifty questions at once, connections that break, processes that are killed: each question is answered once, none is lost."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.composition.http import create_app
from service.slack.app import Timing
from service.slack.store.messages import RecentActions
from service.slack.store.questions import Questions, SlackQuestion
from service.storage.database import Database
from tests import slack_server
from tests.slack_people import DOCUMENTS, SIX
from tests.slack_quoth import RunningSlackApp, settings_for, small_session
from tests.slack_server import SlackServer, event_body, mention, until
from tests.slack_web_api import BOT_USER

WRITES = {"chat.startStream", "chat.postMessage"}
"""The calls that begin an answer. Slack waits three seconds for an acknowledgement, so none may wait for an answer."""
PROGRAM = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from service.observability.logs import configure
from service.slack.app import SlackApp, Timing, serve_socket_mode
from tests.slack_quoth import small_session, settings_for
from tests.slack_web_api import APP_TOKEN
from tests.slack_people import DOCUMENTS

async def main():
    configure("warning")
    home = Path(sys.argv[1])
    session = small_session(home, documents=DOCUMENTS)
    timing = Timing(lease=timedelta(seconds=1), poll_s=0.1, seconds_between_posts=0.01)
    app = SlackApp(settings_for(home, sys.argv[2]), session, timing)
    await serve_socket_mode(app, APP_TOKEN, asyncio.Event(), lambda own: print("connected", flush=True), 0.25)

asyncio.run(main())
"""


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    yield from slack_server.run_slack()


def questions(slack: SlackServer, count: int, channels: int = 10) -> list[tuple[str, str]]:
    """Ask `count` questions at once, each as both events that Slack sends; returns the channels and timestamps."""
    asked = []
    for number in range(count):
        channel = f"C{number % channels}"
        text = f"<@{BOT_USER}> How many cyberattacks since 2007 does Seoul count, asks {number}?"
        event = slack.say(channel, "U1", text)
        asked.append((channel, event["ts"]))
        slack.push(event_body(mention(event)))
        slack.push(event_body(event))
    return asked


def is_answered(slack: SlackServer, asked: list[tuple[str, str]]) -> bool:
    return all(any(m.buttons and not m.streaming for m in slack.in_thread(*place)) for place in asked)


def each_once(slack: SlackServer, asked: list[tuple[str, str]]) -> None:
    """Assert that every question has one whole answer in its thread, and that the bot posted nothing else."""
    for place in asked:
        (said,) = slack.in_thread(*place)
        assert said.shown.startswith(f"{SIX} [1]Sources")
        assert not said.streaming
    written = Counter((m.channel, m.thread_ts) for m in slack.messages.values() if m.user == BOT_USER)
    assert written == Counter(asked)


@pytest.mark.timeout(240)
def test_fifty_questions_at_once_over_breaking_connections_are_each_answered_once(
    slack: SlackServer, tmp_path: Path
) -> None:
    session = small_session(tmp_path, documents=DOCUMENTS)
    slack.repeat_every, slack.drop_after = 3, 40
    slack.turned_away.update({"chat.postMessage": 5, "chat.startStream": 5, "chat.stopStream": 5})
    timing = Timing(lease=timedelta(seconds=5), poll_s=0.2, seconds_between_posts=0.05)
    with RunningSlackApp(session, settings_for(tmp_path, slack.api_url), timing):
        slack.held |= WRITES
        asked = questions(slack, 50)
        slack.ask_to_reconnect()
        until(lambda: all(sent.acknowledged for sent in slack.sent))
        slack.held.clear()
        until(lambda: is_answered(slack, asked), 120)
        time.sleep(0.5)  # whatever came twice would be answered now
    each_once(slack, asked)
    assert Counter(method for method, _, _ in slack.limited)["chat.startStream"] == 5
    session.store.close()


def test_fifty_questions_over_http_are_each_acknowledged_before_one_is_answered(
    slack: SlackServer, tmp_path: Path, loopback: Any
) -> None:
    session = small_session(tmp_path, documents=DOCUMENTS)
    service: Any = session.service
    service.settings = settings_for(tmp_path, slack.api_url)
    events = [
        slack.say(f"C{number % 10}", "U1", f"<@{BOT_USER}> How many cyberattacks since 2007, asks {number}?")
        for number in range(50)
    ]
    slack.held |= WRITES
    with loopback(create_app(service, session.store)) as url, ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda event: slack.post(f"{url}/slack/events", event_body(event)), events))
        assert {answer.status_code for answer in answers} == {200}
        slack.held.clear()
        asked = [(event["channel"], event["ts"]) for event in events]
        until(lambda: is_answered(slack, asked), 120)
    each_once(slack, asked)


def start(home: Path, slack: SlackServer) -> "subprocess.Popen[str]":
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(home), slack.api_url],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=Path(__file__).parent.parent,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)},
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "connected\n"
    return child


@pytest.mark.timeout(280)
def test_no_question_is_lost_or_answered_twice_when_the_process_is_killed_in_the_middle(
    slack: SlackServer, tmp_path: Path
) -> None:
    slack.rates["chat.startStream"] = slack.rates["chat.postMessage"] = (2, 1.0)  # slow enough to die in the middle
    child = start(tmp_path, slack)
    asked = questions(slack, 50)
    until(lambda: len([m for m in list(slack.messages.values()) if m.buttons]) >= 5, 60)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert child.stdout is not None
    child.stdout.close()
    assert not is_answered(slack, asked)
    slack.rates.clear()
    child = start(tmp_path, slack)
    try:
        until(lambda: is_answered(slack, asked), 120)
        until(lambda: all(sent.acknowledged for sent in slack.sent))
    finally:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()
    each_once(slack, asked)


def test_a_message_that_was_posted_but_never_noted_is_taken_over(slack: SlackServer, tmp_path: Path) -> None:
    """The process dies between Slack's accepting the message and our recording it: the next attempt finds and overwrites it."""
    session = small_session(tmp_path, documents=DOCUMENTS)
    event = slack.say("C1", "U1", f"<@{BOT_USER}> How many cyberattacks since 2007 does Seoul count?")
    stray = slack._chat_startstream(
        {
            "channel": "C1",
            "thread_ts": event["ts"],
            "recipient_team_id": "T",
            "recipient_user_id": "U1",
            "chunks": [{"type": "blocks", "blocks": [{"type": "divider"}]}],
        }
    )
    kept = Questions(session.store.database, session.store.new_id)
    kept.ask(
        SlackQuestion(
            f"C1:{event['ts']}", "T", "C1", "channel", event["ts"], event["ts"], "U1", event["text"], "mention"
        )
    )
    assert kept.claim("dead") is not None
    with RunningSlackApp(
        session,
        settings_for(tmp_path, slack.api_url),
        Timing(lease=timedelta(seconds=30), poll_s=0.1, seconds_between_posts=0),
    ):
        time.sleep(0.5)
        assert slack.called("chat.update") == 0  # the dead worker's lease holds
        Questions(session.store.database, session.store.new_id, lease=timedelta(0)).renew("dead")
        until(lambda: is_answered(slack, [("C1", event["ts"])]))
    (said,) = slack.in_thread("C1", event["ts"])
    assert (said.ts, said.streaming) == (stray["ts"], False)
    assert said.shown.startswith(SIX)
    session.store.close()


def test_what_waited_too_long_or_failed_too_often_is_apologised_for(slack: SlackServer, tmp_path: Path) -> None:
    session = small_session(tmp_path, documents=DOCUMENTS)
    now = datetime.now(UTC)
    place = {}
    for name, when, tries in (("failed", now, 3), ("late", now - timedelta(hours=2), 0)):
        event = slack.say("C1", "U1", "How many cyberattacks?")
        place[name] = ts = event["ts"]
        kept = Questions(session.store.database, session.store.new_id, lease=timedelta(0), clock=lambda when=when: when)  # type: ignore[misc]
        kept.ask(SlackQuestion(f"C1:{ts}", "T", "C1", "channel", ts, ts, "U1", event["text"], "mention"))
        assert all(kept.claim("dying") for _ in range(tries))
    with RunningSlackApp(
        session,
        settings_for(tmp_path, slack.api_url),
        Timing(lease=timedelta(seconds=5), poll_s=0.1, seconds_between_posts=0),
    ):
        said = {name: until(lambda ts=ts: slack.in_thread("C1", ts))[0].shown for name, ts in place.items()}
    assert said["late"].startswith("I was away when you asked")
    assert said["failed"].startswith("I could not answer this")
    session.store.close()


def test_of_twenty_replicas_that_hear_one_event_one_keeps_it(database: Database) -> None:
    kept = Questions(database, lambda: "conversation")
    one = SlackQuestion("C1:1", "T", "C1", "channel", "1", "1", "U1", "Why?", "mention")
    with ThreadPoolExecutor(20) as pool:
        first = list(pool.map(lambda _: kept.ask(one), range(20)))
        taken = [found for found in pool.map(lambda name: kept.claim(str(name)), range(20)) if found]
    assert (sum(first), len(taken), kept.waiting()) == (1, 1, 1)


def test_two_workers_never_take_the_same_question_and_a_thread_is_answered_in_order(database: Database) -> None:
    now = datetime.now(UTC)
    kept = Questions(database, lambda: "conversation", lease=timedelta(seconds=10), clock=lambda: now)

    def asked(message: str, thread: str) -> SlackQuestion:
        return SlackQuestion(f"C1:{message}", "T", "C1", "channel", thread, message, "U1", "Why?", "mention")

    assert [kept.ask(asked("1", "1")), kept.ask(asked("1", "1")), kept.ask(asked("2", "1")), kept.ask(asked("3", "3"))] == [
        True, False, True, True,
    ]  # fmt: skip
    first, other, nothing = kept.claim("one"), kept.claim("two"), kept.claim("two")
    assert first is not None
    assert other is not None
    assert ([first.question.message, other.question.message], nothing) == (["1", "3"], None)
    assert not kept.finish(first, "two", "answered", "a1")
    assert kept.edit("C1:1", "Why not?", "5")
    assert not kept.edit("C1:1", "Older", "4")
    assert not kept.finish(first, "one", "answered", "a1")  # it was edited meanwhile
    again = kept.claim("one")
    assert again is not None
    assert (again.question.text, again.answer_id) == ("Why not?", "a1")
    assert kept.finish(again, "one", "answered", "a2")
    second = kept.claim("one")
    assert second is not None
    assert (second.question.message, kept.answer_ids_before(second)) == ("2", ("a2",))
    now += timedelta(seconds=11)
    taken_over = kept.claim("two")
    assert taken_over is not None
    assert (taken_over.question.message, taken_over.attempts) == ("2", 2)
    for _ in range(3):  # giving back what may pass by itself does not use up the tries, and is not forgotten either
        kept.give_back(taken_over, "two", timedelta(0), counts=False)
        again = kept.claim("two")
        assert again is not None
        assert (again.question.message, again.attempts) in {("2", 2), ("3", 2)}
        taken_over = again
    assert kept.withdraw("C1:2")
    once = RecentActions(database, clock=lambda: now)
    assert [once.record("press"), once.record("press")] == [True, False]
    now += timedelta(days=2)
    assert once.record("press")
