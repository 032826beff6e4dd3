"""Where the time of a request goes, for whoever collects traces (OpenTelemetry, an extra; off unless an endpoint is set).

A trace holds a span for the request, one for the answer and one for each stage of it. None holds a text, a path or a name that
a caller chose.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from service.progress import Stages

_STANDARD = "OTEL_EXPORTER_OTLP_ENDPOINT"


@dataclass(frozen=True, slots=True)
class RequestEnd:
    """How a request ended. `method` is a known one or `other`; `route` is the template (`/v1/jobs/{id}`), never the path.

    `route` None: nothing is there. `status` None: broken off. `problem` is the code of what the caller was told.
    """

    method: str
    route: str | None
    status: int | None
    request_id: str
    problem: str | None


class Tracing(Protocol):
    """Keeps the spans of a server. Thread-safe."""

    def request(self, headers: Mapping[str, str]) -> AbstractContextManager[Callable[[RequestEnd], None]]:
        """A `with` block around a request, which is told at its end how it ended.

        `headers` may name the caller's trace (W3C `traceparent`).
        """
        ...

    def answer(self, stages: Stages, outcome: str) -> None:
        """The making of an answer, which ends now, as part of the request whose block runs."""
        ...

    def close(self) -> None:
        """Send what is kept. Waits a few seconds at most."""
        ...


class Untraced:
    """Keeps nothing."""

    @contextmanager
    def request(self, headers: Mapping[str, str]) -> Iterator[Callable[[RequestEnd], None]]:
        """See `Tracing`."""
        yield lambda _: None

    def answer(self, stages: Stages, outcome: str) -> None:
        """See `Tracing`."""

    def close(self) -> None:
        """See `Tracing`."""
