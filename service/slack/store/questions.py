"""The questions asked in Slack: stored before they are acknowledged, so that none is lost and none is answered twice.

A question is `waiting`, then `answering` under a lease (service/storage/lease_queue.py), then `answered`, `apologised`,
`silent` or `withdrawn`. The questions of one thread are answered in order, one at a time: each may refer to the one before.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from service.slack.store.messages import messages_of
from service.slack.store.tables import QuestionRow, ThreadRow, insert_if_new
from service.storage.database import Database
from service.storage.lease_queue import Lease, LeaseLost, LeaseQueue

Origin = Literal["mention", "follow-up", "channel", "direct", "command", "shortcut"]
Ending = Literal["answered", "apologised", "silent", "withdrawn"]
ANSWER, AS_TYPED, WITHDRAW = "answer", "as typed", "withdraw"
"""What is wanted for a question: an answer, one to the question as it is typed, or that its answer be deleted."""


@dataclass(frozen=True, slots=True)
class SlackQuestion:
    """A question as it arrives. `thread` is where the answer goes; empty for a private answer to a command."""

    key: str
    team: str
    channel: str
    channel_type: str
    thread: str
    message: str
    asker: str
    text: str
    origin: Origin
    response_url: str = ""


@dataclass(frozen=True, slots=True)
class LeasedQuestion:
    """A question that a worker holds under a lease. `posted` are the messages that show its answer so far."""

    question: SlackQuestion
    position: int
    revision: str
    wanted: str
    attempts: int
    asked_at: datetime
    answer_id: str | None
    conversation_id: str
    posted: tuple[str, ...]


WAITING, ANSWERING = "waiting", "answering"
_UNFINISHED = QuestionRow.state.in_((WAITING, ANSWERING))
LEASE = timedelta(seconds=30)
MAX_WAIT = timedelta(seconds=60)
"""The longest wait of a question that is given back, and longer than any lease."""


class QuestionTable:
    """The table of questions as the lease queue uses it. A lease that ran out makes its question due again.

    Times come from the system's clock, which may be set back. A wait or a lease that ends later than any can is over.
    """

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id

    def next_due(self, transaction: Session, now: float, *, lock: bool) -> QuestionRow | None:
        """The question that has been due longest and has no earlier unfinished question of its thread before it."""
        earlier = aliased(QuestionRow)
        query = (
            select(QuestionRow)
            .where(
                _UNFINISHED,
                or_(QuestionRow.due_at <= _moment(now), QuestionRow.due_at > _moment(now) + MAX_WAIT),
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
        )
        return transaction.scalar(query.with_for_update(skip_locked=True) if lock else query)

    def hold(self, transaction: Session, row: QuestionRow, worker: str, now: float, until: float) -> LeasedQuestion:
        """Let the worker answer the question under its lease."""
        row.state, row.worker, row.due_at = ANSWERING, worker, _moment(until)
        row.attempts += 1
        thread = transaction.get(ThreadRow, (row.channel, row.thread)) if row.thread else None
        return LeasedQuestion(
            _question(row),
            row.position,
            row.revision,
            row.wanted,
            row.attempts,
            row.asked_at,
            row.answer_id,
            thread.conversation_id if thread else self._new_id(),
            messages_of(transaction, row.channel, row.key),
        )

    def leased(self, transaction: Session, lease: Lease) -> QuestionRow | None:
        """The question while the worker has it. The attempts are not compared: an edit begins to count them anew."""
        row = _question_row(transaction, lease.item)
        return row if row is not None and row.worker == lease.worker and row.state == ANSWERING else None

    def extend(self, transaction: Session, row: QuestionRow, until: float) -> None:
        """Move the end of the lease."""
        row.due_at = _moment(until)

    def release(self, transaction: Session, row: QuestionRow, due_at: float) -> None:
        """Let the question wait again."""
        row.state, row.worker, row.due_at = WAITING, "", _moment(due_at)

    def close(self, transaction: Session, row: QuestionRow, state: str, now: float) -> None:
        """Record how the question ended."""
        row.state, row.worker = state, ""


class Questions:
    """The questions in the database. Thread-safe; every call is short.

    A worker that does not renew its leases loses its questions after `lease`. `clock` gives the time in UTC.
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
        self._queue = LeaseQueue(
            database, QuestionTable(new_id), lease.total_seconds(), lambda: self._clock().timestamp()
        )

    def ask(self, question: SlackQuestion) -> bool:
        """Store a question; False when it is stored already."""
        now = self._clock()
        with self._database.writing() as session:
            if question.thread and session.get(ThreadRow, (question.channel, question.thread)) is None:
                insert_if_new(
                    session,
                    ThreadRow(channel=question.channel, thread=question.thread, conversation_id=self._new_id()),
                )
            return insert_if_new(
                session,
                QuestionRow(
                    key=question.key,
                    team=question.team,
                    channel=question.channel,
                    channel_type=question.channel_type,
                    thread=question.thread,
                    message=question.message,
                    asker=question.asker,
                    text=question.text,
                    door=question.origin,
                    response_url=question.response_url,
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
        """Answer the question again, which now reads `text`. False when it is unknown, or a later edit is stored."""
        with self._database.writing() as session:
            row = _question_row(session, key)
            if row is None or row.wanted == WITHDRAW or revision <= row.revision or text == row.text:
                return False
            row.text, row.revision, row.wanted = text, revision, ANSWER
            self._reopen(row)
        return True

    def ask_as_typed(self, key: str) -> bool:
        """Answer the question again, read as it is typed. False when that is done already or the question was deleted."""
        with self._database.writing() as session:
            row = _question_row(session, key)
            if row is None or row.wanted != ANSWER:
                return False
            row.wanted, row.asked_at = AS_TYPED, self._clock()
            self._reopen(row)
        return True

    def withdraw(self, key: str) -> bool:
        """Have the answer of a deleted question deleted. False when the question is unknown."""
        with self._database.writing() as session:
            row = _question_row(session, key)
            if row is None or row.wanted == WITHDRAW:
                return False
            row.wanted = WITHDRAW
            self._reopen(row)
        return True

    def was_asked_in(self, channel: str, thread: str) -> bool:
        """Whether Quoth was asked in this thread before."""
        with self._database.reading() as session:
            return session.get(ThreadRow, (channel, thread)) is not None

    def claim(self, worker: str) -> LeasedQuestion | None:
        """The next question that is due, leased to `worker`; None when none is due."""
        return self._queue.claim(worker)

    def renew(self, worker: str) -> None:
        """Renew every lease of a worker."""
        with self._database.reading() as session:
            held = select(QuestionRow.key).where(QuestionRow.state == ANSWERING, QuestionRow.worker == worker)
            keys = session.scalars(held).all()
        for key in keys:
            with suppress(LeaseLost):  # finished or lost in between
                self._queue.renew(Lease(key, worker, 0))

    def finish(self, leased: LeasedQuestion, worker: str, ending: Ending, answer_id: str | None = None) -> bool:
        """Record how the question ended. False when it did not: it changed meanwhile, or another worker has it."""
        with suppress(LeaseLost), self._queue.writing(_lease(leased, worker)) as (session, row):
            if answer_id is not None:
                row.answer_id = answer_id
            if (row.revision, row.wanted) == (leased.revision, leased.wanted):
                self._queue.finish(session, row, ending)
                return True
            self._queue.give_back(session, row)
        return False

    def give_back(self, leased: LeasedQuestion, worker: str, wait: timedelta, *, counts: bool) -> None:
        """Give a question back, to be answered after `wait`. The attempt is forgotten unless it `counts` or is the first."""
        with suppress(LeaseLost), self._queue.writing(_lease(leased, worker)) as (session, row):
            self._queue.give_back(session, row, wait.total_seconds())
            row.attempts -= 0 if counts or row.attempts == 1 else 1  # the next attempt knows that there was one

    def waiting(self) -> int:
        """How many questions are not finished."""
        with self._database.reading() as session:
            return session.scalar(select(func.count()).where(_UNFINISHED)) or 0

    def answer_ids_before(self, leased: LeasedQuestion) -> tuple[str, ...]:
        """The ids of the answers above the question in its thread, oldest first."""
        with self._database.reading() as session:
            return tuple(
                session.scalars(
                    select(QuestionRow.answer_id)
                    .where(
                        QuestionRow.channel == leased.question.channel,
                        QuestionRow.thread == leased.question.thread,
                        QuestionRow.position < leased.position,
                        QuestionRow.answer_id.is_not(None),
                        QuestionRow.state == "answered",
                    )
                    .order_by(QuestionRow.position)
                ).all()  # type: ignore[arg-type]  # the condition leaves no None
            )

    def find_by_answer(self, answer_id: str) -> SlackQuestion | None:
        """The question that an answer answers; None when the answer was replaced, or was not given in Slack."""
        with self._database.reading() as session:
            row = session.scalar(select(QuestionRow).where(QuestionRow.answer_id == answer_id))
            return None if row is None else _question(row)

    def _reopen(self, row: QuestionRow) -> None:
        """Let a question be answered again. If a worker has it now, `finish` notices the change."""
        row.attempts = 0
        if row.state != ANSWERING:
            row.state, row.due_at = WAITING, self._clock()


def _question_row(session: Session, key: str) -> QuestionRow | None:
    return session.scalar(select(QuestionRow).where(QuestionRow.key == key).with_for_update())


def _lease(leased: LeasedQuestion, worker: str) -> Lease:
    return Lease(leased.question.key, worker, leased.attempts)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _question(row: QuestionRow) -> SlackQuestion:
    origin: Origin = row.door  # type: ignore[assignment]  # only `ask` writes it
    return SlackQuestion(
        row.key,
        row.team,
        row.channel,
        row.channel_type,
        row.thread,
        row.message,
        row.asker,
        row.text,
        origin,
        row.response_url,
    )
