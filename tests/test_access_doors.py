"""Keys over HTTP: every route requires one, each key sees only its own data, and nothing reveals the rest."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import structlog
from fastapi import FastAPI
from mcp import Client
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from index.embedding.encoder import HashedEncoder
from index.formats.limits import Limits
from index.library import Library
from index.records import Chunk, Document, Hit
from service.access.caller import Scope
from service.access.keyring import Keyring
from service.access.rate import Rate
from service.answering.answerer import AnswerReady, Event, PassagesFound
from service.answering.service import Service
from service.api.middleware.authentication import PUBLIC, READY
from service.composition.http import create_app
from service.composition.mcp import create_mcp_app
from service.errors import StoreUnavailable
from service.jobs.database import open_jobs
from service.jobs.files import Originals
from service.jobs.indexing import Indexer
from service.jobs.leases import Leases
from service.mcp.server import create_server
from service.records import Answer, Question
from service.settings import Settings
from service.storage.conversations import ConversationStore
from service.storage.database import Database

TEXTS = {"open": "The bridge opened in 1932.", "closed": "The vault holds 7 bars."}


class RefusingAnswerer:
    """An answerer that refuses every question, with one passage of the collection as the nearest."""

    def __init__(self) -> None:
        self.questions: list[Question] = []

    def stream(self, question: Question, stages: Any = None) -> Iterator[Event]:
        self.questions.append(question)
        text = TEXTS[question.collection]
        hit = Hit(Chunk("c", "d", "v", 0, 0, len(text), text), "D", "file:///d.md", None, 0.5)
        number = len(self.questions)
        conversation = question.conversation_id or f"c{number}"
        yield PassagesFound((hit,))
        yield AnswerReady(
            Answer(
                f"a{number}", conversation, question.text, question.text, "The documents do not say.", True, 0.1, (), (),
                (hit,), "x", None,
            )
        )  # fmt: skip

    def answer(self, question: Question, stages: Any = None) -> Answer:
        return next(event.answer for event in self.stream(question) if isinstance(event, AnswerReady))


class ServedApp:
    """A served app with two collections, keys, and a client for each key."""

    def __init__(self, folder: Path, loopback: Any) -> None:
        self.library = Library(folder, HashedEncoder())
        for name, text in TEXTS.items():
            self.library.open_or_create(name).add(Document("d", "v", "file:///d.md", "D", "text/markdown", text))
        self.store = ConversationStore(Database(f"sqlite:///{folder / 'c.sqlite'}"))
        self.keys = Keyring(self.store.database)
        self.answerer = RefusingAnswerer()
        settings = Settings(home=folder, collection="open")
        self.service = Service(settings, self.library, None, None, None, self.answerer)  # type: ignore[arg-type]
        self.loopback = loopback
        self.clients: list[httpx.Client] = []
        self.app = create_app(self.service, self.store)
        self.url = ""

    def __enter__(self) -> "ServedApp":
        self.server = self.loopback(self.app)
        self.url = self.server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        for client in self.clients:
            client.close()
        self.server.__exit__()
        self.store.close()
        self.library.close()

    def client(self, key: str = "") -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.clients.append(httpx.Client(base_url=self.url, headers=headers, timeout=60))
        return self.clients[-1]

    def key(self, name: str, *scopes: Scope, **options: Any) -> httpx.Client:
        return self.client(self.keys.create(name, scopes or (Scope.ASK,), **options)[1])


@pytest.fixture
def served(tmp_path: Path, loopback: Any) -> Iterator[ServedApp]:
    with ServedApp(tmp_path, loopback) as served:
        yield served


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Method and path (with parameters filled in) of every operation in the OpenAPI document."""
    return [
        (method.upper(), path.replace("{", "").replace("}", ""))
        for path, operations in app.openapi()["paths"].items()
        for method in operations
    ]


def ask(client: httpx.Client, **body: Any) -> httpx.Response:
    return client.post("/v1/chat", json={"question": "Why?", **body})


def test_every_route_is_listed_as_public_or_requires_a_scope(served: ServedApp) -> None:
    public = PUBLIC | {READY}
    document = served.app.openapi()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert ("security" in operation) == (path not in public), path


