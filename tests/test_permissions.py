"""No text of a document reaches a caller who may not read it: each document has its own words, searched for in all output."""

import io
import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import anyio
import httpx
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from index.blocks.block import Block, Kind
from index.embedding.encoder import HashedEncoder
from index.library import Library
from index.records import Document
from service.access.caller import Scope
from service.access.keyring import Keyring
from service.answering.answerer import Answerer, Policy
from service.answering.checking import SupportPolicy
from service.answering.service import Service
from service.composition.http import create_app
from service.generators.extractive import ExtractiveGenerator
from service.settings import Settings
from service.storage.conversations import ConversationStore
from service.storage.database import Database

PEOPLE = ("ada", "bob", "eve")
CANARIES = tuple(f"zq{word}" for word in ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove"))
HEADER = "X-Quoth-Principals"
QUESTION = "What is the budget of the northern bridge project?"


def id_of(canary: str) -> str:
    return f"id{CANARIES.index(canary)}x"


def document(canary: str) -> Document:
    heading = f"Report {canary}"
    text = f"# {heading}\n\nThe budget of the northern bridge project is 40 million, said {canary}.\n"
    return Document(
        id_of(canary), f"version-{id_of(canary)}", f"file:///{canary}.md", heading, "text/markdown", text,
        blocks=(Block(Kind.HEADING, 0, len(heading) + 2, level=1),), metadata={"author": canary},
    )  # fmt: skip


def all_text(response: httpx.Response) -> str:
    """All text of a response."""
    return response.text + json.dumps(dict(response.headers))


def documents_by_words(text: str) -> set[str]:
    """The documents whose words are in the text."""
    return {canary for canary in CANARIES if canary in text}


def documents_by_ids(text: str) -> set[str]:
    """The documents whose ids are in the text."""
    return {canary for canary in CANARIES if id_of(canary) in text}


@dataclass
class ServedDocuments:
    """The served documents: the API at `url`, MCP at `mcp`, the key of a gateway that acts for others, and an admin's key."""

    url: str
    mcp: str
    gateway: str
    admin: str
    library: Library

    def client(self, people: frozenset[str]) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.gateway}", HEADER: ",".join(sorted(people))}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)

    def permit(self, readers: Mapping[str, frozenset[str]]) -> None:
        for canary, people in readers.items():
            self.library.open("default").permit(id_of(canary), people)


@pytest.fixture(scope="module")
def served(service: Service, tmp_path_factory: pytest.TempPathFactory, loopback: Any) -> Iterator[ServedDocuments]:
    from service.composition.mcp import create_mcp_app
    from service.session.session import make_session

    folder = tmp_path_factory.mktemp("permissions")
    library = Library(folder, HashedEncoder())
    collection = library.open_or_create("default")
    collection.change(add=[(document(canary), None) for canary in CANARIES])
    collection.embed_pending()
    policy = Policy(depth=12, top_k=8, threshold=0.0, max_question_chars=4000, support=SupportPolicy())
    numbers = itertools.count()
    answerer = Answerer(
        library, service.reader, service.calibration, service.checker, {"extractive": ExtractiveGenerator()}, "extractive",
        policy, new_id=lambda: f"n{next(numbers)}",
    )  # fmt: skip
    own = Service(Settings(home=folder), library, service.reader, service.checker, service.calibration, answerer)
    store = ConversationStore(Database(f"sqlite:///{folder / 'c.sqlite'}"))
    keys = Keyring(store.database)
    gateway = keys.create("gateway", [Scope.ASK], principals=None, acts_for_others=True)[1]
    admin = keys.create("admin", [Scope.ADMIN], principals=None)[1]
    mcp: Any = create_mcp_app(make_session(own, store), anonymous=False)
    with loopback(create_app(own, store)) as url, loopback(mcp) as second:
        yield ServedDocuments(url, f"{second}/mcp", gateway, admin, library)
    store.close()
    library.close()


@contextmanager
def log_lines() -> Iterator[io.StringIO]:
    """Everything that is logged, in its written form."""
    written = io.StringIO()
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.processors.JSONRenderer(default=str)],
        logger_factory=lambda *_: structlog.PrintLogger(written),  # type: ignore[arg-type]
    )
    try:
        yield written
    finally:
        structlog.reset_defaults()


