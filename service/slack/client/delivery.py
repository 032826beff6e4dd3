"""Shows that a question is being answered, then its answer: streamed where Slack streams, else posted and edited in place.

Messages that already exist, from an earlier attempt or from before the question was edited, are overwritten first. So a
question that is answered twice, because a process died or the question changed, still shows one answer.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.models.messages.chunk import BlocksChunk
from slack_sdk.web.async_client import AsyncWebClient

from service.slack.client import errors
from service.slack.client.rate_limits import Rates
from service.slack.render.messages import Block, MessageBlocks, fallback
from service.slack.render.phrases import Phrases
from service.slack.store.questions import SlackQuestion

STREAMING = "streaming_state_conflict"
SEEN = "eyes"
_SHOWN = frozenset({"mention", "follow-up", "shortcut"})
_HARMLESS = frozenset({"already_reacted", "no_reaction", "message_not_found"})
log = structlog.get_logger(__name__)


async def show_working(client: AsyncWebClient, question: SlackQuestion, phrases: Phrases) -> None:
    """Show that a question is being answered (a reaction or a status). A failure is logged: the answer still comes."""
    try:
        if question.origin == "direct":
            await client.assistant_threads_setStatus(
                channel_id=question.channel, thread_ts=question.thread, status=phrases.reading
            )
        elif question.origin in _SHOWN:
            await client.reactions_add(channel=question.channel, timestamp=question.message, name=SEEN)
    except (SlackApiError, aiohttp.ClientError, OSError, TimeoutError) as error:
        _log_failure(error)


async def clear_working(client: AsyncWebClient, question: SlackQuestion) -> None:
    """Remove the reaction or status. Slack clears a status when a message comes; without a message it is cleared here."""
    try:
        if question.origin == "direct":
            await client.assistant_threads_setStatus(channel_id=question.channel, thread_ts=question.thread, status="")
        elif question.origin in _SHOWN:
            await client.reactions_remove(channel=question.channel, timestamp=question.message, name=SEEN)
    except (SlackApiError, aiohttp.ClientError, OSError, TimeoutError) as error:
        _log_failure(error)


def _log_failure(error: Exception) -> None:
    if not isinstance(error, SlackApiError) or errors.code(error) not in _HARMLESS:
        log.warning("no sign shown", reason=str(errors.to_service_error(error)))


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to post: a channel, its thread (empty: at the top), and whom a stream is for."""

    channel: str
    thread: str
    team: str
    user: str


@dataclass(slots=True)
class _LiveMessage:
    """One message: its blocks, its timestamp once it is posted, and how many blocks a running stream has shown."""

    content: MessageBlocks = field(default_factory=MessageBlocks)
    ts: str | None = None
    streamed: int | None = None


