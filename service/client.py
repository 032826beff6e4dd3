"""A client for a running Quoth: `from service.client import Quoth`. One file; needs httpx and the records, no engines.

    with Quoth("http://127.0.0.1:8000") as quoth:
        answer = quoth.ask("How many attacks?")
        for event in quoth.stream("And since when?", conversation_id=answer.conversation_id): ...

`AsyncQuoth` is the same with `await`. Answers are records (`service.records`); in the chunks of their passages `ordinal` is -1,
since it does not travel.
"""

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

import httpx

from index.records import Hit
from service.errors import Permanent, Transient
from service.received import answer_of, citation_of, hit_of, sentence_of
from service.records import Answer, Citation, Sentence

URL = "http://127.0.0.1:8000"
TIMEOUT_S = 120.0
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


class Quoth:
    """A server, asked in turn. Close it, or use it in a `with` block. Thread-safe.

    Every method raises Refused, Unavailable, and AnswerInvalid when what answers is no Quoth of this version. `key` is sent as
    a bearer token. `timeout_s` is the longest wait for the server's next words.
    """

    def __init__(self, url: str = URL, *, key: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self._http = httpx.Client(base_url=url, headers=_headers(key), timeout=timeout_s)

    def ask(
        self,
        question: str,
        *,
        collection: str | None = None,
        conversation_id: str | None = None,
        generator: str | None = None,
        top_k: int | None = None,
    ) -> Answer:
        """The answer as a whole; a refusal is an answer too."""
        return answer_of(
            self._json("POST", "/v1/chat", _question(question, collection, conversation_id, generator, top_k))
        )

    def stream(
        self,
        question: str,
        *,
        collection: str | None = None,
        conversation_id: str | None = None,
        generator: str | None = None,
        top_k: int | None = None,
    ) -> Iterator[Event]:
        """The same answer as it comes about. Closing the iterator stops the work."""
        body = {**_question(question, collection, conversation_id, generator, top_k), "stream": True}
        parser = _Events()
        try:
            with self._http.stream("POST", "/v1/chat", json=body) as response:
                if not response.is_success:
                    response.read()
                _raise_for(response)
                for line in response.iter_lines():
                    yield from parser.feed(line)
        except httpx.TransportError as error:
            raise _unreachable(self._http.base_url, error) from error
        parser.end()

    def search(self, query: str, *, k: int = 10, collection: str | None = None) -> tuple[Hit, ...]:
        """The passages that fit best, best first."""
        found = self._json("POST", "/v1/search", _given(query=query, k=k, collection=collection))
        return tuple(hit_of(hit) for hit in found["hits"])

    def text(self, citation: Citation, *, collection: str | None = None) -> str:
        """The text that the citation's offsets point into: `text[citation.start:citation.end] == citation.quote`."""
        path = f"/v1/documents/{citation.document_id}/versions/{citation.version}/text"
        text: str = self._json("GET", path, params=_given(collection=collection))["text"]
        return text

    def answer(self, answer_id: str) -> Answer:
        """An answer that was given before."""
        return answer_of(self._json("GET", f"/v1/answers/{answer_id}"))

    def rate(
        self, answer_id: str, rating: Literal["up", "down"], *, sentence: int | None = None, comment: str = ""
    ) -> None:
        """Say what you think of an answer, or of its sentence `sentence` (from 0)."""
        body = _given(answer_id=answer_id, rating=rating, sentence=sentence, comment=comment)
        self._json("POST", "/v1/feedback", body)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _json(self, method: str, path: str, body: Any = None, params: Any = None) -> Any:
        try:
            response = self._http.request(method, path, json=body, params=params)
        except httpx.TransportError as error:
            raise _unreachable(self._http.base_url, error) from error
        return _raise_for(response).json()


class AsyncQuoth:
    """`Quoth`, awaited: the same methods, arguments and errors."""

    def __init__(self, url: str = URL, *, key: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self._http = httpx.AsyncClient(base_url=url, headers=_headers(key), timeout=timeout_s)

    async def ask(
        self,
        question: str,
        *,
        collection: str | None = None,
        conversation_id: str | None = None,
        generator: str | None = None,
        top_k: int | None = None,
    ) -> Answer:
        """The answer as a whole; a refusal is an answer too."""
        body = _question(question, collection, conversation_id, generator, top_k)
        return answer_of(await self._json("POST", "/v1/chat", body))

    async def stream(
        self,
        question: str,
        *,
        collection: str | None = None,
        conversation_id: str | None = None,
        generator: str | None = None,
        top_k: int | None = None,
    ) -> AsyncIterator[Event]:
        """The same answer as it comes about. Closing the iterator stops the work."""
        body = {**_question(question, collection, conversation_id, generator, top_k), "stream": True}
        parser = _Events()
        try:
            async with self._http.stream("POST", "/v1/chat", json=body) as response:
                if not response.is_success:
                    await response.aread()
                _raise_for(response)
                async for line in response.aiter_lines():
                    for event in parser.feed(line):
                        yield event
        except httpx.TransportError as error:
            raise _unreachable(self._http.base_url, error) from error
        parser.end()

    async def search(self, query: str, *, k: int = 10, collection: str | None = None) -> tuple[Hit, ...]:
        """The passages that fit best, best first."""
        found = await self._json("POST", "/v1/search", _given(query=query, k=k, collection=collection))
        return tuple(hit_of(hit) for hit in found["hits"])

    async def text(self, citation: Citation, *, collection: str | None = None) -> str:
        """The text that the citation's offsets point into: `text[citation.start:citation.end] == citation.quote`."""
        path = f"/v1/documents/{citation.document_id}/versions/{citation.version}/text"
        text: str = (await self._json("GET", path, params=_given(collection=collection)))["text"]
        return text

    async def answer(self, answer_id: str) -> Answer:
        """An answer that was given before."""
        return answer_of(await self._json("GET", f"/v1/answers/{answer_id}"))

    async def rate(
        self, answer_id: str, rating: Literal["up", "down"], *, sentence: int | None = None, comment: str = ""
    ) -> None:
        """Say what you think of an answer, or of its sentence `sentence` (from 0)."""
        body = _given(answer_id=answer_id, rating=rating, sentence=sentence, comment=comment)
        await self._json("POST", "/v1/feedback", body)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def _json(self, method: str, path: str, body: Any = None, params: Any = None) -> Any:
        try:
            response = await self._http.request(method, path, json=body, params=params)
        except httpx.TransportError as error:
            raise _unreachable(self._http.base_url, error) from error
        return _raise_for(response).json()


class _Events:
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
        raise _problem(int(data["status"]), data, None)


def _headers(key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _question(
    question: str, collection: str | None, conversation_id: str | None, generator: str | None, top_k: int | None
) -> dict[str, Any]:
    return _given(
        question=question, collection=collection, conversation_id=conversation_id, generator=generator, top_k=top_k
    )


def _raise_for(response: httpx.Response) -> httpx.Response:
    """The response, when it is a good one."""
    if response.is_success:
        return response
    try:
        body = response.json()
    except ValueError:
        body = None
    raise _problem(response.status_code, body if isinstance(body, dict) else {}, response)


def _problem(status: int, body: dict[str, Any], response: httpx.Response | None) -> Refused | Unavailable:
    detail = str(
        body.get("detail") or f"The server answered with the status {status} and no explanation. Is it a Quoth?"
    )
    code = str(body.get("code") or f"http-{status}")
    if status in _PASSING:
        after = response.headers.get("retry-after", "") if response is not None else ""
        return Unavailable(detail, code, float(after) if after.isdecimal() else None)
    return Refused(status, code, detail, body.get("request_id"))


def _unreachable(url: httpx.URL, error: httpx.TransportError) -> Unavailable:
    return Unavailable(f"{url} does not answer ({type(error).__name__}: {error}). Is `quoth serve` running there?")
