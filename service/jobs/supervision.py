"""The worker of a server: `quoth work` as a process of its own, restarted when it ends, stopped when the server ends.

The server holds one end of a pipe that is the worker's standard input. However the server ends, the kernel closes the pipe and
the worker stops: no worker outlives its server, and no file has to record which worker belongs to which server.
"""

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from service.storage.lease_queue import delay

COMMAND = (
    sys.executable,
    "-P",
    "-m",
    "quoth",
    "work",
    "--with-server",
)  # -P: nothing is imported from the current folder
_SETTLED_SECONDS = 60.0  # a worker that ran this long did not fail at its start
_STOP_SECONDS = 15.0
log = structlog.get_logger(__name__)


class WorkerProcess:
    """Keeps a worker running inside a `with` block: `command`, with the environment and the code of this process.

    A worker that ends is started again after a wait that doubles up to five minutes while it keeps ending early.
    """

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = command
        paths = (str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH"))
        self._environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}
        self._stop = threading.Event()
        self._guard = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="worker-keeper", daemon=True)

    @property
    def pid(self) -> int | None:
        """Process id of the running worker; None while none runs."""
        with self._guard:
            process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        with self._guard:
            process = self._process
        if process is not None:
            _end(process)
        self._thread.join()

    def _keep(self) -> None:
        failures = 0
        while True:
            begin = time.monotonic()
            with self._guard:
                if self._stop.is_set():
                    return
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    env=self._environment,
                    start_new_session=True,  # Ctrl-C in the terminal is for the server, which then stops the worker
                )
            status = self._process.wait()
            if self._stop.is_set():
                return
            assert self._process.stdin is not None
            self._process.stdin.close()
            failures = 1 if time.monotonic() - begin > _SETTLED_SECONDS else failures + 1
            wait = delay(failures, random.random())
            log.warning("worker ended", status=status, again_in_s=round(wait, 1))
            self._stop.wait(wait)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the worker to stop, and kill it if it does not."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
