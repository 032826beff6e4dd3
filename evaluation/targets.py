"""Targets: the Quoth that is measured, in this process or over HTTP. Both speak the wire contract."""

import re
import time
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from typing import Any, Protocol, TypeVar, runtime_checkable

import httpx
from pydantic import ValidationError

from evaluation.cases import Case, GoldEvidence
from evaluation.document_matching import DocumentMatcher
from evaluation.errors import EndpointUnavailable
from evaluation.manifest import collection_identity
from index.collection import Collection as DocumentCollection
from index.errors import CollectionMissing
from service.answering.service import Service
from service.answering.trace import Trace
from service.explaining.explain import Asked, explain
from service.explaining.explanation import ExpectedWords
from service.records import Question
from service.schemas.answers import AnswerOut, CitationOut, ExplainedAnswerOut
from service.schemas.explanations import ExplanationOut
from service.schemas.search import PassageOut, SearchResponse

Value = TypeVar("Value")
AnswerT = TypeVar("AnswerT", bound=AnswerOut)
_MAX_EXPECTED = 16

_PASSWORD = re.compile(r"(?<=://)[^/?#\s]*@")


def without_password(value: Value | str) -> Value | str:
    """A setting as it is; an address without the name and the password in it."""
    return _PASSWORD.sub("", value) if isinstance(value, str) else value


def chat_messages(case: Case) -> list[dict[str, str]]:
    """The messages of an OpenAI-compatible request: the earlier turns, and the question."""
    messages = []
    for turn in case.history:
        messages += [{"role": "user", "content": turn.question}, {"role": "assistant", "content": turn.answer}]
    return [*messages, {"role": "user", "content": case.question}]


class Target(Protocol):
    """A Quoth that holds the documents of the data set, as tasks see it. Thread-safe."""

    def answer(self, case: Case) -> AnswerOut:
        """The answer to the case's question after its history."""
        ...

    def search(self, query: str, k: int) -> list[PassageOut]:
        """The best k passages for a query, best first."""
        ...

    def literal(self, citation: CitationOut) -> bool:
        """Whether the quote is, character for character, the text at its place in the cited document version."""
        ...

    def describe(self) -> Mapping[str, object]:
        """What the manifest records: settings, models, versions. Must not change during a run."""
        ...


Why = Callable[[], ExplanationOut | None]
"""Explains an answer when it is called; None where nothing explains it."""


@runtime_checkable
class ExplainingTarget(Target, Protocol):
    """A target that can say why it answered as it did."""

    def answer_with_why(self, case: Case, matcher: DocumentMatcher) -> tuple[AnswerOut, Why]:
        """The answer to the case's question, and the way to its explanation. `matcher` knows the case's documents."""
        ...


class LocalTarget:
    """Quoth in this process: asks the assembled service about one collection, filled by the run or existing."""

    def __init__(self, service: Service, collection: str, *, generator: str | None = None) -> None:
        self._service = service
        self._collection = service.library.open(collection)
        self._generator = generator
        self._ids: dict[str, str] | None = None

    def answer(self, case: Case) -> AnswerOut:
        """The answer to the case's question after its history."""
        return AnswerOut.of(self._service.answerer.answer(self._question(case)))

    def answer_with_why(self, case: Case, matcher: DocumentMatcher) -> tuple[AnswerOut, Why]:
        """The answer to the case's question after its history, and the way to its explanation."""
        trace, answerer = Trace(), self._service.answerer
        answer = answerer.answer(self._question(case), trace)

        def why() -> ExplanationOut:
            expected = [self._expected(evidence, matcher) for evidence in case.evidence]
            return ExplanationOut.of(
                explain(Asked(trace, answer, answerer, self._collection, expected, case.answerable))
            )

        return AnswerOut.of(answer), why

    def _question(self, case: Case) -> Question:
        return Question(
            case.question, collection=self._collection.name, history=case.history, generator=self._generator
        )

    def _expected(self, evidence: GoldEvidence, matcher: DocumentMatcher) -> ExpectedWords:
        """The gold quote with the id of its document; a document that the collection lacks keeps its name."""
        if self._ids is None:
            self._ids = matcher.ids(self._collection.documents.list())
        id = self._ids.get(evidence.document, evidence.document)
        return ExpectedWords(evidence.quote, id, evidence.start, evidence.end)

    def search(self, query: str, k: int) -> list[PassageOut]:
        """The best k passages, reranked if the settings say so."""
        settings = self._service.settings
        reranker = self._service.reader if settings.rerank else None
        hits = self._collection.search(query, k=k, reranker=reranker, depth=max(settings.rerank_depth, k))
        return [PassageOut.of(hit) for hit in hits]

    def literal(self, citation: CitationOut) -> bool:
        """Whether the document version in the ledger holds the quote at its place."""
        document = self._collection.documents.get(citation.document_id, citation.version)
        return document.text[citation.start : citation.end] == citation.quote

    def describe(self) -> Mapping[str, object]:
        """The settings that shape answers, the collection and the encoder. Secrets are masked; places are left out."""
        settings = self._service.settings.model_dump(mode="json")
        left_out = {"home", "host", "port", "allowed_hosts", "log_level", "collection"}
        shown = {name: without_password(value) for name, value in settings.items() if name not in left_out}
        return {
            "endpoint": None,
            "generator": self._generator or settings["generator"],
            "settings": shown,
            **describe_collection(self._collection),
        }


