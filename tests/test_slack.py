"""Quoth in Slack, through the real slack-bolt and slack-sdk: every door, every button, every change of a question."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from typer.testing import CliRunner

from quoth import app
from service.composition.http import create_app
from service.errors import SettingsInvalid, SlackRefused
from service.generators.scripted import ScriptedGenerator
from service.session.session import Session
from service.slack.app import Timing
from service.slack.client.users import read_groups
from service.slack.context import OWNER
from service.slack.render.phrases import LANGUAGES, Channel
from service.slack.store.channels import Channels
from service.slack.store.questions import Questions
from tests import slack_server
from tests.slack_quoth import Running, document, parts, settings_for
from tests.slack_server import BOT_USER, SlackServer, event_body, mention, until

PACE = Timing(lease=timedelta(seconds=5), poll_s=0.2, seconds_between_posts=0.0)
SIX = "Seoul holds the North responsible for at least six cyberattacks since 2007."
ASK = f"<@{BOT_USER}> How many cyberattacks since 2007 does Seoul count?"
NOTHING = f"<@{BOT_USER}> Which enzyme folds mitochondria?"
DOCUMENTS = [
    document("briefing", f"{SIX} Kerry visited Seoul in May."),
    document("salaries", "Salaries rise by seven percent in October.", frozenset({"anna@example.org"})),
    document("holidays", "Every employee has thirty days of holidays.", folder="hr"),
]


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    for server in slack_server.running():
        server.users["U1"] = {"name": "anna", "profile": {"email": "Anna@Example.org", "display_name": "Anna"}}
        server.users["U2"] = {"name": "bob", "profile": {"email": "bob@example.org", "display_name": "Bob"}}
        server.users["U3"] = {"name": "eve", "profile": {"email": "anna@example.org"}, "team_id": "T0OTHER"}
        yield server


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Session]:
    small = parts(tmp_path, documents=DOCUMENTS)
    yield small
    small.store.close()


@pytest.fixture
def quoth(slack: SlackServer, made: Session, tmp_path: Path) -> Iterator[Running]:
    with Running(made, settings_for(tmp_path, slack.api_url), PACE) as running:
        yield running


def ask(slack: SlackServer, text: str = ASK, channel: str = "C1", user: str = "U1", thread: str | None = None) -> str:
    """Write a message, tell of it as Slack does, and give its timestamp."""
    event = slack.say(channel, user, text, thread)
    if BOT_USER in text and channel[0] != "D":
        slack.push(event_body(mention(event)))
    slack.push(event_body(event))
    return str(event["ts"])


def answer(slack: SlackServer, thread: str, number: int = 1, channel: str = "C1") -> slack_server.Message:
    """The `number`th message of the bot in a thread, once it is whole."""

    def whole() -> Any:
        found = slack.in_thread(channel, thread)
        return len(found) >= number and not found[-1].streaming and found[-1].buttons and found[number - 1]

    message: slack_server.Message = until(whole)
    return message


def settled(slack: SlackServer, made: Session) -> None:
    """Wait until everything sent is acknowledged and worked on."""
    until(lambda: all(sent.acknowledged for sent in slack.sent))
    until(lambda: Questions(made.store.database, made.store.new_id).waiting() == 0)


def press(slack: SlackServer, message: slack_server.Message, action: str, user: str = "U1", trigger: str = "") -> str:
    """Press a button; the address for responses to it."""
    url = slack.response_url()
    body = {
        "type": "block_actions",
        "user": {"id": user, "team_id": slack_server.TEAM},
        "team": {"id": slack_server.TEAM},
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
        "team_id": slack_server.TEAM,
        "trigger_id": f"trigger{time.monotonic_ns()}",
        "response_url": url,
    }
    return slack.push(body, "slash_commands"), url.rsplit("/", 1)[1]


def told(slack: SlackServer, name: str, number: int = 1) -> str:
    """What the `number`th response to an address says."""
    found = until(lambda: len([1 for used, _ in slack.responses if used == name]) >= number and list(slack.responses))
    payloads = [payload for used, payload in found if used == name]
    return "".join(slack_server.slack_rules.texts(payloads[number - 1].get("blocks") or []))


def test_a_mention_is_answered_once_in_its_thread_streamed_with_its_source(slack: SlackServer, quoth: Running) -> None:
    ts = ask(slack)
    said = answer(slack, ts)
    assert said.streamed
    assert said.shown.startswith(f"{SIX} [1]Sources[1] Briefing")
    assert list(said.buttons) == ["helpful", "unhelpful", "passages", "delete"]
    link = next(part for part in said.blocks[0]["elements"][0]["elements"] if part["type"] == "link")
    assert link["url"].startswith("https://quoth.example.org/view?collection=default&document=briefing&")
    until(lambda: slack.called("reactions.remove"))
    assert slack.reactions["C1", ts] == []
    assert (slack.called("reactions.add"), len(slack.in_thread("C1", ts))) == (1, 1)


def test_a_follow_up_in_the_thread_needs_no_mention_and_knows_what_went_before(
    slack: SlackServer, quoth: Running, made: Session
) -> None:
    ts = ask(slack)
    first = answer(slack, ts)
    ask(slack, "And since when?", user="U2", thread=ts)
    second = answer(slack, ts, 2)
    ask(slack, "<@U2> what do you think?", thread=ts)
    ask(slack, "How many cyberattacks?", thread="1.000001")
    settled(slack, made)
    assert len(slack.by_bot("C1")) == 2
    conversation = made.store.answer(first.buttons["helpful"], owner=OWNER).answer.conversation_id
    kept = [stored.answer for stored in made.store.answers(conversation, owner=OWNER)]
    assert [one.id for one in kept] == [first.buttons["helpful"], second.buttons["helpful"]]
    assert kept[1].rewritten_question == "And since when? (Seoul)"


def test_people_talking_among_themselves_bots_and_slack_itself_are_left_alone(
    slack: SlackServer, quoth: Running, made: Session
) -> None:
    for event in (
        slack.say("C1", "U1", "How many cyberattacks since 2007?"),
        slack.say("C1", "U1", ASK, bot_id="B9"),
        slack.say("C1", BOT_USER, ASK),
        slack.say("C1", "U1", ASK, subtype="channel_join"),
    ):
        slack.push(event_body(event))
    settled(slack, made)
    assert [message for message in slack.by_bot("C1") if message.blocks] == []


def test_a_direct_message_reads_what_its_writer_may_read_and_a_channel_only_what_everybody_may(
    slack: SlackServer, quoth: Running
) -> None:
    question = "By how much do salaries rise in October?"
    assert "seven percent" in answer(slack, ask(slack, question, "D1"), channel="D1").shown
    assert ("is reading the documents…") in [status for _, status in slack.statuses]
    assert "seven percent" not in answer(slack, ask(slack, question, "D2", "U2"), channel="D2").shown
    assert "seven percent" not in answer(slack, ask(slack, question, "D3", "U3"), channel="D3").shown
    assert "seven percent" not in answer(slack, ask(slack, f"<@{BOT_USER}> {question}")).shown
    assert "seven percent" not in answer(slack, ask(slack, f"<@{BOT_USER}> {question}", "G1"), channel="G1").shown
    assert slack.called("users.info") == 3


def test_a_private_answer_reads_what_names_a_user_group_of_its_asker(
    slack: SlackServer, made: Session, tmp_path: Path
) -> None:
    made.collection("default").add(
        document("bonus", "The bonus pool holds ninety thousand euros.", frozenset({"@board"}))
    )
    made.collection("default").embed_pending()
    slack.groups = [{"id": "S1", "handle": "Board", "date_delete": 0, "users": ["U2", "U3"]}]
    question, told_of = "How many euros are in the bonus pool?", "ninety thousand"
    with Running(made, settings_for(tmp_path, slack.api_url), PACE):
        assert told_of in answer(slack, ask(slack, question, "D2", "U2"), channel="D2").shown
        assert told_of not in answer(slack, ask(slack, question, "D1", "U1"), channel="D1").shown
        assert (
            told_of not in answer(slack, ask(slack, question, "D3", "U3"), channel="D3").shown
        )  # of another organisation
        assert told_of not in answer(slack, ask(slack, f"<@{BOT_USER}> {question}", user="U2")).shown
        assert slack.called("usergroups.list") == 1
    slack.off["usergroups.list"] = "missing_scope"
    with Running(made, settings_for(tmp_path, slack.api_url), PACE):
        assert told_of not in answer(slack, ask(slack, question, "D2", "U2"), channel="D2").shown
        assert (
            "seven percent"
            in answer(slack, ask(slack, "By how much do salaries rise in October?", "D1"), channel="D1").shown
        )
        assert slack.called("usergroups.list") == 2


def test_groups_that_ended_or_belong_to_others_count_for_nothing() -> None:
    ours = {"handle": "HR", "date_delete": 0, "users": ["U1", "U2"]}
    ended, shared = (
        ours | {"handle": "old", "date_delete": 1700000000},
        ours | {"handle": "theirs", "is_external": True},
    )
    assert read_groups([ours, ended, shared, {"handle": "empty"}]) == {"@hr": {"U1", "U2"}, "@empty": frozenset()}


def test_a_command_is_answered_privately_and_its_asker_alone_can_share_what_everybody_may_read(
    slack: SlackServer, quoth: Running
) -> None:
    sent, name = command(slack, "How many &lt;cyberattacks&gt; since 2007 does Seoul count?")
    assert SIX in told(slack, name)
    assert sent.payloads[0]["text"].startswith("Reading the documents for: How many &lt;cyberattacks&gt;")
    assert slack.by_bot("C1") == []
    blocks = slack.responses[-1][1]["blocks"]
    private = slack_server.Message("C1", "", "", blocks, "")
    assert "Only the person who asked" in told(slack, press(slack, private, "share", user="U2"))
    press(slack, private, "share", trigger="once")
    press(slack, private, "share", trigger="once")
    (shared,) = until(lambda: slack.by_bot("C1"))
    assert shared.shown.startswith(f"Anna asked: How many <cyberattacks> since 2007 does Seoul count?{SIX} [1]")
    assert "share" not in shared.buttons
    time.sleep(0.3)
    assert len(slack.by_bot("C1")) == 1


def test_an_answer_from_documents_that_not_everybody_may_read_is_not_shared(slack: SlackServer, quoth: Running) -> None:
    _, name = command(slack, "By how much do salaries rise in October?")
    assert "seven percent" in told(slack, name)
    private = slack_server.Message("C1", "", "", slack.responses[-1][1]["blocks"], "")
    assert "not everybody in this channel may read" in told(slack, press(slack, private, "share"))
    assert slack.by_bot("C1") == []
    press(slack, private, "passages", user="U2")
    view = until(lambda: slack.views)[0]["view"]
    assert "Salaries" not in json.dumps(view)


def test_a_message_shortcut_answers_somebody_elses_message_in_its_thread_once(
    slack: SlackServer, quoth: Running
) -> None:
    event = slack.say("C1", "U2", "How many cyberattacks since 2007 does Seoul count?")
    names = []
    for _ in range(2):
        url = slack.response_url()
        names.append(url.rsplit("/", 1)[1])
        body = {
            "type": "message_action",
            "callback_id": "answer_this",
            "trigger_id": f"trigger{time.monotonic_ns()}",
            "team": {"id": slack_server.TEAM},
            "user": {"id": "U1"},
            "channel": {"id": "C1"},
            "message": {"ts": event["ts"], "user": "U2", "text": event["text"], "type": "message"},
            "response_url": url,
        }
        slack.push(body, "interactive")
    assert SIX in answer(slack, event["ts"]).shown
    assert "already" in told(slack, names[1])
    assert len(slack.by_bot("C1")) == 1


def test_the_assistant_panel_suggests_questions_and_answers_with_a_status(slack: SlackServer, quoth: Running) -> None:
    started = {"channel_id": "D1", "thread_ts": "1.000001", "user_id": "U1", "context": {}}
    slack.push(event_body({"type": "assistant_thread_started", "assistant_thread": started, "event_ts": "1.000001"}))
    prompts = until(lambda: slack.prompts)[0]
    assert [prompt["message"] for prompt in prompts["prompts"]] == [
        "What does “Briefing” say?",
        "What does “Holidays” say?",
    ]
    ask(slack, "How many cyberattacks since 2007 does Seoul count?", "D1", thread="1.000001")
    assert SIX in answer(slack, "1.000001", channel="D1").shown
    until(lambda: ("1.000001", "") in slack.statuses)


def test_a_rating_is_kept_with_the_slack_user_once_however_often_the_envelope_comes(
    slack: SlackServer, quoth: Running, made: Session
) -> None:
    said = answer(slack, ask(slack))
    name = press(slack, said, "helpful", user="U2", trigger="t1")
    press(slack, said, "helpful", user="U2", trigger="t1")
    assert "Thank you" in told(slack, name)
    time.sleep(0.3)
    (kept,) = made.feedback.feedback(owner=OWNER)
    assert (kept.answer_id, kept.rating, kept.label) == (said.buttons["helpful"], "up", "slack:U2")


def test_passages_are_shown_in_a_window_and_only_the_asker_deletes(slack: SlackServer, quoth: Running) -> None:
    said = answer(slack, ask(slack))
    press(slack, said, "passages", user="U2")
    view = until(lambda: slack.views)[0]["view"]
    assert SIX in "".join(slack_server.slack_rules.texts(view["blocks"]))
    assert "Only the person" in told(slack, press(slack, said, "delete", user="U2"))
    assert slack.by_bot("C1") == [said]
    press(slack, said, "delete")
    until(lambda: slack.by_bot("C1") == [])


def test_an_edited_question_is_answered_again_in_the_same_message(
    slack: SlackServer, quoth: Running, made: Session
) -> None:
    ts = ask(slack)
    before = answer(slack, ts)
    old = {"type": "message", "user": "U1", "text": ASK, "ts": ts}
    new = old | {"text": f"<@{BOT_USER}> When did Kerry visit Seoul?", "edited": {"user": "U1", "ts": slack.ts()}}
    changed = {
        "type": "message",
        "subtype": "message_changed",
        "channel": "C1",
        "channel_type": "channel",
        "ts": slack.ts(),
    }
    slack.push(event_body(changed | {"message": old, "previous_message": old}))
    slack.push(event_body(changed | {"message": new, "previous_message": old}))
    slack.push(event_body(changed | {"message": new, "previous_message": old}))
    until(lambda: "Kerry visited Seoul in May. [1]" in slack.in_thread("C1", ts)[0].shown)
    settled(slack, made)
    (after,) = slack.in_thread("C1", ts)
    assert (after.ts, after.edits) == (before.ts, 1)
    assert SIX not in after.shown.split("Sources")[0]


def test_a_deleted_question_takes_its_answer_with_it(slack: SlackServer, quoth: Running) -> None:
    ts = ask(slack)
    said = answer(slack, ts)
    gone = {
        "type": "message",
        "subtype": "message_deleted",
        "channel": "C1",
        "channel_type": "channel",
        "deleted_ts": ts,
    }
    slack.push(event_body(gone | {"ts": slack.ts(), "previous_message": {"ts": ts, "user": "U1"}}))
    until(lambda: slack.by_bot("C1") == [])
    assert slack.deleted == [("C1", said.ts)]


def chosen(slack: SlackServer, channel: str = "C1", user: str = "U1", **values: Any) -> slack_server.Sent:
    """Send the form of a channel's settings, and wait until Quoth has taken it."""
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
            "team": {"id": slack_server.TEAM},
            "view": view | {"id": "V"},
        },
        "interactive",
    )
    until(lambda: sent.acknowledged)
    return sent


