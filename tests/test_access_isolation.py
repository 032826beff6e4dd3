"""Keys over HTTP: each key and each person sees only their own data, and nothing reveals that of others."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from index.embedding.encoder import HashedEncoder
from index.formats.limits import Limits
from index.library import Library
from index.records import Document
from service.access.caller import Scope
from service.jobs.database import open_jobs
from service.jobs.files import Originals
from service.jobs.indexing import Indexer
from service.jobs.leases import Leases
from tests.served_app import TEXTS, ServedApp, ask


@pytest.fixture
def served(tmp_path: Path, loopback: Any) -> Iterator[ServedApp]:
    with ServedApp(tmp_path, loopback) as served:
        yield served


def test_a_collection_outside_the_key_looks_like_a_missing_one(served: ServedApp) -> None:
    narrow = served.key("narrow", collections=["open"])
    answers: list[Callable[[str], httpx.Response]] = [
        lambda name: ask(narrow, collection=name),
        lambda name: ask(narrow, collection=name, stream=True),
        lambda name: narrow.post("/v1/search", json={"query": "vault", "collection": name}),
        lambda name: narrow.get("/v1/documents", params={"collection": name}),
        lambda name: narrow.get("/v1/documents/d/versions/v/text", params={"collection": name}),
        lambda name: narrow.get("/v1/documents/d/versions/v/pages", params={"collection": name}),
        lambda name: narrow.get("/v1/documents/d/versions/v/pages/1", params={"collection": name}),
        lambda name: narrow.get("/v1/documents/d/versions/v/pages/1.png", params={"collection": name}),
        lambda name: narrow.get(f"/v1/collections/{name}"),
        lambda name: narrow.get(f"/v1/collections/{name}/questions"),
        lambda name: narrow.get(f"/v1/collections/{name}/documents/d"),
        lambda name: narrow.get(f"/v1/collections/{name}/documents/d/file"),
        lambda name: narrow.get(f"/v1/models/{name}"),
        lambda name: narrow.post(
            "/v1/chat/completions", json={"model": name, "messages": [{"role": "user", "content": "Why?"}]}
        ),
    ]
    for answer in answers:
        hidden, missing = answer("closed"), answer("absent")
        assert (hidden.status_code, missing.status_code) == (404, 404)
        assert hidden.json()["detail"] == missing.json()["detail"].replace("absent", "closed")
    assert ask(narrow).status_code == 200
    assert [one["name"] for one in narrow.get("/v1/collections").json()["collections"]] == ["open"]
    assert [one["id"] for one in narrow.get("/v1/models").json()["data"]] == ["quoth", "open"]
    assert {question.collection for question in served.answerer.questions} == {"open"}


def test_a_key_without_the_default_collection_has_a_default_of_its_own(served: ServedApp) -> None:
    narrow = served.key("narrow", collections=["closed"])
    assert ask(narrow).status_code == 200
    assert served.answerer.questions[-1].collection == "closed"
    assert narrow.get("/v1/collections").json()["default"] == "closed"
    assert narrow.get("/v1/documents/d/versions/v/text").json()["text"] == TEXTS["closed"]


def test_data_of_one_key_does_not_exist_for_another(served: ServedApp) -> None:
    one, other, admin = served.key("one"), served.key("other"), served.key("admin", Scope.ADMIN)
    made = ask(one).json()
    one.post("/v1/feedback", json={"answer_id": made["id"], "rating": "up"}).raise_for_status()
    for stranger in (other, admin):
        assert stranger.get(f"/v1/conversations/{made['conversation_id']}").status_code == 404
        assert stranger.get(f"/v1/answers/{made['id']}").status_code == 404
        assert ask(stranger, conversation_id=made["conversation_id"]).status_code == 404
        rated = stranger.post("/v1/feedback", json={"answer_id": made["id"], "rating": "down"})
        assert rated.status_code == 404
        assert stranger.get("/v1/feedback", params={"answer_id": made["id"]}).json()["feedback"] == []
        assert stranger.get("/v1/feedback", params={"format": "jsonl"}).text == ""
    assert one.get(f"/v1/conversations/{made['conversation_id']}").json()["answers"][0]["answer"] == made
    assert len(one.get("/v1/feedback").json()["feedback"]) == 1


def test_an_upload_of_one_key_is_no_job_of_another(served: ServedApp) -> None:
    one, other = (served.key(name, Scope.INGEST) for name in ("one", "other"))
    address = "/v1/collections/open/documents/notes.txt"
    job = one.put(address, content=b"The bridge is 503 metres long.").raise_for_status().json()
    place = f"/v1/jobs/{job['id']}"
    for stranger in (other, served.key("admin", Scope.ADMIN)):
        assert stranger.get(place).status_code == stranger.delete(place).status_code == 404
        assert stranger.get("/v1/jobs").json()["jobs"] == []
        assert stranger.delete(address).status_code == 404
        assert stranger.patch(address, json={"title": "Mine"}).status_code == 404
    assert one.get(place).json()["state"] == "queued"
    assert [found["id"] for found in one.get("/v1/jobs").json()["jobs"]] == [job["id"]]


def run_jobs(folder: Path) -> None:
    """Index the uploads, as a worker would."""
    database, originals = open_jobs(folder / "jobs.sqlite"), Originals(folder / "uploads")
    library = Library(folder, HashedEncoder())
    leases = Leases(database, originals, lambda _: False)
    indexer = Indexer(library, originals, leases, Limits())
    while (claim := leases.claim("worker")) is not None:
        indexer.work(claim, lambda: None)
        leases.succeed(claim)
    indexer.interrupt()
    library.close()
    database.close()


def test_an_upload_does_not_reveal_the_ids_of_other_owners_documents(served: ServedApp, tmp_path: Path) -> None:
    hidden = {"salaries.txt": "upload:///salaries.txt/salaries.txt", "payroll.txt": "file:///payroll.txt"}
    for name, uri in hidden.items():
        collection = served.library.open("open")
        collection.add(
            Document(name, "v", uri, name, "text/plain", f"The secret of {name}.", principals=frozenset({"hr"}))
        )
    one = served.key("one", Scope.INGEST, Scope.ASK)
    human = served.key("human", principals=["hr"])
    told = []
    for name in (*hidden, "free.txt"):
        address = f"/v1/collections/open/documents/{name}"
        before, deleted = one.get(address), one.delete(address)
        withdrawn = [one.put(address, content=b"Not yet.").status_code, one.delete(address).status_code]
        put = one.put(address, content=b"The bridge is mine.")
        job = put.json()
        assert deleted.status_code == 404
        unlike = (name, job["id"], job["document_id"], job["created_at"])
        said = [(before.status_code, before.text), (deleted.status_code, deleted.text), (put.status_code, put.text)]
        for mark in (*unlike, *(response.headers.get("x-request-id", "-") for response in (before, deleted, put))):
            said = [(status, text.replace(mark, "*")) for status, text in said]
        told.append((withdrawn, said, sorted(put.headers), len(job["document_id"])))
    assert told[0] == told[1] == told[2]
    assert told[0][0] == [202, 204]
    run_jobs(tmp_path)
    for name, uri in hidden.items():
        shown = [client.get(f"/v1/collections/open/documents/{name}").json()["uri"] for client in (one, human)]
        assert shown[0] != shown[1] == uri
    again = one.put("/v1/collections/open/documents/salaries.txt", content=b"The bridge is ours.").json()
    run_jobs(tmp_path)
    shown = one.get(f"/v1/collections/open/documents/{again['document_id']}/file")
    assert shown.content == b"The bridge is ours."
    mine = one.get("/v1/documents", params={"collection": "open"}).json()["documents"]
    assert sorted(found["title"] for found in mine) == ["D", "free", "payroll", "salaries"]
    for name, uri in hidden.items():
        address = f"/v1/collections/open/documents/{name}"
        assert [one.delete(address).status_code for _ in range(2)] == [204, 404]
        assert human.get(address).json()["uri"] == uri


def test_a_key_can_replace_and_delete_an_upload_that_it_may_not_read(served: ServedApp, tmp_path: Path) -> None:
    crawler, other = served.key("crawler", Scope.INGEST), served.key("other", Scope.INGEST)
    human = served.key("human", principals=["hr"])
    address = "/v1/collections/open/documents/salaries.txt"
    for text in (b"Salaries are secret.", b"Salaries rose."):
        job = crawler.put(address, content=text, params={"principal": "hr"}).raise_for_status().json()
        run_jobs(tmp_path)
    [found] = human.get("/v1/documents", params={"collection": "open"}).json()["documents"][1:]
    assert (found["id"], found["title"]) == (job["document_id"], "salaries")
    place = f"/v1/collections/open/documents/{job['document_id']}"
    assert human.get(f"{place}/file").content == b"Salaries rose."
    assert other.delete(place).status_code == other.delete(address).status_code == 404
    assert crawler.delete(address).status_code == 204
    assert human.get(place).status_code == 404


def test_each_person_that_a_program_acts_for_has_their_own_conversations(served: ServedApp) -> None:
    portal = served.key("portal", principals=None, acts_for_others=True)
    ada, bob = ({"X-Quoth-Principals": name} for name in ("ada, group:eng", "bob, group:eng"))
    made = portal.post("/v1/chat", json={"question": "Why?"}, headers=ada).json()
    assert served.answerer.questions[-1].principals == {"ada", "group:eng"}
    address = f"/v1/conversations/{made['conversation_id']}"
    assert portal.get(address, headers=ada).status_code == 200
    assert portal.get(address, headers={"X-Quoth-Principals": "ada"}).status_code == 200
    assert [portal.get(address, headers=headers).status_code for headers in (bob, {})] == [404, 404]


def test_only_the_scope_admin_sees_the_feedback_of_every_key(served: ServedApp) -> None:
    ada, admin = served.key("ada"), served.key("root", Scope.ADMIN)
    answer = ask(ada).json()["id"]
    assert ada.post("/v1/feedback", json={"answer_id": answer, "rating": "up"}).status_code == 201
    refused = ada.get("/v1/feedback", params={"everyone": True})
    assert (refused.status_code, refused.json()["code"]) == (403, "scope-missing")
    assert admin.get("/v1/feedback").json()["feedback"] == []
    found = admin.get("/v1/feedback", params={"everyone": True}).json()["feedback"]
    assert [one["answer_id"] for one in found] == [answer]
