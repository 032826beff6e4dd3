"""GuardedProcess: a child process that answers one request at a time, within limits, and may be killed at any time."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from index.errors import ProcessUnstartable

READY = b"ready\n"
"""The line that the process writes when it can take a request."""

_LENGTH_BYTES = 8
_MAX_ERROR_BYTES = 2000
_ABORT = signal.SIGABRT  # how pdfium ends, without a message, when a stream unpacks to more than the memory
_OUT_OF_MEMORY = ("memory allocation", "MemoryError", "bad_alloc", "annot allocate memory", "out of memory")


class ProcessLost(Exception):
    """The process ended without answering the request. The message is the reason.

    `is_final`: another attempt would end the same way. `is_about_size`: a smaller file might succeed.
    """

    def __init__(self, reason: str, *, is_final: bool = False, is_about_size: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final
        self.is_about_size = is_about_size


class GuardedProcess:
    """Runs `python -m MODULE ARGUMENTS` with this package on its path. For one caller at a time.

    The protocol is that of `index.extraction.worker`: the process writes `READY`; then, for each line that it reads,
    eight bytes that give a length, and as many bytes.
    """

    def __init__(self, module: str, arguments: Sequence[str]) -> None:
        self.answered = 0
        self._started = False
        self._killed = False
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 kept for as long as the process lives; `stop` closes it
        root = str(Path(__file__).resolve().parents[2])
        inherited = os.environ.get("PYTHONPATH")
        path = root if not inherited else os.pathsep.join((root, inherited))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],  # -P: nothing is imported from the current folder
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # Ctrl-C in the terminal is for the parent alone
        )

    def ask(self, request: bytes, *, seconds: float, max_bytes: int) -> bytes:
        """The answer to the line `request`.

        Raises `ProcessLost` if the process dies, takes longer than `seconds` or answers with more than `max_bytes`;
        `ProcessUnstartable` if it never started.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        late = threading.Event()
        timer = threading.Timer(seconds, self._kill, (late,))
        timer.start()
        try:
            self._await_start(stdout, late)
            stdin.write(request + b"\n")
            stdin.flush()
            length = int.from_bytes(stdout.read(_LENGTH_BYTES), "big")
            if length > max_bytes:
                reason = f"its text takes more than {max_bytes:,} bytes"
                raise ProcessLost(reason, is_final=True, is_about_size=True)
            answer = stdout.read(length)
        except BrokenPipeError:
            length, answer = 0, b""
        finally:
            timer.cancel()
        if late.is_set():
            raise ProcessLost(f"reading it took longer than {seconds:g} s", is_final=True, is_about_size=True)
        if not length or len(answer) < length:
            raise self._loss()
        self.answered += 1
        return answer

    def kill(self) -> None:
        """Kill the process, whatever it is doing. Safe while another thread waits in `ask`, which then raises."""
        self._killed = True
        self._process.kill()

    def stop(self) -> None:
        """Kill the process and release its pipes and files."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue  # unsent bytes of a request that will not be answered
        self._process.wait()
        self._stderr.close()

    def _kill(self, late: threading.Event) -> None:
        late.set()
        self._process.kill()

    def _await_start(self, stdout: IO[bytes], late: threading.Event) -> None:
        if self._started:
            return
        self._started = stdout.read(len(READY)) == READY
        if not self._started and not late.is_set() and not self._killed:
            self._process.wait()
            raise ProcessUnstartable(
                f"the process that reads files does not start. Reinstall Quoth. {self._error_output()}"
            )

    def _loss(self) -> ProcessLost:
        """Why the process ended, from its exit status and the end of its standard error."""
        status = self._process.wait()
        if self._killed:
            return ProcessLost("indexing was interrupted", is_final=True)
        if any(mark in self._error_output() for mark in _OUT_OF_MEMORY):
            return ProcessLost("reading it takes too much memory", is_about_size=True)
        if status == -_ABORT:
            return ProcessLost(
                "the reader for its format gave up on it, as it does when memory runs out (SIGABRT)", is_about_size=True
            )
        how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        return ProcessLost(f"the reader for its format crashed on it ({how})")

    def _error_output(self) -> str:
        """The last 2,000 bytes that the process wrote to standard error."""
        self._stderr.seek(max(0, self._stderr.seek(0, os.SEEK_END) - _MAX_ERROR_BYTES))
        return self._stderr.read().decode("utf-8", "replace").strip()