def test_members_choose_collections_that_a_setting_opens_and_administrators_any(
    slack: SlackServer, made: Session, tmp_path: Path
) -> None:
    slack.users["U2"]["is_admin"] = True
    for name in ("open", "closed"):
        made.service.library.open_or_create(name)
    channels = Channels(made.store.database)

    def offered(user: str) -> list[str]:
        count = len(slack.views)
        command(slack, "settings", user=user)
        blocks = until(lambda: slack.views[count:])[0]["view"]["blocks"]
        return [option["value"] for option in blocks[0]["element"]["options"]]

    with Running(made, settings_for(tmp_path, slack.api_url, slack_collections=("open",)), PACE):
        assert offered("U1") == ["usual:", "named:open"]
        assert offered("U2") == ["usual:", "named:closed", "named:default", "named:open"]
        refused = chosen(slack, collection="named:closed", when=("silent",)).payloads[-1]
        assert refused["response_action"] == "errors"
        assert "administrator" in refused["errors"]["collection"]
        assert channels.of("C1") == Channel()
        chosen(slack, collection="named:open")
        assert channels.of("C1").collection == "open"
        chosen(slack, collection="named:closed", user="U2")
        assert channels.of("C1").collection == "closed"
        assert offered("U1") == ["usual:", "named:closed", "named:open"]
        assert chosen(slack, collection="named:closed", when=("silent",)).payloads == []
        assert channels.of("C1").silent
        slack.users["U2"]["is_admin"] = False
        assert offered("U2") == ["usual:", "named:closed", "named:open"]


