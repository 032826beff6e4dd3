"""evaluation.speed.load: what is counted, against a server on loopback that answers as it is told."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from evaluation.errors import DataInvalid, EndpointUnavailable
from evaluation.speed.drawn import DrawnEncoder
from evaluation.speed.load import COLLECTION, LoadPlan, Phase, _build, markdown, measure, read_questions
from evaluation.speed.workload import write_workload
from index.library import Library
from tests.shared_networks import shared_encoder


class Told(BaseHTTPRequestHandler):
    """Answers every third question of a crowd with 503, and remembers the questions."""

    protocol_version = "HTTP/1.1"
    asked: list[str]
    keys: set[str | None]
    connected: set[tuple[str, int]]

    def setup(self) -> None:
        super().setup()
        self.connected.add(self.client_address)

    def finish(self) -> None:
        self.connected.discard(self.client_address)
        super().finish()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(body["question"])
        self.keys.add(self.headers["Authorization"])
        crowd = len(self.connected) > 3
        if body["stream"]:
            whole = len(self.asked) % 4 != 3
            self._say(200, "event: sentence\ndata: {}\n\n" + ("event: answer\ndata: {}\n\n" if whole else ""))
            return
        self._say(503 if crowd and len(self.asked) % 3 == 0 else 200, "{}")

    def do_GET(self) -> None:
        count = len(self.asked)
        spent = f"process_cpu_seconds_total {count / 4}\nprocess_resident_memory_bytes {(300 + count) * 2**20}\n"
        self._say(200, "# HELP x\n" + spent)

    def _say(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def told() -> Iterator[tuple[str, type[Told]]]:
    handler = type("Fresh", (Told,), {"asked": [], "keys": set(), "connected": set()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", handler
        server.shutdown()
        thread.join()


def test_one_client_then_many_ask_and_everything_that_came_is_counted(
    told: tuple[str, type[Told]], tmp_path: Path
) -> None:
    endpoint, server = told
    text = measure(LoadPlan(clients=6, seconds=0.5, chunks=100), tmp_path, endpoint, "k", say=lambda _: None)
    record = json.loads((tmp_path / "load.json").read_text(encoding="utf-8"))
    alone, together = record["phases"]
    assert (alone["clients"], together["clients"], alone["errors"]) == (1, 6, {})
    assert together["errors"].keys() == {"status 503"}
    counted = [len(phase["milliseconds"]) + sum(phase["errors"].values()) for phase in (alone, together)]
    assert 20 + sum(counted) == len(server.asked)  # 20 to warm up
    assert alone["rss_mib"][0] == 320.0
    assert alone["rss_mib"][1] == together["rss_mib"][0] == 320.0 + counted[0]
    assert (alone["processor_s"], together["processor_s"]) == (counted[0] / 4, counted[1] / 4)
    assert server.keys == {"Bearer k"}
    assert text == (tmp_path / "load.md").read_text(encoding="utf-8")


def test_streams_are_asked_the_given_questions_and_one_that_breaks_off_is_an_error(
    told: tuple[str, type[Told]], tmp_path: Path
) -> None:
    endpoint, server = told
    server.asked.append("before the warm-up, so that the third stream from here does not break off in it")
    (tmp_path / "golden.jsonl").write_text('{"question": "Why?"}\n{"question": "And when?"}\n', encoding="utf-8")
    questions = read_questions(tmp_path / "golden.jsonl")
    plan = LoadPlan(clients=2, seconds=0.3, chunks=100, stream=True, questions=questions)
    with pytest.raises(EndpointUnavailable, match="stream that ends with sentence"):
        measure(plan, tmp_path, endpoint, None, say=lambda _: None)
    assert server.asked[1:] == ["Why?", "And when?"]


def test_a_file_without_questions_is_named(tmp_path: Path) -> None:
    (tmp_path / "golden.jsonl").write_text('{"query": "Why?"}\n', encoding="utf-8")
    with pytest.raises(DataInvalid, match=r"golden\.jsonl: it does not read as questions .*Give each line"):
        read_questions(tmp_path / "golden.jsonl")


def test_the_table_shows_throughput_percentiles_errors_memory_and_the_ratio() -> None:
    alone = Phase(1, 10.0, [100.0] * 100, rss_mib=(500.0, 501.0), processor_s=16.0)
    together = Phase(32, 10.0, [1000.0] * 150 + [2000.0] * 50, rss_mib=(501.0, 502.4), processor_s=30.0)
    together.errors = {"status 503": 3}
    text = markdown(LoadPlan(32, 10, 100_000), [alone, together])
    assert "| 1 | 100 | 10.0 | 100 | 100 | 160 | 0 | 500 | 501 |" in text
    assert "| 32 | 200 | 20.0 | 1000 | 2000 | 150 | 3 x status 503 | 501 | 502 |" in text
    assert "32 clients get 2.00 times the answers of one." in text


def test_a_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    with pytest.raises(EndpointUnavailable, match=r"http://127\.0\.0\.1:1 does not answer a question"):
        measure(LoadPlan(2, 1, 100), tmp_path, "http://127.0.0.1:1", None, say=lambda _: None)


def test_the_collection_that_is_built_opens_with_the_real_encoder_and_is_built_once(tmp_path: Path) -> None:
    workload = write_workload(tmp_path / "workload", 100, 10)
    said: list[str] = []
    for _ in range(2):
        _build(tmp_path / "home", workload, 100, said.append)
    assert said == ["Building a collection of 100 chunks"]
    library = Library(tmp_path / "home", shared_encoder())
    state = library.open(COLLECTION).state()
    assert (state.chunks, state.vectors) == (100, 100)
    assert DrawnEncoder().fingerprint != state.encoder
    library.close()
