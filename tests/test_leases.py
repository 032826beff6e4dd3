"""Leases on jobs: retries, dead workers, expired leases, clocks that go back. Clock and randomness are the test's own."""

import os
from pathlib import Path

import pytest

from service.jobs.leases import MAX_ATTEMPTS, MAX_LOSSES
from service.jobs.records import JobState
from service.jobs.worker import Presence
from service.storage.lease_queue import LeaseLost, delay
from tests.clocked_queue import QueueWithClock


def test_the_delay_doubles_up_to_a_limit_with_jitter() -> None:
    assert [delay(failures, 0.0) for failures in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 4.0]
    assert [delay(failures, 0.5) for failures in (1, 2, 3)] == [0.75, 1.5, 3.0]
    assert delay(1000, 0.0) == 150.0


def test_a_job_with_a_temporary_failure_is_retried_at_growing_intervals_and_then_fails(clocked: QueueWithClock) -> None:
    job = clocked.add()
    waits = []
    for _ in range(MAX_ATTEMPTS - 1):
        clocked.leases.retry(clocked.claim(), "The disk is full.", "disk-full")
        seen = clocked.queue.job(job.id)
        assert (seen.state, seen.error) == (JobState.QUEUED, "The disk is full.")
        waits.append(seen.not_before - clocked.now)
        clocked.now = seen.not_before - 0.01
        assert clocked.leases.claim("w") is None
        clocked.now = seen.not_before
    assert waits[:4] == [0.75, 1.5, 3.0, 6.0]
    assert waits[-1] == 225.0
    clocked.leases.retry(clocked.claim(), "The disk is full.", "disk-full")
    seen = clocked.queue.job(job.id)
    assert (seen.state, seen.error_code) == (JobState.FAILED, "disk-full")
    assert seen.error == f"The disk is full. It was tried {MAX_ATTEMPTS} times."
    assert clocked.texts() == []


def test_a_job_whose_workers_die_is_claimed_again_and_fails_after_three(clocked: QueueWithClock) -> None:
    job, healthy = clocked.add(), clocked.add("e")
    for death in range(MAX_LOSSES):
        worker = f"w{death}"
        claim = clocked.claim(worker)
        assert claim.job_id == job.id
        assert clocked.leases.recover() == 0
        clocked.gone.add(worker)
        assert clocked.leases.recover() == 1
        with pytest.raises(LeaseLost):
            clocked.leases.succeed(claim)
        clocked.now += 10
    seen = clocked.queue.job(job.id)
    assert (seen.state, seen.error_code, seen.attempts) == (JobState.FAILED, "worker-lost", MAX_LOSSES)
    assert clocked.claim("w").job_id == healthy.id


def test_a_lease_that_is_not_renewed_expires_and_the_late_worker_changes_nothing(clocked: QueueWithClock) -> None:
    job = clocked.add()
    late = clocked.claim("late")
    clocked.now += clocked.leases.lease_seconds - 1
    clocked.leases.renew(late)
    clocked.now += clocked.leases.lease_seconds - 1
    assert clocked.leases.recover() == 0
    clocked.now += 1
    assert clocked.leases.recover() == 1
    clocked.now += 10
    claim = clocked.claim("prompt")
    for say in (
        clocked.leases.renew,
        clocked.leases.is_cancelled,
        lambda claim: clocked.leases.storing(claim).__enter__(),
        clocked.leases.succeed,
        clocked.leases.cancel,
    ):
        with pytest.raises(LeaseLost):
            say(late)
    clocked.leases.succeed(claim)
    assert clocked.state(job) is JobState.SUCCEEDED


def test_a_worker_that_claims_a_lost_job_again_cannot_use_its_old_lease(clocked: QueueWithClock) -> None:
    clocked.add()
    before = clocked.claim("w")
    clocked.now += clocked.leases.lease_seconds
    clocked.leases.recover()
    clocked.now += 10
    after = clocked.claim("w")
    with pytest.raises(LeaseLost):
        clocked.leases.succeed(before)
    clocked.leases.succeed(after)


def test_a_clock_that_goes_back_delays_no_job(clocked: QueueWithClock) -> None:
    held, waiting = clocked.add("held"), clocked.add("waiting")
    clocked.claim("hanging")
    clocked.leases.retry(clocked.claim("w"), "Busy.", "busy")
    clocked.now -= 24 * 3600
    assert clocked.leases.recover() == 1
    clocked.now += 10
    assert {clocked.claim("w").job_id, clocked.claim("w").job_id} == {held.id, waiting.id}


def test_a_renewed_lease_survives_a_clock_that_goes_back(clocked: QueueWithClock) -> None:
    clocked.add()
    claim = clocked.claim()
    clocked.now -= 3600
    clocked.leases.renew(claim)
    assert clocked.leases.recover() == 0
    clocked.leases.succeed(claim)


def test_a_released_job_is_available_at_once_and_the_attempt_does_not_count(clocked: QueueWithClock) -> None:
    job = clocked.add()
    for _ in range(MAX_LOSSES + 1):
        clocked.leases.give_back(clocked.claim())
    seen = clocked.queue.job(job.id)
    assert (seen.state, seen.error) == (JobState.QUEUED, None)


def test_presence_ends_with_the_block(tmp_path: Path) -> None:
    presence = Presence(tmp_path / "workers")
    with presence.announce() as worker:
        assert not presence.is_gone(worker)
    assert presence.is_gone(worker)
    assert presence.is_gone("never-there")
    assert list((tmp_path / "workers").iterdir()) == []


def test_locks_of_dead_workers_are_removed_and_those_of_running_workers_stay(tmp_path: Path) -> None:
    presence = Presence(tmp_path / "workers")
    with presence.announce() as worker:
        (tmp_path / "workers" / "dead").touch()
        for name in (worker, "dead"):
            os.utime(tmp_path / "workers" / name, (0, 0))
        (tmp_path / "workers" / "starting").touch()
        presence.sweep()
        assert {path.stem for path in (tmp_path / "workers").iterdir()} == {worker, "starting"}
