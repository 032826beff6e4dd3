"""What people ask Quoth in Slack: each way to ask, each button, edited and deleted questions."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.generators.scripted import ScriptedGenerator
from service.session.session import Session
from service.slack.client.users import read_groups
from service.slack.context import OWNER
from tests import slack_rules, slack_web_api
from tests.slack_people import (
    ASK,
    DOCUMENTS,
    NOTHING,
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
from tests.slack_quoth import RunningSlackApp, document, settings_for, small_session
from tests.slack_server import SlackServer, event_body, until
from tests.slack_web_api import BOT_USER

SPLIT = "How many cyberattacks did Seoul count? How many days of holidays has every employee?"


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


def test_a_mention_is_answered_once_in_its_thread_streamed_with_its_source(
    slack: SlackServer, quoth: RunningSlackApp
) -> None:
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
    slack: SlackServer, quoth: RunningSlackApp, session: Session
) -> None:
    ts = ask(slack)
    first = answer(slack, ts)
    ask(slack, "And since when?", user="U2", thread=ts)
    second = answer(slack, ts, 2)
    ask(slack, "<@U2> what do you think?", thread=ts)
    ask(slack, "How many cyberattacks?", thread="1.000001")
    wait_until_settled(slack, session)
    assert len(slack.by_bot("C1")) == 2
    conversation = session.store.answer(first.buttons["helpful"], owner=OWNER).answer.conversation_id
    kept = [stored.answer for stored in session.store.answers(conversation, owner=OWNER)]
    assert [one.id for one in kept] == [first.buttons["helpful"], second.buttons["helpful"]]
    assert kept[1].rewritten_question == "And since when? (Seoul)"


def test_people_talking_among_themselves_bots_and_slack_itself_are_left_alone(
    slack: SlackServer, quoth: RunningSlackApp, session: Session
) -> None:
    for event in (
        slack.say("C1", "U1", "How many cyberattacks since 2007?"),
        slack.say("C1", "U1", ASK, bot_id="B9"),
        slack.say("C1", BOT_USER, ASK),
        slack.say("C1", "U1", ASK, subtype="channel_join"),
    ):
        slack.push(event_body(event))
    wait_until_settled(slack, session)
    assert [message for message in slack.by_bot("C1") if message.blocks] == []


def test_a_direct_message_reads_what_its_writer_may_read_and_a_channel_only_what_everybody_may(
    slack: SlackServer, quoth: RunningSlackApp
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
    slack: SlackServer, session: Session, tmp_path: Path
) -> None:
    session.collection("default").add(
        document("bonus", "The bonus pool holds ninety thousand euros.", frozenset({"@board"}))
    )
    session.collection("default").embed_pending()
    slack.groups = [{"id": "S1", "handle": "Board", "date_delete": 0, "users": ["U2", "U3"]}]
    question, told_of = "How many euros are in the bonus pool?", "ninety thousand"
    with RunningSlackApp(session, settings_for(tmp_path, slack.api_url), TIMING):
        assert told_of in answer(slack, ask(slack, question, "D2", "U2"), channel="D2").shown
        assert told_of not in answer(slack, ask(slack, question, "D1", "U1"), channel="D1").shown
        assert (
            told_of not in answer(slack, ask(slack, question, "D3", "U3"), channel="D3").shown
        )  # of another organisation
        assert told_of not in answer(slack, ask(slack, f"<@{BOT_USER}> {question}", user="U2")).shown
        assert slack.called("usergroups.list") == 1
    slack.off["usergroups.list"] = "missing_scope"
    with RunningSlackApp(session, settings_for(tmp_path, slack.api_url), TIMING):
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
    slack: SlackServer, quoth: RunningSlackApp
) -> None:
    sent, name = command(slack, "How many &lt;cyberattacks&gt; since 2007 does Seoul count?")
    assert SIX in response_text(slack, name)
    assert sent.payloads[0]["text"].startswith("Reading the documents for: How many &lt;cyberattacks&gt;")
    assert slack.by_bot("C1") == []
    blocks = slack.responses[-1][1]["blocks"]
    private = slack_web_api.Message("C1", "", "", blocks, "")
    assert "Only the person who asked" in response_text(slack, press(slack, private, "share", user="U2"))
    press(slack, private, "share", trigger="once")
    press(slack, private, "share", trigger="once")
    (shared,) = until(lambda: slack.by_bot("C1"))
    assert shared.shown.startswith(f"Anna asked: How many <cyberattacks> since 2007 does Seoul count?{SIX} [1]")
    assert "share" not in shared.buttons
    time.sleep(0.3)
    assert len(slack.by_bot("C1")) == 1


def test_an_answer_from_documents_that_not_everybody_may_read_is_not_shared(
    slack: SlackServer, quoth: RunningSlackApp
) -> None:
    _, name = command(slack, "By how much do salaries rise in October?")
    assert "seven percent" in response_text(slack, name)
    private = slack_web_api.Message("C1", "", "", slack.responses[-1][1]["blocks"], "")
    assert "not everybody in this channel may read" in response_text(slack, press(slack, private, "share"))
    assert slack.by_bot("C1") == []
    press(slack, private, "passages", user="U2")
    view = until(lambda: slack.views)[0]["view"]
    assert "Salaries" not in json.dumps(view)


def test_a_message_shortcut_answers_somebody_elses_message_in_its_thread_once(
    slack: SlackServer, quoth: RunningSlackApp
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
            "team": {"id": slack_web_api.TEAM},
            "user": {"id": "U1"},
            "channel": {"id": "C1"},
            "message": {"ts": event["ts"], "user": "U2", "text": event["text"], "type": "message"},
            "response_url": url,
        }
        slack.push(body, "interactive")
    assert SIX in answer(slack, event["ts"]).shown
    assert "already" in response_text(slack, names[1])
    assert len(slack.by_bot("C1")) == 1


def test_the_assistant_panel_suggests_questions_and_answers_with_a_status(
    slack: SlackServer, quoth: RunningSlackApp
) -> None:
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
    slack: SlackServer, quoth: RunningSlackApp, session: Session
) -> None:
    said = answer(slack, ask(slack))
    name = press(slack, said, "helpful", user="U2", trigger="t1")
    press(slack, said, "helpful", user="U2", trigger="t1")
    assert "Thank you" in response_text(slack, name)
    time.sleep(0.3)
    (kept,) = session.feedback.feedback(owner=OWNER)
    assert (kept.answer_id, kept.rating, kept.label) == (said.buttons["helpful"], "up", "slack:U2")


def test_passages_are_shown_in_a_window_and_only_the_asker_deletes(slack: SlackServer, quoth: RunningSlackApp) -> None:
    said = answer(slack, ask(slack))
    press(slack, said, "passages", user="U2")
    view = until(lambda: slack.views)[0]["view"]
    assert SIX in "".join(slack_rules.texts(view["blocks"]))
    assert "Only the person" in response_text(slack, press(slack, said, "delete", user="U2"))
    assert slack.by_bot("C1") == [said]
    press(slack, said, "delete")
    until(lambda: slack.by_bot("C1") == [])


def test_an_edited_question_is_answered_again_in_the_same_message(
    slack: SlackServer, quoth: RunningSlackApp, session: Session
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
    wait_until_settled(slack, session)
    (after,) = slack.in_thread("C1", ts)
    assert (after.ts, after.edits) == (before.ts, 1)
    assert SIX not in after.shown.split("Sources")[0]


def test_a_follow_up_shows_how_it_was_read_and_its_asker_has_it_read_as_typed(
    slack: SlackServer, quoth: RunningSlackApp, session: Session
) -> None:
    ts = ask(slack)
    assert "as-typed" not in answer(slack, ts).buttons
    ask(slack, "And since when?", thread=ts)
    before = answer(slack, ts, 2)
    assert "Read as: And since when? (" in before.shown
    assert "Only the person" in response_text(slack, press(slack, before, "as-typed", user="U2"))
    press(slack, before, "as-typed")
    until(lambda: "as-typed" not in slack.in_thread("C1", ts)[1].buttons)
    wait_until_settled(slack, session)
    after = slack.in_thread("C1", ts)[1]
    assert after.ts == before.ts
    assert "Read as" not in after.shown


def test_a_question_that_was_split_can_be_asked_as_typed(
    slack: SlackServer, quoth: RunningSlackApp, session: Session
) -> None:
    ts = ask(slack, f"<@{BOT_USER}> {SPLIT}")
    before = answer(slack, ts)
    assert "Read as 2 questions." in before.shown
    assert "Read as:" not in before.shown
    press(slack, before, "as-typed")
    until(lambda: "as-typed" not in slack.in_thread("C1", ts)[0].buttons)
    wait_until_settled(slack, session)
    (after,) = slack.in_thread("C1", ts)
    assert after.ts == before.ts
    assert "Read as" not in after.shown


def test_a_deleted_question_takes_its_answer_with_it(slack: SlackServer, quoth: RunningSlackApp) -> None:
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


def test_a_refusal_is_worded_helpfully_with_the_nearest_documents(slack: SlackServer, quoth: RunningSlackApp) -> None:
    shown = answer(slack, ask(slack, NOTHING)).shown
    assert shown.startswith("The documents do not say.Other words may help")
    assert "Nearest passages" in shown
    assert "Salaries" not in shown


def test_a_long_private_answer_comes_as_a_direct_message_and_can_be_deleted(slack: SlackServer, tmp_path: Path) -> None:
    """Two hundred sentences take more messages than a response address."""
    text = "The clauses of the contract bind both parties."
    names = [f"{one}{other}" for one in "abcdefghijklmnopqrst" for other in "abcdefghij"]
    written = " ".join(f"Clauses {name} of the contract bind parties. [1]" for name in names)
    session = small_session(tmp_path, {"scripted": ScriptedGenerator([written])}, [document("contract", text)])
    with RunningSlackApp(session, settings_for(tmp_path, slack.api_url), TIMING):
        _, name = command(slack, "What do the clauses of the contract say?")
        assert "direct message" in response_text(slack, name)
        sent = until(lambda: slack.by_bot("DU1") and slack.by_bot("DU1")[-1].buttons and slack.by_bot("DU1"))
        whole = "".join(message.shown for message in sent)
        stored = session.store.answer(sent[-1].buttons["delete"], owner=OWNER).answer
        assert len(sent) > 4
        assert all(sentence.text in whole for sentence in stored.sentences)
        wait_until_settled(slack, session)
        press(slack, sent[-1], "delete")
        until(lambda: slack.by_bot("DU1") == [])
    session.store.close()
