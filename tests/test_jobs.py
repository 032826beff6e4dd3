"""The job queue: each upload is accepted once, run in order and never lost. The clock is the test's own."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.errors import IdempotencyKeyReused, JobsDamaged, JobsUnavailable, QueueFull, RecordMissing, UploadTooLarge
from service.jobs.database import open_jobs
from service.jobs.leases import KEPT_SECONDS
from service.jobs.records import JobState, Stage
from tests.clocked_queue import QueueWithClock


@pytest.fixture
def at_home(tmp_path: Path) -> Iterator[QueueWithClock]:
    clocked = QueueWithClock(tmp_path)
    yield clocked
    clocked.queue.close()


def test_jobs_of_all_owners_are_counted_by_state(clocked: QueueWithClock) -> None:
    assert set(clocked.queue.counts().values()) == {0}
    clocked.add("a", owner="one")
    clocked.add("b", owner="other")
    clocked.claim()
    counts = clocked.queue.counts()
    assert (counts["queued"], counts["running"], sum(counts.values())) == (1, 1, 2)


def test_a_job_goes_from_queued_to_succeeded_and_its_file_stays(clocked: QueueWithClock) -> None:
    job = clocked.add()
    assert (job.state, job.stage, job.attempts, job.created_at) == (JobState.QUEUED, Stage.WAITING, 0, 1000.0)
    assert job.upload.metadata == {"year": "2024"}
    clocked.now = 1001.0
    claim = clocked.claim()
    assert claim.upload == job.upload
    clocked.leases.record_progress(claim, Stage.READING)
    with clocked.leases.storing(claim):
        pass
    clocked.leases.record_progress(claim, Stage.EMBEDDING, 3, 7)
    seen = clocked.queue.job(job.id)
    assert (seen.state, seen.stage, seen.done, seen.total, seen.started_at) == ("running", "embedding", 3, 7, 1001.0)
    clocked.now = 1002.0
    clocked.leases.succeed(claim)
    seen = clocked.queue.job(job.id)
    assert (seen.state, seen.stage, seen.done, seen.finished_at) == ("succeeded", "done", 7, 1002.0)
    original = clocked.queue.original("c", "d")
    assert original is not None
    assert (original.filename, original.size, original.stored_at) == ("a.txt", 10, 1001.0)
    assert clocked.texts() == ["Some text."]
    assert clocked.leases.claim("w") is None


def test_jobs_are_claimed_in_order_and_two_workers_never_get_the_same(clocked: QueueWithClock) -> None:
    jobs = [clocked.add(f"d{number}", f"Text {number}.") for number in range(4)]
    assert [clocked.claim(worker).job_id for worker in "abab"] == [job.id for job in jobs]
    assert clocked.leases.claim("a") is None


def test_a_newer_upload_waits_for_the_running_one_and_replaces_the_waiting_one(clocked: QueueWithClock) -> None:
    first = clocked.add(text="First.")
    claim = clocked.claim()
    second, third = clocked.add(text="Second."), clocked.add(text="Third.")
    assert clocked.state(second) is JobState.CANCELLED
    assert f"job {third.id}" in (clocked.queue.job(second.id).error or "")
    assert clocked.leases.claim("other") is None
    with clocked.leases.storing(claim):
        pass
    clocked.leases.succeed(claim)
    newer = clocked.claim("other")
    assert newer.job_id == third.id
    assert clocked.texts() == ["First.", "Third."]
    with clocked.leases.storing(newer):
        pass
    clocked.leases.succeed(newer)
    assert clocked.texts() == ["Third."]
    assert clocked.state(first) is JobState.SUCCEEDED


def test_the_same_key_leads_to_the_same_job_and_never_to_another_upload(clocked: QueueWithClock) -> None:
    job = clocked.add(key="k")
    assert clocked.add(key="k") == job
    assert clocked.add(key="k", owner="ann").id != job.id
    with pytest.raises(IdempotencyKeyReused, match=rf"'k' came before with another upload \(job {job.id}\)"):
        clocked.add(text="Other.", key="k")
    with pytest.raises(IdempotencyKeyReused):
        clocked.add(key="k", title="Another title")
    assert clocked.texts() == ["Some text."]
    assert len(clocked.queue.jobs()) == 1


def test_a_job_of_another_owner_is_not_found(clocked: QueueWithClock) -> None:
    job = clocked.add(owner="ann")
    for ask in (clocked.queue.job, clocked.queue.cancel):
        with pytest.raises(RecordMissing, match=f"No job has the id '{job.id}'"):
            ask(job.id, owner="bob")
    assert clocked.queue.jobs(owner="bob") == []
    assert clocked.queue.jobs(owner="ann") == [job]


def test_jobs_are_listed_newest_first_by_state_and_page(clocked: QueueWithClock) -> None:
    jobs = [clocked.add(f"d{number}") for number in range(5)]
    clocked.queue.cancel(jobs[1].id)
    assert [job.upload.document_id for job in clocked.queue.jobs(limit=2)] == ["d4", "d3"]
    assert [job.upload.document_id for job in clocked.queue.jobs(before=jobs[3].position)] == ["d2", "d1", "d0"]
    assert [job.upload.document_id for job in clocked.queue.jobs(state=JobState.CANCELLED)] == ["d1"]
    assert clocked.queue.jobs(collection="other") == []


def test_a_waiting_job_is_cancelled_at_once_and_its_file_is_deleted(clocked: QueueWithClock) -> None:
    job = clocked.add()
    assert clocked.queue.cancel(job.id).state is JobState.CANCELLED
    assert clocked.leases.claim("w") is None
    assert clocked.texts() == []
    assert clocked.queue.cancel(job.id).state is JobState.CANCELLED


def test_a_running_job_is_told_of_its_cancellation_unless_its_text_is_stored(clocked: QueueWithClock) -> None:
    job, other = clocked.add("d"), clocked.add("e", "Other.")
    claim, stored = clocked.claim(), clocked.claim()
    with clocked.leases.storing(stored):
        pass
    assert clocked.queue.cancel(job.id).state is JobState.RUNNING
    clocked.queue.cancel(other.id)
    assert (clocked.leases.is_cancelled(claim), clocked.leases.is_cancelled(stored)) == (True, False)
    clocked.leases.cancel(claim)
    assert clocked.state(job) is JobState.CANCELLED
    assert clocked.texts() == ["Other."]


def test_a_withdrawn_document_leaves_no_job_and_no_file(clocked: QueueWithClock) -> None:
    clocked.add("d", "Stored.")
    claim = clocked.claim()
    with clocked.leases.storing(claim):
        pass
    clocked.leases.succeed(claim)
    waiting, other = clocked.add("d", "Waiting."), clocked.add("e", "Other.")
    with clocked.queue.withdrawing("c", "d"):
        pass
    assert clocked.state(waiting) is JobState.CANCELLED
    assert clocked.queue.original("c", "d") is None
    assert clocked.texts() == ["Other."]
    with clocked.queue.withdrawing("c"):
        pass
    assert clocked.state(other) is JobState.CANCELLED
    assert clocked.texts() == []


def test_a_full_queue_refuses_the_upload_and_keeps_no_file(tmp_path: Path) -> None:
    clocked = QueueWithClock(tmp_path, max_waiting=2)
    clocked.add("a", "A text.")
    clocked.add("b", "B text.")
    with pytest.raises(QueueFull, match="2 jobs wait already"):
        clocked.add("e", "C text.")
    assert clocked.texts() == ["A text.", "B text."]
    assert list((tmp_path / "uploads" / "incoming").iterdir()) == []
    clocked.queue.close()


def test_an_upload_that_is_too_large_or_incomplete_leaves_nothing(clocked: QueueWithClock) -> None:
    def receive(*parts: bytes) -> None:
        with clocked.originals.receiving(5) as incoming:
            for part in parts:
                incoming.write(part)
            raise RuntimeError("the caller is gone")

    with pytest.raises(UploadTooLarge, match="more than 5 bytes"):
        receive(b"123", b"456")
    with pytest.raises(RuntimeError, match="gone"):
        receive(b"123")
    assert list((clocked.home / "uploads" / "incoming").iterdir()) == []


def test_the_sweep_removes_a_file_that_nothing_needs(clocked: QueueWithClock) -> None:
    clocked.add()
    with clocked.database.writing() as transaction:
        transaction.run("DELETE FROM jobs")
    clocked.leases.sweep(["c"])
    assert clocked.stored() == []


def test_the_sweep_removes_only_what_is_not_needed(clocked: QueueWithClock) -> None:
    kept, old = clocked.add("kept", "Kept."), clocked.add("old", "Old.")
    for claim in (clocked.claim(), clocked.claim()):
        with clocked.leases.storing(claim):
            pass
        clocked.leases.succeed(claim)
    clocked.leases.sweep(["c"])
    assert clocked.texts() == ["Kept.", "Old."]
    clocked.now += KEPT_SECONDS + 1
    waiting = clocked.add("waiting", "Waiting.")
    clocked.leases.sweep(["c"])
    assert [job.id for job in clocked.queue.jobs()] == [waiting.id]
    assert clocked.texts() == ["Kept.", "Old.", "Waiting."]
    clocked.leases.sweep(["another"])
    assert clocked.texts() == ["Waiting."]
    assert {kept.id, old.id}.isdisjoint(job.id for job in clocked.queue.jobs())


def test_everything_survives_reopening(clocked: QueueWithClock) -> None:
    job = clocked.add()
    clocked.queue.close()
    again = QueueWithClock(clocked.home, url=clocked.url)
    assert again.queue.job(job.id) == job
    assert again.claim().upload == job.upload
    again.queue.close()


def test_a_damaged_database_is_reported_with_the_fix(tmp_path: Path) -> None:
    clocked = QueueWithClock(tmp_path)
    clocked.add()
    clocked.queue.close()
    path = tmp_path / "jobs.sqlite"
    path.write_bytes(b"This is no database. " * 400)
    with pytest.raises(JobsDamaged, match=r"jobs\.sqlite: the jobs do not read .* move it away"):
        open_jobs(path)
    path.unlink()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 9")
    newer.close()
    with pytest.raises(JobsDamaged, match="have layout 9, this version of Quoth reads 1"):
        open_jobs(path)


def test_a_database_locked_by_another_program_is_a_temporary_failure(
    at_home: QueueWithClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.storage.sqlite._BUSY_SECONDS", 0.05)
    other = QueueWithClock(at_home.home)
    holder = sqlite3.connect(at_home.home / "jobs.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(JobsUnavailable, match="locked"):
        other.add()
    holder.execute("COMMIT")
    holder.close()
    other.add()
    other.queue.close()
