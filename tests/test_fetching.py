"""Real servers that misbehave: each failure affects its own page only, and limits hold."""

import gzip
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from index.ledger.rows import Visit
from index.web.fetcher import FetchedPage, Fetcher, NotFetched, PageGone, WebLimits
from tests.web_server import Page, WebServer

QUICK = WebLimits(delay=0, page_bytes=100_000, page_seconds=1.5)


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


def fetch(server: WebServer, path: str, limits: WebLimits = QUICK) -> FetchedPage:
    with Fetcher(limits, allow_private=True) as fetcher:
        return fetcher.fetch(server.url + path)


def failure(server: WebServer, path: str, limits: WebLimits = QUICK) -> NotFetched:
    with pytest.raises(NotFetched) as caught:
        fetch(server, path, limits)
    assert caught.value.fix
    return caught.value


def test_a_page_comes_with_the_headers_of_its_server(server: WebServer) -> None:
    server.pages["/a"] = Page(
        "Grüße".encode("iso-8859-1"), type="Text/HTML; charset=ISO-8859-1", etag='"1"', headers={"Last-Modified": "x"}
    )
    assert fetch(server, "/a#part") == FetchedPage(
        f"{server.url}/a", "Grüße".encode("iso-8859-1"), "text/html", "iso-8859-1", '"1"', "x"
    )
    assert server.asked == ["/robots.txt", "/a"]
    assert server.headers[1]["User-Agent"].startswith("quoth/")


def test_an_unchanged_page_is_not_sent_again(server: WebServer) -> None:
    server.html("/a", "Text.", etag='"1"')
    visits = {f"{server.url}/a": Visit(f"{server.url}/a", "", '"1"', "")}
    with Fetcher(QUICK, allow_private=True) as fetcher:
        assert fetcher.fetch(f"{server.url}/a", visits).body is None
        server.html("/a", "New.", etag='"2"')
        assert b"New." in (fetcher.fetch(f"{server.url}/a", visits).body or b"")


def test_relative_redirects_are_followed_and_loops_end(server: WebServer) -> None:
    server.html("/x/end", "Text.")
    server.pages["/start"] = Page(status=301, headers={"Location": "x/middle"})
    server.pages["/x/middle"] = Page(status=307, headers={"Location": "./end"})
    assert fetch(server, "/start").url == f"{server.url}/x/end"
    server.pages["/loop"] = Page(status=302, headers={"Location": "/loop"})
    assert failure(server, "/loop").reason == "it redirects more than 5 times"
    assert server.asked.count("/loop") == 6
    server.pages["/out"] = Page(status=302, headers={"Location": "file:///etc/passwd"})
    assert failure(server, "/out").reason == "it is no address of the web"


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (404, PageGone, "there is no such page (HTTP 404)"),
        (410, PageGone, "there is no such page (HTTP 410)"),
        (403, NotFetched, "it may not be read without permission (HTTP 403)"),
        (503, NotFetched, "its server is not able to answer (HTTP 503)"),
        (429, NotFetched, "its server is not able to answer (HTTP 429)"),
        (418, NotFetched, "its server answers HTTP 418"),
    ],
)
def test_a_refusal_of_the_server_is_reported(
    server: WebServer, status: int, kind: type[NotFetched], reason: str
) -> None:
    server.pages["/a"] = Page(b"Sorry", status=status)
    error = failure(server, "/a")
    assert (type(error), error.reason) == (kind, reason)


def _endless(handler: BaseHTTPRequestHandler) -> None:
    while True:
        handler.wfile.write(b"x" * 10_000)


def _dripping(handler: BaseHTTPRequestHandler) -> None:
    while True:
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def test_an_endless_body_and_a_gzip_bomb_are_cut_off(server: WebServer) -> None:
    server.pages["/endless"] = Page(write=_endless)
    assert failure(server, "/endless").reason == "it has more than 100,000 bytes"
    bomb = gzip.compress(bytes(50_000_000))
    server.pages["/bomb"] = Page(bomb, headers={"Content-Encoding": "gzip"})
    assert failure(server, "/bomb").reason == "it has more than 100,000 bytes"
    server.pages["/packed"] = Page(gzip.compress(b"Text."), headers={"Content-Encoding": "gzip"})
    assert fetch(server, "/packed").body == b"Text."
    server.pages["/cut"] = Page(gzip.compress(b"Text.")[:-4], headers={"Content-Encoding": "gzip"})
    assert failure(server, "/cut").reason == "it is cut short"
    server.pages["/brotli"] = Page(b"\x0b", headers={"Content-Encoding": "br"})
    assert failure(server, "/brotli").reason == "it is packed in a way that was not asked for (br)"


def test_a_server_that_sends_too_slowly_is_cut_off(server: WebServer) -> None:
    server.pages["/slow"] = Page(write=_dripping)
    started = time.monotonic()
    assert failure(server, "/slow").reason == "it takes too long to answer"
    assert time.monotonic() - started < 30


def test_a_missing_server_is_reported() -> None:
    with WebServer() as gone:
        pass
    assert failure(gone, "/").reason.startswith("robots.txt of its site cannot be read: it cannot be reached")


@pytest.mark.parametrize("url", ["http://", "https:///a", "http://ann:secret@example.org/", "mailto:ann@x.org"])
def test_a_malformed_address_is_refused_without_a_request(url: str) -> None:
    with Fetcher() as fetcher, pytest.raises(NotFetched) as caught:
        fetcher.fetch(url)
    assert "address" in caught.value.reason or "password" in caught.value.reason


def test_the_longest_rule_of_robots_txt_is_followed_after_redirects_too(server: WebServer) -> None:
    server.pages["/robots.txt"] = Page(
        b"User-agent: *\nDisallow: /\n\nUser-agent: quoth\nDisallow: /private/\nAllow: /private/open$\nDisallow: /*.bak\n",
        type="text/plain",
    )
    for path in ("/a", "/private/open", "/private/closed", "/a.bak"):
        server.html(path, "Text.")
    server.pages["/leads"] = Page(status=302, headers={"Location": "/private/closed"})
    assert fetch(server, "/a").body
    assert fetch(server, "/private/open").body
    for path in ("/private/closed", "/a.bak", "/leads"):
        assert failure(server, path).reason == "robots.txt of its site forbids to read it"
    assert "/private/closed" not in server.asked
    assert "/a.bak" not in server.asked


@pytest.mark.parametrize(("status", "is_allowed"), [(404, True), (403, True), (500, False), (429, False)])
def test_an_unreadable_robots_txt_forbids_fetching_and_a_missing_one_does_not(
    server: WebServer, status: int, is_allowed: bool
) -> None:
    server.pages["/robots.txt"] = Page(status=status)
    server.html("/a", "Text.")
    if is_allowed:
        assert fetch(server, "/a").body
    else:
        assert failure(server, "/a").reason.startswith("robots.txt of its site cannot be read")
        assert "/a" not in server.asked


def test_requests_to_one_host_are_as_far_apart_as_it_asks(server: WebServer) -> None:
    server.pages["/robots.txt"] = Page(b"User-agent: *\nCrawl-delay: 0.3\n", type="text/plain")
    server.html("/a", "Text.")
    started = time.monotonic()
    with Fetcher(QUICK, allow_private=True) as fetcher:
        for _ in range(3):
            fetcher.fetch(f"{server.url}/a")
    assert time.monotonic() - started >= 0.6
