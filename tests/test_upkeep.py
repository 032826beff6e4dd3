"""What owners of documents look after: answers whose sources changed, and what the documents do not say."""

import csv
import io
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from index.library import Library
from index.records import Document
from index.uris import document_id
from service.access.caller import Scope
from service.access.keyring import Keyring
from service.answering.service import Service
from service.audit.gaps import csv_lines, find_gaps, group_by_topic
from service.audit.staleness import stale_answers, stale_citations
from service.composition.http import create_app
from service.composition.service import assemble
from service.records import Answer, Question
from service.settings import Settings
from service.storage.citations import CitedVersions
from service.storage.conversations import ConversationStore
from service.storage.database import Database
from service.storage.unanswered import Unanswered
from tests.test_migrations import make_old_database

URI = "file:///kiln/firing.md"
ID = document_id(URI)
FIRST = (
    "# Firing\n\nThe stoneware kiln is fired at 1240 degrees for nine hours.\n\n"
    "Shelves are washed with alumina every month.\n"
)
SECOND = FIRST.replace("1240 degrees for nine", "1220 degrees for ten").replace("# Firing\n", "# Firing\n\nRevised.\n")
HOT = "How hot is the stoneware kiln fired?"
SHELVES = "What are the shelves washed with?"


def firing(text: str, version: str) -> Document:
    return Document(ID, version, URI, "Firing", "text/markdown", text)


@pytest.fixture(scope="module")
def kiln(tmp_path_factory: pytest.TempPathFactory, own_environment: None) -> Service:
    """The real service over a collection of its own, which the tests change."""
    return assemble(Settings(home=tmp_path_factory.mktemp("kiln")))


@pytest.fixture
def library(kiln: Service) -> Iterator[Library]:
    """The collection holds the first version at the beginning of each test."""
    collection = kiln.library.open_or_create("default")
    collection.add(firing(FIRST, "v1"))
    collection.embed_pending()
    yield kiln.library
    if "default" in kiln.library.names():
        kiln.library.drop("default")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ConversationStore]:
    store = ConversationStore(Database(f"sqlite:///{tmp_path / 'conversations.sqlite'}"))
    yield store
    store.close()


@pytest.fixture
def server(
    kiln: Service, library: Library, store: ConversationStore, tmp_path: Path, loopback: type
) -> Iterator[httpx.Client]:
    served = replace(kiln, settings=kiln.settings.model_copy(update={"home": tmp_path}))
    with loopback(create_app(served, store)) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def asked(client: httpx.Client, question: str, **more: Any) -> dict[str, Any]:
    response = client.post("/v1/chat", json={"question": question, **more})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_an_answer_is_stale_once_its_document_changed_and_shows_what_stands_there_now(
    server: httpx.Client, library: Library
) -> None:
    answer = asked(server, HOT)
    assert "1240" in answer["text"]
    assert server.get("/v1/answers/stale").json() == {"answers": [], "total": 0}
    library.open("default").add(firing(SECOND, "v2"))

    (stale,) = server.get("/v1/answers/stale").json()["answers"]
    assert (stale["id"], stale["question"]) == (answer["id"], HOT)
    (citation,) = stale["citations"]
    assert (citation["version"], citation["current_version"], citation["change"]) == ("v1", "v2", "changed")
    assert SECOND[citation["start"] : citation["end"]] == citation["text"]
    assert citation["text"] == "The stoneware kiln is fired at 1220 degrees for ten hours."
    assert server.get(f"/v1/answers/{answer['id']}").json()["stale"] == [citation]
    (conversation,) = server.get("/v1/conversations").json()["conversations"]
    assert conversation["stale_answers"] == 1
    whole = server.get(f"/v1/conversations/{conversation['id']}").json()
    assert whole["answers"][0]["stale"] == [citation]
    exported = server.get(f"/v1/conversations/{conversation['id']}/export").json()
    assert exported["stale"] == [citation]
    printed = server.get(f"/v1/conversations/{conversation['id']}/export?format=markdown").text
    assert "In place of the quote it says:" in printed
    assert "1220 degrees" in printed


