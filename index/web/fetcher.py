"""Addresses -> pages as they come over the network: politely, within limits, and from public machines only.

Robots.txt is honoured as RFC 9309 says, behind redirects too, and requests to one host begin at least a moment apart.
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

from index.ledger.visits import Visit
from index.web.addresses import AddressRefused, CheckedTransport, Deadlines
from index.web.proxies import ProxyUnusable

AGENT = "quoth"
"""The name that robots.txt may call it by."""

_USER_AGENT = f"{AGENT}/{version('quoth')} (reads pages that its user named, to quote them)"
_ACCEPT = "text/html,application/xhtml+xml,application/pdf,text/plain;q=0.9,*/*;q=0.5"
_ROBOTS_BYTES = 512 * 1024  # RFC 9309: parsers must read at least 500 KiB
_STEP_SECONDS = 15.0
_LONGEST_DELAY = 30.0
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
    """What reading the web may cost: pages in all, bytes and seconds a page, seconds in all, redirects a page, requests at
    once; `delay` is the least time in seconds between the beginnings of two requests to one host, if robots.txt asks for no
    longer one.
    """

    pages: int = 1000
    page_bytes: int = 50 * 2**20
    page_seconds: float = 60.0
    seconds: float = 3600.0
    redirects: int = 5
    at_once: int = 4
    delay: float = 0.25


class NotFetched(Exception):
    """An address gives no page, for a reason that may pass or be mended: what is known of it stays."""

    def __init__(self, reason: str, mend: str, status: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.mend = mend
        self.status = status


class PageGone(NotFetched):
    """The server says that there is no such page (any more)."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page. `url` is where it was found, after redirects; `body` is None if it has not changed since the visit."""

    url: str
    body: bytes | None
    media_type: str = ""
    charset: str = ""
    etag: str = ""
    last_modified: str = ""


@dataclass(slots=True)
class _Host:
    """What is known of a host while it is asked."""

    guard: threading.Lock = field(default_factory=threading.Lock)
    robots: Protego | None = None
    refusal: str = ""
    next_turn: float = 0.0


class Fetcher:
    """Fetches pages. Thread-safe. `allow_private` lets it ask machines that are not on the public internet."""

    def __init__(self, limits: WebLimits | None = None, *, allow_private: bool = False) -> None:
        self.limits = limits or WebLimits()
        self._deadlines = Deadlines()
        self._client = httpx.Client(
            transport=CheckedTransport(self._deadlines, connections=self.limits.at_once, allow_private=allow_private),
            headers={"User-Agent": _USER_AGENT, "Accept": _ACCEPT, "Accept-Encoding": "gzip"},
            timeout=_STEP_SECONDS,
            follow_redirects=False,
        )
        self._guard = threading.Lock()
        self._hosts: dict[str, _Host] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def fetch(self, url: str, visits: Mapping[str, Visit] | None = None) -> Fetched:
        """The page at `url`. `visits` are earlier visits by address: what has not changed since is not sent again.

        `PageGone` if the server says that there is none, `NotFetched` for every other reason.
        """
        return self._followed(url, visits or {}, self._ask_leave, self.limits.page_bytes)

    def _followed(
        self, url: str, visits: Mapping[str, Visit], ask_leave: Callable[[httpx.URL], None], most_bytes: int
    ) -> Fetched:
        """The page behind `url` and its redirects, each of which needs leave."""
        place = parsed(url)
        for _ in range(self.limits.redirects + 1):
            ask_leave(place)
            found = self._answer(place, visits.get(str(place)), most_bytes)
            if isinstance(found, Fetched):
                return found
            place = parsed(str(place.join(found)))
        raise NotFetched(f"it redirects more than {self.limits.redirects} times", "Name the address that it leads to")

    def _answer(self, place: httpx.URL, visit: Visit | None, most_bytes: int) -> Fetched | str:
        """The page at this very address, or where it redirects to."""
        headers = {}
        if visit is not None and visit.etag:
            headers["If-None-Match"] = visit.etag
        if visit is not None and visit.last_modified:
            headers["If-Modified-Since"] = visit.last_modified
        try:
            with (
                self._deadlines.limited(self.limits.page_seconds),
                self._client.stream("GET", place, headers=headers) as response,
            ):
                if response.status_code in _REDIRECTS and "location" in response.headers:
                    return str(response.headers["location"])
                if response.status_code == 304 and visit is not None:
                    return Fetched(str(place), None)
                _require_success(response.status_code)
                return Fetched(
                    str(place),
                    b"".join(_unpacked(response, most_bytes)),
                    response.headers.get("content-type", "").partition(";")[0].strip().lower(),
                    response.charset_encoding or "",
                    response.headers.get("etag", ""),
                    response.headers.get("last-modified", ""),
                )
        except AddressRefused as error:
            raise NotFetched(str(error), "Allow private addresses (--allow-private) if you trust it") from error
        except ProxyUnusable as error:
            mend = "Name a proxy that does in HTTP_PROXY and HTTPS_PROXY, or except the host in NO_PROXY"
            raise NotFetched(str(error), mend) from error
        except (httpcore.TimeoutException, httpx.TimeoutException) as error:
            raise NotFetched("it takes too long to answer", "Try again later") from error
        except _NETWORK_ERRORS as error:
            raise NotFetched(f"it cannot be reached ({str(error)[:150]})", "Check the address, or try later") from error

    def _ask_leave(self, place: httpx.URL) -> None:
        """`NotFetched` if robots.txt forbids the address; else wait until it is polite to ask for it."""
        host = self._host_of(place)
        if host.robots is None:
            raise NotFetched(f"robots.txt of its site cannot be read: {host.refusal}", "Try again later")
        if not host.robots.can_fetch(str(place), AGENT):
            raise NotFetched("robots.txt of its site forbids to read it", "Ask the site's owner, or save the page")
        delay = min(max(host.robots.crawl_delay(AGENT) or 0.0, self.limits.delay), _LONGEST_DELAY)
        with self._guard:
            turn = max(time.monotonic(), host.next_turn)
            host.next_turn = turn + delay
        time.sleep(max(0.0, turn - time.monotonic()))

    def _host_of(self, place: httpx.URL) -> _Host:
        """The host with its robots.txt, read once. An answer that there is none allows everything, no answer nothing."""
        origin = f"{place.scheme}://{place.netloc.decode()}"
        with self._guard:
            host = self._hosts.setdefault(origin, _Host())
        with host.guard:
            if host.robots is None and not host.refusal:
                try:
                    found = self._followed(f"{origin}/robots.txt", {}, _granted, _ROBOTS_BYTES).body or b""
                    host.robots = Protego.parse(found.decode("utf-8", "replace"))
                except NotFetched as error:
                    if 400 <= error.status < 500 and error.status != 429:
                        host.robots = Protego.parse("")
                    else:
                        host.refusal = error.reason
        return host