def test_every_request_without_a_key_gets_the_same_answer(served: ServedApp) -> None:
    served.keys.create("one", [Scope.ASK])
    bare = served.client()
    told = set()
    for method, path in [*routes(served.app), ("GET", "/nowhere"), ("OPTIONS", "/v1/chat"), ("TRACE", "/v1/chat")]:
        if path in PUBLIC | {READY}:
            continue
        response = bare.request(method, path, json={"question": "Why?"})
        assert (response.status_code, response.headers["www-authenticate"]) == (401, 'Bearer realm="quoth"'), path
        problem = response.json()
        told.add((problem["code"], problem["detail"]))
    assert len(told) == 1
    assert "quoth keys create" in told.pop()[1]
    assert served.answerer.questions == []


def test_unknown_expired_and_revoked_keys_get_byte_identical_answers(served: ServedApp) -> None:
    key, text = served.keys.create("ended", [Scope.ASK])
    served.keys.revoke(key.id)
    _, other = served.keys.create("other", [Scope.ASK])
    headers = [
        f"Bearer {text}", f"Bearer quoth_{'0' * 12}_{'0' * 64}", f"Bearer {other}0", f"Basic {other}", other,
        "Bearer", "Bearer \u00e9", "", f"Bearer {other},{other}",
    ]  # fmt: skip
    answers = set()
    for header in headers:
        response = httpx.get(
            f"{served.url}/v1/collections", headers={"Authorization": header.encode(), "X-Request-ID": "same"}
        )
        kept = {name: value for name, value in response.headers.items() if name != "date"}
        answers.add((response.status_code, response.text, json.dumps(kept)))
    assert len(answers) == 1
    assert answers.pop()[0] == 401
    for header in (f"Bearer {other}", f"bearer  {other}"):
        assert httpx.get(f"{served.url}/v1/collections", headers={"Authorization": header}).status_code == 200


def test_the_page_and_the_health_of_the_server_are_public(served: ServedApp) -> None:
    served.keys.create("one", [Scope.ASK])
    bare = served.client()
    for path in ("/", "/view", "/assets/page.js", "/favicon.ico", "/healthz", "/openapi.json"):
        assert bare.get(path).status_code == 200
    assert bare.get("/readyz").json() == {"status": "ready", "collection": None}
    admin = served.key("admin", Scope.ADMIN)
    assert admin.get("/readyz").json()["collection"]["name"] == "open"
    assert bare.get("/assets/../v1/collections").status_code in (401, 404)


def test_only_admins_see_why_the_server_is_not_ready(served: ServedApp) -> None:
    admin = served.key("admin", Scope.ADMIN)
    served.library.drop("open")
    unready = served.client().get("/readyz")
    assert (unready.status_code, unready.json()["code"]) == (503, "collection-missing")
    assert "closed" not in unready.text
    assert "closed" in admin.get("/readyz").json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/v1/chat", Scope.ASK),
        ("POST", "/v1/chat/completions", Scope.ASK),
        ("GET", "/v1/models", Scope.ASK),
        ("POST", "/v1/search", Scope.ASK),
        ("POST", "/v1/verify", Scope.ASK),
        ("GET", "/v1/collections", Scope.ASK),
        ("GET", "/v1/documents", Scope.ASK),
        ("GET", "/v1/documents/d/versions/v/text", Scope.ASK),
        ("GET", "/v1/conversations/c", Scope.ASK),
        ("GET", "/v1/answers/a", Scope.ASK),
        ("POST", "/v1/feedback", Scope.ASK),
        ("GET", "/v1/feedback", Scope.ASK),
        ("GET", "/v1/conversations", Scope.ASK),
        ("PATCH", "/v1/conversations/c", Scope.ASK),
        ("DELETE", "/v1/conversations/c", Scope.ASK),
        ("GET", "/v1/conversations/c/export", Scope.ASK),
        ("GET", "/v1/collections/open/documents/d", Scope.ASK),
        ("GET", "/v1/collections/open/documents/d/file", Scope.ASK),
        ("PUT", "/v1/collections/open/documents/n", Scope.INGEST),
        ("POST", "/v1/collections/open/documents", Scope.INGEST),
        ("DELETE", "/v1/collections/open/documents/n", Scope.INGEST),
        ("GET", "/v1/jobs", Scope.INGEST),
        ("GET", "/v1/jobs/j", Scope.INGEST),
        ("DELETE", "/v1/jobs/j", Scope.INGEST),
        ("DELETE", "/v1/collections/nowhere", Scope.ADMIN),
        ("GET", "/metrics", Scope.ADMIN),
    ],
)
def test_a_scope_that_is_missing_is_a_403_that_names_it(
    served: ServedApp, method: str, path: str, scope: Scope
) -> None:
    others = [one for one in Scope if one not in (scope, Scope.ADMIN)]
    response = served.key("narrow", *others).request(method, path, json={})
    assert (response.status_code, response.json()["code"]) == (403, "scope-missing")
    assert f"'{scope}'" in response.json()["detail"]
    assert served.key("wide", Scope.ADMIN).request(method, path, json={}).status_code not in (401, 403)


