"""What people do in the tests' Slack: ask, press buttons, type commands, choose settings; and what they then see."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from service.session.session import Session
from service.slack.app import Timing
from service.slack.store.questions import Questions
from tests import slack_rules, slack_server, slack_web_api
from tests.slack_quoth import document
from tests.slack_server import SlackServer, event_body, mention, until
from tests.slack_web_api import BOT_USER

TIMING = Timing(lease=timedelta(seconds=5), poll_s=0.2, seconds_between_posts=0.0)
SIX = "Seoul holds the North responsible for at least six cyberattacks since 2007."
ASK = f"<@{BOT_USER}> How many cyberattacks since 2007 does Seoul count?"
NOTHING = f"<@{BOT_USER}> Which enzyme folds mitochondria?"
DOCUMENTS = [
    document("briefing", f"{SIX} Kerry visited Seoul in May."),
    document("salaries", "Salaries rise by seven percent in October.", frozenset({"anna@example.org"})),
    document("holidays", "Every employee has thirty days of holidays.", folder="hr"),
]


def run_slack_with_people() -> Iterator[SlackServer]:
    """A running Slack with Anna (U1) and Bob (U2), and Eve (U3) of another organisation."""
    for server in slack_server.run_slack():
        server.users["U1"] = {"name": "anna", "profile": {"email": "Anna@Example.org", "display_name": "Anna"}}
        server.users["U2"] = {"name": "bob", "profile": {"email": "bob@example.org", "display_name": "Bob"}}
        server.users["U3"] = {"name": "eve", "profile": {"email": "anna@example.org"}, "team_id": "T0OTHER"}
        yield server


def ask(slack: SlackServer, text: str = ASK, channel: str = "C1", user: str = "U1", thread: str | None = None) -> str:
    """Write a message, send its events as Slack does, and return its timestamp."""
    event = slack.say(channel, user, text, thread)
    if BOT_USER in text and channel[0] != "D":
        slack.push(event_body(mention(event)))
    slack.push(event_body(event))
    return str(event["ts"])


def answer(slack: SlackServer, thread: str, number: int = 1, channel: str = "C1") -> slack_web_api.Message:
    """The `number`th message of the bot in a thread, once it is complete."""

    def whole() -> Any:
        found = slack.in_thread(channel, thread)
        return len(found) >= number and not found[-1].streaming and found[-1].buttons and found[number - 1]

    message: slack_web_api.Message = until(whole)
    return message


def wait_until_settled(slack: SlackServer, session: Session) -> None:
    """Wait until every event is acknowledged and every question is finished."""
    until(lambda: all(sent.acknowledged for sent in slack.sent))
    until(lambda: Questions(session.store.database, session.store.new_id).waiting() == 0)


def press(slack: SlackServer, message: slack_web_api.Message, action: str, user: str = "U1", trigger: str = "") -> str:
    """Press a button, and return the name of its response address."""
    url = slack.response_url()
    body = {
        "type": "block_actions",
        "user": {"id": user, "team_id": slack_web_api.TEAM},
        "team": {"id": slack_web_api.TEAM},
        "channel": {"id": message.channel},
        "container": {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": message.channel,
            "is_ephemeral": False,
        },
        "actions": [{"type": "button", "action_id": action, "value": message.buttons[action], "block_id": "b"}],
        "trigger_id": trigger or f"trigger{time.monotonic_ns()}",
        "response_url": url,
    }
    slack.push(body, "interactive")
    return url.rsplit("/", 1)[1]


def command(slack: SlackServer, text: str, user: str = "U1", channel: str = "C1") -> tuple[slack_server.Sent, str]:
    url = slack.response_url()
    body = {
        "command": "/quoth",
        "text": text,
        "user_id": user,
        "channel_id": channel,
        "team_id": slack_web_api.TEAM,
        "trigger_id": f"trigger{time.monotonic_ns()}",
        "response_url": url,
    }
    return slack.push(body, "slash_commands"), url.rsplit("/", 1)[1]


def response_text(slack: SlackServer, name: str, number: int = 1) -> str:
    """The text of the `number`th response to an address."""
    found = until(lambda: len([1 for used, _ in slack.responses if used == name]) >= number and list(slack.responses))
    payloads = [payload for used, payload in found if used == name]
    return "".join(slack_rules.texts(payloads[number - 1].get("blocks") or []))


def submit_settings(slack: SlackServer, channel: str = "C1", user: str = "U1", **values: Any) -> slack_server.Sent:
    """Submit a channel's settings, and wait until Quoth has acknowledged them."""
    option = lambda value: {"selected_option": {"value": value}}  # noqa: E731
    state = {
        "collection": {"collection": option(values.get("collection", "usual:"))},
        "folder": {"folder": {"value": values.get("folder")}},
        "when": {"when": {"selected_options": [{"value": value} for value in values.get("when", ())]}},
        "language": {"language": option(values.get("language", "en"))},
    }
    view = {"type": "modal", "callback_id": "channel_settings", "private_metadata": channel, "state": {"values": state}}
    sent = slack.push(
        {
            "type": "view_submission",
            "user": {"id": user},
            "team": {"id": slack_web_api.TEAM},
            "view": view | {"id": "V"},
        },
        "interactive",
    )
    until(lambda: sent.acknowledged)
    return sent
