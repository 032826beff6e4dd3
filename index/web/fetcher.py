"""Fetch pages over HTTP: within limits, from public machines only, and as robots.txt allows.

Robots.txt is honoured as RFC 9309 requires, also after redirects, and requests to one host begin a minimum time apart.
"""

import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from types import TracebackType
from typing import Self

import httpcore
import httpx
from protego import Protego

from index.ledger.rows import Visit
from index.web.addresses import AddressRefused, CheckedTransport, Deadlines
from index.web.proxies import ProxyUnusable

AGENT = "quoth"
"""The name of this crawler in robots.txt."""

_USER_AGENT = f"{AGENT}/{version('quoth')} (reads pages that its user named, to quote them)"
_ACCEPT = "text/html,application/xhtml+xml,application/pdf,text/plain;q=0.9,*/*;q=0.5"
_ROBOTS_BYTES = 512 * 1024  # RFC 9309: parsers must read at least 500 KiB
_STEP_SECONDS = 15.0
_MAX_DELAY_SECONDS = 30.0
_REDIRECTS = (301, 302, 303, 307, 308)
_GONE = (404, 410)
_NETWORK_ERRORS = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    httpx.HTTPError,
    httpx.InvalidURL,
)


@dataclass(frozen=True, slots=True)
class WebLimits:
    """Limits of reading the web: pages in total, bytes and seconds per page, seconds in total, redirects per page, concurrent
    requests. `delay` is the minimum time in seconds between the starts of two requests to one host, unless robots.txt asks
    for a longer one.
    """

    pages: int = 1000
    page_bytes: int = 50 * 2**20
    page_seconds: float = 60.0
    seconds: float = 3600.0
    redirects: int = 5
    concurrency: int = 4
    delay: float = 0.25


