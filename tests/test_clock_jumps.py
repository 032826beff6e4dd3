"""A clock that is set back locks nobody out and keeps nothing for ever: stored times in the future are not believed."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from index.storage.atomic import seconds_unchanged
from service.access.caller import Scope
from service.access.keyring import Keyring
from service.access.rate import rate_of
from service.errors import RateExceeded
from service.jobs.leases import KEPT_SECONDS
from service.slack.client.users import PERSON_CACHED, People
from service.slack.store.messages import RecentActions
from service.slack.store.questions import Questions, SlackQuestion
from service.storage.conversation_list import ConversationList
from service.storage.conversations import ConversationRow
from service.storage.database import Database
from service.storage.retention import Retention
from tests.clocked_queue import QueueWithClock

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
AHEAD = timedelta(days=365)


class Clock:
    """A clock that stands still until the test sets it."""

    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'q.sqlite'}")
    yield database
    database.close()


def test_a_key_keeps_its_rate_after_the_clock_was_set_back(database: Database, clock: Clock) -> None:
    keys = Keyring(database, clock=clock)
    jumps = (timedelta(seconds=30), timedelta(hours=20), timedelta(days=2), AHEAD)
    for number, (rate, jump) in enumerate(product(("5/s", "60/min", "60/d"), jumps)):
        _, text = keys.create(f"key{number}", [Scope.ASK], rate=rate_of(rate))
        clock.now = NOON + jump
        first = keys.authenticate(text).bucket
        clock.now = NOON
        second = keys.authenticate(text).bucket
        assert first is not None
        assert second is not None
        full = int(rate.split("/")[0])
        assert (first.remaining, second.remaining) == (full - 1, full - 2), (rate, jump)
    assert {key.last_used_at for key in keys.list_keys()} == {NOON}


def test_setting_the_clock_back_gives_no_key_more_than_its_rate(sqlite: Database, clock: Clock) -> None:
    keys = Keyring(sqlite, clock=clock)
    _, text = keys.create("one", [Scope.ASK], rate=rate_of("3/h"))
    clock.now = NOON + AHEAD
    for _ in range(3):
        keys.authenticate(text)
    for _ in range(3):
        clock.now -= timedelta(days=1)
        with pytest.raises(RateExceeded, match="possible in 1200 s"):
            keys.authenticate(text)
    clock.now += timedelta(seconds=1200)
    keys.authenticate(text)


def test_replicas_whose_clocks_differ_a_little_share_a_rate_exactly(sqlite: Database) -> None:
    early, late = Keyring(sqlite, clock=lambda: NOON), Keyring(sqlite, clock=lambda: NOON + timedelta(seconds=2))
    _, text = early.create("one", [Scope.ASK], rate=rate_of("10/h"))
    for number in range(10):
        (early, late)[number % 2].authenticate(text)
    for keys in (early, late):
        with pytest.raises(RateExceeded):
            keys.authenticate(text)


def test_finished_jobs_and_removed_collections_are_forgotten_a_week_after_the_clock_was_set_back(
    tmp_path: Path,
) -> None:
    clocked = QueueWithClock(tmp_path)
    clocked.now += AHEAD.total_seconds()
    clocked.add()
    claim = clocked.claim()
    with clocked.leases.storing(claim):
        pass
    clocked.leases.succeed(claim)
    clocked.now -= AHEAD.total_seconds()
    clocked.leases.sweep(["c"])
    assert len(clocked.queue.jobs()) == 1
    clocked.now += KEPT_SECONDS + 1
    clocked.leases.sweep([])
    assert clocked.queue.jobs() == []
    assert clocked.texts() == []
    clocked.queue.close()


def test_a_question_from_slack_waits_for_no_time_that_no_wait_can_have(sqlite: Database, clock: Clock) -> None:
    questions = Questions(sqlite, lambda: "conversation", clock=clock)
    clock.now = NOON + AHEAD
    questions.ask(SlackQuestion("k", "T", "C", "channel", "1.0", "1.0", "U", "Why?", "mention"))
    clock.now = NOON
    leased = questions.claim("one")
    assert leased is not None
    assert questions.claim("two") is None
    clock.now = NOON - AHEAD
    assert questions.claim("two") is not None


def test_what_is_known_of_a_person_is_asked_again_after_the_clock_was_set_back(sqlite: Database, clock: Clock) -> None:
    class Slack:
        """Counts the questions."""

        asked = 0

        async def users_info(self, user: str) -> Any:
            self.asked += 1
            return {"user": {"id": user, "team_id": "T", "profile": {"email": "ada@example.org"}}}

    import anyio

    slack = Slack()
    people = People(slack, sqlite, clock=clock)  # type: ignore[arg-type]
    anyio.run(people.get, "U", "T")
    clock.now += PERSON_CACHED / 2
    anyio.run(people.get, "U", "T")
    assert slack.asked == 1
    clock.now -= AHEAD
    anyio.run(people.get, "U", "T")
    assert slack.asked == 2


def test_an_action_in_slack_is_forgotten_after_the_clock_was_set_back(sqlite: Database, clock: Clock) -> None:
    actions = RecentActions(sqlite, clock=clock)
    assert actions.record("k")
    assert not actions.record("k")
    clock.now -= AHEAD
    assert actions.record("k")


def test_a_conversation_used_in_the_future_is_deleted_in_time(sqlite: Database, clock: Clock) -> None:
    with sqlite.writing() as session:
        session.add(
            ConversationRow(id="c", collection="x", created_at=NOON, updated_at=NOON + AHEAD, title="T", owner="")
        )
    retention = Retention(ConversationList(sqlite), 30, clock=clock)
    assert retention.apply() == 0
    clock.now += timedelta(days=31)
    assert retention.apply() == 1


def test_a_file_changed_in_the_future_counts_as_changed_now(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.touch()
    os.utime(path, (time.time() + 10**7,) * 2)
    assert seconds_unchanged(path) == 0
    assert path.stat().st_mtime <= time.time()
    os.utime(path, (time.time() - 100,) * 2)
    assert 99 < seconds_unchanged(path) < 200