def test_a_quote_that_still_stands_is_found_at_its_new_place(server: httpx.Client, library: Library) -> None:
    asked(server, SHELVES)
    library.open("default").add(firing(SECOND, "v2"))
    (stale,) = server.get("/v1/answers/stale").json()["answers"]
    (citation,) = stale["citations"]
    assert citation["change"] == "unchanged"
    assert SECOND[citation["start"] : citation["end"]] == "Shelves are washed with alumina every month."


@pytest.mark.parametrize("away", ["document", "collection"])
def test_an_answer_is_stale_when_its_document_or_collection_is_gone(
    server: httpx.Client, library: Library, away: str
) -> None:
    asked(server, HOT)
    if away == "document":
        library.open("default").remove(ID)
    else:
        library.drop("default")
    (stale,) = server.get("/v1/answers/stale").json()["answers"]
    assert [(one["current_version"], one["change"], one["text"]) for one in stale["citations"]] == [
        (None, "gone", None)
    ]


def test_a_caller_sees_no_stale_answer_of_another(
    server: httpx.Client, library: Library, store: ConversationStore
) -> None:
    keys = Keyring(store.database)
    _, ada = keys.create("ada", [Scope.ASK])
    _, ben = keys.create("ben", [Scope.ASK])
    _, boss = keys.create("boss", [Scope.ASK, Scope.ADMIN])
    bearer = {name: {"Authorization": f"Bearer {key}"} for name, key in (("ada", ada), ("ben", ben), ("boss", boss))}
    assert server.post("/v1/chat", json={"question": HOT}, headers=bearer["ada"]).status_code == 200
    library.open("default").add(firing(SECOND, "v2"))
    totals = {
        name: server.get("/v1/answers/stale", headers=headers).json()["total"] for name, headers in bearer.items()
    }
    assert totals == {"ada": 1, "ben": 0, "boss": 0}
    assert server.get("/v1/answers/stale?everyone=true", headers=bearer["boss"]).json()["total"] == 1
    assert server.get("/v1/answers/stale?everyone=true", headers=bearer["ada"]).status_code == 403
    assert server.get("/v1/gaps", headers=bearer["ada"]).status_code == 403


def test_gaps_show_no_document_that_the_key_may_not_read(
    server: httpx.Client, library: Library, store: ConversationStore
) -> None:
    assert asked(server, "Who sweeps the yard?")["refused"]
    keys = Keyring(store.database)
    headers = {}
    for name, principals in (("ada", ["ada"]), ("board", ["board"]), ("boss", None)):
        _, key = keys.create(name, [Scope.ADMIN], principals=principals)
        headers[name] = {"Authorization": f"Bearer {key}"}
    seen = {name: len(server.get("/v1/gaps", headers=headers[name]).json()["topics"]) for name in headers}
    assert seen == {"ada": 1, "board": 1, "boss": 1}
    library.open("default").permit(ID, frozenset({"board"}))
    seen = {name: len(server.get("/v1/gaps", headers=headers[name]).json()["topics"]) for name in headers}
    assert seen == {"ada": 0, "board": 1, "boss": 1}


