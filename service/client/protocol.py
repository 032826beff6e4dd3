"""What a stream yields, and server-sent events -> that."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx

from index.records import Hit
from service.answer_json import answer_of, citation_of, hit_of, sentence_of
from service.errors import Permanent, Transient
from service.records import Answer, Citation, Sentence

_PASSING = {429, 502, 503, 504}


class Refused(Permanent):
    """The server says that the request is wrong. `code` is stable, `status` is HTTP's, `detail` names the mend."""

    def __init__(self, status: int, code: str, detail: str, request_id: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id


class Unavailable(Transient):
    """The server does not answer, or says that it cannot now; `code` and `retry_after_s` are None where nothing was said."""

    def __init__(self, detail: str, code: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.retry_after_s = retry_after_s


def raise_for(response: httpx.Response) -> httpx.Response:
    """The response, when it is a good one."""
    if response.is_success:
        return response
    try:
        body = response.json()
    except ValueError:
        body = None
    raise problem(response.status_code, body if isinstance(body, dict) else {}, response)


def problem(status: int, body: dict[str, Any], response: httpx.Response | None) -> Refused | Unavailable:
    """The error that a problem document tells; `body` may be empty."""
    detail = str(
        body.get("detail") or f"The server answered with the status {status} and no explanation. Is it a Quoth?"
    )
    code = str(body.get("code") or f"http-{status}")
    if status in _PASSING:
        after = response.headers.get("retry-after", "") if response is not None else ""
        return Unavailable(detail, code, float(after) if after.isdecimal() else None)
    return Refused(status, code, detail, body.get("request_id"))


def unreachable(url: httpx.URL, error: httpx.TransportError) -> Unavailable:
    """The error for a server that cannot be reached."""
    return Unavailable(f"{url} does not answer ({type(error).__name__}: {error}). Is `quoth serve` running there?")


@dataclass(frozen=True, slots=True)
class Passages:
    """Stream event: what is being read for the question, best first."""

    passages: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """Stream event: a checked sentence, with the citations that it is the first to use."""

    sentence: Sentence
    citations: tuple[Citation, ...]


Event = Passages | Told | Answer
"""What a stream yields; the whole Answer comes last."""


class Events:
    """Lines of server-sent events -> events."""

    def __init__(self) -> None:
        self._name = ""
        self._data: list[str] = []
        self._whole = False

    def feed(self, line: str) -> Iterable[Event]:
        """The event that ends with this line, if one does."""
        name, _, value = line.partition(":")
        if line:
            if name == "event":
                self._name = value.strip()
            elif name == "data":
                self._data.append(value.removeprefix(" "))
            return ()
        if not self._data:
            return ()
        data = json.loads("\n".join(self._data))
        self._data = []
        return (self._event(data),)

    def end(self) -> None:
        """Raise Unavailable when the stream stopped before its answer."""
        if not self._whole:
            raise Unavailable("The stream broke off before the answer was whole. Ask again.")

    def _event(self, data: Any) -> Event:
        if self._name == "passages":
            return Passages(tuple(hit_of(hit) for hit in data["passages"]))
        if self._name == "sentence":
            return Told(sentence_of(data["sentence"]), tuple(citation_of(one) for one in data["citations"]))
        if self._name == "answer":
            self._whole = True
            return answer_of(data)
        raise problem(int(data["status"]), data, None)


URL = "http://127.0.0.1:8000"
TIMEOUT_S = 120.0


def headers(key: str | None) -> dict[str, str]:
    """The headers of every request."""
    return {"Authorization": f"Bearer {key}"} if key else {}


def given(**fields: Any) -> dict[str, Any]:
    """The fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}


def question_body(
    question: str, collection: str | None, conversation_id: str | None, generator: str | None, top_k: int | None
) -> dict[str, Any]:
    """The body of `POST /v1/chat`."""
    return given(
        question=question, collection=collection, conversation_id=conversation_id, generator=generator, top_k=top_k
    )
