"""What the buttons under an answer do. Each carries the answer's id and needs nothing that a restart would lose."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError

from index.errors import IndexingError
from service.errors import RecordMissing
from service.slack.client import errors
from service.slack.client.ephemeral import discard, respond
from service.slack.context import OWNER, Office
from service.slack.render.messages import (
    DELETE,
    HELPFUL,
    PASSAGES,
    SHARE,
    UNHELPFUL,
    answer_messages,
    packed,
    said,
    statement,
)
from service.slack.render.modals import passages_modal
from service.slack.render.phrases import Phrases
from service.slack.store.questions import Asked
from service.storage.conversations import StoredAnswer

RATINGS = {HELPFUL: "up", UNHELPFUL: "down"}
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Press:
    """A button that was pressed: which one, on which answer, by whom, where. `message` is empty for a private message."""

    action: str
    answer_id: str
    user: str
    channel: str
    message: str
    response_url: str
    trigger: str

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "Press":
        """The press in Slack's block_actions payload."""
        action, container = body["actions"][0], body.get("container", {})
        ephemeral = container.get("is_ephemeral", False)
        return cls(
            action=str(action.get("action_id", "")),
            answer_id=str(action.get("value", "")),
            user=str(body["user"]["id"]),
            channel=str(body.get("channel", {}).get("id") or container.get("channel_id", "")),
            message="" if ephemeral else str(container.get("message_ts", "")),
            response_url=str(body.get("response_url", "")),
            trigger=str(body.get("trigger_id", "")),
        )


class Actions:
    """Does what is pressed, once."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def do(self, press: Press) -> None:
        """Do what the button says; what cannot be done is said to who pressed, and to nobody else."""
        parts, questions = self._office.parts, self._office.questions
        if not await self._office.keep(self._office.once.first, f"press:{press.trigger}:{press.action}"):
            return
        phrases = (await self._office.keep(self._office.channels.of, press.channel)).phrases
        try:
            stored = await parts.read(partial(parts.store.answer, press.answer_id, owner=OWNER))
            asked = await self._office.keep(questions.asked_for, press.answer_id)
            await self._done(press, stored, asked, phrases)
        except RecordMissing:
            await self._tell(press, phrases.gone)
        except SlackApiError as error:
            log.warning("button without effect", action=press.action, reason=errors.explained(error))
            no_way_in = errors.has_no_way_in(error)
            await self._tell(press, phrases.not_a_member if no_way_in else phrases.failed)

    async def _done(self, press: Press, stored: StoredAnswer, asked: Asked | None, phrases: Phrases) -> None:
        if press.action in RATINGS:
            await self._rate(press)
            await self._tell(press, phrases.thanks)
        elif press.action == PASSAGES:
            await self._show_passages(press, stored, phrases)
        elif asked is None:
            await self._tell(press, phrases.gone)
        elif press.user != asked.asker:
            await self._tell(press, phrases.not_yours)
        elif press.action == SHARE:
            await self._share(press, stored, asked, phrases)
        elif press.action == DELETE:
            await self._delete(press, asked)

    async def _rate(self, press: Press) -> None:
        rating: Any = RATINGS[press.action]
        rate = partial(
            self._office.parts.feedback.rate, press.answer_id, rating, label=f"slack:{press.user}", owner=OWNER
        )
        await self._office.parts.read(rate)

    async def _show_passages(self, press: Press, stored: StoredAnswer, phrases: Phrases) -> None:
        """Only passages that this person may read: an answer of somebody else's may have been shared."""
        readable = await self._readable(
            stored,
            frozenset(hit.chunk.document_id for hit in stored.answer.passages),
            await self._office.reads(press.user),
        )
        passages = [hit for hit in stored.answer.passages if hit.chunk.document_id in readable]
        await self._office.client.views_open(
            trigger_id=press.trigger, view=passages_modal(passages, self._office.viewer(stored.collection), phrases)
        )

    async def _share(self, press: Press, stored: StoredAnswer, asked: Asked, phrases: Phrases) -> None:
        """Post a private answer where everybody sees it, if everybody may read all that it quotes, now."""
        quoted = frozenset(citation.document_id for citation in stored.answer.citations)
        if await self._readable(stored, quoted, frozenset()) != quoted:
            await self._tell(press, phrases.restricted)
            return
        who = await self._office.people.of(asked.asker, (await self._office.identities.get()).team)
        # The passages of a shared answer are those that everybody may read; the button shows no others either.
        shared = answer_messages(stored.answer, self._office.viewer(stored.collection), phrases, private=False)
        heading = list(statement(f"{who.name or '…'} {phrases.shared}: {stored.answer.question}"))
        blocks = [*heading, *(made for message in shared for made in message.blocks)]
        for place, message in enumerate(packed(blocks, stored.answer.text)):
            await self._office.rates.posts.wait(press.channel)
            posted = await self._office.client.chat_postMessage(
                channel=press.channel,
                text=message.text,
                blocks=list(message.blocks),
                unfurl_links=False,
                unfurl_media=False,
            )
            await self._office.keep(self._office.posted.note, press.channel, str(posted["ts"]), asked.key, place)

    async def _delete(self, press: Press, asked: Asked) -> None:
        """Delete all messages of the answer here; a private one only its reader sees, and goes through its address."""
        messages = await self._office.keep(self._office.posted.messages_of, press.channel, asked.key)
        for ts in messages:
            try:
                await self._office.client.chat_delete(channel=press.channel, ts=ts)
            except SlackApiError as error:
                if not errors.is_gone(error):
                    raise
        await self._office.keep(self._office.posted.forget, press.channel, messages)
        if not press.message:
            await discard(press.response_url)

    async def _readable(
        self, stored: StoredAnswer, documents: frozenset[str], principals: frozenset[str]
    ) -> frozenset[str]:
        """Those of the documents that are still there and that these principals may read."""

        def read() -> frozenset[str]:
            found = self._office.parts.service.library.open(stored.collection).documents(sorted(documents))
            return frozenset(one.id for one in found if not one.principals or one.principals & principals)

        try:
            return await self._office.parts.read(read)
        except IndexingError as error:
            log.warning("collection unreadable", collection=stored.collection, reason=str(error))
            return frozenset()

    async def _tell(self, press: Press, words: str) -> None:
        if press.response_url:
            await respond(press.response_url, said(words))
