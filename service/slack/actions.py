"""What the buttons under an answer do. Each button carries the answer's id, so it still works after a restart."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError

from index.errors import IndexingError
from service.errors import RecordMissing
from service.slack.client import errors
from service.slack.client.ephemeral import delete_private, respond_privately
from service.slack.context import OWNER, SlackContext
from service.slack.render.messages import (
    ASK_AS_TYPED,
    DELETE,
    HELPFUL,
    PASSAGES,
    SHARE,
    UNHELPFUL,
    answer_messages,
    pack_messages,
    short_message,
    text_blocks,
)
from service.slack.render.modals import passages_modal
from service.slack.render.phrases import Phrases
from service.slack.store.questions import SlackQuestion
from service.storage.conversations import StoredAnswer

RATINGS = {HELPFUL: "up", UNHELPFUL: "down"}
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ButtonPress:
    """A pressed button: which one, on which answer, by whom, where. `message` is empty for a private message."""

    action: str
    answer_id: str
    user: str
    channel: str
    message: str
    response_url: str
    trigger: str

    @classmethod
    def from_payload(cls, body: Mapping[str, Any]) -> "ButtonPress":
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
    """Carries out pressed buttons, each press once."""

    def __init__(self, context: SlackContext) -> None:
        self._context = context

    async def do(self, press: ButtonPress) -> None:
        """Carry out the button's action; a failure is shown only to the person who pressed."""
        session, questions = self._context.session, self._context.questions
        if not await self._context.run_in_db(
            self._context.recent_actions.record, f"press:{press.trigger}:{press.action}"
        ):
            return
        phrases = (await self._context.run_in_db(self._context.channels.get, press.channel)).phrases
        try:
            stored = await session.run_io(partial(session.store.answer, press.answer_id, owner=OWNER))
            question = await self._context.run_in_db(questions.find_by_answer, press.answer_id)
            await self._act(press, stored, question, phrases)
        except RecordMissing:
            await self._reply(press, phrases.gone)
        except SlackApiError as error:
            log.warning("button without effect", action=press.action, reason=errors.explain(error))
            cannot_post = errors.cannot_post(error)
            await self._reply(press, phrases.not_a_member if cannot_post else phrases.failed)

    async def _act(
        self, press: ButtonPress, stored: StoredAnswer, question: SlackQuestion | None, phrases: Phrases
    ) -> None:
        questions = self._context.questions
        if press.action in RATINGS:
            await self._rate(press)
            await self._reply(press, phrases.thanks)
        elif press.action == PASSAGES:
            await self._show_passages(press, stored, phrases)
        elif question is None:
            await self._reply(press, phrases.gone)
        elif press.user != question.asker:
            await self._reply(press, phrases.not_yours)
        elif press.action == SHARE:
            await self._share(press, stored, question, phrases)
        elif press.action == ASK_AS_TYPED:
            await self._context.run_in_db(questions.ask_as_typed, question.key)
        elif press.action == DELETE:
            await self._delete(press, question)

    async def _rate(self, press: ButtonPress) -> None:
        rating: Any = RATINGS[press.action]
        rate = partial(
            self._context.session.feedback.rate, press.answer_id, rating, label=f"slack:{press.user}", owner=OWNER
        )
        await self._context.session.run_io(rate)

    async def _show_passages(self, press: ButtonPress, stored: StoredAnswer, phrases: Phrases) -> None:
        """Show the passages that this person may read: the answer may have been shared by somebody else."""
        readable = await self._readable(
            stored,
            frozenset(hit.chunk.document_id for hit in stored.answer.passages),
            await self._context.private_principals(press.user),
        )
        passages = [hit for hit in stored.answer.passages if hit.chunk.document_id in readable]
        await self._context.client.views_open(
            trigger_id=press.trigger, view=passages_modal(passages, self._context.viewer(stored.collection), phrases)
        )

    async def _share(self, press: ButtonPress, stored: StoredAnswer, question: SlackQuestion, phrases: Phrases) -> None:
        """Post a private answer in the channel, if everybody may now read all documents that it quotes."""
        quoted = frozenset(citation.document_id for citation in stored.answer.citations)
        if await self._readable(stored, quoted, frozenset()) != quoted:
            await self._reply(press, phrases.restricted)
            return
        person = await self._context.people.get(question.asker, (await self._context.identities.get()).team)
        # Of a shared answer, the passages button shows each person only what they may read.
        shared = answer_messages(stored.answer, self._context.viewer(stored.collection), phrases, private=False)
        heading = list(text_blocks(phrases.shared.format(name=person.name or "…", question=stored.answer.question)))
        blocks = [*heading, *(block for message in shared for block in message.blocks)]
        for place, message in enumerate(pack_messages(blocks, stored.answer.text)):
            await self._context.rates.posts.wait(press.channel)
            posted = await self._context.client.chat_postMessage(
                channel=press.channel,
                text=message.text,
                blocks=list(message.blocks),
                unfurl_links=False,
                unfurl_media=False,
            )
            await self._context.run_in_db(
                self._context.posted.add, press.channel, str(posted["ts"]), question.key, place
            )

    async def _delete(self, press: ButtonPress, question: SlackQuestion) -> None:
        """Delete all messages of the answer here; a private message is deleted through its response address."""
        messages = await self._context.run_in_db(self._context.posted.messages_of, press.channel, question.key)
        for ts in messages:
            try:
                await self._context.client.chat_delete(channel=press.channel, ts=ts)
            except SlackApiError as error:
                if not errors.is_gone(error):
                    raise
        await self._context.run_in_db(self._context.posted.forget, press.channel, messages)
        if not press.message:
            await delete_private(press.response_url)

    async def _readable(
        self, stored: StoredAnswer, documents: frozenset[str], principals: frozenset[str]
    ) -> frozenset[str]:
        """Those of the documents that still exist and that these principals may read."""

        def read() -> frozenset[str]:
            existing = self._context.session.service.library.open(stored.collection).documents.list(sorted(documents))
            return frozenset(
                document.id for document in existing if not document.principals or document.principals & principals
            )

        try:
            return await self._context.session.run_io(read)
        except IndexingError as error:
            log.warning("collection unreadable", collection=stored.collection, reason=str(error))
            return frozenset()

    async def _reply(self, press: ButtonPress, text: str) -> None:
        if press.response_url:
            await respond_privately(press.response_url, short_message(text))
