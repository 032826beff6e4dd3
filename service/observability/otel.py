"""Traces for OpenTelemetry: spans are created once what they describe is over, from times that were measured anyway.

So answering knows nothing of traces, and its threads carry no context.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from time import time_ns

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from service.observability.tracing import RequestEnd
from service.progress import Stages

_SERVER_ERROR = 500
_TRACES = "/v1/traces"


class OpenTelemetry:
    """Sends spans to `processor`, through a provider of its own: OpenTelemetry's global one is left alone."""

    def __init__(self, processor: SpanProcessor) -> None:
        resource = Resource.create({"service.name": "quoth", "service.version": version("quoth")})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("quoth")
        self._propagator = TraceContextTextMapPropagator()

    @classmethod
    def over_http(cls, endpoint: str | None) -> "OpenTelemetry":
        """Send to a collector at `endpoint` (OTLP over HTTP); None takes it from OpenTelemetry's own variables."""
        return cls(BatchSpanProcessor(OTLPSpanExporter(endpoint and endpoint.rstrip("/") + _TRACES)))

    @contextmanager
    def trace_request(self, headers: Mapping[str, str]) -> Iterator[Callable[[RequestEnd], None]]:
        """See `service.observability.tracing.Tracing`."""
        parent = self._propagator.extract(headers)
        # An exception's message may contain what a span must not.
        with self._tracer.start_as_current_span(
            "request", parent, SpanKind.SERVER, record_exception=False, set_status_on_exception=False
        ) as span:

            def record_end(end: RequestEnd) -> None:
                span.update_name(f"{end.method} {end.route}" if end.route else end.method)
                span.set_attribute("http.request.method", end.method)
                span.set_attribute("quoth.request_id", end.request_id)
                if end.route is not None:
                    span.set_attribute("http.route", end.route)
                if end.status is not None:
                    span.set_attribute("http.response.status_code", end.status)
                if end.problem is not None:
                    span.set_attribute("error.type", end.problem)
                if end.status is None or end.status >= _SERVER_ERROR:
                    span.set_status(Status(StatusCode.ERROR))

            yield record_end

    def record_answer(self, stages: Stages, outcome: str) -> None:
        """See `service.observability.tracing.Tracing`."""
        answer = self._tracer.start_span(
            "answer",
            start_time=stages.start_ns,
            attributes={"quoth.outcome": outcome, "quoth.unsupported": stages.unsupported},
        )
        inside = trace.set_span_in_context(answer)
        for lap in stages.laps:
            span = self._tracer.start_span(lap.stage, inside, start_time=lap.begin_ns)
            if lap.failed:
                span.set_status(Status(StatusCode.ERROR))
            span.end(lap.end_ns)
        if outcome == "failed":
            answer.set_status(Status(StatusCode.ERROR))
        answer.end(time_ns())

    def close(self) -> None:
        """See `service.observability.tracing.Tracing`."""
        self._provider.shutdown()
