"""The pure parts of the Slack app: escaping, splitting, users, the manifest, rate limits, modals, commands."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from quoth import app
from service.settings import Settings
from service.slack import handlers
from service.slack.client import users
from service.slack.client.rate_limits import Allowance
from service.slack.events import find_origin, make_question, read_message
from service.slack.manifest import manifest
from service.slack.render.modals import settings_modal
from service.slack.render.phrases import LANGUAGES, ChannelSettings
from service.slack.render.text import escape, mentioned_users, plain_text, shorten, split_text, units
from tests import slack_rules, slack_server

SOURCES = "\n".join(path.read_text() for path in Path(handlers.__file__).parent.rglob("*.py"))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_escaped_text_reads_as_it_was(text: str) -> None:
    assert not set("<>") & set(escape(text))
    assert plain_text(escape(text)) == "\n".join(" ".join(line.split()) for line in text.strip().split("\n"))


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        ("<@U1> Who is <@U2>?", "Who is Bob?"),
        ("See <https://example.org|the page> and <https://example.org>", "See the page and https://example.org"),
        ("In <#C1|general>: <!here> <!subteam^S1|@team>", "In #general: @team"),
        ("5 &lt; 6 &amp;amp; 7", "5 < 6 &amp; 7"),
        ("<mailto:a@example.org|a@example.org>", "a@example.org"),
    ],
)
def test_a_question_is_read_as_people_see_it(typed: str, seen: str) -> None:
    assert plain_text(typed, {"U2": "Bob"}) == seen


def test_the_users_that_a_message_mentions_are_known() -> None:
    assert mentioned_users("<@U1> and <@W2|bob>, not &lt;@U3&gt; nor @U4") == {"U1", "W2"}


@given(st.text(max_size=400), st.integers(20, 90))
def test_a_text_in_parts_is_the_same_text_and_every_part_fits(text: str, most: int) -> None:
    cut = list(split_text(text, most))
    assert "".join(cut) == text
    assert all(0 < units(part) <= most for part in cut)


def test_a_text_is_cut_between_sentences_words_and_never_inside_a_sign() -> None:
    assert list(split_text("One is here. Two is there.", 16)) == ["One is here. ", "Two is there."]
    assert list(split_text("Alpha beta gamma", 12)) == ["Alpha beta ", "gamma"]
    assert list(split_text("👍🏽" * 3, 6)) == ["👍🏽", "👍🏽", "👍🏽"]
    assert list(split_text("🇩🇪a", 3)) == ["🇩🇪"[:1], "🇩🇪a"[1:]]  # a flag alone is longer than the limit
    assert shorten("One two three", 9) == "One two…"


@pytest.mark.parametrize(
    ("user", "standing", "email"),
    [
        ({"profile": {"email": "Anna@Example.org"}}, "member", "anna@example.org"),
        ({"profile": {"email": "a@x.org"}, "is_restricted": True}, "guest", "a@x.org"),
        ({"profile": {"email": "a@x.org"}, "is_email_confirmed": False}, "member", ""),
        ({"profile": {"email": "a@x.org"}, "deleted": True}, "member", ""),
        ({"profile": {"email": "a@x.org"}, "is_stranger": True}, "outsider", ""),
        ({"profile": {"email": "a@x.org"}, "team_id": "T0OTHER"}, "outsider", ""),
        ({"profile": {"email": "a@x.org"}, "is_bot": True}, "bot", ""),
        ({"profile": {}}, "member", ""),
    ],
)
def test_only_a_confirmed_address_of_this_workspace_counts(user: dict[str, object], standing: str, email: str) -> None:
    person = users.read_person({"id": "U1", "team_id": "T1"} | user, "T1")
    assert (person.standing, person.email) == (standing, email)
    assert person.principals == (frozenset({email}) if email else frozenset())


def test_both_events_of_one_message_have_one_key() -> None:
    event = slack_server.SlackServer().say("C1", "U1", "<@U9> Why?")
    both = [read_message(one, "T1") for one in (event, slack_server.mention(event))]
    assert both[0] is not None
    assert both[1] is not None
    assert [find_origin(one, "U9") for one in both if one] == ["mention", "mention"]
    assert make_question(both[0], "mention").key == make_question(both[1], "mention").key


def test_an_allowance_ends_and_comes_back() -> None:
    now = 0.0
    allowance = Allowance(2, 60.0, clock=lambda: now)
    assert [allowance.take(), allowance.take(), allowance.take()] == [True, True, False]
    now = 60.0
    assert allowance.take()


# Which scope a method needs: docs.slack.dev/reference/methods.
NEEDED = {
    "chat_postMessage": {"chat:write"},
    "chat_postEphemeral": {"chat:write"},
    "chat_update": {"chat:write"},
    "chat_delete": {"chat:write"},
    "chat_startStream": {"chat:write"},
    "chat_appendStream": {"chat:write"},
    "chat_stopStream": {"chat:write"},
    "reactions_add": {"reactions:write"},
    "reactions_remove": {"reactions:write"},
    "assistant_threads_setStatus": {"chat:write"},
    "assistant_threads_setSuggestedPrompts": {"assistant:write"},
    "conversations_replies": {"channels:history", "groups:history", "im:history", "mpim:history"},
    "users_info": {"users:read", "users:read.email"},
    "usergroups_list": {"usergroups:read"},
    "views_open": set(),
    "auth_test": set(),
    "apps_connections_open": set(),
}
HEARD = {
    "app_mention": {"app_mentions:read"},
    "assistant_thread_started": {"assistant:write"},
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "message.im": {"im:history"},
    "message.mpim": {"mpim:history"},
}


def test_the_manifest_asks_for_what_the_code_uses_and_for_no_more() -> None:
    made = manifest()
    called = set(re.findall(r"client\.([a-z]+_[A-Za-z_]+)\(", SOURCES))
    assert called == set(NEEDED)
    events = made["settings"]["event_subscriptions"]["bot_events"]
    assert set(events) == set(HEARD)
    listened = set(re.findall(r"app\.event\(\"(\w+)\"\)", SOURCES))
    assert {event.partition(".")[0] for event in events} == listened
    scopes = set().union(*NEEDED.values(), *HEARD.values()) | {"commands"}
    assert set(made["oauth_config"]["scopes"]["bot"]) == scopes
    assert [one["command"] for one in made["features"]["slash_commands"]] == [handlers.COMMAND]
    assert [one["callback_id"] for one in made["features"]["shortcuts"]] == [handlers.SHORTCUT]
    about = made["display_information"]
    assert len(about["name"]) <= 35
    assert len(about["description"]) <= 140
    assert 174 <= len(about["long_description"]) <= 4000


def test_the_command_prints_the_manifest_for_either_way() -> None:
    socket = json.loads(CliRunner().invoke(app, ["slack", "--manifest"]).stdout)
    assert socket == manifest()
    assert socket["settings"]["socket_mode_enabled"]
    over_http = json.loads(CliRunner().invoke(app, ["slack", "--manifest", "--url", "https://q.example.org/"]).stdout)
    address = "https://q.example.org/slack/events"
    assert not over_http["settings"]["socket_mode_enabled"]
    assert over_http["settings"]["event_subscriptions"]["request_url"] == address
    assert over_http["settings"]["interactivity"]["request_url"] == address
    assert over_http["features"]["slash_commands"][0]["url"] == address
    assert CliRunner().invoke(app, ["slack", "--url", "https://q.example.org"]).exit_code == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_buttons_and_the_form_of_the_settings_fit_in_every_language(language: str) -> None:
    phrases = LANGUAGES[language]
    for label in (
        phrases.helpful,
        phrases.unhelpful,
        phrases.passages,
        phrases.share,
        phrases.as_typed,
        phrases.delete,
    ):
        assert units(label) <= 75
    form = json.dumps(settings_modal("C1", ChannelSettings(language=language), [], "default"), ensure_ascii=False)
    assert phrases.settings in form
    assert "…" not in form  # nothing is cut
    assert units(phrases.passages) <= 24  # the title of a window


def test_the_settings_fit_a_window_whatever_there_is_to_choose() -> None:
    names = [f"collection-{number}-{'x' * 80}"[:64] for number in range(300)]
    for channel in (
        ChannelSettings(),
        ChannelSettings(names[0], "file:///srv/hr/", True, True, "de"),
        ChannelSettings(names[200], language="fr"),
    ):
        slack_rules.modal(settings_modal("C1", channel, names, "default"))


def test_the_page_about_slack_names_every_setting_and_the_command_of_the_manifest() -> None:
    page = Path(handlers.__file__).parents[2].joinpath("docs", "slack.md").read_text()
    named = set(re.findall(r"QUOTH_[A-Z_]+", page))
    ours = {
        f"QUOTH_{name.upper()}" for name in Settings.model_fields if name.startswith("slack_") or name == "public_url"
    }
    assert ours <= named <= {f"QUOTH_{name.upper()}" for name in Settings.model_fields}
    assert page.count("quoth slack --manifest") == 2
    for label in (LANGUAGES["en"].helpful, LANGUAGES["en"].passages, LANGUAGES["en"].share, LANGUAGES["en"].delete):
        assert f"**{label}**" in page