class Delivery:
    """Writes one answer.

    `on_posted` receives each new message's timestamp and place before anything else happens to it, `on_deleted` the timestamps
    of messages that are gone. `existing` are the timestamps of messages to overwrite, in order. Slack's errors are raised,
    except where there is another way to show the same.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        destination: Destination,
        rates: Rates,
        on_posted: Callable[[str, int], Awaitable[None]],
        on_deleted: Callable[[Sequence[str]], Awaitable[None]],
        existing: Sequence[str] = (),
    ) -> None:
        self._client = client
        self._destination = destination
        self._rates = rates
        self._on_posted = on_posted
        self._on_deleted = on_deleted
        self._existing = list(existing)
        self._messages: list[_LiveMessage] = []
        self._messages.append(self._next_message())
        self._streams = bool(destination.thread)

    async def write(self, block: Block, text: str) -> None:
        """Add a block and show it now if the rate limits allow; `text` is the text so far, for notifications."""
        message = await self._place(block, text)
        if message.streamed is not None:
            await self._append(message)
        elif message.ts is None:
            await self._start(message, text)
        elif message.ts not in self._existing and self._rates.edits.take():
            await self._update(message, text)

    async def finish(self, blocks: Iterable[Block], text: str) -> None:
        """Add the last blocks, complete every message, and delete existing messages that were not needed."""
        for block in blocks:
            await self._place(block, text)
        for message in self._messages:
            if message.content.blocks:
                await self._complete(message, text)
        await self.delete([ts for ts in self._existing if ts not in {message.ts for message in self._messages}])

    async def delete(self, messages: Sequence[str]) -> None:
        """Delete messages; those that are already gone are ignored."""
        for ts in messages:
            try:
                await self._client.chat_delete(channel=self._destination.channel, ts=ts)
            except SlackApiError as error:
                if not errors.is_gone(error):
                    raise
        if messages:
            await self._on_deleted(messages)

    def _next_message(self) -> _LiveMessage:
        taken = {message.ts for message in self._messages}
        return _LiveMessage(ts=next((ts for ts in self._existing if ts not in taken), None))

    async def _place(self, block: Block, text: str) -> _LiveMessage:
        """Add a block to the last message, or to a new one when that is full."""
        if not self._messages[-1].content.fits(block):
            await self._complete(self._messages[-1], text)
            self._messages.append(self._next_message())
        self._messages[-1].content.add(block)
        return self._messages[-1]

    async def _start(self, message: _LiveMessage, text: str) -> None:
        if self._streams and self._rates.streams.take():
            try:
                await self._rates.posts.wait(self._destination.channel)
                response = await self._client.chat_startStream(
                    channel=self._destination.channel,
                    thread_ts=self._destination.thread,
                    recipient_team_id=self._destination.team,
                    recipient_user_id=self._destination.user,
                    chunks=[BlocksChunk(blocks=message.content.blocks)],
                )
            except SlackApiError as error:
                if errors.is_transient(error) or errors.cannot_post(error):
                    raise
                self._streams = False
                log.info("no stream", reason=errors.code(error))
            else:
                message.ts, message.streamed = str(response["ts"]), len(message.content.blocks)
                await self._report_posted(message)
                return
        await self._post(message, text)

    async def _append(self, message: _LiveMessage) -> None:
        """Append the newest blocks to the stream. A stream that Slack has ended is completed by editing instead."""
        try:
            await self._client.chat_appendStream(
                channel=self._destination.channel,
                ts=str(message.ts),
                chunks=[BlocksChunk(blocks=message.content.blocks[message.streamed :])],
            )
            message.streamed = len(message.content.blocks)
        except SlackApiError as error:
            if errors.is_transient(error):
                raise
            message.streamed, self._streams = None, False
            log.info("stream ended early", reason=errors.code(error))

    async def _complete(self, message: _LiveMessage, text: str) -> None:
        """Make a message show all of its blocks, whether it was streamed or posted."""
        if message.streamed is not None:
            rest: Any = message.content.blocks[message.streamed :]
            try:
                await self._client.chat_stopStream(
                    channel=self._destination.channel, ts=str(message.ts), blocks=rest or None
                )
            except SlackApiError as error:
                if errors.is_transient(error):
                    raise
                log.info("stream ended early", reason=errors.code(error))
            else:
                message.streamed = len(message.content.blocks)
                return
        if message.ts is None:
            await self._post(message, text)
        else:
            await self._update(message, text)

    async def _post(self, message: _LiveMessage, text: str) -> None:
        await self._rates.posts.wait(self._destination.channel)
        response = await self._client.chat_postMessage(
            channel=self._destination.channel,
            thread_ts=self._destination.thread or None,
            text=fallback(text),
            blocks=message.content.blocks,
            unfurl_links=False,
            unfurl_media=False,
        )
        message.ts = str(response["ts"])
        await self._report_posted(message)

    async def _update(self, message: _LiveMessage, text: str, *, again: bool = True) -> None:
        try:
            await self._client.chat_update(
                channel=self._destination.channel,
                ts=str(message.ts),
                text=fallback(text),
                blocks=message.content.blocks,
            )
        except SlackApiError as error:
            if errors.code(error) == STREAMING and again:  # a stream that a process left open when it died
                await self._client.chat_stopStream(channel=self._destination.channel, ts=str(message.ts))
                await self._update(message, text, again=False)
            elif errors.is_gone(error):
                await self._on_deleted([str(message.ts)])
                await self._post(message, text)
            else:
                raise

    async def _report_posted(self, message: _LiveMessage) -> None:
        await self._on_posted(str(message.ts), self._messages.index(message))
