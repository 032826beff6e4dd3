"""The lease queue over both of its tables, the jobs and the questions, each in SQLite and in PostgreSQL."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service.jobs.database import JobTable
from service.jobs.protocol import JobDatabase, OriginalStore
from service.jobs.queue import JobQueue
from service.jobs.records import Upload
from service.slack.store.questions import LeasedQuestion, Questions, QuestionTable, SlackQuestion
from service.storage.database import Database
from service.storage.lease_queue import Lease, LeaseLost, LeaseQueue
from tests.clocked_queue import open_storage

LEASE_SECONDS = 60.0


@dataclass
class Case:
    """A queue over one table, a way to add an item to it, and a clock that the test moves."""

    add: Callable[[], object]
    lease_of: Callable[[Any, str], Lease]
    queue: LeaseQueue[Any, Any, Any]
    states: tuple[str, ...]
    now: float = 1000.0

    def claim(self, worker: str = "w") -> Lease:
        claimed = self.queue.claim(worker)
        assert claimed is not None
        return self.lease_of(claimed, worker)


def jobs_case(database: JobDatabase, originals: OriginalStore) -> Case:
    added = iter(range(100))

    def add() -> None:
        with originals.receiving(100) as incoming:
            incoming.write(b"Text.")
            incoming.finish()
            upload = Upload("c", f"d{next(added)}", "a.txt", incoming.sha256, incoming.size)
            JobQueue(database, originals, clock=lambda: case.now).add(upload, incoming)

    queue = LeaseQueue(database, JobTable(), LEASE_SECONDS, lambda: case.now)
    case = Case(add, lambda claim, _: claim.lease, queue, ("succeeded", "failed"))
    return case


def questions_case(database: Database) -> Case:
    added = iter(range(100))

    def add() -> None:
        number = str(next(added))
        question = SlackQuestion(f"C:{number}", "T", "C", "channel", number, number, "U", "Why?", "mention")
        Questions(database, lambda: "conversation", clock=lambda: datetime.fromtimestamp(case.now, UTC)).ask(question)

    def lease_of(leased: LeasedQuestion, worker: str) -> Lease:
        return Lease(leased.question.key, worker, leased.attempts)

    queue = LeaseQueue(database, QuestionTable(lambda: "conversation"), LEASE_SECONDS, lambda: case.now)
    case = Case(add, lease_of, queue, ("answered", "silent"))
    return case


@pytest.fixture(params=["jobs", "shared jobs", "sqlite", "postgresql"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    if request.param.endswith("jobs"):
        url = None if request.param == "jobs" else request.getfixturevalue("empty_jobs_url")
        jobs, originals = open_storage(tmp_path, url)
        yield jobs_case(jobs, originals)
        jobs.close()
        return
    is_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'quoth.sqlite'}" if is_sqlite else request.getfixturevalue("postgres").fresh()
    database = Database(url)
    yield questions_case(database)
    database.close()


def test_an_item_is_claimed_once_however_many_workers_ask(case: Case) -> None:
    for _ in range(3):
        case.add()
    with ThreadPoolExecutor(8) as pool:
        claimed = [claim for claim in pool.map(case.queue.claim, map(str, range(24))) if claim is not None]
    assert len(claimed) == 3
    assert case.queue.claim("late") is None


def test_an_item_that_is_given_back_is_due_after_the_wait_and_lost_to_its_worker(case: Case) -> None:
    case.add()
    lease = case.claim("first")
    case.queue.renew(lease)
    with case.queue.writing(lease) as (transaction, row):
        case.queue.give_back(transaction, row, 30.0)
    with pytest.raises(LeaseLost, match=lease.item):
        case.queue.renew(lease)
    case.now += 29.0
    assert case.queue.claim("second") is None
    case.now += 1.0
    again = case.claim("second")
    assert (again.item, again.attempts) == (lease.item, 2)
    with pytest.raises(LeaseLost), case.queue.reading(lease):
        pass


def test_an_error_inside_a_step_leaves_the_lease_and_a_finished_item_is_never_claimed_again(case: Case) -> None:
    case.add()
    case.add()
    lease, other = case.claim(), case.claim("other")

    def finish_and_break() -> None:
        with case.queue.writing(lease) as (transaction, row):
            case.queue.finish(transaction, row, case.states[0])
            raise RuntimeError("broke")

    with pytest.raises(RuntimeError, match="broke"):
        finish_and_break()
    for held, state in zip((lease, other), case.states, strict=True):
        with case.queue.writing(held) as (transaction, row):
            case.queue.finish(transaction, row, state)
    with pytest.raises(LeaseLost), case.queue.writing(lease):
        pass
    case.now += 10 * LEASE_SECONDS
    assert case.queue.claim("w") is None
