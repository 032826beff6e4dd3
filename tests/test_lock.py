"""The lock between processes and threads: who holds it, waiting, fairness, forks."""

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from index.errors import CollectionBusy
from index.storage.lock import FileLock

HOLDER = """
import sys
from pathlib import Path
from index.storage.lock import FileLock
with FileLock(Path(sys.argv[1])).hold(5):
    print("holding", flush=True)
    sys.stdin.readline()
"""


def holder(path: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "holding\n"
    return child


def test_the_error_of_the_second_process_names_the_holder_and_the_time(tmp_path: Path) -> None:
    path = tmp_path / "writer.lock"
    child = holder(path)
    since = json.loads(path.read_text())["since"]
    expected = f"{tmp_path.name}: process {child.pid} on {socket.gethostname()} since {since} is writing"
    with pytest.raises(CollectionBusy) as error, FileLock(path).hold(0.1):
        pass
    assert str(error.value).startswith(expected)
    child.communicate("\n")


def test_the_second_process_waits_its_turn(tmp_path: Path) -> None:
    child = holder(tmp_path / "writer.lock")
    assert child.stdin is not None
    release = threading.Timer(0.3, child.communicate, ("\n",))
    release.start()
    with FileLock(tmp_path / "writer.lock").hold(10):
        assert child.wait() == 0
    release.join()


def test_threads_exclude_each_other_and_one_thread_may_enter_twice(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "writer.lock")
    refused: list[str] = []

    def other() -> None:
        try:
            with lock.hold(0.05):
                refused.append("entered")
        except CollectionBusy as error:
            refused.append(str(error))

    with lock.hold(1), lock.hold(1):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(refused) == 1
    assert f"process {os.getpid()} on" in refused[0]
    other()
    assert refused[1] == "entered"


def test_two_locks_on_one_file_exclude_each_other_in_one_process(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "l"), FileLock(tmp_path / "l")
    with first.hold(1), pytest.raises(CollectionBusy), second.hold(0.05):
        pass
    with second.hold(1):
        pass


def test_a_forked_child_does_not_keep_its_parents_lock(tmp_path: Path) -> None:
    script = """
import os, signal, sys, time
from pathlib import Path
from index.storage.lock import FileLock
with FileLock(Path(sys.argv[1])).hold(5):
    child = os.fork()
    if child == 0:
        print(os.getpid(), flush=True)
        time.sleep(30)
        os._exit(0)
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "l")],
        stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    assert parent.stdout is not None
    orphan = int(parent.stdout.readline())
    parent.wait()
    try:
        with FileLock(tmp_path / "l").hold(1):
            pass
    finally:
        os.kill(orphan, 9)
        parent.stdout.close()


def test_a_waiting_process_comes_before_one_that_releases_the_lock_and_wants_it_back(tmp_path: Path) -> None:
    """Without the turn, a holder that releases the lock for microseconds at a time would keep all others out."""
    script = """
import sys, time
from pathlib import Path
from index.storage.lock import FileLock
lock = FileLock(Path(sys.argv[1]))
while True:
    with lock.hold(60):
        print("holding", flush=True)
        time.sleep(0.05)
"""
    greedy = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "l")],
        stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    assert greedy.stdout is not None
    assert greedy.stdout.readline() == "holding\n"
    try:
        for _ in range(5):
            with FileLock(tmp_path / "l").hold(5):
                pass
            assert greedy.stdout.readline() == "holding\n"
    finally:
        greedy.kill()
        greedy.wait()
        greedy.stdout.close()