def doors(client: httpx.Client) -> Iterator[tuple[str, str]]:
    """The documents revealed at every door that finds documents; no request contains an id."""
    messages = [{"role": "user", "content": QUESTION}]
    completion = {"model": "quoth", "messages": messages}
    chat = client.post("/v1/chat", json={"question": QUESTION})
    made = chat.json()
    again = {"question": "And who said that?", "conversation_id": made["conversation_id"]}
    client.post("/v1/feedback", json={"answer_id": made["id"], "rating": "down"}).raise_for_status()
    yield "chat", all_text(chat)
    yield "stream", all_text(client.post("/v1/chat", json={"question": QUESTION, "stream": True}))
    yield (
        "nearest to nothing",
        all_text(client.post("/v1/chat", json={"question": "Which enzyme folds a mitochondrion?"})),
    )
    yield "follow-up", all_text(client.post("/v1/chat", json=again))
    yield "openai", all_text(client.post("/v1/chat/completions", json=completion))
    yield "openai stream", all_text(client.post("/v1/chat/completions", json={**completion, "stream": True}))
    yield "search", all_text(client.post("/v1/search", json={"query": QUESTION, "k": 100}))
    yield "documents", all_text(client.get("/v1/documents"))
    yield "collections", all_text(client.get("/v1/collections"))
    yield "conversation", all_text(client.get(f"/v1/conversations/{made['conversation_id']}"))
    yield "answer", all_text(client.get(f"/v1/answers/{made['id']}"))
    yield "feedback", all_text(client.get("/v1/feedback", params={"format": "jsonl"}))


def named_doors(client: httpx.Client, canary: str) -> Iterator[tuple[str, httpx.Response]]:
    """The doors whose request contains the id of the document."""
    yield "text", client.get(f"/v1/documents/{id_of(canary)}/versions/version-{id_of(canary)}/text")
    yield "document", client.get(f"/v1/collections/default/documents/{id_of(canary)}")
    wanted = {"query": QUESTION, "filter": {"document_ids": [id_of(canary)]}}
    yield "search", client.post("/v1/search", json=wanted)
    yield (
        "search by metadata",
        client.post("/v1/search", json={"query": "budget", "filter": {"metadata": {"author": canary}}}),
    )


def ask_over_mcp(served: ServedDocuments, people: frozenset[str]) -> str:
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    headers = {"Authorization": f"Bearer {served.gateway}", HEADER: ",".join(sorted(people))}

    async def talk() -> str:
        async with (
            httpx.AsyncClient(headers=headers, timeout=60) as http,
            Client(streamable_http_client(served.mcp, http_client=http)) as client,
        ):
            calls = [
                await client.call_tool("ask", {"question": QUESTION}),
                await client.call_tool("search", {"query": QUESTION, "k": 100}),
            ]
            return "".join(call.model_dump_json() for call in calls)

    return anyio.run(talk)