@pytest.mark.parametrize(
    ("language", "refusal"), [("de", "Die Dokumente sagen dazu nichts."), ("it", "I documenti non lo dicono.")]
)
def test_a_refusal_and_an_error_are_said_in_the_language_of_the_channel(
    slack: SlackServer, quoth: Running, made: Session, language: str, refusal: str
) -> None:
    chosen(slack, language=language)
    said = answer(slack, ask(slack, NOTHING))
    assert said.shown.startswith(refusal)
    assert "The documents do not say" not in said.text
    long = ask(slack, f"<@{BOT_USER}> {'why ' * 2000}")
    assert until(lambda: slack.in_thread("C1", long))[0].shown == LANGUAGES[language].invalid.format(most=4000)
    chosen(slack, user="U3", language="en")
    sent, _ = command(slack, "settings", user="U3")
    assert until(lambda: sent.payloads)[0]["text"] == LANGUAGES[language].members_only


def test_a_channel_is_set_to_answer_everything_from_one_folder_silently_and_in_german(
    slack: SlackServer, quoth: Running, made: Session
) -> None:
    command(slack, "settings")
    view = until(lambda: slack.views)[0]
    assert view["view"]["private_metadata"] == "C1"
    chosen(slack, folder="/hr", when=("every_message", "silent"), language="de")
    said = answer(slack, ask(slack, "How many days of holidays has every employee?"))
    assert "Every employee has thirty days of holidays. [1]Quellen" in said.shown
    ask(slack, "How many cyberattacks since 2007 does Seoul count?")
    ts = ask(slack, NOTHING)
    until(lambda: slack.ephemeral)
    settled(slack, made)
    assert slack.ephemeral[0]["user"] == "U1"
    assert slack.in_thread("C1", ts) == []
    assert len(slack.by_bot("C1")) == 1
    chosen(slack, user="U3", language="fr")
    command(slack, "settings", user="U3")
    time.sleep(0.3)
    assert len(slack.views) == 1
    assert "Quellen" in answer(slack, ask(slack, f"<@{BOT_USER}> How many days of holidays?", user="U2")).shown


