"""Connect only to machines of the public internet, unless private addresses are allowed (a guard against SSRF).

A host name is resolved once, the addresses are checked, and the connection goes to exactly a checked address. So DNS
rebinding has no effect, and neither has a redirect, since every connection is made here. Other notations of an address
(`http://2130706433/`, `::ffff:127.0.0.1`) are recognised. A proxy is given the checked address, too (`index.web.proxies`);
only where private addresses are allowed does the proxy resolve names itself.
"""

import ipaddress
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

from index.web.proxies import ProxyUnusable, connect_through, proxy_for

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
# What IANA lists among special-purpose addresses as not globally reachable, and multicast (2026-11: RFC 6890 and its updates).
# Not the lists of `ipaddress`, which differ between versions of Python. Refused whole: 192.0.0.0/24 and 2001::/23,
# of which a few addresses are reachable, as the nearest relay or gateway, where nobody serves pages.
_RESERVED = [
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
        "240.0.0.0/4", "2001::/23", "2001:db8::/32", "3fff::/20",
    )
]  # fmt: skip

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(Exception):
    """A host is, or resolves to, an address that is not public. The message names it."""


def is_public(address: Address) -> bool:
    """Whether the address belongs to the public internet. An IPv6 address that embeds an IPv4 one is judged by that one."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address not in _GLOBAL_UNICAST:
            return False
    return not any(address in network for network in _RESERVED)


class Deadlines:
    """A deadline per thread, since a server that sends a byte now and then never exceeds a timeout between two bytes."""

    def __init__(self) -> None:
        self._local = threading.local()

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """End every network operation of this thread inside the `with` block after `seconds`."""
        self._local.deadline = time.monotonic() + seconds
        try:
            yield
        finally:
            del self._local.deadline

    def remaining(self, timeout: float | None, error: type[Exception]) -> float | None:
        """Seconds that one step may take, at most `timeout`; raises `error` if the deadline has passed."""
        deadline: float | None = getattr(self._local, "deadline", None)
        if deadline is None:
            return timeout
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise error("the time for this page is over")
        return remaining if timeout is None else min(timeout, remaining)


class CheckedBackend(httpcore.NetworkBackend):
    """Connects to checked addresses only, for requests over `scheme`, and stops what a thread does at its deadline."""

    def __init__(self, scheme: str, deadlines: Deadlines, *, allow_private: bool) -> None:
        self._scheme = scheme
        self._deadlines = deadlines
        self._allow_private = allow_private
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first address of `host` that answers, through the proxy that is set in the environment.

        `AddressRefused` if an address of `host` is not public, `ProxyUnusable` if the proxy cannot be used or refuses.
        """
        proxy = proxy_for(self._scheme, host)
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in [host] if proxy and self._allow_private else self._addresses(host, port):
            target, at = (address, port) if proxy is None else (proxy.host, proxy.port)
            try:
                left = self._deadlines.remaining(timeout, httpcore.ConnectTimeout)
                stream = _DeadlineStream(
                    self._inner.connect_tcp(target, at, left, local_address, socket_options), self._deadlines
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = ProxyUnusable(f"the proxy {target}:{at} does not answer") if proxy else error
                continue
            try:
                if proxy is not None:
                    connect_through(stream, proxy, address, port, timeout)
            except ProxyUnusable as error:
                failure = error
                stream.close()
            except BaseException:
                stream.close()
                raise
            else:
                return stream
        raise failure

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        """Refuse: no web page is served from a socket file."""
        raise AddressRefused(f"{path} is a socket of this machine")

    def sleep(self, seconds: float) -> None:
        """Required by the protocol; never called, since nothing here retries."""
        time.sleep(seconds)

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} cannot be found ({error})") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
        for address in addresses:
            if not self._allow_private and not is_public(ipaddress.ip_address(address.split("%", 1)[0])):
                named = host if host == address else f"{host} ({address})"
                raise AddressRefused(f"{named} is no public address")
        return addresses


class CheckedTransport(httpx.BaseTransport):
    """Sends the requests of an `httpx.Client` through a `CheckedBackend`, each within the deadline of its thread."""

    def __init__(self, deadlines: Deadlines, *, connections: int, allow_private: bool) -> None:
        context = httpx.create_ssl_context()
        self._pools = {
            scheme: httpcore.ConnectionPool(
                ssl_context=context,
                network_backend=CheckedBackend(scheme, deadlines, allow_private=allow_private),
                max_connections=connections,
            )
            for scheme in ("http", "https")
        }

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request; the response's body is not yet read. Raises the errors of httpcore, and `AddressRefused`."""
        assert isinstance(request.stream, httpx.SyncByteStream)
        response = self._pools[request.url.scheme].handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            response.status, headers=response.headers, stream=_ResponseBody(response), extensions=response.extensions
        )

    def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            pool.close()


class _ResponseBody(httpx.SyncByteStream):
    """The body of a response, as a stream."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


class _DeadlineStream(httpcore.NetworkStream):
    """A connection on which every step ends at the deadline of the thread."""

    def __init__(self, inner: httpcore.NetworkStream, deadlines: Deadlines) -> None:
        self._inner = inner
        self._deadlines = deadlines

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadlines.remaining(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadlines.remaining(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._deadlines.remaining(timeout, httpcore.ConnectTimeout)
        return _DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadlines)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
