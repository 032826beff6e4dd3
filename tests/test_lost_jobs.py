"""Uploaded files outlive the loss of the jobs' database: a new one would say that nothing needs them."""

import os
from pathlib import Path

import pytest

from service.composition.jobs import open_queue
from service.errors import JobsDamaged
from service.settings import Settings
from tests.clocked_queue import QueueWithClock


@pytest.mark.parametrize("empty", [False, True])
def test_lost_jobs_are_an_error_and_no_uploaded_file_is_removed(tmp_path: Path, *, empty: bool) -> None:
    clocked = QueueWithClock(tmp_path)
    clocked.add()
    clocked.queue.close()
    settings = Settings(home=tmp_path)
    open_queue(settings).close()
    for path in tmp_path.glob("jobs.sqlite*"):
        path.unlink()
    if empty:
        settings.jobs_path.touch()
    for _ in range(2):
        with pytest.raises(JobsDamaged, match=r"jobs\.sqlite: the jobs are gone, and uploaded files are there"):
            open_queue(settings)
    assert clocked.texts() == ["Some text."]
    os.rename(settings.uploads, tmp_path / "away")
    open_queue(settings).close()
