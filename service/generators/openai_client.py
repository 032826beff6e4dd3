"""Client of a server with the OpenAI chat protocol: streams a reply, or raises RequestFailed with the reason."""

import json
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Self

import httpx2
import openai

from service.generators.budget import TokenBudget, estimate_tokens
from service.progress import current_stages
from service.prompts import Messages
from service.records import Usage
from service.settings import Settings

MAX_SILENCES = 5  # the whole answer may take this many times the longest silence
_CONNECT_S = 5.0
_CHARACTERS_PER_TOKEN = 32  # a server that writes more than this ignores max_tokens
_MAX_BYTES = 16 * 2**20
_RETRYABLE = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_CONNECTED = ("connect_tcp.complete", "start_tls.complete")
_DIALECT = frozenset({400, 422})
_FIXES: Mapping[int, str] = {
    401: "Check llm_api_key.",
    403: "Check llm_api_key and what it may use.",
    404: "Check llm_base_url (it usually ends in /v1) and llm_model.",
    429: "It takes no more requests for now: wait, or raise its limits.",
}


@dataclass(frozen=True, slots=True)
class ModelEndpoint:
    """A model on a server. `silence_s`: longest wait for the next words. URL and key may be secret and are never shown."""

    base_url: str = field(repr=False)
    model: str
    api_key: str | None = field(default=None, repr=False)
    silence_s: float = 60.0

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """The server that the settings name; None without its URL or the model."""
        if not settings.llm_base_url or not settings.llm_model:
            return None
        key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else None
        return cls(settings.llm_base_url, settings.llm_model, key, settings.llm_timeout_s)

    @property
    def place(self) -> str:
        """Host and port, for messages: the whole URL may hold a password."""
        return httpx2.URL(self.base_url).netloc.decode("ascii").rpartition("@")[2]


@dataclass(slots=True)
class Reply:
    """What is known about a reply while it arrives.

    `finish` and `model` are the server's finish reason and name of the model, `usage` its count of tokens.
    """

    finish: str | None = None
    usage: Usage = field(default_factory=Usage)
    characters: int = 0
    retries: int = 0
    model: str | None = None


class RequestFailed(Exception):
    """The request failed, or the reply broke off.

    `again_after` is the number of seconds to wait before another attempt, None when another attempt is of no use.
    `dialect`: the server did not understand the request itself.
    """

    def __init__(self, reason: str, again_after: float | None = None, *, dialect: bool = False) -> None:
        super().__init__(reason)
        self.again_after = again_after
        self.dialect = dialect


class ChatServer:
    """A client of one server. Thread-safe; it connects with the first request.

    A reply may take `max_silences` times the server's `silence_s`. `limit` is the name of the setting of `silence_s`, for
    error messages.
    """

    def __init__(
        self,
        server: ModelEndpoint,
        budget: TokenBudget,
        temperature: float,
        *,
        max_silences: int = MAX_SILENCES,
        limit: str = "llm_timeout_s",
    ) -> None:
        self._server = server
        self._budget = budget
        self._temperature = temperature
        self._max_silences = max_silences
        self._limit = limit
        self._counts_tokens = True
        timeout = httpx2.Timeout(server.silence_s, connect=min(_CONNECT_S, server.silence_s))
        # One connection for each request: so its socket is seen, and it can be cut off whatever it waits for.
        self._http = httpx2.Client(
            timeout=timeout,
            limits=httpx2.Limits(max_keepalive_connections=0),
            event_hooks={"request": [cut_off_when_stopped], "response": [self._limit_response]},
        )
        self._client = openai.OpenAI(
            base_url=server.base_url,
            api_key=server.api_key or "none",
            timeout=timeout,
            max_retries=0,
            http_client=self._http,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def write(
        self, messages: Messages, reply: Reply, *, plain: bool, form: Mapping[str, object] | None = None
    ) -> Iterator[str]:
        """Yield the text as it arrives and fill in `reply`. Closing the iterator ends the request.

        `form` is a JSON schema that the reply should follow. `plain` leaves out what some servers refuse: the schema,
        `max_tokens` and the temperature (newer models of OpenAI refuse the last two). Raises RequestFailed.
        """
        try:
            with self._client.chat.completions.create(**self._request(messages, plain=plain, form=form)) as stream:
                for chunk in stream:
                    yield from _read_chunk(chunk, reply)
                    if reply.characters > self._budget.answer * _CHARACTERS_PER_TOKEN:
                        raise RequestFailed("wrote far more than llm_max_tokens allows.")
        except openai.APIStatusError as error:
            raise _status_failure(error) from error
        except openai.APITimeoutError as error:
            raise RequestFailed(f"did not answer in time ({self._limit} = {self._server.silence_s:g}).") from error
        except openai.APIConnectionError as error:
            if reply.finish is not None:
                return  # the answer is complete; only the end of the stream is missing
            raise RequestFailed(
                "cannot be reached, or broke off. Check llm_base_url, and that it runs.", 0.0
            ) from error
        except (openai.APIError, json.JSONDecodeError, UnicodeDecodeError) as error:
            raise RequestFailed("sent something that is not a chat answer. Check llm_base_url.", 0.0) from error
        if reply.finish is None:
            raise RequestFailed("ended its answer before it was complete.", 0.0)

    def tokens(self, text: str) -> int:
        """How many tokens the model makes of `text`.

        If the upper estimate does not fit the budget, the server's tokenizer at /tokenize counts (llama.cpp, vLLM), where
        there is one.
        """
        estimate = estimate_tokens(text)
        if estimate <= self._budget.room or not self._counts_tokens:
            return estimate
        root = self._server.base_url.rstrip("/").removesuffix("/v1")
        key = {"Authorization": f"Bearer {self._server.api_key}"} if self._server.api_key else {}
        body = {"model": self._server.model, "content": text, "prompt": text}
        try:
            response = self._http.post(f"{root}/tokenize", json=body, headers=key)
            return len(response.raise_for_status().json()["tokens"])
        except (httpx2.HTTPError, ValueError, KeyError, TypeError):
            current_stages().raise_if_stopped()  # a request that was cut off does not show that the route is missing
            self._counts_tokens = False  # it has no such route: use the estimate from now on
            return estimate

    def _request(self, messages: Messages, *, plain: bool, form: Mapping[str, object] | None) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": self._server.model,
            "messages": [
                {"role": "system", "content": messages.instructions},
                {"role": "user", "content": messages.request},
            ],
            "stream": True,
        }
        if plain:
            return {**request, "max_completion_tokens": self._budget.answer}
        if form is not None:
            schema = {"name": "reply", "strict": True, "schema": form}
            request |= {"response_format": {"type": "json_schema", "json_schema": schema}, "seed": 0}
        return {
            **request,
            "max_tokens": self._budget.answer,
            "temperature": self._temperature,
            "stream_options": {"include_usage": True},
        }

    def _limit_response(self, response: httpx2.Response) -> None:
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _LimitedStream(
            response.stream, time.monotonic() + self._server.silence_s * self._max_silences
        )


