"""Quoth and AsyncQuoth: the same client over httpx.Client and httpx.AsyncClient.

Both send the requests of `service.client.requests` and read the responses there; here is only what waits for the network.
"""

import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, Self

import anyio
import httpx
from anyio import to_thread

from service.client.requests import Call, HttpRequest, Requests, ResultT
from service.client.responses import Event, EventParser, Job, poll_pauses, raise_for_problem, unreachable_error

URL = "http://127.0.0.1:8000"
TIMEOUT_S = 120.0
Given = ParamSpec("Given")
_REQUESTS = Requests()


def _blocking_method(
    build: Callable[Concatenate[Requests, Given], Call[ResultT]],
) -> "Callable[Concatenate[Quoth, Given], ResultT]":
    """The method of Quoth that sends the request of `build`, with its signature and docstring."""

    @wraps(build)
    def method(self: "Quoth", /, *args: Given.args, **kwargs: Given.kwargs) -> ResultT:
        return self._send(build(_REQUESTS, *args, **kwargs))

    return method


def _async_method(
    build: Callable[Concatenate[Requests, Given], Call[ResultT]], *, reads_file: bool = False
) -> "Callable[Concatenate[AsyncQuoth, Given], Coroutine[Any, Any, ResultT]]":
    """The same for AsyncQuoth; a request that `reads_file` is built in a worker thread."""

    @wraps(build)
    async def method(self: "AsyncQuoth", /, *args: Given.args, **kwargs: Given.kwargs) -> ResultT:
        built = partial(build, _REQUESTS, *args, **kwargs)
        return await self._send(await to_thread.run_sync(built) if reads_file else built())

    return method


def _blocking_stream(
    build: Callable[Concatenate[Requests, Given], HttpRequest],
) -> "Callable[Concatenate[Quoth, Given], Iterator[Event]]":
    @wraps(build)
    def method(self: "Quoth", /, *args: Given.args, **kwargs: Given.kwargs) -> Iterator[Event]:
        return self._stream(build(_REQUESTS, *args, **kwargs))

    return method


def _async_stream(
    build: Callable[Concatenate[Requests, Given], HttpRequest],
) -> "Callable[Concatenate[AsyncQuoth, Given], AsyncIterator[Event]]":
    @wraps(build)
    def method(self: "AsyncQuoth", /, *args: Given.args, **kwargs: Given.kwargs) -> AsyncIterator[Event]:
        return self._stream(build(_REQUESTS, *args, **kwargs))

    return method


class Quoth:
    """The client of one server, which waits for each response. Close it, or use it in a `with` block. Thread-safe.

    Every method raises Refused, Unavailable, and AnswerInvalid when the response is not that of a Quoth of this version.
    `key` is sent as a bearer token. `timeout_s` is the longest wait for the next bytes of a response.
    """

    def __init__(self, url: str = URL, *, key: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self._http = httpx.Client(base_url=url, headers=_headers(key), timeout=timeout_s)

    ask = _blocking_method(Requests.ask)
    stream = _blocking_stream(Requests.stream)
    search = _blocking_method(Requests.search)
    text = _blocking_method(Requests.text)
    answer = _blocking_method(Requests.answer)
    rate = _blocking_method(Requests.rate)
    upload = _blocking_method(Requests.upload)
    job = _blocking_method(Requests.job)
    cancel = _blocking_method(Requests.cancel)
    create_collection = _blocking_method(Requests.create_collection)
    rename_collection = _blocking_method(Requests.rename_collection)
    rename_document = _blocking_method(Requests.rename_document)
    delete_document = _blocking_method(Requests.delete_document)

    def wait(self, job: Job, *, timeout_s: float | None = None) -> Job:
        """The job once it is finished, successfully or not: see `state`. Unavailable when it is not after `timeout_s`."""
        pauses = poll_pauses(job, timeout_s)
        while not (job := self.job(job.id)).is_finished:
            time.sleep(next(pauses))
        return job

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, call: Call[ResultT]) -> ResultT:
        try:
            response = self._http.request(call.method, call.path, **call.parts)
        except httpx.TransportError as error:
            raise unreachable_error(self._http.base_url, error) from error
        return call.read(raise_for_problem(response))

    def _stream(self, request: HttpRequest) -> Iterator[Event]:
        parser = EventParser()
        try:
            with self._http.stream(request.method, request.path, **request.parts) as response:
                if not response.is_success:
                    response.read()
                for line in raise_for_problem(response).iter_lines():
                    yield from parser.feed(line)
        except httpx.TransportError as error:
            raise unreachable_error(self._http.base_url, error) from error
        parser.end()


class AsyncQuoth:
    """`Quoth` for `async` programs: the same methods, arguments and errors, awaited."""

    def __init__(self, url: str = URL, *, key: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self._http = httpx.AsyncClient(base_url=url, headers=_headers(key), timeout=timeout_s)

    ask = _async_method(Requests.ask)
    stream = _async_stream(Requests.stream)
    search = _async_method(Requests.search)
    text = _async_method(Requests.text)
    answer = _async_method(Requests.answer)
    rate = _async_method(Requests.rate)
    upload = _async_method(Requests.upload, reads_file=True)
    job = _async_method(Requests.job)
    cancel = _async_method(Requests.cancel)
    create_collection = _async_method(Requests.create_collection)
    rename_collection = _async_method(Requests.rename_collection)
    rename_document = _async_method(Requests.rename_document)
    delete_document = _async_method(Requests.delete_document)

    async def wait(self, job: Job, *, timeout_s: float | None = None) -> Job:
        """The job once it is finished, successfully or not: see `state`. Unavailable when it is not after `timeout_s`."""
        pauses = poll_pauses(job, timeout_s)
        while not (job := await self.job(job.id)).is_finished:
            await anyio.sleep(next(pauses))
        return job

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _send(self, call: Call[ResultT]) -> ResultT:
        try:
            response = await self._http.request(call.method, call.path, **call.parts)
        except httpx.TransportError as error:
            raise unreachable_error(self._http.base_url, error) from error
        return call.read(raise_for_problem(response))

    async def _stream(self, request: HttpRequest) -> AsyncIterator[Event]:
        parser = EventParser()
        try:
            async with self._http.stream(request.method, request.path, **request.parts) as response:
                if not response.is_success:
                    await response.aread()
                async for line in raise_for_problem(response).aiter_lines():
                    for event in parser.feed(line):
                        yield event
        except httpx.TransportError as error:
            raise unreachable_error(self._http.base_url, error) from error
        parser.end()


def _headers(key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}
