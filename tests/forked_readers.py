"""The processes that read files, forked from one that has imported their code already.

Starting such a process takes half a second of processor time, nearly all of it for imports, and every `sync` starts one. A
forked one runs the same program with the same limits, and may be killed just so. test_sandbox.py starts them as users do, as do
the commands and servers that tests run in processes of their own.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

PROGRAM = "index.extraction.worker"
NURSERY = """
import gc, json, os, select, signal, socket, sys, traceback
from contextlib import suppress

import index.extraction.worker

door = socket.socket(fileno=int(sys.argv[1]))
ended, wakeup = os.pipe()
os.set_blocking(wakeup, False)
signal.signal(signal.SIGCHLD, lambda *_: None)
signal.set_wakeup_fd(wakeup)
reports = {}  # of each child: where its exit status is written
gc.freeze()

def run(request, standard):
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, file in enumerate(standard):
        os.dup2(file, number)
    os.closerange(3, 1000)
    os.setsid()
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv[1:] = request["arguments"]
    index.extraction.worker.main()

while True:
    ready = select.select([door, ended], [], [])[0]
    if ended in ready:
        os.read(ended, 1000)
        for child, report in list(reports.items()):
            if (found := os.waitpid(child, os.WNOHANG))[0]:
                with suppress(OSError):  # nobody waits for it any more
                    os.write(report, str(os.waitstatus_to_exitcode(found[1])).encode())
                os.close(report)
                del reports[child]
    if door in ready:
        words, files, _, _ = socket.recv_fds(door, 2**20, 4)
        if not words:
            os._exit(0)
        child = os.fork()
        if child == 0:
            try:
                run(json.loads(words), files[:3])
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(1)
        reports[child] = files[3]
        for file in files[:3]:
            os.close(file)
        door.send(str(child).encode())
"""


class ForkedProcess:
    """What `index.extraction.sandbox` needs of a `subprocess.Popen`."""

    def __init__(self, pid: int, stdin: int, stdout: int, report: int) -> None:
        self.pid = pid
        self.stdin = os.fdopen(stdin, "wb", buffering=0)
        self.stdout = os.fdopen(stdout, "rb")
        self._report = os.fdopen(report, "rb")
        self._status: int | None = None

    def kill(self) -> None:
        if self._status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        if self._status is None:
            self._status = int(self._report.read())
            self._report.close()
        return self._status


class Nursery:
    """Forks processes that read files; the one that it forks them from starts with the first."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._guard = threading.Lock()
        self.subprocess = SimpleNamespace(Popen=self._popen, PIPE=subprocess.PIPE)
        """In place of the module `subprocess` for `index.extraction.sandbox`."""

    def _popen(self, command: list[str], **how: Any) -> "subprocess.Popen[bytes] | ForkedProcess":
        if command[:4] != [sys.executable, "-P", "-m", PROGRAM]:
            return subprocess.Popen(command, **how)
        request = {"arguments": command[4:], "environment": how["env"], "folder": os.getcwd()}
        (stdin, to_it), (from_it, stdout), (report, to_report) = (os.pipe() for _ in range(3))
        with self._guard:
            if self._process is None:
                self._start()
            files = [stdin, stdout, how["stderr"].fileno(), to_report]
            socket.send_fds(self._door, [json.dumps(request).encode()], files)
            pid = int(self._door.recv(100))
        for file in (stdin, stdout, to_report):
            os.close(file)
        return ForkedProcess(pid, to_it, from_it, report)

    def _start(self) -> None:
        self._door, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            root, door = Path(__file__).parent.parent, theirs.fileno()
            self._process = subprocess.Popen([sys.executable, "-c", NURSERY, str(door)], cwd=root, pass_fds=[door])

    def close(self) -> None:
        if self._process is not None:
            self._door.close()
            assert self._process.wait(30) == 0
