"""Client of a server with the OpenAI chat protocol: streams a reply, or raises RequestFailed with the reason."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Self

import httpx2

from service.generators.budget import TokenBudget, estimate_tokens
from service.generators.chat_events import (
    ChatEvent,
    ReplyInvalid,
    is_end,
    read_event,
    read_token_count,
    whole_characters,
)
from service.generators.connection import event_data, open_response
from service.progress import current_stages
from service.prompts import Messages
from service.records import Usage
from service.settings import Settings

MAX_SILENCES = 5  # the whole answer may take this many times the longest silence
_CONNECT_S = 5.0
_CHARACTERS_PER_TOKEN = 32  # a server that writes more than this ignores max_tokens
_RETRYABLE = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
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

    `finish` and `model` are the server's finish reason and name of the model, `usage` its count of tokens. `calls_tool`: the
    model asks for a tool to be called.
    """

    finish: str | None = None
    usage: Usage = field(default_factory=Usage)
    characters: int = 0
    retries: int = 0
    model: str | None = None
    calls_tool: bool = False

    def add(self, event: ChatEvent) -> None:
        """Add what the event says."""
        self.finish = event.finish or self.finish
        self.usage = event.usage or self.usage
        self.model = event.model or self.model
        self.calls_tool |= event.calls_tool
        self.characters += len(event.text)


class RequestFailed(Exception):
    """The request failed, or the reply broke off.

    `again_after` is the number of seconds to wait before another attempt, None when another attempt is of no use.
    `dialect`: the server did not understand the request itself. `garbled`: the server replied, but not with a chat answer.
    """

    def __init__(
        self, reason: str, again_after: float | None = None, *, dialect: bool = False, garbled: bool = False
    ) -> None:
        super().__init__(reason)
        self.again_after = again_after
        self.dialect = dialect
        self.garbled = garbled


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
        self._base = server.base_url.rstrip("/")
        self._budget = budget
        self._temperature = temperature
        self._longest_s = server.silence_s * max_silences
        self._limit = limit
        self._counts_tokens = True
        timeout = httpx2.Timeout(server.silence_s, connect=min(_CONNECT_S, server.silence_s))
        # One connection for each request: so its socket is seen, and it can be cut off whatever it waits for.
        self._http = httpx2.Client(
            timeout=timeout,
            limits=httpx2.Limits(max_keepalive_connections=0),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # a server's cookies would pile up
            headers=_authorization(server),
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def write(
        self, messages: Messages, reply: Reply, *, plain: bool, form: Mapping[str, object] | None = None
    ) -> Iterator[str]:
        """Yield the text as it arrives and fill in `reply`. Closing the iterator ends the request.

        `form` is a JSON schema that the reply should follow. `plain` leaves out what some servers refuse: the schema,
        `max_tokens` and the temperature (newer models of OpenAI refuse the last two). Raises RequestFailed.
        """
        reply.finish = None  # that of an attempt before
        yield from whole_characters(self._texts(self._request(messages, plain=plain, form=form), reply))

    def _texts(self, request: Mapping[str, object], reply: Reply) -> Iterator[str]:
        until = time.monotonic() + self._longest_s
        try:
            with open_response(self._http, f"{self._base}/chat/completions", request, self._longest_s) as response:
                if not response.is_success:
                    raise self._status_failure(response)
                for data in event_data(response):
                    if is_end(data):
                        reply.finish = reply.finish or ("stop" if reply.characters else None)
                        break
                    event = read_event(data)
                    reply.add(event)
                    if event.text:
                        yield event.text
                    if reply.characters > self._budget.answer * _CHARACTERS_PER_TOKEN:
                        raise RequestFailed("wrote far more than llm_max_tokens allows.")
        except (ReplyInvalid, httpx2.HTTPError) as error:
            if reply.finish is None:
                raise self._failure(error, until) from error
            return  # the answer is complete; only the end of the stream is missing
        if reply.finish is None:
            if time.monotonic() >= until:
                raise self._too_late()
            raise RequestFailed("ended its answer before it was complete.", 0.0)

    def tokens(self, text: str) -> int:
        """How many tokens the model makes of `text`.

        If the upper estimate does not fit the budget, the server's tokenizer at /tokenize counts (llama.cpp, vLLM), where
        there is one.
        """
        estimate = estimate_tokens(text)
        if estimate <= self._budget.room or not self._counts_tokens:
            return estimate
        body = {"model": self._server.model, "content": text, "prompt": text}
        try:
            url = f"{self._base.removesuffix('/v1')}/tokenize"
            with open_response(self._http, url, body, self._longest_s) as response:
                return read_token_count(response.raise_for_status().read())
        except (httpx2.HTTPError, ReplyInvalid):
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

    def _failure(self, error: Exception, until: float) -> RequestFailed:
        if isinstance(error, httpx2.TimeoutException) or time.monotonic() >= until:
            return self._too_late()
        if isinstance(error, ReplyInvalid):
            return RequestFailed(str(error), 0.0, garbled=True)
        return RequestFailed("cannot be reached, or broke off. Check llm_base_url, and that it runs.", 0.0)

    def _too_late(self) -> RequestFailed:
        return RequestFailed(f"did not answer in time ({self._limit} = {self._server.silence_s:g}).")

    def _status_failure(self, response: httpx2.Response) -> RequestFailed:
        """The failure for an error status. The server's own message is not read: it may repeat the key or the passages."""
        status = response.status_code
        reason = f"answered with status {status}. {_FIXES.get(status, 'Its log says why.')}"
        if status in _RETRYABLE:
            wait = _seconds(response.headers.get("retry-after"))
            return RequestFailed(reason, wait if wait <= self._server.silence_s else None)
        return RequestFailed(reason, dialect=status in _DIALECT)


def _authorization(server: ModelEndpoint) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.api_key}"} if server.api_key else {}


def _seconds(header: str | None) -> float:
    """The seconds of a Retry-After header; 0 without one, or for a date."""
    return float(header) if header and header.strip().isdecimal() else 0.0
