"""Replies to one question: its answer, shown as it is written, or a short message where there is none."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from anyio import CancelScope
from slack_sdk.errors import SlackApiError

from index.errors import CollectionMissing
from index.filters import Filter
from service.answering.answerer import AnswerReady, Event, SentenceReady
from service.errors import QuestionInvalid, RecordMissing
from service.records import Answer, Citation, Question, Turn
from service.session.session import Session
from service.session.stream import stream_answer
from service.slack.client import errors
from service.slack.client.delivery import Delivery, Destination, clear_working, show_working
from service.slack.client.ephemeral import deliver_privately, respond_privately
from service.slack.context import OWNER, SlackContext
from service.slack.render.messages import (
    Viewer,
    answer_messages,
    answer_text,
    closing_blocks,
    refusal_blocks,
    sentence_blocks,
    short_message,
    text_blocks,
)
from service.slack.render.phrases import ChannelSettings
from service.slack.render.text import mentioned_users, plain_text
from service.slack.store.questions import AS_TYPED, WITHDRAW, Ending, LeasedQuestion

MAX_ATTEMPTS = 3
TOO_LATE = timedelta(hours=1)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReplyOutcome:
    """How a question ended, and the id of its answer if it has one."""

    ending: Ending
    answer_id: str | None = None


class Replies:
    """Replies to questions that a worker has leased."""

    def __init__(self, context: SlackContext) -> None:
        self._context = context

    async def settle(self, leased: LeasedQuestion) -> ReplyOutcome:
        """Answer the question or withdraw its answer. Raises what may succeed later; says what cannot be done at all."""
        channel = await self._context.run_in_db(self._context.channels.get, leased.question.channel)
        if leased.attempts > 1:
            leased = await self._adopt_unrecorded(leased)
        try:
            if leased.wanted == WITHDRAW:
                await self._delivery(leased).delete(leased.posted)
                return ReplyOutcome("withdrawn")
            if leased.attempts > MAX_ATTEMPTS:
                return await self._say(leased, channel.phrases.failed)
            if datetime.now(UTC) - leased.asked_at > TOO_LATE:
                return await self._say(leased, channel.phrases.late)
            return await self._answer(leased, channel)
        except (QuestionInvalid, CollectionMissing) as error:
            return await self._say(leased, self._error_text(error, channel))
        except SlackApiError as error:
            if errors.is_transient(error) or not (errors.cannot_post(error) or leased.attempts > MAX_ATTEMPTS):
                raise
            log.warning("nothing can be said", channel=leased.question.channel, reason=errors.explain(error))
            if leased.question.response_url:
                await respond_privately(leased.question.response_url, short_message(channel.phrases.not_a_member))
            return ReplyOutcome("apologised")

    def _error_text(self, error: QuestionInvalid | CollectionMissing, channel: ChannelSettings) -> str:
        if isinstance(error, CollectionMissing):
            return channel.phrases.no_collection
        return channel.phrases.invalid.format(most=self._context.session.service.answerer.policy.max_question_chars)

    async def _answer(self, leased: LeasedQuestion, channel: ChannelSettings) -> ReplyOutcome:
        received = leased.question
        text = await self._question_text(received.text)
        if not text:
            return await self._say(leased, channel.phrases.hint)
        await show_working(self._context.client, received, channel.phrases)
        try:
            private = received.origin in {"direct", "command"}
            principals = await self._context.private_principals(received.asker) if private else frozenset()
            session = replace(self._context.session, caller=self._context.session.caller.acting_for(principals, OWNER))
            question = Question(
                text=text,
                collection=channel.collection or session.default_collection,
                conversation_id=leased.conversation_id,
                history=await self._history(leased, session),
                principals=session.caller.principals,
                where=Filter(uri_prefix=channel.folder),
                as_typed=leased.wanted == AS_TYPED,
            )
            async with session.admission.turn():
                answer = await self._show_answer(leased, channel, question, session)
        finally:
            with CancelScope(shield=True):
                await clear_working(self._context.client, received)
        return ReplyOutcome("silent" if answer.refused and channel.silent else "answered", answer.id)

    async def _show_answer(
        self, leased: LeasedQuestion, channel: ChannelSettings, question: Question, session: Session
    ) -> Answer:
        """Show the answer as it is written, and return it."""
        phrases, viewer = channel.phrases, self._context.viewer(question.collection)
        delivery, citations, shown = self._delivery(leased), list[Citation](), list[str]()
        async with aclosing(_read_ahead(question, session)) as events:
            async for event in events:
                if isinstance(event, SentenceReady) and leased.question.origin != "command":
                    citations += event.citations
                    shown.append(event.sentence.text)
                    for block in sentence_blocks(event.sentence, citations, viewer, phrases):
                        await delivery.write(block, " ".join(shown))
                elif isinstance(event, AnswerReady):
                    answer = event.answer
        if leased.question.origin == "command":
            await self._answer_privately(leased, answer, channel, viewer)
        elif answer.refused and channel.silent and leased.question.origin != "direct":
            await delivery.finish([], answer.text)
            if leased.question.origin in {"mention", "shortcut"}:
                await self._refuse_privately(leased, answer, channel, viewer)
        else:
            await delivery.finish(closing_blocks(answer, viewer, phrases, private=False), answer_text(answer, phrases))
        return answer

    async def _answer_privately(
        self, leased: LeasedQuestion, answer: Answer, channel: ChannelSettings, viewer: Viewer
    ) -> None:
        messages = answer_messages(answer, viewer, channel.phrases, private=True)

        async def on_posted(channel: str, message: str, place: int) -> None:
            await self._context.run_in_db(self._context.posted.add, channel, message, leased.question.key, place)

        question, notice = leased.question, channel.phrases.long_private
        await deliver_privately(
            self._context.client, question.response_url, question.asker, messages, notice, on_posted
        )

    async def _refuse_privately(
        self, leased: LeasedQuestion, answer: Answer, channel: ChannelSettings, viewer: Viewer
    ) -> None:
        """Show a refusal only to the asker, in a channel that wants no refusals."""
        blocks = list(refusal_blocks(answer, viewer, channel.phrases))
        await self._context.client.chat_postEphemeral(
            channel=leased.question.channel,
            user=leased.question.asker,
            thread_ts=leased.question.thread,
            text=short_message(answer_text(answer, channel.phrases)).text,
            blocks=blocks,
        )

    async def _question_text(self, text: str) -> str:
        """The question as a person reads it: mentions become names, and the mention of Quoth is left out."""
        own = await self._context.identities.get()
        names = {
            user: (await self._context.people.get(user, own.team)).name
            for user in mentioned_users(text)
            if user != own.user
        }
        return plain_text(text, names)

    async def _history(self, leased: LeasedQuestion, session: Session) -> tuple[Turn, ...]:
        """The turns above the question in its thread; of a question that was answered again, only the last answer."""
        before = await self._context.run_in_db(self._context.questions.answer_ids_before, leased)
        if not before:
            return ()
        try:
            stored = await session.run_io(partial(session.store.answers, leased.conversation_id, owner=OWNER))
        except RecordMissing:  # it was deleted, or its retention period ended
            return ()
        turns = {one.answer.id: Turn(one.answer.question, one.answer.text) for one in stored}
        return tuple(turns[answer_id] for answer_id in before if answer_id in turns)

    async def _say(self, leased: LeasedQuestion, text: str) -> ReplyOutcome:
        """Reply with a text of the bot instead of an answer."""
        if leased.question.origin == "command":
            if not await respond_privately(leased.question.response_url, short_message(text)):
                await self._context.client.chat_postMessage(
                    channel=leased.question.asker, text=short_message(text).text
                )
        else:
            await self._delivery(leased).finish(text_blocks(text), text)
        return ReplyOutcome("apologised")

    def _delivery(self, leased: LeasedQuestion) -> Delivery:
        question = leased.question

        async def on_posted(message: str, place: int) -> None:
            await self._context.run_in_db(self._context.posted.add, question.channel, message, question.key, place)

        async def on_deleted(messages: Sequence[str]) -> None:
            await self._context.run_in_db(self._context.posted.forget, question.channel, messages)

        destination = Destination(question.channel, question.thread, question.team, question.asker)
        return Delivery(self._context.client, destination, self._context.rates, on_posted, on_deleted, leased.posted)

    async def _adopt_unrecorded(self, leased: LeasedQuestion) -> LeasedQuestion:
        """The question with the messages that an earlier attempt posted but did not record, because its process died.

        A thread's questions are answered one at a time, so unrecorded messages of Quoth below the question belong to it.
        """
        question = leased.question
        if not question.thread:
            return leased
        own = await self._context.identities.get()
        try:
            replies = await self._context.client.conversations_replies(
                channel=question.channel, ts=question.thread, oldest=question.message, limit=100
            )
        except SlackApiError as error:
            if errors.is_transient(error):
                raise
            log.info("thread not read", reason=errors.explain(error))
            return leased
        unrecorded = []
        for message in replies["messages"]:
            ts = str(message["ts"])
            is_own = message.get("user") == own.user or (own.bot and message.get("bot_id") == own.bot)
            if (
                is_own
                and ts > question.message
                and await self._context.run_in_db(self._context.posted.key_of, question.channel, ts) is None
            ):
                unrecorded.append(ts)
        for place, ts in enumerate(unrecorded, start=len(leased.posted)):
            await self._context.run_in_db(self._context.posted.add, question.channel, ts, question.key, place)
        return replace(leased, posted=(*leased.posted, *unrecorded))


async def _read_ahead(question: Question, session: Session) -> AsyncGenerator[Event]:
    """The events of an answer, produced without waiting for Slack, so that Slack's delays do not count against its deadline."""
    events: asyncio.Queue[Event | None] = asyncio.Queue()

    async def produce() -> None:
        try:
            async with aclosing(await stream_answer(question, session)) as answer_events:
                async for event in answer_events:
                    events.put_nowait(event)
        finally:
            events.put_nowait(None)

    task = asyncio.ensure_future(produce())
    try:
        while (event := await events.get()) is not None:
            yield event
        await task
    finally:
        task.cancel()
        with CancelScope(shield=True):
            await asyncio.wait([task])
