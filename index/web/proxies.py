"""Proxies set in the environment (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY), and connections through them.

Quoth decides which machine is asked through a proxy, too: it asks the proxy to connect (CONNECT, RFC 9110) to the very
address that was looked up and checked here, so it does not matter how the proxy resolves the name. This machine is never
asked through a proxy.
"""

import base64
import ipaddress
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

import httpcore

_PORT = 80
_MAX_HEAD_BYTES = 16 * 1024
_END = b"\r\n\r\n"


class ProxyUnusable(Exception):
    """The proxy set in the environment cannot be used, or refuses. The message says which proxy and why."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """The address of a proxy, and the credentials for it, which are never shown."""

    host: str
    port: int
    credentials: str = field(default="", repr=False)


def proxy_for(scheme: str, host: str) -> Proxy | None:
    """The proxy for requests to `host` over `scheme`; None for a direct connection. Raises `ProxyUnusable`."""
    variables = getproxies_environment()
    url = variables.get(scheme) or variables.get("all")
    if not url or _is_this_machine(host) or proxy_bypass(host):
        return None
    variable = f"{scheme.upper()}_PROXY" if variables.get(scheme) else "ALL_PROXY"
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
    """Ask the proxy at the other end of the stream to connect it to `host`. Raises `ProxyUnusable` if it does not."""
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.credentials:
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(proxy.credentials.encode()).decode()}")
    stream.write("\r\n".join(lines).encode("ascii") + _END, timeout)
    head = b""
    while _END not in head:
        piece = stream.read(_MAX_HEAD_BYTES, timeout)
        head += piece
        if not piece or len(head) > _MAX_HEAD_BYTES:
            raise ProxyUnusable(f"the proxy {proxy.host}:{proxy.port} answers something else than HTTP, or nothing")
    status = head.split(b"\r\n", 1)[0].decode("ascii", "replace").split(" ")
    if len(status) < 2 or not status[0].startswith("HTTP/1.") or not status[1].startswith("2"):
        answer = " ".join(status[1:])[:100]
        raise ProxyUnusable(f"the proxy {proxy.host}:{proxy.port} does not connect to {target} ({answer})")


def _is_this_machine(host: str) -> bool:
    if host.lower().rstrip(".") == "localhost" or host.lower().rstrip(".").endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
