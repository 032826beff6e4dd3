"""A client's connection: uvicorn's, and closed when the head of a request does not arrive in time."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol


class Connection(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, whose clients must send the head of each request within `HEAD_SECONDS`.

    Uvicorn waits for ever for the rest of a head, so that clients who drip headers, or send nothing, could in the end hold
    every file descriptor of the process. The time that a body may take is limited by BodyLimitMiddleware, the time between two
    requests by uvicorn.
    """

    HEAD_SECONDS = 30.0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._limit_head()

    def data_received(self, data: bytes) -> None:
        """Read what arrived, and wait for the rest of a head only as long as it may take."""
        super().data_received(data)
        self._limit_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the wait."""
        self._stop_timer()
        super().connection_lost(exc)

    def _limit_head(self) -> None:
        is_in_request = self.cycle is not None and not self.cycle.response_complete
        if is_in_request:
            self._stop_timer()
        elif self._timer is None:
            self._timer = self.loop.call_later(self.HEAD_SECONDS, self.timeout_keep_alive_handler)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
