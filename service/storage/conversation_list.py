"""The list of conversations: newest first, in pages; renaming, deleting, and forgetting the old ones."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, select, tuple_
from sqlalchemy.orm import Session

from service.errors import CursorInvalid, TitleInvalid
from service.storage.conversations import ANYBODY, LONGEST_TITLE, AnswerRow, ConversationRow, conversation_row, now_utc
from service.storage.database import Database

PAGE = 50


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation without its answers; `answers` counts them. Times are in UTC; `updated_at` is that of the last answer."""

    id: str
    title: str
    collection: str
    created_at: datetime
    updated_at: datetime
    answers: int


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """Some conversations, and the cursor that continues after them, None at the end."""

    conversations: tuple[Conversation, ...]
    next_cursor: str | None


class ConversationList:
    """The conversations of an owner (ANYBODY: of all). Thread-safe."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = now_utc) -> None:
        self._database = database
        self._clock = clock

    def page(self, limit: int = PAGE, cursor: str | None = None, *, owner: str | None = "") -> ConversationPage:
        """At most `limit` conversations, the one used last first. Raises CursorInvalid.

        Nothing is listed twice or left out while others are added: the cursor names the last one listed, not a count.
        """
        query = _described().order_by(ConversationRow.updated_at.desc(), ConversationRow.id.desc()).limit(limit + 1)
        if owner is not ANYBODY:
            query = query.where(ConversationRow.owner == owner)
        if cursor is not None:
            query = query.where(tuple_(ConversationRow.updated_at, ConversationRow.id) < _place(cursor))
        with self._database.reading() as session:
            found = [_conversation(row, answers) for row, answers in session.execute(query)]
        more = len(found) > limit
        listed = tuple(found[:limit])
        return ConversationPage(listed, _cursor(listed[-1]) if more else None)

    def one(self, conversation_id: str, *, owner: str | None = "") -> Conversation:
        """One conversation. Raises RecordMissing."""
        with self._database.reading() as session:
            return _one(session, conversation_id, owner)

    def rename(self, conversation_id: str, title: str, *, owner: str | None = "") -> Conversation:
        """Give a conversation another title. Raises RecordMissing, and TitleInvalid for an empty or too long one."""
        said = " ".join(title.split())
        if not said or len(said) > LONGEST_TITLE:
            raise TitleInvalid(
                f"The title {said[:40]!r} has {len(said)} characters. Give one of 1 to {LONGEST_TITLE} characters."
            )
        with self._database.writing() as session:
            conversation_row(session, conversation_id, owner).title = said
            session.flush()
            return _one(session, conversation_id, owner)

    def delete(self, conversation_id: str, *, owner: str | None = "") -> None:
        """Delete a conversation with its answers and the feedback on them, for good. Raises RecordMissing."""
        with self._database.writing() as session:
            session.delete(conversation_row(session, conversation_id, owner))
        self._database.scrub()

    def forget_before(self, moment: datetime) -> int:
        """Delete, for good, the conversations of every owner that were used last before `moment`; how many they were."""
        with self._database.writing() as session:
            old = delete(ConversationRow).where(ConversationRow.updated_at < moment)
            count = cast("CursorResult[Any]", session.execute(old)).rowcount
        if count:
            self._database.scrub()
        return count


def _described() -> Any:
    count = select(func.count()).where(AnswerRow.conversation_id == ConversationRow.id).scalar_subquery()
    return select(ConversationRow, count)


def _one(session: Session, conversation_id: str, owner: str | None) -> Conversation:
    conversation_row(session, conversation_id, owner)
    row, answers = session.execute(_described().where(ConversationRow.id == conversation_id)).one()
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
            f"{cursor[:40]!r} is no cursor of this list. Give the `next_cursor` of the page before, or none."
        ) from error
