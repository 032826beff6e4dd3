"""The questions asked in Slack, kept before they are acknowledged: none is lost, none is answered twice.

A question is `waiting`, then `answering` under a lease, then `answered`, `apologised`, `silent` or `withdrawn`. A worker that
dies loses its lease, and another one goes on. The questions of one thread are worked on in order, one at a time, since
each may lean on the one before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session, aliased

from service.slack.store.messages import messages_of
from service.slack.store.tables import QuestionRow, ThreadRow, inserted
from service.storage.database import Database

Door = Literal["mention", "follow-up", "channel", "direct", "command", "shortcut"]
Ending = Literal["answered", "apologised", "silent", "withdrawn"]
ANSWER, WITHDRAW = "answer", "withdraw"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it arrives. `thread` is where the answer goes; empty for a private answer to a command."""

    key: str
    team: str
    channel: str
    channel_type: str
    thread: str
    message: str
    asker: str
    text: str
    door: Door
    response_url: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """A question that a worker has, until its lease ends. `posted` are the messages that show its answer so far."""

    asked: Asked
    position: int
    revision: str
    wanted: str
    attempts: int
    asked_at: datetime
    answer_id: str | None
    conversation_id: str
    posted: tuple[str, ...]


WAITING, ANSWERING = "waiting", "answering"
LEASE = timedelta(seconds=30)


