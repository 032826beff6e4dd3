"""The OpenAPI document is complete and the server follows it: schemathesis calls every operation, with a key and without."""

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable

from index.embedding.encoder import HashedEncoder
from index.library import Library
from index.records import Document
from service.access.caller import Scope
from service.access.keyring import Keyring
from service.answering.answerer import AnswerReady, Event, PassagesFound, SentenceReady
from service.answering.service import Service
from service.api.openapi import QuothApi
from service.composition.http import create_app
from service.records import Answer, Citation, Question, Sentence
from service.settings import Settings
from service.storage.conversations import ConversationStore
from service.storage.database import Database

TEXT = "The bridge opened in 1932. It is 503 metres long."
BOUNDED = settings(
    max_examples=4, deadline=None, derandomize=True, database=None, phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


class QuotingAnswerer:
    """An answerer that quotes the first document found, without a model, since the HTTP API is under test."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._ids = itertools.count()

    def stream(self, question: Question, stages: Any = None) -> Iterator[Event]:
        (hit, *_) = self._library.open(question.collection).search(question.text or "bridge", k=1)
        citation = Citation(
            1,
            hit.chunk.document_id,
            hit.chunk.version,
            hit.title,
            hit.uri,
            None,
            0,
            26,
            TEXT[:26],
            hit.chunk.id,
            hit.score,
        )
        sentence = Sentence(TEXT[:26], (1,), True, 1.0)
        number = next(self._ids)
        conversation = question.conversation_id or f"c{number}"
        yield PassagesFound((hit,))
        yield SentenceReady(sentence, (citation,))
        yield AnswerReady(
            Answer(
                f"a{number}", conversation, question.text, question.text, f"{TEXT[:26]} [1]", False, 0.9, (sentence,),
                (citation,), (hit,), "extractive", None, timings_ms={"total": 1.0},
            )
        )  # fmt: skip

    def answer(self, question: Question, stages: Any = None) -> Answer:
        return next(event.answer for event in self.stream(question) if isinstance(event, AnswerReady))


class NeverSupports:
    """A support checker that supports nothing."""

    def check(self, pairs: Any) -> list[float]:
        return [0.0 for _ in pairs]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, loopback: Any) -> Iterator[tuple[str, QuothApi, Keyring]]:
    folder = tmp_path_factory.mktemp("api")
    library = Library(folder, HashedEncoder())
    document = Document("d", "v", "file:///d.md", "Bridge", "text/markdown", TEXT)
    collection = library.open_or_create("default")
    collection.add(document)
    collection.embed_pending()
    store = ConversationStore(Database(f"sqlite:///{folder / 'c.sqlite'}"))
    parts: Any = (None, NeverSupports(), None, QuotingAnswerer(library))
    service = Service(Settings(home=folder, rerank=False), library, *parts)
    app: Any = create_app(service, store)
    with loopback(app) as url:
        yield url, app, Keyring(store.database)
    store.close()
    library.close()


def generated_cases(url: str, mode: str) -> list[Any]:
    """Generated requests to every operation, the same in every run. Making them takes longer than sending them."""
    import schemathesis
    from schemathesis import GenerationMode

    cases: list[Any] = []

    def keep(case: Any) -> None:
        cases.append(case)

    for found in schemathesis.openapi.from_url(f"{url}/openapi.json").get_all_operations():
        strategy = found.ok().as_strategy(generation_mode=GenerationMode(mode))
        with contextlib.suppress(Unsatisfiable):  # an operation without parameters cannot be called wrongly
            BOUNDED(given(case=strategy)(keep))()
    return cases


def statuses(cases: list[Any], key: str = "") -> set[int]:
    """The statuses of the answers to the requests, each of which must be as described."""
    from schemathesis import checks

    checked = [
        checks.not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_headers_conformance,
        checks.response_schema_conformance,
    ]
    found: set[int] = set()
    for case in cases:
        response = case.call(headers={"Authorization": f"Bearer {key}"} if key else {})
        found.add(response.status_code)
        case.validate_response(response, checks=checked)
    return found


def test_every_answer_is_as_described(served: tuple[str, QuothApi, Keyring]) -> None:
    url, _, keys = served
    cases = generated_cases(url, "positive")
    found = statuses([*cases, *generated_cases(url, "negative")])
    assert {200, 404, 422} <= found
    assert max(found) < 500
    _, admin = keys.create("admin", [Scope.ADMIN], principals=["ada"], acts_for_others=True)
    assert statuses(cases) - {200} == {401}  # 200: public operations
    assert {200, 404} <= statuses(cases, admin)
    assert statuses(cases, keys.create("loader", [Scope.INGEST])[1]) >= {200, 403}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_every_operation_documents_itself_and_its_errors(served: tuple[str, QuothApi, Keyring]) -> None:
    document = served[1].openapi()
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["description"], name
        responses = operation["responses"]
        assert {"421", "500"} <= set(responses), name
        if "security" in operation:
            assert {"400", "401", "403", "422", "429", "503"} <= set(responses), name
            assert "WWW-Authenticate" in responses["401"]["headers"]
            assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= set(responses["429"]["headers"])
        if "requestBody" in operation:
            assert {"408", "413"} <= set(responses), name
        for status, response in responses.items():
            if status >= "400":
                example = response["content"]["application/problem+json"]["example"]
                assert str(example["status"]) == status
                assert example["instance"] == name.partition(" ")[2]


def test_every_body_has_an_example_that_fits_its_schema(served: tuple[str, QuothApi, Keyring]) -> None:
    document = served[1].openapi()
    schemas = document["components"]["schemas"]
    bodies = 0
    for name, operation in operations(document):
        contents = [operation.get("requestBody", {}).get("content", {})]
        contents += [response.get("content", {}) for response in operation["responses"].values()]
        for media in itertools.chain.from_iterable(content.items() for content in contents):
            kind, described = media
            if kind not in ("application/json", "application/problem+json"):
                continue
            reference = described["schema"]["$ref"].rsplit("/", 1)[1]
            examples = [described["example"]] if "example" in described else schemas[reference].get("examples", [])
            assert examples, f"{name}: {reference}"
            for example in examples:
                jsonschema.validate(
                    example, {"$ref": f"#/components/schemas/{reference}", "components": {"schemas": schemas}}
                )
                bodies += 1
    assert bodies > 200


def test_quotes_in_examples_match_their_offsets(served: tuple[str, QuothApi, Keyring]) -> None:
    answer = served[1].openapi()["components"]["schemas"]["AnswerOut"]["examples"][0]
    (citation,), (passage,) = answer["citations"], answer["passages"]
    assert citation["end"] - citation["start"] == len(citation["quote"])
    at = citation["start"] - passage["start"]
    assert passage["text"][at : at + len(citation["quote"])] == citation["quote"]
    begin, end = (place - citation["start"] for place in citation["highlight"])
    assert citation["quote"][begin:end] == "six"