def tampered_answer(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer with the right places and other text, so that verifying it would reveal the text there."""
    said = {"title": "", "uri": "", "trail": [], "page": 7}
    citations = [{**one, **said, "quote": "x"} for one in answer["citations"]]
    passages = [{**one, **said, "text": "x"} for one in answer["passages"]]
    sentences = [{**one, "text": "x"} for one in answer["sentences"]]
    return {**answer, "text": "x", "citations": citations, "passages": passages, "sentences": sentences}


readers = st.fixed_dictionaries({canary: st.frozensets(st.sampled_from(PEOPLE)) for canary in CANARIES})


@settings(max_examples=5, deadline=None, derandomize=True, database=None)
@given(readers=readers, people=st.frozensets(st.sampled_from(PEOPLE)))
def test_no_door_reveals_a_document_that_the_caller_may_not_read(
    served: ServedDocuments, readers: dict[str, frozenset[str]], people: frozenset[str]
) -> None:
    served.permit(readers)
    mine = {canary for canary, who in readers.items() if not who or who & people}
    with log_lines() as log, served.client(people) as client:
        for door, text in doors(client):
            assert documents_by_words(text) | documents_by_ids(text) <= mine, door
            if door in ("search", "documents"):
                assert documents_by_words(text) == documents_by_ids(text) == mine, door
        for canary in CANARIES:
            for door, response in named_doors(client, canary):
                assert documents_by_words(all_text(response)) <= {canary} & mine, door
                assert (canary in response.text) == (canary in mine), door
        over_mcp = ask_over_mcp(served, people)
        assert documents_by_words(over_mcp) | documents_by_ids(over_mcp) <= mine
    assert "answered" in log.getvalue()
    assert documents_by_words(log.getvalue()) == set()


@pytest.fixture(scope="module")
def answer_citing_all(served: ServedDocuments) -> dict[str, Any]:
    """An answer that cites every document."""
    served.permit(dict.fromkeys(CANARIES, frozenset()))
    headers = {"Authorization": f"Bearer {served.admin}"}
    answer = httpx.post(f"{served.url}/v1/chat", json={"question": QUESTION}, headers=headers, timeout=60).json()
    assert {one["document_id"] for one in answer["passages"]} == {id_of(canary) for canary in CANARIES}
    assert answer["citations"]
    return dict(answer)


def test_verifying_reveals_nothing_of_versions_that_the_caller_may_not_read(
    served: ServedDocuments, answer_citing_all: dict[str, Any]
) -> None:
    hidden = set(CANARIES[:4])
    served.permit({canary: frozenset(("ada",)) if canary in hidden else frozenset() for canary in CANARIES})
    body = {"answer": tampered_answer(answer_citing_all)}
    with served.client(frozenset(("ada",))) as ada, served.client(frozenset(("eve",))) as eve:
        to_ada, to_eve = ada.post("/v1/verify", json=body), eve.post("/v1/verify", json=body)
    assert documents_by_words(to_ada.text) == set(CANARIES)  # a caller who may read it sees the text there
    assert documents_by_words(to_eve.text) == set(CANARIES) - hidden
    assert "version-missing" in to_eve.text


def test_an_answer_is_hidden_from_a_caller_who_lost_access_to_a_document_of_it(served: ServedDocuments) -> None:
    served.permit(dict.fromkeys(CANARIES, frozenset()))
    with served.client(frozenset(("eve",))) as eve:
        first = eve.post("/v1/chat", json={"question": QUESTION}).json()
        conversation = {"conversation_id": first["conversation_id"]}
        served.permit(dict.fromkeys(CANARIES[:6], frozenset(("ada",))))
        second = eve.post("/v1/chat", json={"question": QUESTION, **conversation}).json()
        assert documents_by_words(json.dumps(second)) == {CANARIES[6]}
        gone = eve.get(f"/v1/answers/{first['id']}")
        never = eve.get("/v1/answers/nowhere")
        assert (gone.status_code, gone.json()["detail"]) == (
            404,
            never.json()["detail"].replace("nowhere", first["id"]),
        )
        assert eve.post("/v1/feedback", json={"answer_id": first["id"], "rating": "up"}).status_code == 404
        kept = eve.get(f"/v1/conversations/{first['conversation_id']}")
        assert [one["answer"]["id"] for one in kept.json()["answers"]] == [second["id"]]
        assert documents_by_words(kept.text) == {CANARIES[6]}
        served.permit(dict.fromkeys(CANARIES, frozenset()))
        assert eve.get(f"/v1/answers/{first['id']}").json()["answer"] == first


def test_a_removed_document_keeps_its_readers(served: ServedDocuments) -> None:
    collection = served.library.open("default")
    served.permit(dict.fromkeys(CANARIES, frozenset()))
    served.permit({CANARIES[0]: frozenset(("ada",))})
    with served.client(frozenset(("ada",))) as ada, served.client(frozenset(("eve",))) as eve:
        answer = ada.post("/v1/chat", json={"question": QUESTION}).json()
        collection.remove(id_of(CANARIES[0]))
        address = f"/v1/documents/{id_of(CANARIES[0])}/versions/version-{id_of(CANARIES[0])}/text"
        assert ada.get(f"/v1/answers/{answer['id']}").json()["answer"] == answer
        assert CANARIES[0] in ada.get(address).text
        assert eve.get(address).status_code == 404
        collection.add(replace(document(CANARIES[0]), principals=frozenset(("ada",))))


def test_metrics_and_readiness_reveal_no_document(served: ServedDocuments) -> None:
    admin = {"Authorization": f"Bearer {served.admin}"}
    for path in ("/metrics", "/readyz", "/openapi.json"):
        text = all_text(httpx.get(f"{served.url}{path}", headers=admin))
        assert documents_by_words(text) | documents_by_ids(text) == set(), path
