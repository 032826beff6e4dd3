"""Pages are fetched only from the public internet, however an address is written and whatever a name resolves to."""

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from index.web import addresses
from index.web.addresses import is_public
from index.web.fetcher import Fetcher, NotFetched, WebLimits
from tests.web_server import WebServer


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "240.0.0.1", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:c0a8:1::1", "2001:0:7f00:1::",
        "192.0.0.8", "192.0.0.9", "192.0.0.170", "192.88.99.1", "198.18.0.1", "198.51.100.7", "203.0.113.7", "64:ff9b::c000:8",
        "::ffff:192.88.99.1", "2002:c058:6301::", "64:ff9b:1::1", "100::1", "100:0:0:1::1", "2001:2::1", "2001:10::1",
        "2001:20::1", "3fff::1", "3fff:fff:ffff::1", "5f00::1", "4000::1", "::7f00:1", "fe80::1%eth0",
    ],
)  # fmt: skip
def test_private_addresses_are_recognised_in_every_notation(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822", "192.0.1.1", "192.88.98.1",
        "100.63.255.255", "172.32.0.1", "198.20.0.1", "223.255.255.255", "2001:200::1", "2001:4860:4860::8888",
        "2002:5db8:d822::", "3ffe::1", "3fff:1000::1",
    ],
)  # fmt: skip
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as server:
        server.html("/", "Secret.")
        yield server


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "127.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
    ],
)
def test_this_machine_is_never_fetched_from_under_any_name(host: str, server: WebServer) -> None:
    with Fetcher() as fetcher, pytest.raises(NotFetched) as caught:
        fetcher.fetch(f"http://{host}:{server.port}/")
    assert "is no public address" in caught.value.reason or "it is no address" in caught.value.reason
    assert server.asked == []


def test_a_redirect_to_a_private_address_is_not_followed(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    public = ipaddress.ip_address("127.0.0.1")  # counts as public here; the rest of loopback stays private
    monkeypatch.setattr(addresses, "is_public", lambda address: address == public)
    with WebServer("127.0.0.2") as inner, Fetcher(WebLimits(delay=0)) as fetcher:
        inner.html("/secret", "Secret.")
        server.pages["/leads"] = type(server.pages["/"])(status=302, headers={"Location": f"{inner.url}/secret"})
        assert fetcher.fetch(f"{server.url}/").body is not None
        with pytest.raises(NotFetched, match=r"127.0.0.2 is no public address"):
            fetcher.fetch(f"{server.url}/leads")
        assert inner.asked == []


def test_a_name_that_resolves_differently_later_gains_nothing(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = ipaddress.ip_address("127.0.0.1")
    monkeypatch.setattr(addresses, "is_public", lambda address: address == public)
    answers = [["127.0.0.1"], ["127.0.0.1"], ["127.0.0.1", "127.0.0.2"]]
    looked_up: list[str] = []
    real = socket.getaddrinfo

    def lookup(host: str, port: int, *more: Any, **named: Any) -> list[Any]:
        if host != "rebinding.test":
            return real(host, port, *more, **named)
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answers[len(looked_up) - 1]]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with Fetcher(WebLimits(delay=0)) as fetcher:
        assert fetcher.fetch(f"http://rebinding.test:{server.port}/").body is not None
    assert looked_up == ["rebinding.test"] * 2  # once for robots.txt and once for the page, not again to connect
    with Fetcher() as fetcher, pytest.raises(NotFetched, match=r"rebinding.test \(127.0.0.2\) is no public address"):
        fetcher.fetch(f"http://rebinding.test:{server.port}/")