def test_refused_and_badly_rated_questions_are_counted_and_grouped(server: httpx.Client) -> None:
    for question in (
        "How many glazes are there?",
        "how many glazes are there",
        "Which glazes are there?",
        "Who sweeps the yard?",
    ):
        assert asked(server, question)["refused"], question
    bad, good = asked(server, HOT), asked(server, SHELVES)
    for answer, ratings in ((bad, ("up", "down")), (good, ("down", "up"))):
        for rating in ratings:
            assert server.post("/v1/feedback", json={"answer_id": answer["id"], "rating": rating}).status_code == 201
    topics = server.get("/v1/gaps").json()["topics"]
    counts = {gap["question"]: (gap["count"], gap["refused"]) for topic in topics for gap in topic["gaps"]}
    assert counts == {
        "how many glazes are there": (2, 2),
        "Which glazes are there?": (1, 1),
        "Who sweeps the yard?": (1, 1),
        HOT: (1, 0),
    }
    assert [topic["count"] for topic in topics] == [3, 1, 1]
    assert {gap["question"] for gap in topics[0]["gaps"]} == {"how many glazes are there", "Which glazes are there?"}
    nearest = topics[0]["gaps"][0]["nearest"][0]
    assert FIRST[nearest["start"] : nearest["end"]] == nearest["text"]
    table = list(csv.DictReader(io.StringIO(server.get("/v1/gaps?format=csv").text)))
    assert {(row["question"], row["count"]) for row in table} == {
        (name, str(count)) for name, (count, _) in counts.items()
    }
    assert server.get("/v1/gaps?days=1").json()["topics"] == topics
    assert server.get("/v1/gaps?collection=papers").json()["topics"] == []


def test_the_newest_answer_stands_for_a_gap_and_a_formula_stays_text() -> None:
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    records = [
        Unanswered("a1", "=SUM(A1)?", "default", moment, True, ()),
        Unanswered("a2", "=sum(a1) ", "default", moment + timedelta(days=1), False, ()),
        Unanswered("a3", "=SUM(A1)?", "papers", moment, True, ()),
    ]
    first, second = find_gaps(records)
    assert (first.answer_id, first.count, first.refused, first.collection) == ("a2", 2, 1, "default")
    assert (second.count, second.collection) == (1, "papers")

    def same(texts: Sequence[str]) -> NDArray[np.float32]:
        return np.tile(np.array([1.0, 0.0], dtype=np.float32), (len(texts), 1))

    topics = group_by_topic((first, second), same)
    assert [topic.count for topic in topics] == [2, 1]  # alike, but of two collections
    assert csv_lines(topics).splitlines()[1].startswith("'")


def test_answers_from_before_are_found_by_what_they_cite_and_by_their_refusal(
    tmp_path: Path, kiln: Service, library: Library
) -> None:
    path = tmp_path / "old.sqlite"
    make_old_database(path)
    citation = {
        "number": 1,
        "document_id": ID,
        "version": "v0",
        "title": "Firing",
        "uri": URI,
        "page": None,
        "start": 0,
    }
    citation |= {"end": 3, "quote": "It ", "chunk_id": "c", "score": 1.0, "trail": [], "highlight": None}
    with closing(sqlite3.connect(path)) as old, old:
        body = json.loads(old.execute("SELECT body FROM answer").fetchone()[0])
        old.execute("UPDATE answer SET body = ?", (json.dumps({**body, "citations": [citation]}),))
        copied = "conversation_id, 'default', created_at, question, text"
        for number, text in ((2, json.dumps({**body, "id": "a2", "refused": True})), (3, "{broken")):
            old.execute(
                f"INSERT INTO answer SELECT {number}, 'a{number}', {copied}, ? FROM answer WHERE id = 'a1'", (text,)
            )
    with closing(Database(f"sqlite:///{path}")) as database:
        cited = CitedVersions(database).list(owner=None)
        assert [(one.answer_id, one.document_id, one.version) for one in cited] == [("a1", ID, "v0")]
        assert stale_answers(cited, library) == ("a1",)
    with closing(sqlite3.connect(path)) as upgraded:
        assert upgraded.execute("SELECT id, refused FROM answer ORDER BY id").fetchall() == [
            ("a1", 0),
            ("a2", 1),
            ("a3", 0),
        ]


def test_a_sentence_that_shares_less_than_half_of_its_words_is_no_successor(kiln: Service, library: Library) -> None:
    answer: Answer = kiln.answerer.answer(Question(HOT, "default"))
    library.open("default").add(firing("# Firing\n\nThe stoneware kiln was sold in spring to a school.\n", "v2"))
    (stale,) = stale_citations(answer, "default", library)
    assert (stale.change, stale.current_version, stale.text) == ("gone", "v2", None)