class _LimitedStream(httpx2.SyncByteStream):
    """A response body with a limit in time and in bytes, whatever the server sends."""

    def __init__(self, stream: httpx2.SyncByteStream, until: float) -> None:
        self._stream = stream
        self._until = until

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for part in self._stream:
            size += len(part)
            if time.monotonic() > self._until:
                raise httpx2.ReadTimeout("the answer takes too long")
            if size > _MAX_BYTES:
                raise httpx2.RemoteProtocolError("the answer is too large")
            yield part

    def close(self) -> None:
        self._stream.close()


def _read_chunk(chunk: Any, reply: Reply) -> Iterator[str]:
    """Yield the text of a chunk and fill in `reply`. Any field may be missing or malformed."""
    usage = getattr(chunk, "usage", None)
    read, written = getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None)
    if isinstance(read, int) and isinstance(written, int):
        reply.usage = Usage(read, written)
    model = getattr(chunk, "model", None)
    reply.model = model if isinstance(model, str) and model else reply.model
    choices = getattr(chunk, "choices", None)
    for choice in choices[:1] if isinstance(choices, list) else []:
        finish = getattr(choice, "finish_reason", None)
        reply.finish = finish if isinstance(finish, str) else reply.finish
        content = getattr(getattr(choice, "delta", None), "content", None)
        if isinstance(content, str) and content:
            reply.characters += len(content)
            yield content


def _status_failure(error: openai.APIStatusError) -> RequestFailed:
    """The failure for an error status. The server's own message is left out: it may repeat the key or the passages."""
    status = error.status_code
    reason = f"answered with status {status}. {_FIXES.get(status, 'Its log says why.')}"
    if status in _RETRYABLE:
        return RequestFailed(reason, _seconds(error.response.headers.get("retry-after")))
    return RequestFailed(reason, dialect=status in _DIALECT)


def _seconds(header: str | None) -> float:
    """The seconds of a Retry-After header; 0 without one, or for a date."""
    return float(header) if header and header.strip().isdecimal() else 0.0


def cut_off_when_stopped(request: httpx2.Request) -> None:
    """Cut off the connection of `request` as soon as the answer that this thread works on is stopped.

    This sees only connections that are opened for the request, so the client must keep none alive. If the answer is stopped
    before the connection is open, the connection is cut off once it is.
    """
    connection = _Connection()
    request.extensions = {**request.extensions, "trace": connection.trace}
    current_stages().when_stopped(connection.cut)


class _Connection:
    """The connection of one request: opened by the thread that asks, cut off by another."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Keep the socket (httpx2's extension `trace`); a TLS socket replaces the plain one that it wraps."""
        if event.endswith(_CONNECTED):
            with self._guard:
                self._socket = info["return_value"].get_extra_info("socket")
                self._end_if_cut()

    def cut(self) -> None:
        """Shut the socket down, which ends every read and write on it."""
        with self._guard:
            self._is_cut = True
            self._end_if_cut()

    def _end_if_cut(self) -> None:
        if self._is_cut and self._socket is not None:
            with suppress(OSError):  # it is closed already
                # Not the TLS socket's own method, which would change its state under the thread that reads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
