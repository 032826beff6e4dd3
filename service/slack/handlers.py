"""Handlers of Slack's events: they store questions, carry out buttons and open modals, for Socket Mode and HTTP alike.

Bolt acknowledges an event when its handler returns (`process_before_response`), so a question is in the database before it is
acknowledged: no acknowledged question is lost, and Slack sends again what could not be stored. The worker answers.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackApiError

from service.slack import events
from service.slack.actions import Actions, ButtonPress
from service.slack.client import errors
from service.slack.client.ephemeral import respond_privately
from service.slack.context import SlackContext
from service.slack.render.messages import ASK_AS_TYPED, DELETE, HELPFUL, PASSAGES, SHARE, UNHELPFUL, short_message
from service.slack.render.modals import COLLECTION, SETTINGS, read_settings, settings_modal
from service.slack.render.phrases import ChannelSettings
from service.slack.render.text import PROMPTS, escape, plain_text, shorten
from service.slack.store.questions import Origin, SlackQuestion
from service.slack.worker import Worker

COMMAND = "/quoth"
SHORTCUT = "answer_this"
BUTTONS = (HELPFUL, UNHELPFUL, PASSAGES, SHARE, ASK_AS_TYPED, DELETE)
MAX_TITLE = 60
MAX_ECHO = 500
Body = Mapping[str, Any]
InBackground = Callable[[Awaitable[None]], None]
log = structlog.get_logger(__name__)


class Handlers:
    """The handlers. `in_background` runs work that the acknowledgement need not wait for."""

    def __init__(self, context: SlackContext, worker: Worker, actions: Actions, in_background: InBackground) -> None:
        self._context = context
        self._worker = worker
        self._actions = actions
        self._in_background = in_background

    def register(self, app: AsyncApp) -> None:
        """Register the handlers with Bolt."""
        app.event("app_mention")(self.handle_message)
        app.event("message")(self.handle_message)
        app.event("assistant_thread_started")(self.open_panel)
        app.command(COMMAND)(self.handle_command)
        app.shortcut(SHORTCUT)(self.handle_shortcut)
        for action in BUTTONS:
            app.action(action)(self.press_button)
        app.view(SETTINGS)(self.save_settings)
        app.error(self.log_failure)

    async def handle_message(self, event: dict[str, Any]) -> None:
        """Handle a message that was written, changed or deleted."""
        questions, run_in_db = self._context.questions, self._context.run_in_db
        subtype, channel = event.get("subtype"), str(event.get("channel", ""))
        inner = event.get("message") or {}
        if subtype == "message_deleted" or inner.get("subtype") == "tombstone":
            key = events.message_key(channel, str(event.get("deleted_ts") or inner.get("ts")))
            changed = await run_in_db(questions.withdraw, key)
        elif subtype == "message_changed":
            changed = await self._edit(channel, inner)
        else:
            changed = await self._ask(event)
        if changed:
            self._worker.wake()

    async def _ask(self, event: Body) -> bool:
        own = await self._context.identities.get()
        message = events.read_message(event, own.team)
        if message is None or message.user == own.user:
            return False
        origin = events.find_origin(message, own.user)
        if origin is None and not message.mentions:
            origin = await self._unmentioned_origin(message)
        return origin is not None and await self._context.run_in_db(
            self._context.questions.ask, events.make_question(message, origin)
        )

    async def _unmentioned_origin(self, message: events.UserMessage) -> Origin | None:
        """The origin of a message without mentions: in a thread that Quoth was asked in, or a channel set to every message."""
        if message.in_thread:
            was_asked = await self._context.run_in_db(
                self._context.questions.was_asked_in, message.channel, message.thread
            )
            return "follow-up" if was_asked else None
        settings = await self._context.run_in_db(self._context.channels.get, message.channel)
        return "channel" if settings.every_message else None

    async def _edit(self, channel: str, message: Body) -> bool:
        """Have an edited question answered again; Slack also sends changes of link previews, which are ignored."""
        edited, ts = message.get("edited") or {}, str(message.get("ts", ""))
        if not edited or message.get("bot_id"):
            return False
        text, revision = str(message.get("text") or ""), str(edited.get("ts"))
        return await self._context.run_in_db(
            self._context.questions.edit, events.message_key(channel, ts), text, revision
        )

    async def open_panel(self, event: dict[str, Any]) -> None:
        """Suggest questions about the newest documents that everybody may read, when the assistant panel opens."""
        thread = event["assistant_thread"]
        self._in_background(self._suggest(str(thread["channel_id"]), str(thread["thread_ts"])))

    async def _suggest(self, channel: str, thread: str) -> None:
        settings = await self._context.run_in_db(self._context.channels.get, channel)
        phrases = settings.phrases
        titles = await self._context.session.run_io(partial(self._titles, settings.collection))
        prompts = [phrases.prompt.format(title=shorten(title, MAX_TITLE)) for title in titles]
        if not prompts:
            return
        try:
            await self._context.client.assistant_threads_setSuggestedPrompts(
                channel_id=channel,
                thread_ts=thread,
                title=phrases.prompt_title,
                prompts=[{"title": shorten(prompt, MAX_TITLE), "message": prompt} for prompt in prompts],
            )
        except SlackApiError as error:
            log.warning("no prompts suggested", reason=errors.explain(error))

    def _titles(self, collection: str) -> list[str]:
        session = self._context.session
        name = collection or session.default_collection
        if name not in session.collection_names():
            return []
        public = [document for document in session.collection(name).documents.list() if not document.principals]
        return [document.title for document in public[-PROMPTS:]]

    async def handle_command(self, ack: AsyncAck, command: dict[str, Any]) -> None:
        """Handle `/quoth QUESTION`, `/quoth settings`, or `/quoth` alone."""
        text, channel = str(command.get("text") or "").strip(), str(command["channel_id"])
        phrases = (await self._context.run_in_db(self._context.channels.get, channel)).phrases
        if text.lower() in {"settings", "help", ""}:
            if text.lower() == "settings":
                await self._open_settings(str(command["trigger_id"]), str(command["user_id"]), channel, ack)
            else:
                await ack(response_type="ephemeral", text=escape(f"{phrases.hint} · {COMMAND} settings"))
            return
        own = await self._context.identities.get()
        question = SlackQuestion(
            key=f"command:{command['trigger_id']}",
            team=own.team,
            channel=channel,
            channel_type="command",
            thread="",
            message="",
            asker=str(command["user_id"]),
            text=text,
            origin="command",
            response_url=str(command["response_url"]),
        )
        await self._context.run_in_db(self._context.questions.ask, question)
        self._worker.wake()
        await ack(
            response_type="ephemeral",
            text=escape(phrases.reading_for.format(question=shorten(plain_text(text), MAX_ECHO))),
        )

    async def _open_settings(self, trigger: str, user: str, channel: str, ack: AsyncAck) -> None:
        settings = await self._context.run_in_db(self._context.channels.get, channel)
        if not await self._is_member(user):
            await ack(response_type="ephemeral", text=settings.phrases.members_only)
            return
        choices = await self._choices(user, settings)
        view = settings_modal(channel, settings, choices, self._context.session.default_collection)
        await self._context.client.views_open(trigger_id=trigger, view=view)
        await ack()

    async def save_settings(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Store a channel's settings when the form is submitted."""
        user, channel = str(body["user"]["id"]), str(body["view"]["private_metadata"])
        if await self._is_member(user):
            chosen = read_settings(body["view"]["state"]["values"])
            current = await self._context.run_in_db(self._context.channels.get, channel)
            if chosen.collection and chosen.collection not in await self._choices(user, current):
                await ack(response_action="errors", errors={COLLECTION: current.phrases.admins_only})
                return
            await self._context.run_in_db(self._context.channels.save, channel, chosen)
        await ack()

    async def _is_member(self, user: str) -> bool:
        own = await self._context.identities.get()
        return (await self._context.people.get(user, own.team)).standing == "member"

    async def _choices(self, user: str, settings: ChannelSettings) -> list[str]:
        """The collections that a user may choose for a channel: the open ones and its present one; administrators, any."""
        session = self._context.session
        names = await session.run_io(session.collection_names)
        if await self._context.people.is_admin(user):
            return names
        return [name for name in names if name in self._context.open_collections or name == settings.collection]

    async def handle_shortcut(self, ack: AsyncAck, shortcut: dict[str, Any]) -> None:
        """Handle the shortcut "Answer this with Quoth" on a message."""
        message, channel = shortcut["message"], str(shortcut["channel"]["id"])
        own, ts = await self._context.identities.get(), str(message["ts"])
        question = SlackQuestion(
            key=events.message_key(channel, ts),
            team=own.team,
            channel=channel,
            channel_type="shortcut",
            thread=str(message.get("thread_ts") or ts),
            message=ts,
            asker=str(shortcut["user"]["id"]),
            text=str(message.get("text") or ""),
            origin="shortcut",
            response_url=str(shortcut.get("response_url") or ""),
        )
        is_new = await self._context.run_in_db(self._context.questions.ask, question)
        self._worker.wake()
        await ack()
        if not is_new and question.response_url:
            settings = await self._context.run_in_db(self._context.channels.get, channel)
            self._in_background(_respond(question.response_url, settings.phrases.already_answered))

    async def press_button(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Carry out a pressed button under an answer."""
        await ack()
        self._in_background(self._press(ButtonPress.from_payload(body)))

    async def _press(self, press: ButtonPress) -> None:
        await self._actions.do(press)
        self._worker.wake()

    async def log_failure(self, error: Exception, body: dict[str, Any]) -> None:
        """Log a failed handler: Slack gets no acknowledgement and sends the event again. Message texts stay out of the log."""
        log.error("event not handled", kind=str(body.get("type")), event_id=str(body.get("event_id")), exc_info=error)


async def _respond(url: str, text: str) -> None:
    await respond_privately(url, short_message(text))
