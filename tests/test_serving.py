"""Shutting down a server: real processes, real signals, and callers in the middle of an answer."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parent.parent

# An answerer of two steps: the second takes the number of seconds that the question gives.
SERVER = """
import sys, time, uuid
from pathlib import Path
from index.embedding.encoder import HashedEncoder
from index.library import Library
from service.answering.answerer import AnswerReady, PassagesFound
from service.composition.http import create_app
from service.composition.service import Service
from service.storage.database import Database
from service.observability.logs import configure
from service.server.server import listen, url
from service.records import Answer
from service.server.server import Server, leave
from service.settings import Settings
from service.storage.conversations import ConversationStore

class Sleeper:
    def stream(self, question, stages):
        home.joinpath(f"begun-{uuid.uuid4().hex}").touch()
        yield PassagesFound(())
        time.sleep(float(question.text))
        yield AnswerReady(
            Answer(uuid.uuid4().hex, "c", question.text, question.text, "No.", True, 0.1, (), (), (), "x", None)
        )

configure("info")
home = Path(sys.argv[1])
library = Library(home, HashedEncoder())
library.open_or_create("default")
store = ConversationStore(Database(f"sqlite:///{home / 'c.sqlite'}"))
with listen("127.0.0.1", 0) as listening:
    app = create_app(Service(Settings(home=home), library, None, None, None, Sleeper()), store)
    server = Server(app, app.state.session.admission, float(sys.argv[2]))
    print(url(listening, "127.0.0.1"), flush=True)
    server.serve_on(listening)
    store.close()
    print("closed after signal", server.signalled, flush=True)
leave(0)
"""


@contextmanager
def running_server(home: Path, grace_s: float) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [sys.executable, "-c", SERVER, str(home), str(grace_s)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+", address)
            httpx.get(f"{address}/readyz", timeout=60).raise_for_status()
            yield address, process
        finally:
            if process.poll() is None:
                process.kill()


class StreamedCall:
    """A streamed question whose first event has arrived; `end` reads the rest."""

    def __init__(self, address: str, seconds: float) -> None:
        self.client = httpx.Client(timeout=30)
        asked = {"question": str(seconds), "stream": True}
        self.response = self.client.send(
            self.client.build_request("POST", f"{address}/v1/chat", json=asked), stream=True
        )
        self.lines = self.response.iter_lines()
        while not next(self.lines).startswith("data:"):
            pass

    def end(self) -> tuple[str, dict[str, Any]]:
        """The last event of the stream."""
        rest = [line for line in self.lines if line]
        self.client.close()
        return rest[-2].removeprefix("event: "), json.loads(rest[-1].removeprefix("data: "))


def status(address: str, path: str, **body: Any) -> tuple[int, str]:
    response = httpx.post(f"{address}{path}", json=body) if body else httpx.get(f"{address}{path}")
    return response.status_code, response.json().get("code", "")


def until_begun(home: Path, count: int) -> None:
    deadline = time.monotonic() + 30
    while len(list(home.glob("begun-*"))) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_after_sigterm_running_requests_finish_new_ones_are_refused_and_the_process_ends(tmp_path: Path) -> None:
    with running_server(tmp_path, 20) as (address, process), ThreadPoolExecutor(8) as callers:
        calls = [StreamedCall(address, 1.0) for _ in range(4)]
        whole = callers.submit(httpx.post, f"{address}/v1/chat", json={"question": "1.0"}, timeout=30)
        until_begun(tmp_path, 5)
        process.send_signal(signal.SIGTERM)
        while status(address, "/readyz") != (503, "shutting-down"):
            time.sleep(0.02)
        assert status(address, "/healthz") == (200, "")
        assert status(address, "/v1/chat", question="0") == (503, "shutting-down")
        assert [call.end()[0] for call in calls] == ["answer"] * 4
        assert whole.result().status_code == 200
        said, errors = process.communicate(timeout=20)
    assert (process.returncode, said) == (0, f"closed after signal {int(signal.SIGTERM)}\n")
    assert "Traceback" not in errors


def test_an_answer_unfinished_after_the_grace_period_ends_with_an_error_even_if_its_work_hangs(
    tmp_path: Path,
) -> None:
    with running_server(tmp_path, 0.5) as (address, process), ThreadPoolExecutor(1) as callers:
        call = StreamedCall(address, 60)
        whole = callers.submit(httpx.post, f"{address}/v1/chat", json={"question": "60"}, timeout=30)
        until_begun(tmp_path, 2)
        process.send_signal(signal.SIGTERM)
        name, problem = call.end()
        assert (name, problem["code"]) == ("error", "shutting-down")
        late = whole.result()
        assert (late.status_code, late.json()["code"]) == (503, "shutting-down")
        said, errors = process.communicate(timeout=20)
    assert (process.returncode, said) == (0, f"closed after signal {int(signal.SIGTERM)}\n")
    assert "Traceback" not in errors


def test_a_second_signal_ends_the_process_at_once(tmp_path: Path) -> None:
    with running_server(tmp_path, 60) as (address, process):
        call = StreamedCall(address, 60)
        process.send_signal(signal.SIGTERM)
        while status(address, "/readyz") != (503, "shutting-down"):
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 128 + signal.SIGTERM
        call.client.close()
