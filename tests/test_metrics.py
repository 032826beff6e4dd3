"""/metrics of a real server: what is counted, and that no label holds text of a caller."""

import re
import threading
from dataclasses import replace
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.answering.answerer import Answerer
from service.answering.service import Service
from service.composition.http import create_app
from service.observability.metrics import Metrics
from service.observability.tracing import RequestEnd
from service.records import Question
from service.storage.conversations import ConversationStore

ANSWERED = "How many cyberattacks of note does Seoul hold the North responsible for since 2007?"
REFUSED = "Which enzyme folds the outer membrane of a mitochondrion?"


def read(address: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = httpx.get(f"{address}/metrics").raise_for_status().text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_questions_stages_requests_and_errors_are_counted(
    service: Service, store: ConversationStore, loopback: Any
) -> None:
    with loopback(create_app(service, store)) as address:
        for question in (ANSWERED, ANSWERED, REFUSED):
            httpx.post(f"{address}/v1/chat", json={"question": question}, timeout=60).raise_for_status()
        with httpx.stream("POST", f"{address}/v1/chat", json={"question": ANSWERED, "stream": True}) as response:
            response.read()
        assert httpx.post(f"{address}/v1/chat", json={"question": "?"}).status_code == 422
        found = read(address)
    outcome = {labels[0][1]: value for (name, labels), value in found.items() if name == "quoth_questions_total"}
    assert outcome == {"answered": 3, "refused": 1, "failed": 1}
    assert found["quoth_stage_seconds_count", (("stage", "total"),)] == 4
    assert found["quoth_stage_seconds_count", (("stage", "generate"),)] == 3
    assert found["quoth_sentences_total", (("verdict", "supported"),)] >= 3
    assert found["quoth_errors_total", (("code", "question-invalid"),)] == 1
    chat = ("method", "POST"), ("route", "/v1/chat")
    assert found["quoth_requests_total", (*chat, ("status", "200"))] == 4
    assert found["quoth_requests_total", (*chat, ("status", "422"))] == 1
    assert found["quoth_requests_in_flight", ()] == 1  # the request for /metrics itself
    assert found["process_resident_memory_bytes", ()] > 0
    assert found["quoth_jobs", (("state", "queued"),)] == 0


def test_a_caller_that_disconnects_is_counted_as_such(
    service: Service, store: ConversationStore, loopback: Any
) -> None:
    told = threading.Event()

    class Slow(Answerer):
        def stream(self, question: Question, stages: Any = None) -> Any:
            for event in service.answerer.stream(question, stages):
                yield event
                told.wait(5)

    slow = Slow.__new__(Slow)
    with loopback(create_app(replace(service, answerer=slow), store)) as address:
        with httpx.stream("POST", f"{address}/v1/chat", json={"question": ANSWERED, "stream": True}) as response:
            next(response.iter_raw())
        told.set()
        for _ in range(200):
            if found := read(address).get(("quoth_questions_total", (("outcome", "abandoned"),))):
                break
    assert found == 1


def test_labels_hold_no_text_of_a_caller(served: str) -> None:
    marker = "zq9marker"
    httpx.get(f"{served}/v1/conversations/{marker}")
    httpx.get(f"{served}/{marker}/{marker}")
    httpx.request(marker.upper(), f"{served}/v1/chat")
    httpx.post(f"{served}/v1/chat", json={"question": marker, "collection": marker})
    httpx.post(f"{served}/v1/chat", json={"question": f"What is {marker}?", marker: marker})
    httpx.get(f"{served}/healthz", headers={"Authorization": f"Bearer {marker}", "X-Request-ID": marker})
    text = httpx.get(f"{served}/metrics").text
    assert marker not in text.lower()
    assert 'route="/v1/conversations/{conversation_id}"' in text
    assert 'route="unmatched"' in text
    assert 'method="other"' in text


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "text/plain; version=0.0.4"),
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text"),
    ],
)
def test_the_format_follows_the_accept_header(served: str, accept: str, media_type: str) -> None:
    response = httpx.get(f"{served}/metrics", headers={"Accept": accept})
    assert response.headers["content-type"].startswith(media_type)
    assert response.headers["content-type"].count("charset") == 1


def test_two_servers_count_separately() -> None:
    one, other = Metrics(), Metrics()
    one.count_request(RequestEnd("GET", None, 500, "r", "internal"), 0.1)
    assert b'code="internal"' in one.render("")[0]
    assert b'code="internal"' not in other.render("")[0]


def test_a_watched_gauge_is_read_on_each_request() -> None:
    metrics, jobs = Metrics(), {"queued": 2}
    metrics.watch("quoth_jobs", "Jobs, by state.", "state", lambda: jobs)
    jobs["running"] = 1
    assert re.findall(rb"^quoth_jobs{.*", metrics.render("")[0], re.MULTILINE) == [
        b'quoth_jobs{state="queued"} 2.0',
        b'quoth_jobs{state="running"} 1.0',
    ]
    assert ("quoth_jobs", "gauge", "Jobs, by state.") in metrics.descriptions()