def test_a_refusal_is_worded_helpfully_with_the_nearest_documents(slack: SlackServer, quoth: Running) -> None:
    shown = answer(slack, ask(slack, NOTHING)).shown
    assert shown.startswith("The documents do not say.Other words may help")
    assert "Nearest in the documents" in shown
    assert "Salaries" not in shown


def test_a_mention_without_words_gets_a_hint_and_a_question_that_is_too_long_an_explanation(
    slack: SlackServer, quoth: Running
) -> None:
    empty, long = ask(slack, f"<@{BOT_USER}> "), ask(slack, f"<@{BOT_USER}> {'why ' * 2000}")
    assert "Ask me a question in words" in until(lambda: slack.in_thread("C1", empty))[0].shown
    assert "at most 4000 characters are read" in until(lambda: slack.in_thread("C1", long))[0].shown


def test_where_slack_does_not_stream_the_message_is_edited_in_place(slack: SlackServer, quoth: Running) -> None:
    slack.off["chat.startStream"] = "channel_type_not_supported"
    said = answer(slack, ask(slack))
    assert (said.streamed, said.edits) == (False, 1)
    assert said.shown.startswith(f"{SIX} [1]Sources")


def test_a_stream_that_slack_ends_early_is_completed_by_editing(slack: SlackServer, quoth: Running) -> None:
    slack.failing["chat.stopStream"].append("message_not_in_streaming_state")
    said = answer(slack, ask(slack))
    assert (said.streamed, said.edits) == (True, 1)
    assert said.shown.startswith(f"{SIX} [1]Sources")


