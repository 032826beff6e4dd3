"""The list of conversations: newest first, in pages; renaming and deleting them, and deleting old ones."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from service.errors import CursorInvalid, TitleInvalid
from service.storage.conversations import (
    ANYBODY,
    MAX_TITLE,
    AnswerRow,
    ConversationRow,
    conversation_row,
    name_damage,
    now_utc,
)
from service.storage.database import Database

PAGE = 50


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation without its answers; `answers` counts them. Times are UTC; `updated_at` is that of the last answer."""

    id: str
    title: str
    collection: str
    created_at: datetime
    updated_at: datetime
    answers: int


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """A page of conversations, and the cursor that continues after it; None at the end."""

    conversations: tuple[Conversation, ...]
    next_cursor: str | None


class ConversationList:
    """The conversations of an owner (ANYBODY: of all). Thread-safe."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = now_utc) -> None:
        self._database = database
        self._clock = clock

    def page(
        self, limit: int = PAGE, cursor: str | None = None, *, words: str = "", owner: str | None = ""
    ) -> ConversationPage:
        """At most `limit` conversations, the most recently used first. Raises CursorInvalid.

        Only those with every one of the `words` in their title or in one of their questions, in whatever case.
        While conversations are added, none is listed twice or left out: the cursor names the last one listed, not a count.
        """
        query = (
            _query_with_counts().order_by(ConversationRow.updated_at.desc(), ConversationRow.id.desc()).limit(limit + 1)
        )
        if owner is not ANYBODY:
            query = query.where(ConversationRow.owner == owner)
        for word in words.split():
            query = query.where(_holds(word))
        if cursor is not None:
            query = query.where(tuple_(ConversationRow.updated_at, ConversationRow.id) < _place(cursor))
        with self._database.reading() as session, name_damage("A conversation of the list"):
            conversations = [_conversation(row, answers) for row, answers in session.execute(query)]
        page = tuple(conversations[:limit])
        return ConversationPage(page, _cursor(page[-1]) if len(conversations) > limit else None)

    def ids(self, *, owner: str | None = "") -> tuple[str, ...]:
        """The ids of all conversations, the most recently used first, also of damaged ones."""
        query = select(ConversationRow.id).order_by(ConversationRow.updated_at.desc(), ConversationRow.id.desc())
        if owner is not ANYBODY:
            query = query.where(ConversationRow.owner == owner)
        with self._database.reading() as session:
            return tuple(session.scalars(query))

    def get(self, conversation_id: str, *, owner: str | None = "") -> Conversation:
        """One conversation. Raises RecordMissing and RecordDamaged."""
        with self._database.reading() as session, name_damage(f"The conversation {conversation_id}"):
            return _get(session, conversation_id, owner)

    def rename(self, conversation_id: str, title: str, *, owner: str | None = "") -> Conversation:
        """Give a conversation another title. Raises RecordMissing, and TitleInvalid for an empty or too long one."""
        title = " ".join(title.split())
        if not title or len(title) > MAX_TITLE:
            raise TitleInvalid(
                f"The title {title[:40]!r} has {len(title)} characters. Give one of 1 to {MAX_TITLE} characters."
            )
        with self._database.writing() as session:
            conversation_row(session, conversation_id, owner).title = title
            session.flush()
            return _get(session, conversation_id, owner)

    def delete(self, *conversation_ids: str, owner: str | None = "") -> None:
        """Delete conversations with their answers and the feedback on them, permanently: all of them or none.

        Raises RecordMissing if one of them is not there.
        """
        with self._database.writing() as session:
            for row in [conversation_row(session, each, owner) for each in dict.fromkeys(conversation_ids)]:
                session.delete(row)
        self._database.scrub()

    def correct_uses_after(self, now: datetime) -> None:
        """Let conversations whose last use lies after `now` count as used now: the clock was set back since."""
        with self._database.writing() as session:
            session.execute(update(ConversationRow).where(ConversationRow.updated_at > now).values(updated_at=now))

    def delete_unused_since(self, moment: datetime) -> int:
        """Delete, permanently, the conversations of all owners that were last used before `moment`. Returns how many."""
        with self._database.writing() as session:
            old = delete(ConversationRow).where(ConversationRow.updated_at < moment)
            count = cast("CursorResult[Any]", session.execute(old)).rowcount
        if count:
            self._database.scrub()
        return count


def _holds(word: str) -> Any:
    """Whether the title or a question of a conversation holds the word."""
    asked = select(AnswerRow.id).where(
        AnswerRow.conversation_id == ConversationRow.id, AnswerRow.question.icontains(word, autoescape=True)
    )
    return or_(ConversationRow.title.icontains(word, autoescape=True), asked.exists())


def _query_with_counts() -> Any:
    count = select(func.count()).where(AnswerRow.conversation_id == ConversationRow.id).scalar_subquery()
    return select(ConversationRow, count)


def _get(session: Session, conversation_id: str, owner: str | None) -> Conversation:
    conversation_row(session, conversation_id, owner)
    row, answers = session.execute(_query_with_counts().where(ConversationRow.id == conversation_id)).one()
    return _conversation(row, answers)


def _conversation(row: ConversationRow, answers: int) -> Conversation:
    return Conversation(row.id, row.title, row.collection, row.created_at, row.updated_at or row.created_at, answers)


def _cursor(last: Conversation) -> str:
    place = json.dumps([last.updated_at.isoformat(), last.id])
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[datetime, str]:
    try:
        moment, id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return datetime.fromisoformat(moment).astimezone(UTC), str(id)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise CursorInvalid(
            f"{cursor[:40]!r} is not a cursor of this list. Give the `next_cursor` of the page before, or none."
        ) from error