class Questions:
    """The questions in the database. Thread-safe; every call is short.

    `lease` is how long a worker that shows no sign of life keeps a question. `clock` gives the time in UTC.
    """

    def __init__(
        self,
        database: Database,
        new_id: Callable[[], str],
        *,
        lease: timedelta = LEASE,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._new_id = new_id
        self.lease = lease
        self._clock = clock

    def ask(self, asked: Asked) -> bool:
        """Keep a question; False when it is here already."""
        now = self._clock()
        with self._database.writing() as session:
            if asked.thread and session.get(ThreadRow, (asked.channel, asked.thread)) is None:
                inserted(
                    session,
                    ThreadRow(channel=asked.channel, thread=asked.thread, conversation_id=self._new_id()),
                )
            return inserted(
                session,
                QuestionRow(
                    key=asked.key,
                    team=asked.team,
                    channel=asked.channel,
                    channel_type=asked.channel_type,
                    thread=asked.thread,
                    message=asked.message,
                    asker=asked.asker,
                    text=asked.text,
                    door=asked.door,
                    response_url=asked.response_url,
                    revision="",
                    wanted=ANSWER,
                    state=WAITING,
                    worker="",
                    due_at=now,
                    attempts=0,
                    answer_id=None,
                    asked_at=now,
                ),
            )

    def edit(self, key: str, text: str, revision: str) -> bool:
        """The question now reads `text`: answer it again. False when nobody asked it, or a later edit is here."""
        with self._database.writing() as session:
            row = self._row(session, key)
            if row is None or row.wanted == WITHDRAW or revision <= row.revision or text == row.text:
                return False
            row.text, row.revision = text, revision
            self._again(row)
        return True

    def withdraw(self, key: str) -> bool:
        """The question was deleted: delete its answer. False when nobody asked it."""
        with self._database.writing() as session:
            row = self._row(session, key)
            if row is None or row.wanted == WITHDRAW:
                return False
            row.wanted = WITHDRAW
            self._again(row)
        return True

    def is_ours(self, channel: str, thread: str) -> bool:
        """Whether Quoth was asked in this thread before."""
        with self._database.reading() as session:
            return session.get(ThreadRow, (channel, thread)) is not None

    def take(self, worker: str) -> Taken | None:
        """The next question that is due, leased to `worker`; None when there is none."""
        now = self._clock()
        earlier = aliased(QuestionRow)
        with self._database.writing() as session:
            row = session.scalar(
                select(QuestionRow)
                .where(
                    QuestionRow.state.in_((WAITING, ANSWERING)),
                    QuestionRow.due_at <= now,
                    ~exists().where(
                        earlier.channel == QuestionRow.channel,
                        earlier.thread == QuestionRow.thread,
                        earlier.thread != "",
                        earlier.position < QuestionRow.position,
                        earlier.state.in_((WAITING, ANSWERING)),
                    ),
                )
                .order_by(QuestionRow.due_at, QuestionRow.position)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            if row is None:
                return None
            row.state, row.worker, row.due_at = ANSWERING, worker, now + self.lease
            row.attempts += 1
            return self._taken(session, row)

    def keep_alive(self, worker: str) -> None:
        """Prolong every lease of a worker that lives."""
        with self._database.writing() as session:
            session.execute(
                update(QuestionRow)
                .where(QuestionRow.state == ANSWERING, QuestionRow.worker == worker)
                .values(due_at=self._clock() + self.lease)
            )

    def finish(self, taken: Taken, worker: str, ending: Ending, answer_id: str | None = None) -> bool:
        """The question is done. False when it is not: it changed meanwhile, or another worker has it."""
        with self._database.writing() as session:
            row = self._row(session, taken.asked.key)
            if row is None or row.worker != worker or row.state != ANSWERING:
                return False
            if answer_id is not None:
                row.answer_id = answer_id
            row.worker = ""
            if (row.revision, row.wanted) != (taken.revision, taken.wanted):
                row.state, row.due_at = WAITING, self._clock()
                return False
            row.state = ending
        return True

    def put_back(self, taken: Taken, worker: str, wait: timedelta, *, counts: bool) -> None:
        """Give a question back, to be worked on after `wait`; a further attempt is forgotten unless it `counts`."""
        with self._database.writing() as session:
            row = self._row(session, taken.asked.key)
            if row is not None and row.worker == worker and row.state == ANSWERING:
                row.state, row.worker, row.due_at = WAITING, "", self._clock() + wait
                row.attempts -= 0 if counts or row.attempts == 1 else 1  # the next try knows that there was one

    def waiting(self) -> int:
        """How many questions are not done."""
        with self._database.reading() as session:
            unfinished = select(func.count()).where(QuestionRow.state.in_((WAITING, ANSWERING)))
            return session.scalar(unfinished) or 0

    def answer_ids_before(self, taken: Taken) -> tuple[str, ...]:
        """The answers that stand in the thread above the question, oldest first."""
        with self._database.reading() as session:
            return tuple(
                session.scalars(
                    select(QuestionRow.answer_id)
                    .where(
                        QuestionRow.channel == taken.asked.channel,
                        QuestionRow.thread == taken.asked.thread,
                        QuestionRow.position < taken.position,
                        QuestionRow.answer_id.is_not(None),
                        QuestionRow.state == "answered",
                    )
                    .order_by(QuestionRow.position)
                ).all()  # type: ignore[arg-type]  # the condition leaves no None
            )

    def asked_for(self, answer_id: str) -> Asked | None:
        """The question that an answer answers; None when the answer was replaced, or none of Slack's."""
        with self._database.reading() as session:
            row = session.scalar(select(QuestionRow).where(QuestionRow.answer_id == answer_id))
            return None if row is None else _asked(row)

    def _again(self, row: QuestionRow) -> None:
        """Work on a question that is done once more; one that is being worked on is noticed when it ends."""
        row.attempts = 0
        if row.state != ANSWERING:
            row.state, row.due_at = WAITING, self._clock()

    def _row(self, session: Session, key: str) -> QuestionRow | None:
        return session.scalar(select(QuestionRow).where(QuestionRow.key == key).with_for_update())

    def _taken(self, session: Session, row: QuestionRow) -> Taken:
        thread = session.get(ThreadRow, (row.channel, row.thread)) if row.thread else None
        return Taken(
            _asked(row),
            row.position,
            row.revision,
            row.wanted,
            row.attempts,
            row.asked_at,
            row.answer_id,
            thread.conversation_id if thread else self._new_id(),
            messages_of(session, row.channel, row.key),
        )


def _asked(row: QuestionRow) -> Asked:
    door: Door = row.door  # type: ignore[assignment]  # only `ask` writes it
    return Asked(
        row.key,
        row.team,
        row.channel,
        row.channel_type,
        row.thread,
        row.message,
        row.asker,
        row.text,
        door,
        row.response_url,
    )
