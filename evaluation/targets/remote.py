"""A running Quoth over HTTP, whose collection already holds the documents."""

import time
from collections.abc import Mapping
from typing import Any

import httpx
from pydantic import ValidationError

from evaluation.cases import Case
from evaluation.errors import EndpointUnavailable
from service.api.schemas.answers import AnswerOut, CitationOut
from service.api.schemas.search import PassageOut, SearchResponse

_TRIES = 4
_FIRST_WAIT_S = 0.5
_TRANSIENT = {429, 502, 503, 504}


class Remote:
    """Talks to `endpoint` (such as http://127.0.0.1:8000). A request that fails for a passing reason is sent again, thrice.

    Cases with a history go to the OpenAI-compatible route, which takes earlier turns as messages; others to /v1/chat.
    """

    def __init__(
        self,
        endpoint: str,
        collection: str | None,
        *,
        generator: str | None = None,
        key: str | None = None,
        timeout_s: float = 120.0,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._endpoint = endpoint.rstrip("/")
        self._client = httpx.Client(base_url=self._endpoint, headers=headers, timeout=timeout_s)
        self._collection = collection
        self._generator = generator
        self._texts: dict[tuple[str, str], str] = {}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def answer(self, case: Case) -> AnswerOut:
        """The answer to the case's question after its history. Raises EndpointUnavailable."""
        body = self._conversation(case) if case.history else self._post("/v1/chat", self._question(case))
        try:
            return AnswerOut.model_validate(body)
        except ValidationError as error:
            raise EndpointUnavailable(
                f"{self._endpoint} answered in another form: {error.errors()[0]['loc']} {error.errors()[0]['msg']}. "
                "Run a Quoth of this version there."
            ) from error

    def search(self, query: str, k: int) -> list[PassageOut]:
        """The best k passages, best first. Raises EndpointUnavailable."""
        body = {"query": query, "k": k, **({"collection": self._collection} if self._collection else {})}
        return list(SearchResponse.model_validate(self._post("/v1/search", body)).hits)

    def literal(self, citation: CitationOut) -> bool:
        """Whether the served text of the cited version holds the quote at its place."""
        place = (citation.document_id, citation.version)
        if place not in self._texts:
            params = {"collection": self._collection} if self._collection else {}
            path = f"/v1/documents/{citation.document_id}/versions/{citation.version}/text"
            self._texts[place] = self._send("GET", path, params=params)["text"]
        return self._texts[place][citation.start : citation.end] == citation.quote

    def describe(self) -> Mapping[str, object]:
        """The endpoint and what it says of its default collection."""
        ready = self._send("GET", "/readyz")
        collection = {name: ready["collection"][name] for name in ("documents", "chunks", "encoder")}
        return {
            "endpoint": self._endpoint,
            "collection": self._collection or ready["collection"]["name"],
            "generator": self._generator,
            "default_collection": collection,
        }

    def _question(self, case: Case) -> dict[str, Any]:
        fields = {"question": case.question, "collection": self._collection, "generator": self._generator}
        return {name: value for name, value in fields.items() if value is not None}

    def _conversation(self, case: Case) -> Any:
        messages = []
        for turn in case.history:
            messages += [{"role": "user", "content": turn.question}, {"role": "assistant", "content": turn.answer}]
        messages.append({"role": "user", "content": case.question})
        model = self._collection or "quoth"
        body = self._post("/v1/chat/completions", {"model": model, "messages": messages})
        if "quoth" not in body:
            raise EndpointUnavailable(
                f"{self._endpoint}/v1/chat/completions gives no `quoth` field. Run a Quoth there."
            )
        return body["quoth"]

    def _post(self, path: str, body: Mapping[str, object]) -> Any:
        return self._send("POST", path, json=body)

    def _send(self, method: str, path: str, **content: Any) -> Any:
        wait = _FIRST_WAIT_S
        for attempt in range(1, _TRIES + 1):
            try:
                response = self._client.request(method, path, **content)
            except httpx.TransportError as error:
                reason = f"{type(error).__name__}: {error}"
            else:
                if response.is_success:
                    return response.json()
                reason = f"status {response.status_code}: {response.text[:300]}"
                if response.status_code not in _TRANSIENT:
                    raise EndpointUnavailable(
                        f"{method} {self._endpoint}{path}: {reason}. Check the server and its log."
                    )
            if attempt < _TRIES:
                time.sleep(wait)
                wait *= 2
        raise EndpointUnavailable(
            f"{method} {self._endpoint}{path}: {reason}, {_TRIES} times. Is `quoth serve` running there?"
        )
