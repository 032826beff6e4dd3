"""What Slack sends -> questions kept, buttons pressed, windows opened. One set of handlers for Socket Mode and HTTP.

Bolt answers Slack when a handler returns (`process_before_response`), so a question is in the database before it is
acknowledged: what is acknowledged is never lost, and what could not be kept Slack sends again. Handlers do no more than
that; answering is the worker's.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackApiError

from service.slack import events
from service.slack.actions import Actions, Press
from service.slack.client import errors
from service.slack.client.ephemeral import respond
from service.slack.context import Office
from service.slack.render.channel import Channel
from service.slack.render.limits import PROMPTS
from service.slack.render.messages import DELETE, HELPFUL, PASSAGES, SHARE, UNHELPFUL, said
from service.slack.render.modals import COLLECTION, SETTINGS, chosen, settings_modal
from service.slack.render.text import escaped, plain, shortened
from service.slack.store.questions import Asked, Door
from service.slack.worker import Worker

COMMAND = "/quoth"
SHORTCUT = "answer_this"
BUTTONS = (HELPFUL, UNHELPFUL, PASSAGES, SHARE, DELETE)
MOST_TITLE = 60
MOST_ECHO = 500
Body = Mapping[str, Any]
Later = Callable[[Awaitable[None]], None]
log = structlog.get_logger(__name__)


class Handlers:
    """The handlers. `later` runs what need not be done before Slack is answered."""

    def __init__(self, office: Office, worker: Worker, actions: Actions, later: Later) -> None:
        self._office = office
        self._worker = worker
        self._actions = actions
        self._later = later

    def register(self, app: AsyncApp) -> None:
        """Tell Bolt which handler takes what."""
        app.event("app_mention")(self.message)
        app.event("message")(self.message)
        app.event("assistant_thread_started")(self.panel_opened)
        app.command(COMMAND)(self.command)
        app.shortcut(SHORTCUT)(self.shortcut)
        for action in BUTTONS:
            app.action(action)(self.pressed)
        app.view(SETTINGS)(self.settings_chosen)
        app.error(self.failed)

    async def message(self, event: dict[str, Any]) -> None:
        """A message was written, changed or deleted."""
        questions, keep = self._office.questions, self._office.keep
        subtype, channel = event.get("subtype"), str(event.get("channel", ""))
        inner = event.get("message") or {}
        if subtype == "message_deleted" or inner.get("subtype") == "tombstone":
            key = events.key(channel, str(event.get("deleted_ts") or inner.get("ts")))
            changed = await keep(questions.withdraw, key)
        elif subtype == "message_changed":
            changed = await self._edited(channel, inner)
        else:
            changed = await self._said(event)
        if changed:
            self._worker.wake()

    async def _said(self, event: Body) -> bool:
        own = await self._office.identities.get()
        said_here = events.spoken(event, own.team)
        if said_here is None or said_here.user == own.user:
            return False
        by = events.door(said_here, own.user)
        if by is None and not said_here.mentions:
            by = await self._uninvited(said_here)
        return by is not None and await self._office.keep(self._office.questions.ask, events.asked(said_here, by))

    async def _uninvited(self, said_here: events.Spoken) -> Door | None:
        """The door of a message that names nobody: a thread Quoth was asked in, or a channel where it answers everything."""
        if said_here.in_thread:
            ours = await self._office.keep(self._office.questions.is_ours, said_here.channel, said_here.thread)
            return "follow-up" if ours else None
        settings = await self._office.keep(self._office.channels.of, said_here.channel)
        return "channel" if settings.every_message else None

    async def _edited(self, channel: str, message: Body) -> bool:
        """A person changed a message: its text, not merely the preview of a link."""
        edited, ts = message.get("edited") or {}, str(message.get("ts", ""))
        if not edited or message.get("bot_id"):
            return False
        text, revision = str(message.get("text") or ""), str(edited.get("ts"))
        return await self._office.keep(self._office.questions.edit, events.key(channel, ts), text, revision)

    async def panel_opened(self, event: dict[str, Any]) -> None:
        """The assistant panel was opened: suggest questions about the newest documents that everybody may read."""
        thread = event["assistant_thread"]
        self._later(self._suggest(str(thread["channel_id"]), str(thread["thread_ts"])))

    async def _suggest(self, channel: str, thread: str) -> None:
        settings = await self._office.keep(self._office.channels.of, channel)
        phrases = settings.phrases
        titles = await self._office.parts.read(partial(self._titles, settings.collection))
        prompts = [phrases.prompt.format(title=shortened(title, MOST_TITLE)) for title in titles]
        if not prompts:
            return
        try:
            await self._office.client.assistant_threads_setSuggestedPrompts(
                channel_id=channel,
                thread_ts=thread,
                title=phrases.prompt_title,
                prompts=[{"title": shortened(prompt, MOST_TITLE), "message": prompt} for prompt in prompts],
            )
        except SlackApiError as error:
            log.warning("no prompts suggested", reason=errors.explained(error))

    def _titles(self, collection: str) -> list[str]:
        parts = self._office.parts
        name = collection or parts.default
        if name not in parts.names():
            return []
        everybody = [one for one in parts.collection(name).documents() if not one.principals]
        return [one.title for one in everybody[-PROMPTS:]]

    async def command(self, ack: AsyncAck, command: dict[str, Any]) -> None:
        """`/quoth QUESTION`, `/quoth settings`, or `/quoth` alone."""
        words, channel = str(command.get("text") or "").strip(), str(command["channel_id"])
        phrases = (await self._office.keep(self._office.channels.of, channel)).phrases
        if words.lower() in {"settings", "help", ""}:
            if words.lower() == "settings":
                await self._open_settings(str(command["trigger_id"]), str(command["user_id"]), channel, ack)
            else:
                await ack(response_type="ephemeral", text=escaped(f"{phrases.hint} · {COMMAND} settings"))
            return
        own = await self._office.identities.get()
        asked = Asked(
            key=f"command:{command['trigger_id']}",
            team=own.team,
            channel=channel,
            channel_type="command",
            thread="",
            message="",
            asker=str(command["user_id"]),
            text=words,
            door="command",
            response_url=str(command["response_url"]),
        )
        await self._office.keep(self._office.questions.ask, asked)
        self._worker.wake()
        await ack(response_type="ephemeral", text=escaped(phrases.reading_for + shortened(plain(words), MOST_ECHO)))

    async def _open_settings(self, trigger: str, user: str, channel: str, ack: AsyncAck) -> None:
        settings = await self._office.keep(self._office.channels.of, channel)
        if not await self._is_member(user):
            await ack(response_type="ephemeral", text=settings.phrases.members_only)
            return
        choices = await self._choices(user, settings)
        view = settings_modal(channel, settings, choices, self._office.parts.default)
        await self._office.client.views_open(trigger_id=trigger, view=view)
        await ack()

    async def settings_chosen(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """The form with a channel's settings was sent."""
        user, channel = str(body["user"]["id"]), str(body["view"]["private_metadata"])
        if await self._is_member(user):
            made, before = (
                chosen(body["view"]["state"]["values"]),
                await self._office.keep(self._office.channels.of, channel),
            )
            if made.collection and made.collection not in await self._choices(user, before):
                await ack(response_action="errors", errors={COLLECTION: before.phrases.admins_only})
                return
            await self._office.keep(self._office.channels.keep, channel, made)
        await ack()

    async def _is_member(self, user: str) -> bool:
        own = await self._office.identities.get()
        return (await self._office.people.of(user, own.team)).standing == "member"

    async def _choices(self, user: str, settings: Channel) -> list[str]:
        """The collections that the user may set a channel to: those open to all, the one that it has; administrators, any."""
        parts = self._office.parts
        names = await parts.read(parts.names)
        if await self._office.people.administers(user):
            return names
        return [name for name in names if name in self._office.open_collections or name == settings.collection]

    async def shortcut(self, ack: AsyncAck, shortcut: dict[str, Any]) -> None:
        """ "Answer this with Quoth" on somebody's message."""
        message, channel = shortcut["message"], str(shortcut["channel"]["id"])
        own, ts = await self._office.identities.get(), str(message["ts"])
        asked = Asked(
            key=events.key(channel, ts),
            team=own.team,
            channel=channel,
            channel_type="shortcut",
            thread=str(message.get("thread_ts") or ts),
            message=ts,
            asker=str(shortcut["user"]["id"]),
            text=str(message.get("text") or ""),
            door="shortcut",
            response_url=str(shortcut.get("response_url") or ""),
        )
        is_new = await self._office.keep(self._office.questions.ask, asked)
        self._worker.wake()
        await ack()
        if not is_new and asked.response_url:
            settings = await self._office.keep(self._office.channels.of, channel)
            self._later(_told(asked.response_url, settings.phrases.already_answered))

    async def pressed(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """A button under an answer."""
        await ack()
        self._later(self._actions.do(Press.of(body)))

    async def failed(self, error: Exception, body: dict[str, Any]) -> None:
        """A handler broke: Slack gets no acknowledgement and sends the event again. What was said stays out of the log."""
        log.error("event not handled", kind=str(body.get("type")), event_id=str(body.get("event_id")), exc_info=error)


async def _told(url: str, words: str) -> None:
    await respond(url, said(words))
