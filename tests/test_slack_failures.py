"""What goes wrong on the way between Slack and Quoth: limits, lost messages, broken streams, bad requests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from service.composition.http import create_app
from service.errors import Overloaded
from service.session.session import Session
from tests import slack_web_api
from tests.slack_people import (
    ASK,
    DOCUMENTS,
    SIX,
    TIMING,
    answer,
    ask,
    command,
    press,
    response_text,
    run_slack_with_people,
    wait_until_settled,
)
from tests.slack_quoth import RunningSlackApp, settings_for, small_session
from tests.slack_server import SlackServer, event_body, until
from tests.slack_web_api import BOT_USER


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    yield from run_slack_with_people()


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    small = small_session(tmp_path, documents=DOCUMENTS)
    yield small
    small.store.close()


@pytest.fixture
def quoth(slack: SlackServer, session: Session, tmp_path: Path) -> Iterator[RunningSlackApp]:
    with RunningSlackApp(session, settings_for(tmp_path, slack.api_url), TIMING) as running:
        yield running


def test_a_mention_without_words_gets_a_hint_and_a_question_that_is_too_long_an_explanation(
    slack: SlackServer, quoth: RunningSlackApp
) -> None:
    empty, long = ask(slack, f"<@{BOT_USER}> "), ask(slack, f"<@{BOT_USER}> {'why ' * 2000}")
    assert "Ask me a question in words" in until(lambda: slack.in_thread("C1", empty))[0].shown
    assert "at most 4000 characters are read" in until(lambda: slack.in_thread("C1", long))[0].shown


def test_where_slack_does_not_stream_the_message_is_edited_in_place(slack: SlackServer, quoth: RunningSlackApp) -> None:
    slack.off["chat.startStream"] = "channel_type_not_supported"
    said = answer(slack, ask(slack))
    assert (said.streamed, said.edits) == (False, 1)
    assert said.shown.startswith(f"{SIX} [1]Sources")


def test_a_stream_that_slack_ends_early_is_completed_by_editing(slack: SlackServer, quoth: RunningSlackApp) -> None:
    slack.failing["chat.stopStream"].append("message_not_in_streaming_state")
    said = answer(slack, ask(slack))
    assert (said.streamed, said.edits) == (True, 1)
    assert said.shown.startswith(f"{SIX} [1]Sources")


def test_retry_after_is_honoured_and_nothing_is_lost(slack: SlackServer, quoth: RunningSlackApp) -> None:
    slack.rates["chat.startStream"] = (1, 1.0)
    for channel in ("C1", "C1"):
        ask(slack, channel=channel)
    until(lambda: len([m for m in slack.by_bot("C1") if m.buttons and not m.streaming]) == 2)
    method, at, wait = slack.limited[0]
    again = [when for name, when in slack.calls if name == method and when > at]
    assert again[0] - at >= wait


def test_where_the_bot_is_not_a_member_the_asker_is_told_and_the_event_is_done(
    slack: SlackServer, quoth: RunningSlackApp, session: Session
) -> None:
    slack.not_in.add("C9")
    _, name = command(slack, "How many cyberattacks since 2007 does Seoul count?", channel="C9")
    response_text(slack, name)
    private = slack_web_api.Message("C9", "", "", slack.responses[-1][1]["blocks"], "")
    assert "Invite me" in response_text(slack, press(slack, private, "share"))
    ask(slack, channel="C9")
    wait_until_settled(slack, session)


def test_a_missing_scope_is_named_and_costs_only_the_private_documents(
    slack: SlackServer, quoth: RunningSlackApp, capsys: pytest.CaptureFixture[str]
) -> None:
    slack.off["users.info"] = "missing_scope"
    question = "By how much do salaries rise in October?"
    assert "seven percent" not in answer(slack, ask(slack, question, "D1"), channel="D1").shown
    out = capsys.readouterr()
    assert "needs the scope users:read.email" in out.out + out.err


def test_over_http_signatures_are_verified_and_challenges_answered(
    slack: SlackServer, session: Session, tmp_path: Path, loopback: Any
) -> None:
    service: Any = session.service
    service.settings = settings_for(tmp_path, slack.api_url)
    with loopback(create_app(service, session.store)) as url:
        address = f"{url}/slack/events"
        challenge = slack.post(address, {"type": "url_verification", "challenge": "abc", "token": "x"})
        assert (challenge.status_code, challenge.json()) == (200, {"challenge": "abc"})
        event = slack.say("C1", "U1", ASK)
        assert slack.post(address, event_body(event), secret="wrong").status_code == 401
        assert httpx.post(address, content=b"\xff\xfe", timeout=10).status_code == 400
        assert slack.by_bot("C1") == []
        body = event_body(event)
        assert [slack.post(address, body).status_code for _ in range(3)] == [200, 200, 200]
        assert SIX in answer(slack, event["ts"]).shown
        assert len(slack.by_bot("C1")) == 1
        form = {"command": "/quoth", "text": "How many cyberattacks since 2007?", "user_id": "U1", "channel_id": "C1"}
        sent = slack.post(
            address, form | {"trigger_id": "t", "team_id": "T", "response_url": slack.response_url()}, form=True
        )
        assert "Reading the documents for" in sent.json()["text"]
        until(lambda: slack.responses)


def test_what_cannot_be_kept_is_not_acknowledged_and_comes_again(
    slack: SlackServer, session: Session, tmp_path: Path, loopback: Any
) -> None:
    service: Any = session.service
    service.settings = settings_for(tmp_path, slack.api_url)
    slack.failing["auth.test"].append("internal_error")
    with loopback(create_app(service, session.store)) as url:
        body = event_body(slack.say("C1", "U1", ASK))
        assert [slack.post(f"{url}/slack/events", body).status_code for _ in range(2)] == [500, 200]
        assert SIX in answer(slack, body["event"]["ts"]).shown


def test_a_question_waits_like_a_request_while_the_server_is_busy(
    slack: SlackServer, session: Session, quoth: RunningSlackApp
) -> None:
    metrics = session.metrics
    session.admission.busy = session.service.settings.max_requests
    ts = ask(slack)
    until(lambda: b"\nquoth_requests_waiting 1.0" in metrics.render("")[0])
    assert slack.by_bot("C1") == []
    quoth.call(session.admission.leave, anyio.Event())  # one of the requests ends
    assert SIX in answer(slack, ts).shown
    assert session.admission.busy == session.service.settings.max_requests - 1


def test_a_question_that_comes_when_no_more_may_wait_is_answered_later(
    slack: SlackServer, session: Session, quoth: RunningSlackApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[Overloaded] = []
    enter = session.admission.enter

    def enter_full_queue() -> anyio.Event:
        try:
            return enter()
        except Overloaded as error:
            refused.append(error)
            raise

    with monkeypatch.context() as full:
        full.setattr(session.admission, "_at_once", 0)
        full.setattr(session.admission, "_max_waiting", 0)
        full.setattr(session.admission, "enter", enter_full_queue)
        ts = ask(slack)
        until(lambda: bool(refused))
        assert slack.by_bot("C1") == []
    assert SIX in answer(slack, ts).shown
    assert len(slack.by_bot("C1")) == 1


def test_while_slack_is_away_the_question_waits_and_is_then_answered_once(
    slack: SlackServer, quoth: RunningSlackApp
) -> None:
    slack.failing["chat.startStream"].extend(["internal_error"] * 2)
    ts = ask(slack)
    assert SIX in answer(slack, ts).shown
    assert slack.called("chat.startStream") + slack.called("chat.postMessage") >= 3
    assert len(slack.by_bot("C1")) == 1


@pytest.mark.parametrize("streams", [True, False])
def test_a_post_whose_confirmation_was_lost_is_found_and_not_posted_again(
    slack: SlackServer, quoth: RunningSlackApp, *, streams: bool
) -> None:
    if not streams:
        slack.off["chat.startStream"] = "channel_type_not_supported"
    slack.swallowed.update(["chat.startStream" if streams else "chat.postMessage"])
    ts = ask(slack)
    said = answer(slack, ts)
    assert (said.shown.startswith(f"{SIX} [1]Sources"), said.streamed) == (True, streams)
    assert slack.by_bot("C1") == [said]
    assert slack.called("conversations.replies") >= 1
