"""Tracing: the spans of real requests, in memory and at a collector on loopback; spans hold no text."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from service.answering.service import Service
from service.composition.http import create_app
from service.observability.otel import OpenTelemetry
from service.observability.setup import make_tracing
from service.observability.tracing import Untraced
from service.settings import Settings
from service.storage.conversations import ConversationStore

QUESTION = "How many cyberattacks of note does Seoul hold the North responsible for since 2007?"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traced_url(service: Service, store: ConversationStore, spans: InMemorySpanExporter, loopback: Any) -> Iterator[str]:
    kept = OpenTelemetry(SimpleSpanProcessor(spans))
    with loopback(create_app(service, store, tracing=kept)) as address:
        yield address
    kept.close()


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_has_a_span_with_its_answer_and_its_stages_inside_the_callers_trace(
    traced_url: str, spans: InMemorySpanExporter, stream: bool
) -> None:
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-ID": "r1"}
    body = {"question": QUESTION, "stream": stream}
    httpx.post(f"{traced_url}/v1/chat", json=body, headers=headers, timeout=60).raise_for_status()
    while not (ended := [span for span in spans.get_finished_spans() if span.name == "POST /v1/chat"]):
        time.sleep(0.01)
    (request,), found = ended, spans.get_finished_spans()
    assert (f"{request.context.trace_id:032x}", f"{request.parent.span_id:016x}") == (TRACE, PARENT)
    assert dict(request.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/v1/chat",
        "http.response.status_code": 200,
        "quoth.request_id": "r1",
    }
    answer = next(span for span in found if span.name == "answer")
    assert answer.parent.span_id == request.context.span_id
    assert dict(answer.attributes or {}) == {"quoth.outcome": "answered", "quoth.unsupported": 0}
    stages = [span for span in found if span.parent and span.parent.span_id == answer.context.span_id]
    assert [span.name for span in stages][:3] == ["rewrite", "retrieve", "read"]
    assert {span.name for span in stages} == {"rewrite", "retrieve", "read", "generate", "check"}
    assert all(answer.start_time <= span.start_time <= span.end_time <= answer.end_time for span in stages)
    assert {span.context.trace_id for span in found} == {request.context.trace_id}


def test_a_span_has_the_problem_code_and_no_text_of_the_caller(traced_url: str, spans: InMemorySpanExporter) -> None:
    marker = "zq9marker"
    httpx.post(f"{traced_url}/v1/chat", json={"question": f"What is {marker}?", "collection": marker})
    httpx.get(f"{traced_url}/v1/conversations/{marker}?{marker}={marker}")
    httpx.get(f"{traced_url}/{marker}", headers={"Authorization": f"Bearer {marker}", "traceparent": marker})
    httpx.request(marker.upper(), f"{traced_url}/v1/chat")
    while len([span for span in spans.get_finished_spans() if span.kind.name == "SERVER"]) < 4:
        time.sleep(0.01)
    found = spans.get_finished_spans()
    assert marker not in "".join(span.to_json() for span in found).lower()
    problems = [(span.attributes or {}).get("error.type") for span in found if span.kind.name == "SERVER"]
    assert problems == ["collection-missing", "record-missing", "not-found", "method-not-allowed"]
    failed = [span for span in found if span.name == "answer"]
    assert [(span.attributes or {})["quoth.outcome"] for span in failed] == ["failed"]


def test_spans_reach_a_collector_over_http(
    service: Service, store: ConversationStore, loopback: Any, tmp_path: Path
) -> None:
    received: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Collector) as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        kept = make_tracing(Settings(home=tmp_path, otel_endpoint=f"http://127.0.0.1:{collector.server_port}/"))
        with loopback(create_app(service, store, tracing=kept)) as address:
            httpx.get(f"{address}/healthz").raise_for_status()
        kept.close()
        collector.shutdown()
        thread.join()
    assert {path for path, _ in received} == {"/v1/traces"}
    (resource,) = ExportTraceServiceRequest.FromString(received[0][1]).resource_spans
    assert "quoth" in [attribute.value.string_value for attribute in resource.resource.attributes]
    assert [span.name for scope in resource.scope_spans for span in scope.spans] == ["GET /healthz"]


def test_traces_are_off_unless_an_endpoint_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert isinstance(make_tracing(Settings(home=tmp_path)), Untraced)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    kept = make_tracing(Settings(home=tmp_path))
    assert isinstance(kept, OpenTelemetry)
    kept.close()
