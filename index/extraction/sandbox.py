"""A process that answers one request at a time, within limits, and may be killed: the wall between Quoth and parsers."""

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
"""What the process writes once it can take a request."""

_LENGTH_BYTES = 8
_LAST_WORDS = 2000
_GIVEN_UP = signal.SIGABRT  # pdfium ends so, without a word, when a stream unpacks to more than there is memory
_OUT_OF_MEMORY = ("memory allocation", "MemoryError", "bad_alloc", "annot allocate memory", "out of memory")


class ProcessLost(Exception):
    """The process is gone, with the request unanswered. The message is the reason.

    `is_final`: another try would end the same way. `is_about_size`: a smaller request might go through.
    """

    def __init__(self, reason: str, *, is_final: bool = False, is_about_size: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final
        self.is_about_size = is_about_size


class GuardedProcess:
    """Runs `python -m MODULE ARGUMENTS` with this package on its path. One caller at a time.

    The protocol is that of `index.extraction.worker`: `READY`, then for each line in eight bytes of length and as many bytes out.
    """

    def __init__(self, module: str, arguments: Sequence[str]) -> None:
        self.answered = 0
        self._started = False
        self._killed = False
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 kept for as long as the process lives; `stop` closes it
        above = str(Path(__file__).resolve().parents[2])
        inherited = os.environ.get("PYTHONPATH")
        path = above if not inherited else os.pathsep.join((above, inherited))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],  # -P: nothing is imported from the current folder
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # Ctrl-C in the terminal is for the parent alone
        )

    def ask(self, request: bytes, *, seconds: float, most_bytes: int) -> bytes:
        """The answer to one line. `ProcessLost` if it dies, takes longer than `seconds` or answers more
        than `most_bytes`; `ProcessUnstartable` if it never began."""
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
            if length > most_bytes:
                reason = f"its text takes more than {most_bytes:,} bytes"
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
        """End it, whatever it is doing. Safe while another thread waits for an answer, which it will not get."""
        self._killed = True
        self._process.kill()

    def stop(self) -> None:
        """End it and release what it held."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue  # unsent bytes of a request that nobody will answer
        self._process.wait()
        self._said.close()

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
                f"the process that reads files does not start. Reinstall Quoth. {self._last_words()}"
            )

    def _loss(self) -> ProcessLost:
        """Why the process ended, from its exit status and the last it wrote to standard error."""
        status = self._process.wait()
        if self._killed:
            return ProcessLost("indexing was interrupted", is_final=True)
        if any(mark in self._last_words() for mark in _OUT_OF_MEMORY):
            return ProcessLost("reading it takes too much memory", is_about_size=True)
        if status == -_GIVEN_UP:
            return ProcessLost(
                "the reader for its format gave up on it, as it does when memory runs out (SIGABRT)", is_about_size=True
            )
        how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        return ProcessLost(f"the reader for its format crashed on it ({how})")

    def _last_words(self) -> str:
        self._said.seek(max(0, self._said.seek(0, os.SEEK_END) - _LAST_WORDS))
        return self._said.read().decode("utf-8", "replace").strip()