def test_retry_after_is_honoured_and_nothing_is_lost(slack: SlackServer, quoth: Running) -> None:
    slack.rates["chat.startStream"] = (1, 1.0)
    for channel in ("C1", "C1"):
        ask(slack, channel=channel)
    until(lambda: len([m for m in slack.by_bot("C1") if m.buttons and not m.streaming]) == 2)
    method, at, wait = slack.limited[0]
    again = [when for name, when in slack.calls if name == method and when > at]
    assert again[0] - at >= wait


def test_where_the_bot_is_not_a_member_the_asker_is_told_and_the_event_is_done(
    slack: SlackServer, quoth: Running, made: Session
) -> None:
    slack.not_in.add("C9")
    _, name = command(slack, "How many cyberattacks since 2007 does Seoul count?", channel="C9")
    told(slack, name)
    private = slack_server.Message("C9", "", "", slack.responses[-1][1]["blocks"], "")
    assert "Invite me" in told(slack, press(slack, private, "share"))
    ask(slack, channel="C9")
    settled(slack, made)


def test_a_long_private_answer_comes_as_a_direct_message_and_can_be_deleted(slack: SlackServer, tmp_path: Path) -> None:
    """Two hundred sentences take more messages than a response address."""
    text = "The clauses of the contract bind both parties."
    names = [f"{one}{other}" for one in "abcdefghijklmnopqrst" for other in "abcdefghij"]
    written = " ".join(f"Clauses {name} of the contract bind parties. [1]" for name in names)
    made = parts(tmp_path, {"scripted": ScriptedGenerator([written])}, [document("contract", text)])
    with Running(made, settings_for(tmp_path, slack.api_url), PACE):
        _, name = command(slack, "What do the clauses of the contract say?")
        assert "direct message" in told(slack, name)
        sent = until(lambda: slack.by_bot("DU1") and slack.by_bot("DU1")[-1].buttons and slack.by_bot("DU1"))
        whole = "".join(message.shown for message in sent)
        stored = made.store.answer(sent[-1].buttons["delete"], owner=OWNER).answer
        assert len(sent) > 4
        assert all(sentence.text in whole for sentence in stored.sentences)
        settled(slack, made)
        press(slack, sent[-1], "delete")
        until(lambda: slack.by_bot("DU1") == [])
    made.store.close()