def test_a_collection_outside_the_key_looks_like_a_missing_one(served: ServedApp) -> None:
    narrow = served.key("narrow", collections=["open"])
    answers: list[Callable[[str], httpx.Response]] = [
        lambda name: ask(narrow, collection=name),
        lambda name: ask(narrow, collection=name, stream=True),
        lambda name: narrow.post("/v1/search", json={"query": "vault", "collection": name}),
        lambda name: narrow.get("/v1/documents", params={"collection": name}),
        lambda name: narrow.get("/v1/documents/d/versions/v/text", params={"collection": name}),
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


def test_the_header_of_principals_cannot_be_forged(served: ServedApp) -> None:
    plain = served.key("plain", principals=["ada"])
    forged = plain.post("/v1/chat", json={"question": "Why?"}, headers={"X-Quoth-Principals": "boss"})
    assert (forged.status_code, forged.json()["code"]) == (403, "acting-forbidden")
    portal = served.key("portal", principals=["ada"], acts_for_others=True)
    assert ask(portal).status_code == 200
    assert served.answerer.questions[-1].principals == frozenset()
    portal.post("/v1/chat", json={"question": "Why?"}, headers={"X-QUOTH-principals": "boss, ada"})
    assert served.answerer.questions[-1].principals == {"ada"}
    twice = portal.post(
        "/v1/chat", json={"question": "Why?"}, headers=[("X-Quoth-Principals", "boss"), ("x-quoth-principals", "ada")]
    )
    assert (twice.status_code, twice.json()["code"]) == (400, "principals-invalid")


def test_a_rate_is_reported_on_every_answer_and_enforced(served: ServedApp) -> None:
    slow = served.key("slow", rate=Rate(2, 3600))
    first, second, third = (slow.get("/v1/collections") for _ in range(3))
    assert [response.status_code for response in (first, second, third)] == [200, 200, 429]
    assert first.headers["ratelimit-policy"] == '"key";q=2;w=3600'
    assert first.headers["ratelimit"].startswith('"key";r=1;t=')
    assert third.headers["ratelimit"].startswith('"key";r=0;t=')
    assert 0 < int(third.headers["retry-after"]) <= 1800
    assert third.json()["code"] == "rate-exceeded"
    assert "ratelimit" not in served.key("free").get("/v1/collections").headers


def test_a_revoked_key_is_refused_from_the_next_request_on(served: ServedApp) -> None:
    client = served.key("one")
    assert ask(client).status_code == 200
    served.keys.revoke("one")
    assert ask(client).status_code == 401
    assert ask(served.client()).status_code == 401  # without any key left, the server stays closed


def test_the_first_key_closes_a_running_server(served: ServedApp) -> None:
    bare = served.client()
    assert ask(bare).status_code == 200
    assert served.answerer.questions[-1].principals is None
    served.keys.create("one", [Scope.ASK])
    assert ask(bare).status_code == 401


def test_a_server_without_anonymous_access_requires_a_key_before_one_exists(served: ServedApp) -> None:
    closed = create_app(served.service, served.store, anonymous=False)
    with served.loopback(closed) as url:
        assert httpx.get(f"{url}/v1/collections").status_code == 401


def test_every_request_is_refused_when_keys_cannot_be_read(served: ServedApp, monkeypatch: pytest.MonkeyPatch) -> None:
    client = served.key("one")

    def gone(*_: object) -> None:
        raise StoreUnavailable("The database sqlite:////srv/secret-place does not answer")

    monkeypatch.setattr(Keyring, "is_empty", gone)
    monkeypatch.setattr(Keyring, "admit", gone)
    response = client.get("/v1/collections")
    assert (response.status_code, response.json()["code"]) == (503, "store-unavailable")
    assert "secret-place" not in response.text


def test_mcp_over_http_requires_the_same_keys(served: ServedApp) -> None:
    _, key = served.keys.create("assistant", [Scope.ASK], collections=["open"], principals=["ada"])
    _, loader = served.keys.create("loader", [Scope.INGEST])
    server = create_server(served.service, served.store)
    served: Any = create_mcp_app(server, served.service, served.store, anonymous=True)

    async def call(url: str, key: str, tool: str, **arguments: Any) -> Any:
        from mcp.client.streamable_http import streamable_http_client

        async with (
            httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as http,
            Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client,
        ):
            return await client.call_tool(tool, arguments)

    with served.loopback(served) as url:
        assert httpx.post(f"{url}/mcp", json={}).status_code == 401
        answer = anyio.run(lambda: call(url, key, "ask", question="Why?"))
        other = anyio.run(lambda: call(url, key, "ask", question="Why?", collection="closed"))
        read = anyio.run(lambda: call(url, key, "read_document", document_id="d", collection="closed"))
        narrow = anyio.run(lambda: call(url, loader, "search", query="bridge"))
    assert not answer.is_error
    assert served.answerer.questions[-1].principals == {"ada"}
    assert other.is_error
    assert read.is_error
    assert "no collection 'closed'. There are: open." in other.content[0].text
    assert narrow.is_error
    assert "scope 'ask'" in narrow.content[0].text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://{host}"}, 200),
        ({"Origin": "http://{host}", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "https://attacker.example"}, 403),
        ({"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[::1"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_a_page_of_another_site_cannot_use_a_server_without_keys(
    served: ServedApp, headers: dict[str, str], status: int
) -> None:
    host = served.url.removeprefix("http://")
    sent = {name: value.replace("{host}", host) for name, value in headers.items()}
    plain = {"Content-Type": "text/plain", **sent}  # what a form or script can send without a preflight request
    response = served.client().post("/v1/chat", content=b'{"question": "Why?"}', headers=plain)
    assert (response.status_code == 403) == (status == 403)
    assert served.client().get("/v1/collections", headers=sent).status_code == status
    assert served.client().get("/", headers=sent).status_code == 200
    keyed = served.key("one")
    assert keyed.get("/v1/collections", headers=sent).status_code == 200


def test_the_log_names_the_key_by_its_id_and_shows_no_secret(served: ServedApp) -> None:
    key, text = served.keys.create("one", [Scope.ASK], principals=None, acts_for_others=True)
    structlog.reset_defaults()
    with capture_logs(processors=[merge_contextvars]) as lines:
        headers = {"X-Quoth-Principals": "ada-the-canary"}
        served.client(text).post("/v1/chat", json={"question": "Why?"}, headers=headers)
        served.client(text[:-1]).get("/v1/collections")
        served.client(text).get("/metrics")
        time.sleep(0.1)
    written = json.dumps(lines, default=str)
    for hidden in (text.split("_")[2][:-1], "ada-the-canary"):
        assert hidden not in written
    assert key.id in written


def test_a_key_is_in_no_response(served: ServedApp) -> None:
    _, text = served.keys.create("one", [Scope.ADMIN])
    secret = text.split("_")[2]
    client, wrong = served.client(text), served.client(f"{text[:-1]}!")
    for one, (method, path) in itertools.product((client, wrong), routes(served.app)):
        response = one.request(method, path, json={"question": "Why?"})
        assert secret[:-1] not in response.text + str(response.headers)


def test_only_the_scope_admin_sees_the_feedback_of_every_key(served: ServedApp) -> None:
    ada, admin = served.key("ada"), served.key("root", Scope.ADMIN)
    answer = ask(ada).json()["id"]
    assert ada.post("/v1/feedback", json={"answer_id": answer, "rating": "up"}).status_code == 201
    refused = ada.get("/v1/feedback", params={"everyone": True})
    assert (refused.status_code, refused.json()["code"]) == (403, "scope-missing")
    assert admin.get("/v1/feedback").json()["feedback"] == []
    found = admin.get("/v1/feedback", params={"everyone": True}).json()["feedback"]
    assert [one["answer_id"] for one in found] == [answer]
