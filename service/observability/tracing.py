"""Tracing: where the time of a request goes, for a collector of traces. Off unless an endpoint is set (setup.py).

A trace has a span for the request, one for the answer and one for each stage of it. None contains a text, a path or a name
that a caller chose.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from service.progress import Stages


@dataclass(frozen=True, slots=True)
class RequestEnd:
    """How a request ended. `method` is a known one or `other`; `route` is the template (`/v1/jobs/{id}`), never the path.

    `route` is None when no route matched, `status` when the request was broken off before a response. `problem` is the code of
    the problem that was reported to the caller, if any.
    """

    method: str
    route: str | None
    status: int | None
    request_id: str
    problem: str | None


class Tracing(Protocol):
    """Records the spans of a server. Thread-safe."""

    def trace_request(self, headers: Mapping[str, str]) -> AbstractContextManager[Callable[[RequestEnd], None]]:
        """A context manager around a request. Call the function it gives with how the request ended.

        `headers` may name the caller's trace (W3C `traceparent`).
        """
        ...

    def record_answer(self, stages: Stages, outcome: str) -> None:
        """Record the stages of an answer, which ends now, as part of the request whose block is running."""
        ...

    def close(self) -> None:
        """Send the spans that were not sent yet. Waits a few seconds at most."""
        ...


class Untraced:
    """Records nothing."""

    @contextmanager
    def trace_request(self, headers: Mapping[str, str]) -> Iterator[Callable[[RequestEnd], None]]:
        """See `Tracing`."""
        yield lambda _: None

    def record_answer(self, stages: Stages, outcome: str) -> None:
        """See `Tracing`."""

    def close(self) -> None:
        """See `Tracing`."""
