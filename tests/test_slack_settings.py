"""What is set for Quoth in Slack: a channel's settings, and the tokens of the app."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from typer.testing import CliRunner

from quoth import app
from service.composition.http import create_app
from service.errors import SettingsInvalid, SlackRefused
from service.session.session import Session
from service.slack.render.phrases import LANGUAGES, ChannelSettings
from service.slack.store.channels import Channels
from tests.slack_people import (
    DOCUMENTS,
    NOTHING,
    TIMING,
    answer,
    ask,
    command,
    run_slack_with_people,
    submit_settings,
    wait_until_settled,
)
from tests.slack_quoth import RunningSlackApp, settings_for, small_session
from tests.slack_server import SlackServer, until
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


def test_members_choose_collections_that_a_setting_opens_and_administrators_any(
    slack: SlackServer, session: Session, tmp_path: Path
) -> None:
    slack.users["U2"]["is_admin"] = True
    for name in ("open", "closed"):
        session.service.library.open_or_create(name)
    channels = Channels(session.store.database)

    def offered(user: str) -> list[str]:
        count = len(slack.views)
        command(slack, "settings", user=user)
        blocks = until(lambda: slack.views[count:])[0]["view"]["blocks"]
        return [option["value"] for option in blocks[0]["element"]["options"]]

    with RunningSlackApp(session, settings_for(tmp_path, slack.api_url, slack_collections=("open",)), TIMING):
        assert offered("U1") == ["usual:", "named:open"]
        assert offered("U2") == ["usual:", "named:closed", "named:default", "named:open"]
        refused = submit_settings(slack, collection="named:closed", when=("silent",)).payloads[-1]
        assert refused["response_action"] == "errors"
        assert "administrator" in refused["errors"]["collection"]
        assert channels.get("C1") == ChannelSettings()
        submit_settings(slack, collection="named:open")
        assert channels.get("C1").collection == "open"
        submit_settings(slack, collection="named:closed", user="U2")
        assert channels.get("C1").collection == "closed"
        assert offered("U1") == ["usual:", "named:closed", "named:open"]
        assert submit_settings(slack, collection="named:closed", when=("silent",)).payloads == []
        assert channels.get("C1").silent
        slack.users["U2"]["is_admin"] = False
        assert offered("U2") == ["usual:", "named:closed", "named:open"]


@pytest.mark.parametrize(
    ("language", "refusal"), [("de", "Die Dokumente sagen dazu nichts."), ("it", "I documenti non lo dicono.")]
)
def test_a_refusal_and_an_error_are_said_in_the_language_of_the_channel(
    slack: SlackServer, quoth: RunningSlackApp, session: Session, language: str, refusal: str
) -> None:
    submit_settings(slack, language=language)
    said = answer(slack, ask(slack, NOTHING))
    assert said.shown.startswith(refusal)
    assert "The documents do not say" not in said.text
    long = ask(slack, f"<@{BOT_USER}> {'why ' * 2000}")
    assert until(lambda: slack.in_thread("C1", long))[0].shown == LANGUAGES[language].invalid.format(most=4000)
    submit_settings(slack, user="U3", language="en")
    sent, _ = command(slack, "settings", user="U3")
    assert until(lambda: sent.payloads)[0]["text"] == LANGUAGES[language].members_only


def test_a_channel_is_set_to_answer_everything_from_one_folder_silently_and_in_german(
    slack: SlackServer, quoth: RunningSlackApp, session: Session
) -> None:
    command(slack, "settings")
    view = until(lambda: slack.views)[0]
    assert view["view"]["private_metadata"] == "C1"
    submit_settings(slack, folder="/hr", when=("every_message", "silent"), language="de")
    said = answer(slack, ask(slack, "How many days of holidays has every employee?"))
    assert "Every employee has thirty days of holidays. [1]Quellen" in said.shown
    ask(slack, "How many cyberattacks since 2007 does Seoul count?")
    ts = ask(slack, NOTHING)
    until(lambda: slack.ephemeral)
    wait_until_settled(slack, session)
    assert slack.ephemeral[0]["user"] == "U1"
    assert slack.in_thread("C1", ts) == []
    assert len(slack.by_bot("C1")) == 1
    submit_settings(slack, user="U3", language="fr")
    command(slack, "settings", user="U3")
    time.sleep(0.3)
    assert len(slack.views) == 1
    assert "Quellen" in answer(slack, ask(slack, f"<@{BOT_USER}> How many days of holidays?", user="U2")).shown


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({}, SettingsInvalid, "QUOTH_SLACK_APP_TOKEN"),
        ({"QUOTH_SLACK_APP_TOKEN": "xapp-1"}, SettingsInvalid, "QUOTH_SLACK_BOT_TOKEN"),
        ({"QUOTH_SLACK_APP_TOKEN": "xapp-1", "QUOTH_SLACK_BOT_TOKEN": "1"}, SlackRefused, "invalid_auth"),
    ],
)
def test_the_command_says_what_is_missing_before_it_loads_a_model(
    slack: SlackServer, tmp_path: Path, given: dict[str, str], error: type[Exception], said: str
) -> None:
    env = {"QUOTH_HOME": str(tmp_path), "QUOTH_SLACK_API_URL": slack.api_url}
    result = CliRunner().invoke(app, ["slack"], env=env | given)
    assert isinstance(result.exception, error)
    assert said in str(result.exception)
    structlog.reset_defaults()


def test_a_wrong_token_ends_the_start_with_what_to_fix(slack: SlackServer, session: Session, tmp_path: Path) -> None:
    wrong = settings_for(tmp_path, slack.api_url).model_copy(update={"slack_bot_token": None})
    with pytest.raises(SettingsInvalid, match="QUOTH_SLACK_BOT_TOKEN"), RunningSlackApp(session, wrong, TIMING):
        pass
    slack.off["auth.test"] = "invalid_auth"
    with (
        pytest.raises(SlackRefused, match="Copy it again from the app's page"),
        RunningSlackApp(session, settings_for(tmp_path, slack.api_url), TIMING),
    ):
        pass
    slack.off = {"apps.connections.open": "not_allowed_token_type"}
    with (
        pytest.raises(SlackRefused, match=r"QUOTH_SLACK_APP_TOKEN with xapp-"),
        RunningSlackApp(session, settings_for(tmp_path, slack.api_url), TIMING),
    ):
        pass


def test_a_server_that_slack_is_not_set_up_for_has_no_such_route(session: Session, loopback: Any) -> None:
    service: Any = session.service
    with loopback(create_app(service, session.store)) as url:
        assert httpx.post(f"{url}/slack/events", json={"type": "url_verification"}, timeout=10).status_code == 404
