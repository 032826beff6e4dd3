"""What becomes of one question: its answer, shown as it comes about, or a few words where there is none."""

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
from service.session.session import Parts
from service.session.stream import begun
from service.slack.client import errors, reactions
from service.slack.client.delivery import Delivery, Spot
from service.slack.client.ephemeral import hand_over, respond
from service.slack.context import OWNER, Office
from service.slack.render.channel import Channel
from service.slack.render.links import Viewer
from service.slack.render.messages import (
    answer_messages,
    closing_blocks,
    refusal_blocks,
    said,
    sentence_blocks,
    statement,
    worded,
)
from service.slack.render.text import mentioned, plain
from service.slack.store.questions import WITHDRAW, Ending, Taken

MOST_ATTEMPTS = 3
TOO_LATE = timedelta(hours=1)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a question ended, and its answer if it has one."""

    ending: Ending
    answer_id: str | None = None


class Replies:
    """Replies to questions that a worker has taken."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def settle(self, taken: Taken) -> Outcome:
        """Do what is wanted. What cannot be done now raises; what cannot be done at all is said."""
        channel = await self._office.keep(self._office.channels.of, taken.asked.channel)
        if taken.attempts > 1:
            taken = await self._with_strays(taken)
        try:
            if taken.wanted == WITHDRAW:
                await self._delivery(taken).delete(taken.posted)
                return Outcome("withdrawn")
            if taken.attempts > MOST_ATTEMPTS:
                return await self._say(taken, channel.phrases.failed)
            if datetime.now(UTC) - taken.asked_at > TOO_LATE:
                return await self._say(taken, channel.phrases.late)
            return await self._answer(taken, channel)
        except (QuestionInvalid, CollectionMissing) as error:
            return await self._say(taken, self._why(error, channel))
        except SlackApiError as error:
            if errors.passes(error) or not (errors.has_no_way_in(error) or taken.attempts > MOST_ATTEMPTS):
                raise
            log.warning("nothing can be said", channel=taken.asked.channel, reason=errors.explained(error))
            if taken.asked.response_url:
                await respond(taken.asked.response_url, said(channel.phrases.not_a_member))
            return Outcome("apologised")

    def _why(self, error: QuestionInvalid | CollectionMissing, channel: Channel) -> str:
        if isinstance(error, CollectionMissing):
            return channel.phrases.no_collection
        return channel.phrases.invalid.format(most=self._office.parts.service.answerer.policy.longest_question)

    async def _answer(self, taken: Taken, channel: Channel) -> Outcome:
        asked = taken.asked
        text = await self._words(asked.text)
        if not text:
            return await self._say(taken, channel.phrases.hint)
        await reactions.show(self._office.client, asked, channel.phrases)
        try:
            private = asked.door in {"direct", "command"}
            principals = await self._office.reads(asked.asker) if private else frozenset()
            parts = replace(self._office.parts, caller=self._office.parts.caller.acting_for(principals, OWNER))
            question = Question(
                text=text,
                collection=channel.collection or parts.default,
                conversation_id=taken.conversation_id,
                history=await self._history(taken, parts),
                principals=parts.caller.principals,
                where=Filter(uri_prefix=channel.folder),
            )
            answer = await self._told(taken, channel, question, parts)
        finally:
            with CancelScope(shield=True):
                await reactions.take_down(self._office.client, asked)
        return Outcome("silent" if answer.refused and channel.silent else "answered", answer.id)

    async def _told(self, taken: Taken, channel: Channel, question: Question, parts: Parts) -> Answer:
        """Show the answer as it comes about."""
        phrases, viewer = channel.phrases, self._office.viewer(question.collection)
        delivery, citations, sofar = self._delivery(taken), list[Citation](), list[str]()
        async with aclosing(_ahead(question, parts)) as events:
            async for event in events:
                if isinstance(event, SentenceReady) and taken.asked.door != "command":
                    citations += event.citations
                    sofar.append(event.sentence.text)
                    for made in sentence_blocks(event.sentence, citations, viewer, phrases):
                        await delivery.write(made, " ".join(sofar))
                elif isinstance(event, AnswerReady):
                    answer = event.answer
        if taken.asked.door == "command":
            await self._hand_over(taken, answer, channel, viewer)
        elif answer.refused and channel.silent and taken.asked.door != "direct":
            await delivery.finish([], answer.text)
            if taken.asked.door in {"mention", "shortcut"}:
                await self._whisper(taken, answer, channel, viewer)
        else:
            await delivery.finish(closing_blocks(answer, viewer, phrases, private=False), worded(answer, phrases))
        return answer

    async def _hand_over(self, taken: Taken, answer: Answer, channel: Channel, viewer: Viewer) -> None:
        messages = answer_messages(answer, viewer, channel.phrases, private=True)

        async def posted(where: str, message: str, place: int) -> None:
            await self._office.keep(self._office.posted.note, where, message, taken.asked.key, place)

        asked, notice = taken.asked, channel.phrases.long_private
        await hand_over(self._office.client, asked.response_url, asked.asker, messages, notice, posted)

    async def _whisper(self, taken: Taken, answer: Answer, channel: Channel, viewer: Viewer) -> None:
        """A refusal in a channel where Quoth stays silent: who asked sees it, and nobody else."""
        blocks = list(refusal_blocks(answer, viewer, channel.phrases))
        await self._office.client.chat_postEphemeral(
            channel=taken.asked.channel,
            user=taken.asked.asker,
            thread_ts=taken.asked.thread,
            text=said(worded(answer, channel.phrases)).text,
            blocks=blocks,
        )

    async def _words(self, text: str) -> str:
        """The question as a person reads it, with the names of the people in it and without Quoth's own."""
        own = await self._office.identities.get()
        names = {
            user: (await self._office.people.of(user, own.team)).name for user in mentioned(text) if user != own.user
        }
        return plain(text, names)

    async def _history(self, taken: Taken, parts: Parts) -> tuple[Turn, ...]:
        """What the thread says above the question: of an answer that was given again, only the last."""
        before = await self._office.keep(self._office.questions.answer_ids_before, taken)
        if not before:
            return ()
        try:
            stored = await parts.read(partial(parts.store.answers, taken.conversation_id, owner=OWNER))
        except RecordMissing:  # it was deleted, or unused for longer than conversations are kept
            return ()
        turns = {one.answer.id: Turn(one.answer.question, one.answer.text) for one in stored}
        return tuple(turns[answer_id] for answer_id in before if answer_id in turns)

    async def _say(self, taken: Taken, words: str) -> Outcome:
        """Words of the bot's own, in the place of an answer."""
        if taken.asked.door == "command":
            if not await respond(taken.asked.response_url, said(words)):
                await self._office.client.chat_postMessage(channel=taken.asked.asker, text=said(words).text)
        else:
            await self._delivery(taken).finish(statement(words), words)
        return Outcome("apologised")

    def _delivery(self, taken: Taken) -> Delivery:
        asked = taken.asked

        async def posted(message: str, place: int) -> None:
            await self._office.keep(self._office.posted.note, asked.channel, message, asked.key, place)

        async def gone(messages: Sequence[str]) -> None:
            await self._office.keep(self._office.posted.forget, asked.channel, messages)

        spot = Spot(asked.channel, asked.thread, asked.team, asked.asker)
        return Delivery(self._office.client, spot, self._office.rates, posted, gone, taken.posted)

    async def _with_strays(self, taken: Taken) -> Taken:
        """The question with the messages that an earlier try posted without living to note them.

        A thread's questions are worked on one at a time, so what Quoth wrote below the question and nobody noted is its own.
        """
        asked = taken.asked
        if not asked.thread:
            return taken
        own = await self._office.identities.get()
        try:
            replies = await self._office.client.conversations_replies(
                channel=asked.channel, ts=asked.thread, oldest=asked.message, limit=100
            )
        except SlackApiError as error:
            if errors.passes(error):
                raise
            log.info("thread not read", reason=errors.explained(error))
            return taken
        strays = []
        for message in replies["messages"]:
            ts = str(message["ts"])
            ours = message.get("user") == own.user or (own.bot and message.get("bot_id") == own.bot)
            if (
                ours
                and ts > asked.message
                and await self._office.keep(self._office.posted.key_of, asked.channel, ts) is None
            ):
                strays.append(ts)
        for place, ts in enumerate(strays, start=len(taken.posted)):
            await self._office.keep(self._office.posted.note, asked.channel, ts, asked.key, place)
        return replace(taken, posted=(*taken.posted, *strays))


async def _ahead(question: Question, parts: Parts) -> AsyncGenerator[Event]:
    """The events of an answer, made as fast as they come about: waiting for Slack takes nothing from the answer's time."""
    events: asyncio.Queue[Event | None] = asyncio.Queue()

    async def make() -> None:
        try:
            async with aclosing(await begun(question, parts)) as made:
                async for event in made:
                    events.put_nowait(event)
        finally:
            events.put_nowait(None)

    making = asyncio.ensure_future(make())
    try:
        while (event := await events.get()) is not None:
            yield event
        await making
    finally:
        making.cancel()
        with CancelScope(shield=True):
            await asyncio.wait([making])