class NotFetched(Exception):
    """A page could not be fetched, for a reason that may pass or can be fixed. What is indexed of it stays."""

    def __init__(self, reason: str, fix: str, status: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix
        self.status = status


class PageGone(NotFetched):
    """The server says that the page does not exist (any more)."""


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """A page. `url` is its address after redirects; `body` is None if it has not changed since the last visit."""

    url: str
    body: bytes | None
    media_type: str = ""
    charset: str = ""
    etag: str = ""
    last_modified: str = ""


@dataclass(slots=True)
class _Host:
    """The state of requests to one host. `failure` says why robots.txt cannot be read."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    robots: Protego | None = None
    failure: str = ""
    next_start: float = 0.0


class Fetcher:
    """Fetches pages. Thread-safe. With `allow_private` also from machines that are not on the public internet."""

    def __init__(self, limits: WebLimits | None = None, *, allow_private: bool = False) -> None:
        self.limits = limits or WebLimits()
        self._deadlines = Deadlines()
        self._client = httpx.Client(
            transport=CheckedTransport(
                self._deadlines, connections=self.limits.concurrency, allow_private=allow_private
            ),
            headers={"User-Agent": _USER_AGENT, "Accept": _ACCEPT, "Accept-Encoding": "gzip"},
            timeout=_STEP_SECONDS,
            follow_redirects=False,
        )
        self._hosts_lock = threading.Lock()
        self._hosts: dict[str, _Host] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def fetch(self, url: str, visits: Mapping[str, Visit] | None = None) -> FetchedPage:
        """Fetch the page at `url`. `visits` are earlier visits by address: a page unchanged since then is not sent again.

        `PageGone` if the server says that the page does not exist, `NotFetched` for every other failure.
        """
        return self._fetch(url, visits or {}, self._require_permission, self.limits.page_bytes)

    def _fetch(
        self, url: str, visits: Mapping[str, Visit], require_permission: Callable[[httpx.URL], None], max_bytes: int
    ) -> FetchedPage:
        """Fetch the page behind `url` and its redirects, after `require_permission` for each address."""
        place = parse_address(url)
        for _ in range(self.limits.redirects + 1):
            require_permission(place)
            response = self._request(place, visits.get(str(place)), max_bytes)
            if isinstance(response, FetchedPage):
                return response
            place = parse_address(str(place.join(response)))
        raise NotFetched(f"it redirects more than {self.limits.redirects} times", "Name the address that it leads to")

    def _request(self, place: httpx.URL, visit: Visit | None, max_bytes: int) -> FetchedPage | str:
        """The page at exactly this address, or the address that it redirects to."""
        headers = {}
        if visit is not None and visit.etag:
            headers["If-None-Match"] = visit.etag
        if visit is not None and visit.last_modified:
            headers["If-Modified-Since"] = visit.last_modified
        try:
            with (
                self._deadlines.limit(self.limits.page_seconds),
                self._client.stream("GET", place, headers=headers) as response,
            ):
                if response.status_code in _REDIRECTS and "location" in response.headers:
                    return str(response.headers["location"])
                if response.status_code == 304 and visit is not None:
                    return FetchedPage(str(place), None)
                _require_success(response.status_code)
                return FetchedPage(
                    str(place),
                    b"".join(_decompress(response, max_bytes)),
                    response.headers.get("content-type", "").partition(";")[0].strip().lower(),
                    response.charset_encoding or "",
                    response.headers.get("etag", ""),
                    response.headers.get("last-modified", ""),
                )
        except AddressRefused as error:
            raise NotFetched(str(error), "Allow private addresses (--allow-private) if you trust it") from error
        except ProxyUnusable as error:
            fix = "Set HTTP_PROXY and HTTPS_PROXY to a proxy that works, or exclude the host with NO_PROXY"
            raise NotFetched(str(error), fix) from error
        except (httpcore.TimeoutException, httpx.TimeoutException) as error:
            raise NotFetched("it takes too long to answer", "Try again later") from error
        except _NETWORK_ERRORS as error:
            raise NotFetched(f"it cannot be reached ({str(error)[:150]})", "Check the address, or try later") from error

    def _require_permission(self, place: httpx.URL) -> None:
        """Raise `NotFetched` if robots.txt forbids the address; else wait until the host may be asked again."""
        host = self._host_of(place)
        if host.robots is None:
            raise NotFetched(f"robots.txt of its site cannot be read: {host.failure}", "Try again later")
        if not host.robots.can_fetch(str(place), AGENT):
            raise NotFetched("robots.txt of its site forbids to read it", "Ask the site's owner, or save the page")
        delay = min(max(host.robots.crawl_delay(AGENT) or 0.0, self.limits.delay), _MAX_DELAY_SECONDS)
        with self._hosts_lock:
            start = max(time.monotonic(), host.next_start)
            host.next_start = start + delay
        time.sleep(max(0.0, start - time.monotonic()))

    def _host_of(self, place: httpx.URL) -> _Host:
        """The host with its robots.txt, read once: without such a file everything is allowed, without an answer nothing."""
        origin = f"{place.scheme}://{place.netloc.decode()}"
        with self._hosts_lock:
            host = self._hosts.setdefault(origin, _Host())
        with host.lock:
            if host.robots is None and not host.failure:
                try:
                    robots = self._fetch(f"{origin}/robots.txt", {}, lambda _: None, _ROBOTS_BYTES).body or b""
                    host.robots = Protego.parse(robots.decode("utf-8", "replace"))
                except NotFetched as error:
                    if 400 <= error.status < 500 and error.status != 429:
                        host.robots = Protego.parse("")
                    else:
                        host.failure = error.reason
        return host


def parse_address(url: str) -> httpx.URL:
    """The address as a URL without its fragment. `NotFetched` if it is not an address of a web page."""
    try:
        place = httpx.URL(url.strip())
    except (httpx.InvalidURL, ValueError) as error:
        raise NotFetched(f"it is no address ({error})", "Check the spelling") from error
    if place.scheme not in ("http", "https") or not place.host:
        raise NotFetched("it is no address of the web", "Begin it with http:// or https://")
    if place.userinfo:
        raise NotFetched("it holds a user name or a password", "Leave them out: they would be stored and shown")
    place = place.copy_with(fragment=None, path=place.path or "/")
    return httpx.URL(str(place).replace("!/", "%21/"))  # `!/` separates a file from a member of it


def _require_success(status: int) -> None:
    if status in _GONE:
        raise PageGone(f"there is no such page (HTTP {status})", "Check the spelling of the address", status)
    if status in (401, 402, 403, 407):
        raise NotFetched(
            f"it may not be read without permission (HTTP {status})", "Save the page, and index the file", status
        )
    if status >= 500 or status == 429:
        raise NotFetched(f"its server is not able to answer (HTTP {status})", "Try again later", status)
    if status != 200:
        raise NotFetched(f"its server answers HTTP {status}", "Open it in a browser to see why", status)


def _decompress(response: httpx.Response, max_bytes: int) -> Iterator[bytes]:
    """The body in pieces, decompressed one by one, so that never more than `max_bytes` are produced."""
    too_large = NotFetched(f"it has more than {max_bytes:,} bytes", "Save the page, and index the file")
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise NotFetched(
            f"it is packed in a way that was not asked for ({encoding})", "Save the page, and index the file"
        )
    decompressor = None if encoding in ("identity", "") else zlib.decompressobj(zlib.MAX_WBITS | 32)
    size = 0
    for piece in response.iter_raw():
        try:
            data = piece if decompressor is None else decompressor.decompress(piece, max_bytes - size + 1)
        except zlib.error as error:
            raise NotFetched(f"it was damaged in transit ({error})", "Try again later") from error
        size += len(data)
        if size > max_bytes:
            raise too_large
        yield data
    if decompressor is not None and not decompressor.eof:
        raise NotFetched("it is cut short", "Try again later")
