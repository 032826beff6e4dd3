"""Metrics of a running server for Prometheus, in a registry of its own.

No label contains a text, a question, a key or a name that a caller chose: each has a small, fixed set of values.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.observability.tracing import RequestEnd
from service.progress import Stages
from service.records import Answer

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_UNMATCHED = "unmatched"


class Metrics:
    """The metrics of one server. Thread-safe. Another part of the server may add its own to `registry`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own: dict[str, Any] = {"registry": self.registry}
        self._questions = Counter(
            "quoth_questions", "Questions, by outcome: answered, refused, failed, abandoned.", ["outcome"], **own
        )
        self._sentences = Counter(
            "quoth_sentences",
            "Sentences that were written, by verdict of the support check: supported, unsupported.",
            ["verdict"],
            **own,
        )
        self._tokens = Counter(
            "quoth_tokens", "Tokens of a language model, by kind: prompt (read), completion (written).", ["kind"], **own
        )
        self._retries = Counter("quoth_llm_retries", "Requests to a language model's server that were repeated.", **own)
        self._fallbacks = Counter(
            "quoth_llm_fallbacks", "Answers taken word for word because the language model failed.", **own
        )
        self._rewrites = Counter(
            "quoth_llm_rewrites",
            "Follow-ups that a language model rewrote, by outcome: taken, rejected (no such question), failed (no reply).",
            ["outcome"],
            **own,
        )
        self._stages = Histogram(
            "quoth_stage_seconds",
            "Seconds of an answer, by stage: rewrite, retrieve, read, generate, check, total.",
            ["stage"],
            buckets=_SECONDS,
            **own,
        )
        self._errors = Counter("quoth_errors", "Problems reported to callers, by code.", ["code"], **own)
        self._requests = Counter(
            "quoth_requests",
            "HTTP requests, by method, route template and status.",
            ["method", "route", "status"],
            **own,
        )
        self._request_seconds = Histogram(
            "quoth_request_seconds",
            "Seconds of an HTTP request, streams to their end, by route template.",
            ["route"],
            buckets=_SECONDS,
            **own,
        )
        self.in_flight = Gauge("quoth_requests_in_flight", "HTTP requests that are being worked on.", **own)
        self.waiting = Gauge("quoth_requests_waiting", "HTTP requests that wait for their turn.", **own)
        self.waited = Histogram(
            "quoth_wait_seconds", "Seconds that an HTTP request waited for its turn.", buckets=_SECONDS, **own
        )
        ProcessCollector(registry=self.registry)

    def count_answer(self, answer: Answer) -> None:
        """Count an answer that was given, with the times of its stages."""
        self._questions.labels("refused" if answer.refused else "answered").inc()
        self._sentences.labels("supported").inc(
            sum(sentence.supported for sentence in answer.sentences if sentence.kind == "stated")
        )
        self._tokens.labels("prompt").inc(answer.usage.prompt_tokens)
        self._tokens.labels("completion").inc(answer.usage.completion_tokens)
        for stage, milliseconds in answer.timings_ms.items():
            self._stages.labels(stage).observe(milliseconds / 1000)

    def count_stages(self, stages: Stages) -> None:
        """Count what went wrong while an answer was made, whatever the outcome."""
        self._sentences.labels("unsupported").inc(stages.unsupported)
        self._retries.inc(stages.retries)
        self._fallbacks.inc(stages.fell_back)
        if stages.rewriting is not None:
            self._rewrites.labels(stages.rewriting).inc()

    def count_failure(self) -> None:
        """Count a question that an error ended."""
        self._questions.labels("failed").inc()

    def count_abandonment(self) -> None:
        """Count a question whose caller left before the answer was complete."""
        self._questions.labels("abandoned").inc()

    def count_request(self, end: RequestEnd, seconds: float) -> None:
        """Count a request that ended, and the problem that it ended with."""
        template = end.route or _UNMATCHED
        self._requests.labels(end.method, template, "none" if end.status is None else str(end.status)).inc()
        self._request_seconds.labels(template).observe(seconds)
        if end.problem is not None:
            self._errors.labels(end.problem).inc()

    def watch(self, name: str, about: str, label: str, read: Callable[[], Mapping[str, float]]) -> None:
        """Add a gauge whose values, one for each value of `label`, are read whenever the metrics are fetched."""
        self.registry.register(_CallbackGauge(name, about, label, read))

    def render(self, accept: str) -> tuple[bytes, str]:
        """All metrics as text in the form that the header Accept prefers, and its media type."""
        encoder, media_type = choose_encoder(accept)
        return encoder(self.registry), media_type

    def descriptions(self) -> list[tuple[str, str, str]]:
        """Name, kind and meaning of every metric of Quoth itself, for the documentation."""
        families = [family for family in self.registry.collect() if family.name.startswith("quoth_")]
        return [
            (family.name + "_total" * (family.type == "counter"), family.type, family.documentation)
            for family in families
        ]


class _CallbackGauge(Collector):
    def __init__(self, name: str, about: str, label: str, read: Callable[[], Mapping[str, float]]) -> None:
        self._name, self._about, self._label = name, about, label
        self._read = read

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(self._name, self._about, labels=[self._label])
        for value, number in sorted(self._read().items()):
            family.add_metric([value], number)
        return [family]
