"""The sandbox: a worker that crashes, hangs, uses too much memory or answers endlessly costs one request."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from index.errors import DocumentRejected, ProcessUnstartable
from index.extraction.extractor import Extractor
from index.extraction.sandbox import GuardedProcess, ProcessLost
from index.formats.limits import Limits

ROGUE = """
import os, signal, sys, time
sys.stdout.write("ready\\n"); sys.stdout.flush()
for line in sys.stdin:
    command = line.strip()
    if command == "crash": os.kill(os.getpid(), signal.SIGSEGV)
    if command == "abort": os.abort()
    if command == "hang": time.sleep(60)
    if command == "swell": raise MemoryError
    if command == "quit": sys.exit(3)
    if command == "babble": sys.stdout.buffer.write((10**9).to_bytes(8, "big"))
    else: sys.stdout.buffer.write(len(command).to_bytes(8, "big") + command.encode())
    sys.stdout.flush()
"""


@pytest.fixture(autouse=True)
def started_as_users_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is forked from another one that has imported its code: tests/forked_readers.py."""
    monkeypatch.setattr("index.extraction.sandbox.subprocess", subprocess)


@pytest.fixture
def misbehave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "rogue.py").write_text(ROGUE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "rogue"


def failure(module: str, command: bytes, seconds: float = 30) -> ProcessLost:
    process = GuardedProcess(module, [])
    try:
        assert process.ask(b"hello", seconds=30, max_bytes=100) == b"hello"
        with pytest.raises(ProcessLost) as caught:
            process.ask(command, seconds=seconds, max_bytes=100)
        return caught.value
    finally:
        process.stop()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_crash_is_reported(misbehave: str) -> None:
    assert str(failure(misbehave, b"crash")) == "the reader for its format crashed on it (SIGSEGV)"
    assert str(failure(misbehave, b"quit")) == "the reader for its format crashed on it (exit status 3)"


def test_a_hanging_worker_is_ended_at_its_time_limit(misbehave: str) -> None:
    started = time.monotonic()
    error = failure(misbehave, b"hang", seconds=0.5)
    assert time.monotonic() - started < 10
    assert str(error) == "reading it took longer than 0.5 s"
    assert error.is_final
    assert error.is_about_size


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_an_exit_is_distinguished_from_a_crash(misbehave: str) -> None:
    error = failure(misbehave, b"abort")
    assert str(error) == "the reader for its format gave up on it, as it does when memory runs out (SIGABRT)"
    assert error.is_about_size


def test_running_out_of_memory_is_distinguished_from_a_crash(misbehave: str) -> None:
    error = failure(misbehave, b"swell")
    assert str(error) == "reading it takes too much memory"
    assert error.is_about_size


def test_an_endless_answer_is_not_waited_for(misbehave: str) -> None:
    assert str(failure(misbehave, b"babble")) == "its text takes more than 100 bytes"


def test_a_process_that_cannot_start_is_not_blamed_on_the_file() -> None:
    process = GuardedProcess("index.no_such_module", [])
    with pytest.raises(ProcessUnstartable, match=r"does not start.*no_such_module"):
        process.ask(b"", seconds=30, max_bytes=100)
    process.stop()


def test_modules_in_the_current_folder_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("index.py", "json.py", "kreuzberg.py"):
        (tmp_path / name).write_text("raise SystemExit('taken over')")
    (tmp_path / "a.txt").write_text("Text.")
    monkeypatch.chdir(tmp_path)
    with Extractor(workers=1) as extractor:
        assert extractor.extract(Path("a.txt")).document.text == "Text."


def workers_of(extractor: Extractor) -> list[int]:
    return [worker._process.pid for worker in extractor._running]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_worker_that_died_between_files_is_replaced_without_losing_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Text.")
    with Extractor(workers=1) as extractor:
        extractor.extract(tmp_path / "a.txt")
        [first] = workers_of(extractor)
        os.kill(first, signal.SIGKILL)
        assert extractor.extract(tmp_path / "a.txt").document.text == "Text."
        assert workers_of(extractor) != [first]


@pytest.mark.skipif(sys.platform != "linux", reason="a pipe that nobody writes to hangs its reader; limits of Linux")
def test_a_file_that_hangs_its_parser_is_rejected_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "hangs.txt")
    (tmp_path / "good.txt").write_text("Good.")
    with Extractor(Limits(seconds=6), workers=2) as extractor, ThreadPoolExecutor(2) as threads:
        hanging = threads.submit(extractor.extract, tmp_path / "hangs.txt")
        good = [threads.submit(extractor.extract, tmp_path / "good.txt") for _ in range(5)]
        assert {future.result().document.text for future in good} == {"Good."}
        with pytest.raises(DocumentRejected, match=r"took longer than 6 s. Split it"):
            hanging.result()


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA")
def test_memory_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "big.txt").write_text("word " * 10_000_000)
    (tmp_path / "small.txt").write_text("word")
    limits = Limits(memory_bytes=300 * 2**20, characters=10**9)
    with Extractor(limits, workers=1) as extractor:
        assert extractor.extract(tmp_path / "small.txt").document.text == "word"
        with pytest.raises(DocumentRejected, match=r"takes too much memory. Split it"):
            extractor.extract(tmp_path / "big.txt")
        assert extractor.extract(tmp_path / "small.txt").document.text == "word"


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces and /proc are of Linux")
def test_workers_have_no_access_to_the_network(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Text.")
    with Extractor(workers=1) as extractor:
        extractor.extract(tmp_path / "a.txt")
        [worker] = workers_of(extractor)
        if os.readlink(f"/proc/{worker}/ns/net") == os.readlink("/proc/self/ns/net"):
            pytest.skip("this system lets no process leave the network")
        interfaces = Path(f"/proc/{worker}/net/dev").read_text().splitlines()[2:]
        assert [line.split(":")[0].strip() for line in interfaces] == ["lo"]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_workers_end_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "hangs.txt")
    code = (
        "import sys, threading, time\nfrom pathlib import Path\nfrom index.extraction.extractor import Extractor\n"
        "extractor = Extractor(workers=1)\n"
        f"threading.Thread(target=extractor.extract, args=(Path({str(tmp_path / 'hangs.txt')!r}),)).start()\n"
        "while not extractor._running: time.sleep(0.01)\n"
        "print(next(iter(extractor._running))._process.pid, flush=True)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path(__file__).parent.parent)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    time.sleep(1)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{worker}").exists() and _state(worker) != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "Z"


def test_close_ends_running_requests(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("pipes are of POSIX")
    os.mkfifo(tmp_path / "hangs.txt")
    extractor = Extractor(workers=1)
    outcome: list[str] = []

    def read() -> None:
        try:
            extractor.extract(tmp_path / "hangs.txt")
        except DocumentRejected as error:
            outcome.append(error.reason)

    thread = threading.Thread(target=read)
    thread.start()
    while not workers_of(extractor):
        time.sleep(0.01)
    extractor.close()
    thread.join(10)
    assert not thread.is_alive()
    assert len(outcome) == 1
    with pytest.raises(DocumentRejected, match="interrupted"):
        extractor.extract(tmp_path / "other.txt")
