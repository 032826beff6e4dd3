"""A real proxy on loopback: it gets the checked address, never a private one, and its refusals are reported."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from index.web.fetcher import Fetcher, NotFetched, WebLimits
from index.web.proxies import Proxy, ProxyUnusable, proxy_for
from tests.web_server import Page, WebServer

PUBLIC = "93.184.216.34"


class ProxyServer:
    """A proxy that connects every request to one port of this machine, or answers `refusal`. `asked` are request heads."""

    def __init__(self, port: int) -> None:
        self.asked: list[str] = []
        self.refusal = b""
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += self.request.recv(1)
                proxy.asked.append(head.decode())
                if proxy.refusal:
                    self.request.sendall(proxy.refusal)
                    return
                with closing(socket.create_connection(("127.0.0.1", port))) as there:
                    self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    back = threading.Thread(target=relay, args=(there, self.request))
                    back.start()
                    relay(self.request, there)
                    back.join(10)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "ProxyServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()

    def targets(self) -> list[str]:
        return [head.split(" ")[1] for head in self.asked]


def relay(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return  # the other side has closed


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as server:
        server.html("/a", "Bears eat honey.")
        yield server


@pytest.fixture
def proxy(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProxyServer]:
    with ProxyServer(server.port) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        yield proxy


def fetch_text(url: str, *, allow_private: bool = False) -> bytes:
    with Fetcher(WebLimits(delay=0, page_seconds=10), allow_private=allow_private) as fetcher:
        return fetcher.fetch(url).body or b""


def failure(url: str) -> str:
    with pytest.raises(NotFetched) as caught:
        fetch_text(url)
    return caught.value.reason


def names(monkeypatch: pytest.MonkeyPatch, **addresses: str) -> None:
    """Resolve these names as given, and no others."""

    def look_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        if host not in addresses:
            raise socket.gaierror("unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (addresses[host], port))]

    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **more: (
            real(host, *rest, **more) if str(host)[0].isdigit() else look_up(str(host), *rest, **more)
        )
    )  # fmt: skip


def test_the_proxy_gets_the_address_that_was_checked_and_the_server_the_name(
    proxy: ProxyServer, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, **{"pages.test": PUBLIC})
    assert b"honey" in fetch_text("http://pages.test/a")
    assert set(proxy.targets()) == {f"{PUBLIC}:80"}
    assert {headers["Host"] for headers in server.headers} == {"pages.test"}
    assert "Authorization" not in proxy.asked[0]


def test_private_addresses_are_not_fetched_through_a_proxy_either(
    proxy: ProxyServer, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, **{"inside.test": "10.0.0.7", "pages.test": PUBLIC})
    assert "inside.test (10.0.0.7) is no public address" in failure("http://inside.test/a")
    assert "169.254.169.254 is no public address" in failure("http://169.254.169.254/a")
    assert "cannot be found" in failure("http://unknown.test/a")
    assert proxy.asked == []
    server.pages["/out"] = Page(status=302, headers={"Location": "http://inside.test/a"})
    assert "inside.test" in failure("http://pages.test/out")
    assert set(proxy.targets()) == {f"{PUBLIC}:80"}


def test_where_private_machines_are_allowed_the_proxy_looks_up_names(
    proxy: ProxyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch)
    assert b"honey" in fetch_text("http://wiki.test/a", allow_private=True)
    assert set(proxy.targets()) == {"wiki.test:80"}


def test_this_machine_and_excepted_hosts_are_fetched_from_without_the_proxy(
    proxy: ProxyServer, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert b"honey" in fetch_text(f"{server.url}/a", allow_private=True)
    assert proxy.asked == []
    monkeypatch.setenv("NO_PROXY", "example.org,.test")
    assert (
        proxy_for("http", "pages.test") is proxy_for("https", "www.example.org") is proxy_for("http", "[::1]") is None
    )
    assert proxy_for("http", "localhost") is proxy_for("http", "app.localhost") is None
    assert proxy_for("http", "example.com") is not None


def test_the_refusal_of_a_proxy_is_reported_with_its_message(proxy: ProxyServer) -> None:
    place = proxy.url.removeprefix("http://")
    proxy.refusal = b"HTTP/1.1 403 Forbidden\r\n\r\n"
    assert f"the proxy {place} does not connect to {PUBLIC}:443 (403 Forbidden)" in failure(f"https://{PUBLIC}/a")
    proxy.refusal = b"SSH-2.0-OpenSSH\r\n\r\n"
    assert f"the proxy {place} does not connect" in failure(f"http://{PUBLIC}/a")
    proxy.refusal = b"x" * 20_000
    assert f"the proxy {place} answers something else than HTTP" in failure(f"http://{PUBLIC}/a")


def test_a_proxy_gets_its_password_and_no_other_server_sees_it(
    proxy: ProxyServer, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("//", "//ann:s%20cret@"))
    assert b"honey" in fetch_text(f"http://{PUBLIC}/a")
    assert "Proxy-Authorization: Basic YW5uOnMgY3JldA==" in proxy.asked[0]
    assert all("Proxy-Authorization" not in headers for headers in server.headers)
    assert "cret" not in repr(proxy_for("http", "example.org"))
    proxy.refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"
    said = failure(f"http://{PUBLIC}/b")
    assert "407" in said
    assert "cret" not in said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("socks5://127.0.0.1:1080", "HTTP_PROXY names a proxy that is not asked over http:// (socks5://)"),
        ("https://proxy.test", "HTTP_PROXY names a proxy that is not asked over http:// (https://)"),
        ("http://proxy.test:port", "HTTP_PROXY is no address of a proxy"),
        ("http://127.0.0.1:1", "the proxy 127.0.0.1:1 does not answer"),
    ],
)
def test_an_unusable_proxy_is_reported(value: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", value)
    assert said in failure(f"http://{PUBLIC}/a")


def test_a_proxy_is_given_with_or_without_its_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "proxy.test:3128")
    assert proxy_for("https", "example.org") == Proxy("proxy.test", 3128)
    monkeypatch.setenv("HTTPS_PROXY", "http://other.test")
    assert proxy_for("https", "example.org") == Proxy("other.test", 80)
    monkeypatch.setenv("ALL_PROXY", "https://proxy.test:3128")
    with pytest.raises(ProxyUnusable, match="ALL_PROXY names"):
        proxy_for("http", "example.org")