def test_a_missing_scope_is_named_and_costs_only_the_private_documents(
    slack: SlackServer, quoth: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    slack.off["users.info"] = "missing_scope"
    question = "By how much do salaries rise in October?"
    assert "seven percent" not in answer(slack, ask(slack, question, "D1"), channel="D1").shown
    out = capsys.readouterr()
    assert "needs the scope users:read.email" in out.out + out.err


def test_a_wrong_token_ends_the_start_with_what_to_mend(slack: SlackServer, made: Session, tmp_path: Path) -> None:
    wrong = settings_for(tmp_path, slack.api_url).model_copy(update={"slack_bot_token": None})
    with pytest.raises(SettingsInvalid, match="QUOTH_SLACK_BOT_TOKEN"), Running(made, wrong, PACE):
        pass
    slack.off["auth.test"] = "invalid_auth"
    with (
        pytest.raises(SlackRefused, match="Copy it again from the app's page"),
        Running(made, settings_for(tmp_path, slack.api_url), PACE),
    ):
        pass
    slack.off = {"apps.connections.open": "not_allowed_token_type"}
    with (
        pytest.raises(SlackRefused, match=r"QUOTH_SLACK_APP_TOKEN with xapp-"),
        Running(made, settings_for(tmp_path, slack.api_url), PACE),
    ):
        pass


def test_over_http_signatures_are_verified_and_challenges_answered(
    slack: SlackServer, made: Session, tmp_path: Path, loopback: Any
) -> None:
    service: Any = made.service
    service.settings = settings_for(tmp_path, slack.api_url)
    with loopback(create_app(service, made.store)) as url:
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
    slack: SlackServer, made: Session, tmp_path: Path, loopback: Any
) -> None:
    service: Any = made.service
    service.settings = settings_for(tmp_path, slack.api_url)
    slack.failing["auth.test"].append("internal_error")
    with loopback(create_app(service, made.store)) as url:
        body = event_body(slack.say("C1", "U1", ASK))
        assert [slack.post(f"{url}/slack/events", body).status_code for _ in range(2)] == [500, 200]
        assert SIX in answer(slack, body["event"]["ts"]).shown


def test_a_server_that_slack_is_not_set_up_for_has_no_such_route(made: Session, loopback: Any) -> None:
    service: Any = made.service
    with loopback(create_app(service, made.store)) as url:
        assert httpx.post(f"{url}/slack/events", json={"type": "url_verification"}, timeout=10).status_code == 404


def test_while_slack_is_away_the_question_waits_and_is_then_answered_once(slack: SlackServer, quoth: Running) -> None:
    slack.failing["chat.startStream"].extend(["internal_error"] * 2)
    ts = ask(slack)
    assert SIX in answer(slack, ts).shown
    assert slack.called("chat.startStream") + slack.called("chat.postMessage") >= 3
    assert len(slack.by_bot("C1")) == 1


@pytest.mark.parametrize("streams", [True, False])
def test_a_post_whose_confirmation_was_lost_is_found_and_not_posted_again(
    slack: SlackServer, quoth: Running, *, streams: bool
) -> None:
    if not streams:
        slack.off["chat.startStream"] = "channel_type_not_supported"
    slack.swallowed.update(["chat.startStream" if streams else "chat.postMessage"])
    ts = ask(slack)
    said = answer(slack, ts)
    assert (said.shown.startswith(f"{SIX} [1]Sources"), said.streamed) == (True, streams)
    assert slack.by_bot("C1") == [said]
    assert slack.called("conversations.replies") >= 1


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
