"""Worker: takes stored questions and has each answered once.

Any number of workers, in any number of processes, share the questions of one database.
"""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import anyio
import structlog
from anyio import CancelScope

from service.errors import ServiceError, Transient
from service.slack.client import errors
from service.slack.context import SlackContext
from service.slack.replies import Replies
from service.slack.store.questions import MAX_WAIT, LeasedQuestion

MAX_CONCURRENT = 8
POLL_S = 2.0
MIN_WAIT_S = 2.0
log = structlog.get_logger(__name__)


class Worker:
    """Answers stored questions, up to `MAX_CONCURRENT` at once: `run` it until closed, and `wake` it for a new question."""

    def __init__(self, context: SlackContext, *, poll_s: float = POLL_S) -> None:
        self._context = context
        self._questions = context.questions
        self._replies = Replies(context)
        self._poll_s = poll_s
        self._name = uuid.uuid4().hex
        self._woken = asyncio.Event()
        self._slots = anyio.Semaphore(MAX_CONCURRENT)
        self._closing = False

    def wake(self) -> None:
        """Look for a question now."""
        self._woken.set()

    def close(self) -> None:
        """Take no more questions; `run` returns once those in progress are done."""
        self._closing = True
        self.wake()

    async def run(self) -> None:
        """Work until closed. When cancelled, give the questions in progress back, for another worker or the next start."""
        async with anyio.create_task_group() as beside:
            beside.start_soon(self._keep_alive)
            async with anyio.create_task_group() as group:
                while not self._closing:
                    await self._slots.acquire()
                    leased = None if self._closing else await self._claim()
                    if leased is None:
                        self._slots.release()
                        await self._wait()
                    else:
                        group.start_soon(self._work, leased)
            beside.cancel_scope.cancel()

    async def _claim(self) -> LeasedQuestion | None:
        self._woken.clear()
        try:
            return await self._context.run_in_db(self._questions.claim, self._name)
        except ServiceError as error:
            log.warning("questions unavailable", reason=str(error))
            return None

    async def _wait(self) -> None:
        with anyio.move_on_after(0 if self._closing else self._poll_s):
            await self._woken.wait()

    async def _keep_alive(self) -> None:
        while True:
            await anyio.sleep(self._questions.lease.total_seconds() / 3)
            try:
                await self._context.run_in_db(self._questions.renew, self._name)
            except ServiceError as error:
                log.warning("leases not prolonged", reason=str(error))

    async def _work(self, leased: LeasedQuestion) -> None:
        """Answer one question, and record how it ended or give it back."""
        try:
            outcome = await self._replies.settle(leased)
            await self._context.run_in_db(self._questions.finish, leased, self._name, outcome.ending, outcome.answer_id)
        except BaseException as error:
            with CancelScope(shield=True):
                await self._give_back(leased, error)
            if not isinstance(error, Exception):
                raise
        finally:
            self._slots.release()
            self.wake()  # the next question of the thread may be due now

    async def _give_back(self, leased: LeasedQuestion, error: BaseException) -> None:
        """Let the question be tried again: at once after an interruption, later after a failure.

        A transient failure (of Slack, the network, a database or a language model) does not count as an attempt.
        """
        transient = not isinstance(error, Exception) or isinstance(error, Transient) or errors.is_transient(error)
        wait = timedelta(0)
        if isinstance(error, Exception):
            age = (datetime.now(UTC) - leased.asked_at).total_seconds()
            wait = timedelta(seconds=min(max(age / 4, MIN_WAIT_S), MAX_WAIT.total_seconds()))
            if transient:
                log.warning("question not answered yet", key=leased.question.key, reason=str(error))
            else:
                log.error("question not answered", key=leased.question.key, attempts=leased.attempts, exc_info=error)
        try:
            await self._context.run_in_db(self._questions.give_back, leased, self._name, wait, counts=not transient)
        except ServiceError as unavailable:  # the lease expires by itself
            log.warning("question not given back", reason=str(unavailable))
