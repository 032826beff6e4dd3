"""The HTTP API, through a real server on loopback and the real service over seeds/."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from index.library import Library
from service.answering.service import Service
from service.composition.http import create_app
from service.settings import Settings
from service.storage.conversations import ConversationStore
from tests.event_stream import events

ATTACKS = "How many cyberattacks of note does Seoul hold the North responsible for since 2007?"
ATTACKS_QUOTE = "Seoul holds the North responsible for at least six cyberattacks of note since 2007."
MAX_BODY_BYTES = Settings.model_fields["max_body_bytes"].default
UNRELATED = "Which enzyme folds the outer membrane of a mitochondrion?"


@pytest.fixture
def client(served: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served, timeout=60) as client:
        yield client


def streamed(client: httpx.Client, **body: Any) -> list[tuple[str, Any]]:
    with client.stream("POST", "/v1/chat", json={**body, "stream": True}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        return list(events(response))


def without_times(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in ("id", "conversation_id", "timings_ms")}


def test_every_citation_is_literally_in_the_text_that_the_server_gives(client: httpx.Client) -> None:
    answer = client.post("/v1/chat", json={"question": ATTACKS}).raise_for_status().json()
    assert not answer["refused"]
    assert ATTACKS_QUOTE in [citation["quote"] for citation in answer["citations"]]
    for citation in answer["citations"]:
        address = f"/v1/documents/{citation['document_id']}/versions/{citation['version']}/text"
        text = client.get(address).raise_for_status().json()["text"]
        assert text[citation["start"] : citation["end"]] == citation["quote"]
        window = client.get(address, params={"start": citation["start"], "end": citation["end"]}).json()
        assert window["text"] == citation["quote"]
        begin, end = citation["highlight"]
        assert citation["start"] <= begin < end <= citation["end"]


def test_markers_in_the_text_are_the_numbers_of_the_citations(client: httpx.Client) -> None:
    answer = client.post("/v1/chat", json={"question": ATTACKS}).json()
    numbers = [number for sentence in answer["sentences"] for number in sentence["citations"]]
    assert set(numbers) == {citation["number"] for citation in answer["citations"]}
    assert all(f"[{number}]" in answer["text"] for number in numbers)


def test_a_stream_has_passages_then_sentences_then_the_same_answer_as_json(client: httpx.Client) -> None:
    whole = client.post("/v1/chat", json={"question": ATTACKS}).json()
    found = streamed(client, question=ATTACKS)
    names = [name for name, _ in found]
    assert names == ["passages", *["sentence"] * len(whole["sentences"]), "answer"]
    final = found[-1][1]
    assert without_times(final) == without_times(whole)
    assert [data["sentence"] for name, data in found if name == "sentence"] == final["sentences"]
    assert [c for name, data in found if name == "sentence" for c in data["citations"]] == final["citations"]
    assert found[0][1]["passages"] == final["passages"]


def test_a_question_without_an_answer_is_refused_with_the_nearest_passages(client: httpx.Client) -> None:
    answer = client.post("/v1/chat", json={"question": UNRELATED}).raise_for_status().json()
    assert answer["refused"]
    assert (answer["sentences"], answer["citations"]) == ([], [])
    assert answer["passages"]
    assert answer["text"] == "The documents do not say."


def test_answers_and_conversations_are_stored_and_returned_unchanged(client: httpx.Client) -> None:
    first = client.post("/v1/chat", json={"question": ATTACKS}).json()
    second = streamed(client, question="And since when?", conversation_id=first["conversation_id"])[-1][1]
    assert second["conversation_id"] == first["conversation_id"]
    kept = client.get(f"/v1/conversations/{first['conversation_id']}").json()
    assert [stored["answer"] for stored in kept["answers"]] == [first, second]
    assert client.get(f"/v1/answers/{second['id']}").json()["answer"] == second
    assert kept["answers"][0]["collection"] == "default"


@pytest.mark.parametrize(
    ("body", "status", "code", "said"),
    [
        ({"question": ""}, 422, "question-invalid", "empty"),
        ({"question": " \n "}, 422, "question-invalid", "empty"),
        ({"question": "?!… 🦜"}, 422, "question-invalid", "letter"),
        ({"question": "why " * 25_000}, 422, "question-invalid", "100,000"),
        ({"question": "🦜" * 100_000}, 422, "question-invalid", "100,000"),
        ({}, 422, "request-invalid", "question"),
        ({"question": "Why?", "colection": "x"}, 422, "request-invalid", "colection"),
        ({"question": "Why?", "top_k": 0}, 422, "request-invalid", "top_k"),
        ({"question": 7}, 422, "request-invalid", "question"),
        ({"question": "half \ud83d"}, 422, "request-invalid", "surrogate"),
        ({"question": "Why?", "\ud83d": 1}, 422, "request-invalid", "unicode"),
        ({"question": "Why?", "collection": "papers"}, 404, "collection-missing", "default"),
        ({"question": "Why?", "collection": "../../etc"}, 422, "collection-name-invalid", "../../etc"),
        ({"question": "Why?", "conversation_id": "nowhere"}, 404, "record-missing", "nowhere"),
        ({"question": "Why?", "generator": "oracle"}, 422, "generator-unknown", "extractive"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_bad_question_is_refused_by_name_before_any_stream_begins(
    client: httpx.Client, body: dict[str, Any], status: int, code: str, said: str, stream: bool
) -> None:
    content = json.dumps({**body, "stream": stream})
    response = client.post("/v1/chat", content=content, headers={"Content-Type": "application/json"})
    problem = response.json()
    assert (response.status_code, problem["code"], problem["status"]) == (status, code, status)
    assert response.headers["content-type"] == "application/problem+json"
    assert said in problem["detail"]
    assert problem["request_id"] == response.headers["x-request-id"]


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b'{"question": ', "application/json", 422),
        (b"[]", "application/json", 422),
        (b"\xff\xfe", "application/json", 422),
        (b'{"question": "Why?"}', "text/plain", 422),
        (b" " * (MAX_BODY_BYTES + 1), "application/json", 413),
        (b'{"question": ' + b"[" * 100_000, "application/json", 400),
    ],
)
def test_a_malformed_body_is_a_problem_and_never_a_crash(
    client: httpx.Client, content: bytes, kind: str, status: int
) -> None:
    response = client.post("/v1/chat", content=content, headers={"Content-Type": kind})
    assert response.status_code == status
    assert response.json()["status"] == status


def test_a_body_without_an_announced_length_is_cut_off_too(client: httpx.Client) -> None:
    parts = (b" " * 65536 for _ in range(MAX_BODY_BYTES // 65536 + 1))
    response = client.post("/v1/chat", content=parts, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (413, "body-too-long")


def test_search_finds_passages_with_their_location(client: httpx.Client) -> None:
    hits = client.post("/v1/search", json={"query": ATTACKS, "k": 3}).raise_for_status().json()["hits"]
    assert len(hits) == 3
    assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)
    assert any(ATTACKS_QUOTE in hit["text"] for hit in hits)


def test_search_respects_its_filter(client: httpx.Client) -> None:
    document = client.get("/v1/documents").json()["documents"][0]
    inside = {"query": ATTACKS, "filter": {"document_ids": [document["id"]]}}
    outside = {"query": ATTACKS, "filter": {"uri_prefix": "file:///elsewhere/"}}
    later = {"query": ATTACKS, "filter": {"modified_after": "2200-01-01T00:00:00Z"}}
    earlier = {"query": ATTACKS, "filter": {"modified_before": "2200-01-01T00:00:00Z"}}
    zoneless = {"query": ATTACKS, "filter": {"modified_after": "2200-01-01T00:00:00"}}
    assert {hit["document_id"] for hit in client.post("/v1/search", json=inside).json()["hits"]} == {document["id"]}
    assert client.post("/v1/search", json=outside).json()["hits"] == []
    assert client.post("/v1/search", json=later).json()["hits"] == []
    assert client.post("/v1/search", json=earlier).json()["hits"] != []
    assert client.post("/v1/search", json=zoneless).status_code == 422


def test_a_question_with_a_filter_is_answered_from_those_documents_only(client: httpx.Client) -> None:
    answer = client.post("/v1/chat", json={"question": ATTACKS}).json()
    (cited, *_) = [citation["document_id"] for citation in answer["citations"]]
    inside = client.post("/v1/chat", json={"question": ATTACKS, "filter": {"document_ids": [cited]}}).json()
    outside = client.post("/v1/chat", json={"question": ATTACKS, "filter": {"uri_prefix": "file:///elsewhere/"}}).json()
    assert {passage["document_id"] for passage in inside["passages"]} == {cited}
    assert not inside["refused"]
    assert (outside["refused"], outside["passages"]) == (True, [])
    assert client.post("/v1/chat", json={"question": ATTACKS, "filter": {"author": "Ann"}}).status_code == 422


def test_documents_and_collections_are_listed(client: httpx.Client) -> None:
    collections = client.get("/v1/collections").json()
    documents = client.get("/v1/documents", params={"collection": "default"}).json()["documents"]
    assert collections["default"] == "default"
    assert [found["name"] for found in collections["collections"]] == ["default"]
    assert collections["collections"][0]["documents"] == len(documents) > 0


def test_text_beyond_the_end_is_empty_and_a_range_lists_the_sections_it_touches(client: httpx.Client) -> None:
    document = client.get("/v1/documents").json()["documents"][0]
    address = f"/v1/documents/{document['id']}/versions/{document['version']}/text"
    whole = client.get(address).json()
    beyond = client.get(address, params={"start": 10**9}).json()
    assert (beyond["text"], beyond["start"], beyond["length"]) == ("", whole["length"], document["characters"])
    middle = whole["sections"][1]["start"] + 1
    touched = client.get(address, params={"start": middle, "end": middle + 1}).json()["sections"]
    assert touched == [whole["sections"][1]]


@pytest.mark.parametrize(
    "address", ["/v1/documents/x/versions/y/text", "/v1/answers/x", "/v1/conversations/x", "/nowhere"]
)
def test_a_missing_thing_is_a_404_that_names_it(client: httpx.Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["instance"] == address


def test_an_unknown_host_name_is_refused_with_the_fix(client: httpx.Client) -> None:
    response = client.get("/v1/collections", headers={"Host": "attacker.example"})
    assert response.status_code == 421
    assert "QUOTH_ALLOWED_HOSTS" in response.json()["detail"]
    assert client.get("/healthz", headers={"Host": "localhost:1234"}).status_code == 200


def test_other_origins_get_no_permission(client: httpx.Client) -> None:
    response = client.options(
        "/v1/chat", headers={"Origin": "https://attacker.example", "Access-Control-Request-Method": "POST"}
    )
    assert not [name for name in response.headers if name.startswith("access-control-")]


def test_a_harmless_request_id_is_kept_and_any_other_is_replaced(client: httpx.Client) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": "build-7.2"}).headers["x-request-id"] == "build-7.2"
    assert client.get("/healthz", headers={"X-Request-ID": "a b<c>"}).headers["x-request-id"] != "a b<c>"


def test_health_and_readiness(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json()["collection"]["name"] == "default"


def test_a_server_without_a_collection_is_ready_for_the_first_upload(
    service: Service, store: ConversationStore, tmp_path: Path, loopback: Any
) -> None:
    settings = Settings(home=tmp_path)
    empty = replace(service, settings=settings, library=Library(tmp_path, service.library.encoder))
    with loopback(create_app(empty, store)) as address:
        response = httpx.get(f"{address}/readyz")
        assert (response.status_code, response.json()) == (200, {"status": "ready", "collection": None, "search": []})
        assert httpx.get(f"{address}/v1/collections").json()["collections"] == []
        assert httpx.get(f"{address}/v1/models").json()["data"] == []
        upload = httpx.post(f"{address}/v1/collections/any/documents", files={"file": ("a.txt", b"The bridge opened.")})
        assert upload.status_code == 202


def test_logs_record_events_but_no_text(client: httpx.Client) -> None:
    with capture_logs() as lines:
        answer = client.post("/v1/chat", json={"question": ATTACKS}).json()
        client.get("/v1/documents", params={"collection": "private-name"})
        deadline = time.monotonic() + 30
        while [line["event"] for line in lines].count("request") < 2:  # a request is logged once its answer is sent
            assert time.monotonic() < deadline
            time.sleep(0.01)
    answered = next(line for line in lines if line["event"] == "answered")
    assert answered["answer_id"] == answer["id"]
    request = next(line for line in lines if line["event"] == "request")
    assert (request["path"], request["status"]) == ("/v1/chat", 200)
    written = json.dumps(lines, default=str)
    assert ATTACKS not in written
    assert answer["citations"][0]["quote"] not in written


def test_the_openapi_document_resolves_and_lists_only_our_errors(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    references = {value.rsplit("/", 1)[1] for value in _values(document, "$ref")}
    assert references <= set(schemas)
    assert {"Problem", "AnswerOut", "ChatRequest"} <= set(schemas)
    assert "HTTPValidationError" not in schemas
    answers = document["paths"]["/v1/chat"]["post"]["responses"]
    assert {"application/json", "text/event-stream"} <= set(answers["200"]["content"])
    assert set(answers["404"]["content"]) == {"application/problem+json"}


def _values(tree: Any, key: str) -> Iterator[str]:
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == key:
                yield value
            else:
                yield from _values(value, key)
    elif isinstance(tree, list):
        for value in tree:
            yield from _values(value, key)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/collections/{}"), ("DELETE", "/v1/collections/{}"), ("GET", "/v1/answers/{}"), ("GET", "/nowhere/{}"),
     ("POST", "/v1/chat"), ("POST", "/v1/search"), ("PUT", "/v1/collections/{}/documents/a.txt")],
)  # fmt: skip
def test_a_long_name_does_not_come_back_whole(client: httpx.Client, method: str, path: str) -> None:
    name = "a" * 60_000
    body = {"question": "Why?", "query": "why", "collection": name} if path in ("/v1/chat", "/v1/search") else None
    if body:
        body.pop("query" if path == "/v1/chat" else "question")
    response = client.request(method, path.format(name), json=body)
    assert response.status_code in (404, 405, 422)
    assert len(response.content) < 5_000


@pytest.mark.parametrize("content_type", [None, "application/x-www-form-urlencoded", "text/plain"])
@pytest.mark.parametrize("path", ["/v1/chat", "/v1/search", "/v1/chat/completions"])
def test_a_body_without_the_content_type_of_json_is_told_which_header_to_send(
    client: httpx.Client, path: str, content_type: str | None
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    response = client.post(path, content=b'{"question": "Why?"}', headers=headers)
    assert response.status_code in (400, 422)
    assert "Send the header Content-Type: application/json" in response.text
    assert (content_type or "without a content type") in response.text
