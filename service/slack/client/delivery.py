"""Blocks as they come about -> messages in a thread: streamed where Slack streams, else posted and edited in place.

The messages that are there already, from an earlier try or from before the question was edited, are written over first. So a
question that is answered twice, because a process died or the question changed, is still shown one answer.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.models.messages.chunk import BlocksChunk
from slack_sdk.web.async_client import AsyncWebClient

from service.slack.client import errors
from service.slack.client.rate_limits import Rates
from service.slack.render.messages import Block, Sheet, fallback

STREAMING = "streaming_state_conflict"
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where to post: a channel, its thread (empty: at the top), and whom a stream is for."""

    channel: str
    thread: str
    team: str
    user: str


@dataclass(slots=True)
class _Page:
    """One message: what it holds, its timestamp once it is there, and how many blocks a running stream has shown."""

    sheet: Sheet = field(default_factory=Sheet)
    ts: str | None = None
    streamed: int | None = None


class Delivery:
    """Writes one answer. `posted` is told each new message's timestamp and place, before anything else happens to it.

    `existing` are the timestamps of messages to write over, in order. Errors of Slack's pass through, except where another way
    is left to show the same.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        spot: Spot,
        rates: Rates,
        posted: Callable[[str, int], Awaitable[None]],
        gone: Callable[[Sequence[str]], Awaitable[None]],
        existing: Sequence[str] = (),
    ) -> None:
        self._client = client
        self._spot = spot
        self._rates = rates
        self._posted = posted
        self._gone = gone
        self._existing = list(existing)
        self._pages: list[_Page] = []
        self._pages.append(self._page())
        self._streams = bool(spot.thread)

    async def write(self, made: Block, said: str) -> None:
        """Add a block and show it now, as far as the rates allow; `said` is the text so far, for notifications."""
        page = await self._place(made, said)
        if page.streamed is not None:
            await self._append(page)
        elif page.ts is None:
            await self._begin(page, said)
        elif page.ts not in self._existing and self._rates.edits.take():
            await self._update(page, said)

    async def finish(self, blocks: Iterable[Block], said: str) -> None:
        """Add the last blocks, complete every message, and delete the messages that are left over."""
        for made in blocks:
            await self._place(made, said)
        for page in self._pages:
            if page.sheet.blocks:
                await self._complete(page, said)
        await self.delete([ts for ts in self._existing if ts not in {page.ts for page in self._pages}])

    async def delete(self, messages: Sequence[str]) -> None:
        """Delete messages; those that are gone already are no trouble."""
        for ts in messages:
            try:
                await self._client.chat_delete(channel=self._spot.channel, ts=ts)
            except SlackApiError as error:
                if not errors.is_gone(error):
                    raise
        if messages:
            await self._gone(messages)

    def _page(self) -> _Page:
        taken = {page.ts for page in self._pages}
        return _Page(ts=next((ts for ts in self._existing if ts not in taken), None))

    async def _place(self, made: Block, said: str) -> _Page:
        """Put a block into the last message, or into a new one when that is full."""
        if not self._pages[-1].sheet.takes(made):
            await self._complete(self._pages[-1], said)
            self._pages.append(self._page())
        self._pages[-1].sheet.add(made)
        return self._pages[-1]

    async def _begin(self, page: _Page, said: str) -> None:
        if self._streams and self._rates.streams.take():
            try:
                await self._rates.posts.wait(self._spot.channel)
                response = await self._client.chat_startStream(
                    channel=self._spot.channel,
                    thread_ts=self._spot.thread,
                    recipient_team_id=self._spot.team,
                    recipient_user_id=self._spot.user,
                    chunks=[BlocksChunk(blocks=page.sheet.blocks)],
                )
            except SlackApiError as error:
                if errors.passes(error) or errors.has_no_way_in(error):
                    raise
                self._streams = False
                log.info("no stream", reason=errors.code(error))
            else:
                page.ts, page.streamed = str(response["ts"]), len(page.sheet.blocks)
                await self._noted(page)
                return
        await self._post(page, said)

    async def _append(self, page: _Page) -> None:
        """Show the newest blocks in the stream. A stream that Slack has ended is completed by editing instead."""
        try:
            await self._client.chat_appendStream(
                channel=self._spot.channel,
                ts=str(page.ts),
                chunks=[BlocksChunk(blocks=page.sheet.blocks[page.streamed :])],
            )
            page.streamed = len(page.sheet.blocks)
        except SlackApiError as error:
            if errors.passes(error):
                raise
            page.streamed, self._streams = None, False
            log.info("stream ended early", reason=errors.code(error))

    async def _complete(self, page: _Page, said: str) -> None:
        """Make a message show all of its blocks, whichever way it began."""
        if page.streamed is not None:
            rest: Any = page.sheet.blocks[page.streamed :]
            try:
                await self._client.chat_stopStream(channel=self._spot.channel, ts=str(page.ts), blocks=rest or None)
            except SlackApiError as error:
                if errors.passes(error):
                    raise
                log.info("stream ended early", reason=errors.code(error))
            else:
                page.streamed = len(page.sheet.blocks)
                return
        if page.ts is None:
            await self._post(page, said)
        else:
            await self._update(page, said)

    async def _post(self, page: _Page, said: str) -> None:
        await self._rates.posts.wait(self._spot.channel)
        response = await self._client.chat_postMessage(
            channel=self._spot.channel,
            thread_ts=self._spot.thread or None,
            text=fallback(said),
            blocks=page.sheet.blocks,
            unfurl_links=False,
            unfurl_media=False,
        )
        page.ts = str(response["ts"])
        await self._noted(page)

    async def _update(self, page: _Page, said: str, *, again: bool = True) -> None:
        try:
            await self._client.chat_update(
                channel=self._spot.channel, ts=str(page.ts), text=fallback(said), blocks=page.sheet.blocks
            )
        except SlackApiError as error:
            if errors.code(error) == STREAMING and again:  # a stream that a process left open when it died
                await self._client.chat_stopStream(channel=self._spot.channel, ts=str(page.ts))
                await self._update(page, said, again=False)
            elif errors.is_gone(error):
                await self._gone([str(page.ts)])
                await self._post(page, said)
            else:
                raise

    async def _noted(self, page: _Page) -> None:
        await self._posted(str(page.ts), self._pages.index(page))