def describe_collection(collection: DocumentCollection) -> Mapping[str, object]:
    """What the manifest records of a collection: its name, the hash of its documents, and its encoder."""
    documents = [(document.title, document.version) for document in collection.documents.list()]
    state = collection.state()
    return {
        "collection": collection_identity(collection.name, documents, state.pending_vectors),
        "encoder": state.encoder,
    }


_TRIES = 4
_FIRST_WAIT_S = 0.5
_TRANSIENT = {429, 502, 503, 504}


class RemoteTarget:
    """A running Quoth at `endpoint` (such as http://127.0.0.1:8000).

    A request that fails for a transient reason is sent again, up to three times.

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
        address = endpoint.rstrip("/")
        self._client = httpx.Client(base_url=address, headers=headers, timeout=timeout_s)
        self._endpoint = str(without_password(address))
        self._collection = collection
        self._generator = generator
        self._texts: dict[tuple[str, str], str] = {}
        self._explains = True

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def answer(self, case: Case) -> AnswerOut:
        """The answer to the case's question after its history. Raises EndpointUnavailable."""
        body = self._conversation(case) if case.history else self._post("/v1/chat", self._question(case))
        return self._parsed(AnswerOut, body)

    def answer_with_why(self, case: Case, matcher: DocumentMatcher) -> tuple[AnswerOut, Why]:
        """The answer, and its explanation if the key has the scope `admin`; that of a follow-up is not known."""
        if case.history or not self._explains:
            return self.answer(case), lambda: None
        expected = {"expected": [evidence.quote for evidence in case.evidence][:_MAX_EXPECTED]}
        why = {**expected, "answerable": case.answerable}
        body = self._post("/v1/chat", {**self._question(case), "why": why}, allowed={HTTPStatus.FORBIDDEN})
        if body is None:
            self._explains = False
            return self.answer(case), lambda: None
        explained = self._parsed(ExplainedAnswerOut, body)
        return explained, lambda: explained.explanation

    def _parsed(self, kind: type[AnswerT], body: Any) -> AnswerT:
        try:
            return kind.model_validate(body)
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
        """The endpoint, its collection with the documents in it, and how it makes answers.

        Raises EndpointUnavailable and CollectionMissing.
        """
        listing = self._send("GET", "/v1/collections")
        name = self._collection or listing["default"]
        sizes = next((one for one in listing["collections"] if one["name"] == name), None)
        if sizes is None:
            known = ", ".join(one["name"] for one in listing["collections"]) or "none"
            raise CollectionMissing(
                f"{self._endpoint} has no collection {name!r}; it has: {known}. Name one with --collection"
            )
        documents = self._send("GET", "/v1/documents", params={"collection": name})["documents"]
        held = [(document["title"], document["version"]) for document in documents]
        return {
            "endpoint": self._endpoint,
            "generator": self._generator,
            "collection": collection_identity(name, held, sizes["pending_vectors"]),
            "encoder": sizes["encoder"],
            "answers_made_with": listing["answers_made_with"],
        }

    def _question(self, case: Case) -> dict[str, Any]:
        fields = {"question": case.question, "collection": self._collection, "generator": self._generator}
        return {name: value for name, value in fields.items() if value is not None}

    def _conversation(self, case: Case) -> Any:
        model = self._collection or "quoth"
        body = self._post("/v1/chat/completions", {"model": model, "messages": chat_messages(case)})
        if "quoth" not in body:
            raise EndpointUnavailable(
                f"{self._endpoint}/v1/chat/completions gives no `quoth` field. Run a Quoth there."
            )
        return body["quoth"]

    def _post(self, path: str, body: Mapping[str, object], allowed: Collection[int] = ()) -> Any:
        return self._send("POST", path, allowed, json=body)

    def _send(self, method: str, path: str, allowed: Collection[int] = (), **content: Any) -> Any:
        """The body of the response as JSON; None for an error whose status is `allowed`."""
        wait = _FIRST_WAIT_S
        for attempt in range(1, _TRIES + 1):
            try:
                response = self._client.request(method, path, **content)
            except httpx.TransportError as error:
                reason = f"{type(error).__name__}: {error}"
            else:
                if response.is_success:
                    return response.json()
                if response.status_code in allowed:
                    return None
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
