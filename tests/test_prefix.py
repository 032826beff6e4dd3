"""Served under a path of another host: the page, the viewer, the routes, and every address that a response holds."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from index.records import Chunk, Hit
from service.access.caller import Scope
from service.api.middleware.authentication import PUBLIC, PUBLIC_FOLDERS
from service.client import Quoth
from service.environment import OWN_PATHS, url_path
from service.settings import Settings
from service.slack.render.messages import Viewer
from tests.path_proxy import PathProxy
from tests.served_app import ServedApp, ask

FOLDER = Path(__file__).parent.parent / "service" / "web"
FORWARDED = {"X-Forwarded-Prefix": "/docs/quoth"}


@pytest.fixture
def served(tmp_path: Path, loopback: Any) -> Iterator[ServedApp]:
    with ServedApp(tmp_path, loopback) as served:
        yield served


@pytest.fixture
def under_a_path(tmp_path: Path, loopback: Any) -> Iterator[ServedApp]:
    """A server whose setting root_path is /docs/quoth."""
    with ServedApp(tmp_path, loopback, root_path="/docs/quoth") as served:
        yield served


def upload(base: str) -> httpx.Response:
    return httpx.post(f"{base}/v1/collections/new/documents", files={"file": ("a.txt", b"The bridge opened.")})


def check_addresses(proxy: PathProxy, prefix: str) -> None:
    """Every address in what the server answers leads back through the proxy."""
    accepted = upload(proxy.url)
    assert accepted.status_code == 202
    job = accepted.json()["id"]
    assert accepted.headers["location"] == f"{prefix}/v1/jobs/{job}"
    assert httpx.get(accepted.url.join(accepted.headers["location"])).json()["id"] == job
    assert httpx.get(f"{proxy.url}/openapi.json").json()["servers"] == [{"url": prefix}]
    assert httpx.get(f"{proxy.url}/v1/jobs/none").json()["instance"] == f"{prefix}/v1/jobs/none"
    for page in ("", "/", "/view"):
        got = httpx.get(f"{proxy.url}{page}", follow_redirects=True)
        assert got.status_code == 200
        for link in re.findall(r'(?:src|href)="([^"#]+)"', got.text):
            assert httpx.get(got.url.join(link)).status_code == 200, (page, link)
    assert ask(httpx.Client(base_url=proxy.url)).status_code == 200
    with Quoth(proxy.url) as client:
        assert client.ask("Why?").text == "The documents do not say."


@pytest.mark.parametrize("strips", [True, False])
def test_a_server_with_a_root_path_answers_with_addresses_below_it(under_a_path: ServedApp, strips: bool) -> None:
    with PathProxy(under_a_path.url, "/docs/quoth", strips=strips) as proxy:
        check_addresses(proxy, "/docs/quoth")
        assert proxy.missed == []


def test_a_proxy_names_the_path_by_itself(served: ServedApp) -> None:
    with PathProxy(served.url, "/docs/quoth", strips=True, headers=FORWARDED) as proxy:
        check_addresses(proxy, "/docs/quoth")
        assert proxy.missed == []


def test_a_health_check_reaches_the_server_past_the_proxy(under_a_path: ServedApp) -> None:
    for path in ("/healthz", "/readyz", "/docs/quoth/healthz", "/docs/quoth/readyz"):
        assert httpx.get(f"{under_a_path.url}{path}").status_code == 200


def test_the_page_lives_under_a_path_that_nobody_told_the_server(served: ServedApp) -> None:
    with PathProxy(served.url, "/docs/quoth", strips=True) as proxy:
        page = httpx.get(f"{proxy.url}/")
        for link in re.findall(r'(?:src|href)="([^"#]+)"', page.text):
            assert httpx.get(page.url.join(link)).status_code == 200, link
        assert proxy.missed == []


def test_only_a_trusted_proxy_names_the_path(tmp_path: Path, loopback: Any) -> None:
    with ServedApp(tmp_path, loopback, trusted_proxies=("10.0.0.0/8",)) as served:
        assert httpx.get(f"{served.url}/nowhere", headers=FORWARDED).json()["instance"] == "/nowhere"
        assert "/docs/quoth" not in httpx.get(f"{served.url}/", headers=FORWARDED).text


@pytest.mark.parametrize(
    "value", ["//evil.example", "https://evil.example", '/a"><script>', "/a/../b", "/a" * 200, "/v1"]
)
def test_a_prefix_that_is_no_plain_path_is_refused(served: ServedApp, value: str) -> None:
    refused = httpx.get(f"{served.url}/", headers={"X-Forwarded-Prefix": value})
    assert (refused.status_code, refused.json()["code"]) == (400, "body-unreadable")
    assert "X-Forwarded-Prefix" in refused.json()["detail"]


def test_access_checks_hold_under_a_path(under_a_path: ServedApp) -> None:
    under_a_path.keys.create("one", [Scope.ASK])
    for path in ("/v1/collections", "/docs/quoth/v1/collections", "/docs/quoth/docs/quoth/v1/collections"):
        assert httpx.get(f"{under_a_path.url}{path}").status_code == 401
    for path in ("/docs/quoth/", "/docs/quoth/assets/page.js", "/docs/quoth/healthz"):
        assert httpx.get(f"{under_a_path.url}{path}").status_code == 200


def test_every_path_of_the_server_is_refused_as_a_root_path(served: ServedApp) -> None:
    paths = [*httpx.get(f"{served.url}/openapi.json").json()["paths"], *PUBLIC, *PUBLIC_FOLDERS, "/mcp"]
    assert {path.split("/")[1] for path in paths} - {""} == OWN_PATHS
    for own in OWN_PATHS:
        with pytest.raises(ValueError, match="of Quoth's own"):
            url_path(f"/{own}/")


def test_the_page_names_nothing_from_the_root_of_the_host() -> None:
    for file in (*FOLDER.glob("*.html"), *FOLDER.glob("assets/*")):
        text = file.read_text(encoding="utf-8")
        assert re.findall(r'(?:src|href|action)="/[^"]*"', text) == [], file.name
        assert re.findall(r"url\(/|(?:fetch|assign|open)\([\"'`]/", text) == [], file.name


def test_links_in_slack_hold_the_path() -> None:
    settings = Settings(public_url="https://example.org", root_path="/quoth")
    hit = Hit(Chunk("c", "d", "v", 0, 0, 5, "Bears"), "D", "file:///d.md", None, 0.5)
    link = Viewer(settings.viewer_base, "papers").of_hit(hit) or ""
    assert link.startswith("https://example.org/quoth/view?collection=papers&document=d")


def test_an_assistant_reaches_the_tools_under_a_path(under_a_path: ServedApp) -> None:
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    from service.composition.mcp import create_mcp_app
    from service.session.session import make_session

    app: Any = create_mcp_app(make_session(under_a_path.service, under_a_path.store), anonymous=True)

    async def answer(url: str) -> Any:
        async with httpx.AsyncClient() as http, Client(streamable_http_client(url, http_client=http)) as client:
            return await client.call_tool("ask", {"question": "Why?"})

    with under_a_path.loopback(app) as url, PathProxy(url, "/docs/quoth", strips=False) as proxy:
        assert not anyio.run(answer, f"{proxy.url}/mcp").is_error
