"""Measure a server under load from many clients: throughput, latency, errors, processor time, and whether memory grows.

Each client is a thread with its own connection that asks one question after the other. First one client asks alone,
then all of them together, on the same server in the same run; the ratio of the two throughputs shows what concurrency
gains. Memory and processor time are what the server reports at /metrics; processor time is the most reliable figure
when other programs run on the machine.
"""

import http.client
import itertools
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from evaluation.errors import DataInvalid, EndpointUnavailable
from evaluation.manifest import machine, versions
from evaluation.metrics.statistics import percentiles
from evaluation.speed.drawn import DrawnEncoder, fill_collection
from evaluation.speed.workload import write_workload
from index.embedding.encoder import SentenceEncoder
from index.library import Library

COLLECTION = "load"
_QUESTIONS = 5_000
_WARM_UP = 20
_TIMEOUT_S = 120.0
_START_S = 300.0
_USAGE = re.compile(r"^(process_resident_memory_bytes|process_cpu_seconds_total) (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """`clients` at once for `seconds`, after one alone for as long. `chunks` to search if a server is started.

    `stream` asks for events instead of whole answers. `questions` are asked in turn; without any, made-up ones.
    """

    clients: int
    seconds: float
    chunks: int
    stream: bool = False
    questions: tuple[str, ...] = ()


@dataclass(slots=True)
class Phase:
    """What the clients measured in `seconds`. `errors` counts what is no whole answer, by its status or its end."""

    clients: int
    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)
    rss_mib: tuple[float, float] = (0.0, 0.0)
    processor_s: float = 0.0

    @property
    def throughput(self) -> float:
        """Answers per second."""
        return len(self.milliseconds) / self.seconds

    @property
    def processor_ms(self) -> float:
        """Processor time of the server per answer, in milliseconds."""
        return 1000 * self.processor_s / max(len(self.milliseconds), 1)


def measure(plan: LoadPlan, out: Path, endpoint: str | None, key: str | None, *, say: Callable[[str], None]) -> str:
    """Carry out the plan against `endpoint`, or else against a server started for it; return the Markdown, also in
    load.md.

    Raises EndpointUnavailable.
    """
    workload = write_workload(out / "workload", plan.chunks, _QUESTIONS)
    made_up = [json.loads(line)["text"] for line in (workload / "queries.jsonl").read_text("utf-8").splitlines()]
    questions = plan.questions or made_up
    if endpoint is not None:
        phases = _phases(plan, endpoint, key, questions, say)
    else:
        home = out / f"home-{plan.chunks}"
        _build(home, workload, plan.chunks, say)
        with _running_server(home, say) as address:
            phases = _phases(plan, address, None, questions, say)
    text = markdown(plan, phases)
    (out / "load.md").write_text(text, encoding="utf-8")
    record = {"plan": asdict(plan), "machine": machine(), "versions": versions(), "phases": [asdict(p) for p in phases]}
    (out / "load.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return text


def read_questions(file: Path) -> tuple[str, ...]:
    """The questions in a file of JSON Lines, each with `question`. Raises DataInvalid."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        return tuple(str(json.loads(line)["question"]) for line in lines)
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"it does not read as questions ({type(error).__name__}: {error})"
        raise DataInvalid(file, None, reason, "Give each line a JSON object with `question`") from error


def markdown(plan: LoadPlan, phases: Sequence[Phase]) -> str:
    """The table, and the ratio of the throughputs."""
    lines = [
        f"{plan.chunks:,} chunks, {plan.seconds:g} s each",
        "",
        "| clients | answers | answers/s | ms p50 | p95 | processor ms an answer | errors | MiB at start | at end |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for phase in phases:
        latency = percentiles(phase.milliseconds)
        p50, p95 = (f"{latency[name]:.0f}" if latency else "-" for name in ("p50", "p95"))
        errors = ", ".join(f"{count} x {kind}" for kind, count in sorted(phase.errors.items())) or "0"
        lines.append(
            f"| {phase.clients} | {len(phase.milliseconds):,} | {phase.throughput:.1f} | {p50} | {p95} "
            f"| {phase.processor_ms:.0f} | {errors} "
            f"| {phase.rss_mib[0]:.0f} | {phase.rss_mib[1]:.0f} |"
        )
    alone, together = phases
    if alone.milliseconds:
        ratio = together.throughput / alone.throughput
        lines += ["", f"{together.clients} clients get {ratio:.2f} times the answers of one."]
    return "\n".join(lines) + "\n"


def _phases(
    plan: LoadPlan, endpoint: str, key: str | None, questions: Sequence[str], say: Callable[[str], None]
) -> list[Phase]:
    counter = itertools.count()

    def question() -> str:
        return questions[next(counter) % len(questions)]

    with ExitStack() as open_clients:
        everyone = [
            open_clients.enter_context(closing(_Client(endpoint, key, plan.stream))) for _ in range(plan.clients)
        ]
        for _ in range(_WARM_UP):
            if (failure := everyone[0].ask(question())) is not None:
                raise EndpointUnavailable(f"{endpoint} does not answer a question: {failure}. Is its collection there?")
        phases = []
        for clients in (everyone[:1], everyone):
            say(f"{len(clients)} at once for {plan.seconds:g} s")
            before = everyone[0].usage()
            phase = _run(clients, plan.seconds, question)
            after = everyone[0].usage()
            phase.rss_mib = (before.rss_mib, after.rss_mib)
            phase.processor_s = after.processor_s - before.processor_s
            phases.append(phase)
    return phases


def _run(clients: Sequence["_Client"], seconds: float, question: Callable[[], str]) -> Phase:
    phase = Phase(len(clients))
    guard = threading.Lock()
    begin = time.perf_counter()

    def ask(client: _Client) -> None:
        while time.perf_counter() < begin + seconds:
            start = time.perf_counter()
            failure = client.ask(question())
            took = (time.perf_counter() - start) * 1000
            with guard:
                if failure is None:
                    phase.milliseconds.append(took)
                else:
                    phase.errors[failure] = phase.errors.get(failure, 0) + 1

    threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    phase.seconds = time.perf_counter() - begin
    return phase


class _Usage(NamedTuple):
    """Resident memory of a process, and the processor time that it has used."""

    rss_mib: float
    processor_s: float


class _Client:
    """A client with one connection, reopened when it breaks."""

    def __init__(self, endpoint: str, key: str | None, stream: bool) -> None:
        self._stream = stream
        place = urlsplit(endpoint)
        kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(place.hostname or "", place.port, timeout=_TIMEOUT_S)
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def ask(self, question: str) -> str | None:
        """None if an answer came, else the kind of failure."""
        try:
            body = json.dumps({"question": question, "stream": self._stream})
            self._connection.request("POST", "/v1/chat", body, self._headers)
            response = self._connection.getresponse()
            events = re.findall(rb"^event: (\w+)$", response.read(), re.MULTILINE)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return type(error).__name__
        if response.status != http.client.OK:
            return f"status {response.status}"
        last = events[-1].decode() if events else "nothing"
        return f"stream that ends with {last}" if self._stream and last != "answer" else None

    def usage(self) -> _Usage:
        """What the server's process uses; NaN if the server does not report it, as on a Mac, or not to this key."""
        self._connection.close()  # the server may have closed it while this client waited for the others
        self._connection.request("GET", "/metrics", headers=self._headers)
        metrics = dict(_USAGE.findall(self._connection.getresponse().read().decode()))
        memory, processor = (
            float(metrics.get(name, "nan")) for name in ("process_resident_memory_bytes", "process_cpu_seconds_total")
        )
        return _Usage(memory / 2**20, processor)


def _build(home: Path, workload: Path, chunks: int, say: Callable[[str], None]) -> None:
    """Build a collection of `chunks` with drawn vectors under the real encoder's name, so that a server opens it."""
    encoder = DrawnEncoder(fingerprint=SentenceEncoder().fingerprint)
    library = Library(home, encoder)
    if COLLECTION in library.names() and library.open(COLLECTION).state().vectors == chunks:
        return
    say(f"Building a collection of {chunks:,} chunks")
    if COLLECTION in library.names():
        library.drop(COLLECTION)
    fill_collection(library.open_or_create(COLLECTION), workload)
    library.close()


@contextmanager
def _running_server(home: Path, say: Callable[[str], None]) -> Iterator[str]:
    """Start a server over `home` and give its address; stop it when the block ends."""
    say("Starting a server")
    command = [sys.executable, "-m", "quoth", "serve", "--port", "0"]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("QUOTH_")}
    own = {"QUOTH_HOME": str(home), "QUOTH_COLLECTION": COLLECTION, "QUOTH_LOG_LEVEL": "error", "QUOTH_WORKER": "false"}
    with subprocess.Popen(command, env={**inherited, **own}, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield _address(server)
        finally:
            server.terminate()


def _address(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    timer = threading.Timer(_START_S, server.kill)
    timer.start()
    line = server.stdout.readline()
    timer.cancel()
    match = re.search(r"https?://\S+", line)
    if match is None:
        raise EndpointUnavailable(f"The server did not start: {line.strip() or 'it printed nothing'}. Try: quoth serve")
    return match[0]
