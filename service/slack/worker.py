"""Works on the questions that wait, and sees to it that each is done once.

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
from service.slack.context import Office
from service.slack.replies import Replies
from service.slack.store.questions import Taken

AT_ONCE = 8
POLL_S = 2.0
SHORTEST_WAIT_S, LONGEST_WAIT_S = 2.0, 60.0
log = structlog.get_logger(__name__)


class Worker:
    """Answers what waits, up to `AT_ONCE` questions at the same time; `run` until closed, and `wake` when there is more."""

    def __init__(self, office: Office, *, poll_s: float = POLL_S) -> None:
        self._office = office
        self._questions = office.questions
        self._replies = Replies(office)
        self._poll_s = poll_s
        self._name = uuid.uuid4().hex
        self._woken = asyncio.Event()
        self._slots = anyio.Semaphore(AT_ONCE)
        self._closing = False

    def wake(self) -> None:
        """There is a question to take."""
        self._woken.set()

    def close(self) -> None:
        """Take no further question; `run` returns once what is being worked on is done."""
        self._closing = True
        self.wake()

    async def run(self) -> None:
        """Work until closed. When cancelled, what is being worked on is given back, for another worker or the next start."""
        async with anyio.create_task_group() as beside:
            beside.start_soon(self._keep_alive)
            async with anyio.create_task_group() as group:
                while not self._closing:
                    await self._slots.acquire()
                    taken = None if self._closing else await self._next()
                    if taken is None:
                        self._slots.release()
                        await self._nap()
                    else:
                        group.start_soon(self._work, taken)
            beside.cancel_scope.cancel()

    async def _next(self) -> Taken | None:
        self._woken.clear()
        try:
            return await self._office.keep(self._questions.take, self._name)
        except ServiceError as error:
            log.warning("questions unavailable", reason=str(error))
            return None

    async def _nap(self) -> None:
        with anyio.move_on_after(0 if self._closing else self._poll_s):
            await self._woken.wait()

    async def _keep_alive(self) -> None:
        while True:
            await anyio.sleep(self._questions.lease.total_seconds() / 3)
            try:
                await self._office.keep(self._questions.keep_alive, self._name)
            except ServiceError as error:
                log.warning("leases not prolonged", reason=str(error))

    async def _work(self, taken: Taken) -> None:
        """One question, from taken to done or given back."""
        try:
            outcome = await self._replies.settle(taken)
            await self._office.keep(self._questions.finish, taken, self._name, outcome.ending, outcome.answer_id)
        except BaseException as error:
            with CancelScope(shield=True):
                await self._give_back(taken, error)
            if not isinstance(error, Exception):
                raise
        finally:
            self._slots.release()
            self.wake()  # the next question of the thread may be due now

    async def _give_back(self, taken: Taken, error: BaseException) -> None:
        """Let the question be tried again: soon after an interruption, later after a failure.

        What may pass by itself (Slack, the network, a database or a language model that is away) is no fault of the question.
        """
        passing = not isinstance(error, Exception) or isinstance(error, Transient) or errors.passes(error)
        wait = timedelta(0)
        if isinstance(error, Exception):
            age = (datetime.now(UTC) - taken.asked_at).total_seconds()
            wait = timedelta(seconds=min(max(age / 4, SHORTEST_WAIT_S), LONGEST_WAIT_S))
            if passing:
                log.warning("question not answered yet", key=taken.asked.key, reason=str(error))
            else:
                log.error("question not answered", key=taken.asked.key, attempts=taken.attempts, exc_info=error)
        try:
            await self._office.keep(self._questions.put_back, taken, self._name, wait, counts=not passing)
        except ServiceError as unavailable:  # the lease ends by itself
            log.warning("question not given back", reason=str(unavailable))
