"""Keys over HTTP: every route requires a key with the right scope, and nothing reveals a secret."""

import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import structlog
from fastapi import FastAPI
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from service.access.caller import Scope
from service.access.keyring import Keyring
from service.access.rate import Rate
from service.api.middleware.authentication import PUBLIC, READY
from service.composition.http import create_app
from service.errors import StoreUnavailable
from tests.served_app import ServedApp, ask


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
    assert bare.get("/readyz").json() == {"status": "ready", "collection": None, "search": []}
    admin = served.key("admin", Scope.ADMIN)
    assert admin.get("/readyz").json()["collection"]["name"] == "open"
    assert bare.get("/assets/../v1/collections").status_code in (401, 404)


def test_any_key_may_ask_what_it_may_do(served: ServedApp) -> None:
    assert served.client().get("/v1/caller").json() == {
        "key": None, "scopes": ["ask", "ingest", "admin"], "collections": None, "reads_all": True,
    }  # fmt: skip
    loader = served.key("loader", Scope.INGEST, collections=["open"], principals=["ann"])
    assert loader.get("/v1/caller").json() == {
        "key": "loader", "scopes": ["ingest"], "collections": ["open"], "reads_all": False,
    }  # fmt: skip
    assert served.client().get("/v1/caller").status_code == 401


def test_a_key_makes_collections_that_it_may_open(served: ServedApp) -> None:
    loader = served.key("loader", Scope.INGEST, collections=["open", "later"])
    made = loader.put("/v1/collections/later")
    assert made.is_success, made.text
    assert made.json()["documents"] == 0
    assert loader.put("/v1/collections/open").json()["documents"] == 1  # it stays as it is
    assert (loader.put("/v1/collections/other").status_code, served.library.names()) == (
        404,
        ["closed", "later", "open"],
    )
    anywhere = served.key("anywhere", Scope.INGEST)
    assert anywhere.put("/v1/collections/No Name").json()["code"] == "collection-name-invalid"


def test_a_collection_is_made_with_a_title_and_renamed_under_the_same_name(served: ServedApp) -> None:
    admin = served.key("admin", Scope.ADMIN)
    assert (
        admin.put("/v1/collections/later", params={"title": "  Harbour\n office "}).json()["title"] == "Harbour office"
    )
    assert admin.put("/v1/collections/later", params={"title": "Another"}).json()["title"] == "Harbour office"
    assert admin.patch("/v1/collections/open", json={"title": "Offen"}).json()["title"] == "Offen"
    limited = served.key("limited", Scope.ASK, collections=["open"], principals=["ann"])
    assert [(one["name"], one["title"]) for one in limited.get("/v1/collections").json()["collections"]] == [
        ("open", "Offen")
    ]
    assert admin.patch("/v1/collections/open", json={"title": ""}).json()["title"] == "open"
    too_long = admin.patch("/v1/collections/open", json={"title": "x" * 121})
    assert (too_long.status_code, too_long.json()["code"]) == (422, "title-invalid")
    assert admin.patch("/v1/collections/nowhere", json={"title": "x"}).json()["code"] == "collection-missing"


def damage(served: ServedApp, name: str) -> None:
    """Leave a file in the place of the collection's ledger that is none."""
    folder = served.service.settings.home / "collections" / name
    folder.mkdir(exist_ok=True)
    (folder / "ledger.sqlite").write_bytes(b"no database " * 400)


def test_only_admins_see_why_the_server_is_not_ready(served: ServedApp) -> None:
    admin = served.key("admin", Scope.ADMIN)
    served.library.drop("open")
    damage(served, "open")
    unready = served.client().get("/readyz")
    assert (unready.status_code, unready.json()["code"]) == (503, "not-ready")
    assert "ledger" not in unready.text
    assert "ledger" in admin.get("/readyz").json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/v1/chat", Scope.ASK),
        ("POST", "/v1/chat/completions", Scope.ASK),
        ("GET", "/v1/models", Scope.ASK),
        ("POST", "/v1/search", Scope.ASK),
        ("POST", "/v1/verify", Scope.ASK),
        ("GET", "/v1/collections", Scope.ASK),
        ("GET", "/v1/collections/open/questions", Scope.ASK),
        ("GET", "/v1/documents", Scope.ASK),
        ("GET", "/v1/documents/d/versions/v/text", Scope.ASK),
        ("GET", "/v1/documents/d/versions/v/pages/1", Scope.ASK),
        ("GET", "/v1/documents/d/versions/v/pages/1.png", Scope.ASK),
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
        ("PATCH", "/v1/collections/open/documents/n", Scope.INGEST),
        ("PUT", "/v1/collections/new", Scope.INGEST),
        ("GET", "/v1/jobs", Scope.INGEST),
        ("GET", "/v1/jobs/j", Scope.INGEST),
        ("DELETE", "/v1/jobs/j", Scope.INGEST),
        ("DELETE", "/v1/collections/nowhere", Scope.ADMIN),
        ("PATCH", "/v1/collections/nowhere", Scope.ADMIN),
        ("GET", "/v1/reports", Scope.ADMIN),
        ("GET", "/v1/reports/today", Scope.ADMIN),
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
    monkeypatch.setattr(Keyring, "authenticate", gone)
    response = client.get("/v1/collections")
    assert (response.status_code, response.json()["code"]) == (503, "store-unavailable")
    assert "secret-place" not in response.text


def test_mcp_over_http_requires_the_same_keys(served: ServedApp) -> None:
    from mcp import Client

    from service.composition.mcp import create_mcp_app
    from service.session.session import make_session

    _, key = served.keys.create("assistant", [Scope.ASK], collections=["open"], principals=["ada"])
    _, loader = served.keys.create("loader", [Scope.INGEST])
    app: Any = create_mcp_app(make_session(served.service, served.store), anonymous=True)

    async def call(url: str, key: str, tool: str, **arguments: Any) -> Any:
        from mcp.client.streamable_http import streamable_http_client

        async with (
            httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as http,
            Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client,
        ):
            return await client.call_tool(tool, arguments)

    with served.loopback(app) as url:
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
        deadline = time.monotonic() + 30
        while [line["event"] for line in lines].count("request") < 3:  # a request is logged once its answer is sent
            assert time.monotonic() < deadline
            time.sleep(0.01)
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
