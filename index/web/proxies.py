"""The proxy that the environment names (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY), and the way through it.

Through a proxy, too, Quoth decides which machine is asked: it has the proxy connect (CONNECT, RFC 9110) to the very address
that was looked up and checked here, so a name that means something else to the proxy gains nothing. This machine is never
asked through a proxy.
"""

import base64
import ipaddress
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

import httpcore

_PORT = 80
_MOST_HEAD = 16 * 1024
_END = b"\r\n\r\n"


class ProxyUnusable(Exception):
    """The environment names a proxy that cannot be used, or the proxy refuses. The message says which and why."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where a proxy listens, and what it asks for; that is never shown."""

    host: str
    port: int
    credentials: str = field(default="", repr=False)


def proxy_for(scheme: str, host: str) -> Proxy | None:
    """The proxy through which `host` is asked over `scheme`, None for none. Raises `ProxyUnusable`."""
    named = getproxies_environment()
    url = named.get(scheme) or named.get("all")
    if not url or _is_this_machine(host) or proxy_bypass(host):
        return None
    variable = f"{scheme.upper()}_PROXY" if named.get(scheme) else "ALL_PROXY"
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port or _PORT
    except ValueError as error:
        raise ProxyUnusable(f"{variable} is no address of a proxy ({error})") from error
    if parts.scheme != "http" or not parts.hostname:
        raise ProxyUnusable(f"{variable} names a proxy that is not asked over http:// ({parts.scheme}://)")
    user = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return Proxy(parts.hostname, port, user if parts.username else "")


def connect_through(stream: httpcore.NetworkStream, proxy: Proxy, host: str, port: int, timeout: float | None) -> None:
    """Have the proxy at the other end of the stream connect it to `host`. Raises `ProxyUnusable` if it does not."""
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    if proxy.credentials:
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(proxy.credentials.encode()).decode()}")
    stream.write("\r\n".join(lines).encode("ascii") + _END, timeout)
    head = b""
    while _END not in head:
        piece = stream.read(_MOST_HEAD, timeout)
        head += piece
        if not piece or len(head) > _MOST_HEAD:
            raise ProxyUnusable(f"the proxy {proxy.host}:{proxy.port} answers something else than HTTP, or nothing")
    status = head.split(b"\r\n", 1)[0].decode("ascii", "replace").split(" ")
    if len(status) < 2 or not status[0].startswith("HTTP/1.") or not status[1].startswith("2"):
        said = " ".join(status[1:])[:100]
        raise ProxyUnusable(f"the proxy {proxy.host}:{proxy.port} does not connect to {place} ({said})")


def _is_this_machine(host: str) -> bool:
    if host.lower().rstrip(".") == "localhost" or host.lower().rstrip(".").endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