def _granted(_: httpx.URL) -> None:
    """Leave that nobody needs to give: robots.txt may always be read."""


def parsed(url: str) -> httpx.URL:
    """The address without its fragment. `NotFetched` if it is none that could be asked for."""
    try:
        place = httpx.URL(url.strip())
    except (httpx.InvalidURL, ValueError) as error:
        raise NotFetched(f"it is no address ({error})", "Check how it is written") from error
    if place.scheme not in ("http", "https") or not place.host:
        raise NotFetched("it is no address of the web", "Begin it with http:// or https://")
    if place.userinfo:
        raise NotFetched("it holds a user name or a password", "Leave them out: they would be stored and shown")
    place = place.copy_with(fragment=None, path=place.path or "/")
    return httpx.URL(str(place).replace("!/", "%21/"))  # `!/` parts a file from what is in it


def _require_success(status: int) -> None:
    if status in _GONE:
        raise PageGone(f"there is no such page (HTTP {status})", "Check how the address is written", status)
    if status in (401, 402, 403, 407):
        raise NotFetched(
            f"it may not be read without permission (HTTP {status})", "Save the page, and index the file", status
        )
    if status >= 500 or status == 429:
        raise NotFetched(f"its server is not able to answer (HTTP {status})", "Try again later", status)
    if status != 200:
        raise NotFetched(f"its server answers HTTP {status}", "Open it in a browser to see why", status)


def _unpacked(response: httpx.Response, most: int) -> Iterator[bytes]:
    """The body in pieces, unpacked piece by piece, so that no more than `most` bytes ever come out of it."""
    too_much = NotFetched(f"it has more than {most:,} bytes", "Save the page, and index the file")
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise NotFetched(
            f"it is packed in a way that was not asked for ({encoding})", "Save the page, and index the file"
        )
    unpacker = None if encoding in ("identity", "") else zlib.decompressobj(zlib.MAX_WBITS | 32)
    size = 0
    for piece in response.iter_raw():
        try:
            data = piece if unpacker is None else unpacker.decompress(piece, most - size + 1)
        except zlib.error as error:
            raise NotFetched(f"it is damaged on its way ({error})", "Try again later") from error
        size += len(data)
        if size > most:
            raise too_much
        yield data
    if unpacker is not None and not unpacker.eof:
        raise NotFetched("it is cut short", "Try again later")
