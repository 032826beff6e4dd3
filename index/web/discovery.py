"""Discover the pages to read: the addresses that a user gives, and the pages that sitemaps among them list.

Sitemaps are those of sitemaps.org, 0.9. One with a document type declaration is refused: sitemaps have none, and XML bombs are
made of entities.
"""

import zlib
from collections import deque
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from xml.parsers import expat

from index.ledger.rows import Visit
from index.sync.listing import Rejection
from index.web.fetcher import FetchedPage, Fetcher, NotFetched, PageGone, parse_address

_MAX_SITEMAPS = 100
_GZIP = b"\x1f\x8b"
_ROOTS = {"urlset": "url", "sitemapindex": "sitemap"}


class Sitemap(NamedTuple):
    """The addresses of pages and of further sitemaps, as written and in order."""

    pages: list[str]
    sitemaps: list[str]


class NotASitemap(Exception):
    """The bytes are something else, or damaged. The message says why."""


@dataclass(slots=True)
class Discovery:
    """The pages to read, in order, each with the given address that led to it.

    `fetched` are pages that were already fetched to find out what they are. `whole` are the given addresses whose pages are
    all among `pages`. `gone` are given pages that no longer exist.
    """

    pages: dict[str, str] = field(default_factory=dict)
    fetched: dict[str, FetchedPage] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    rejected: list[Rejection] = field(default_factory=list)
    skipped: list[Rejection] = field(default_factory=list)


def discover_pages(
    fetcher: Fetcher, addresses: Sequence[str], visits: Mapping[str, Visit], known: Container[str]
) -> Discovery:
    """The pages at `addresses` and in the sitemaps among them.

    `visits` are those of pages that need not be read again if they are unchanged, `known` the pages in the collection.
    """
    discovery = Discovery()
    for address in addresses:
        try:
            place = str(parse_address(address))
            page = fetcher.fetch(place, visits)
        except PageGone as error:
            if str(parse_address(address)) in known:
                discovery.gone.add(str(parse_address(address)))
            else:
                discovery.rejected.append(Rejection(address, error.reason, error.fix))
        except NotFetched as error:
            discovery.rejected.append(Rejection(address, error.reason, error.fix))
        else:
            sitemap = _sitemap_in(page, fetcher.limits.page_bytes)
            if sitemap is not None:
                _add_sitemap(discovery, fetcher, place, page.url, sitemap)
            else:
                discovery.pages.setdefault(place, place)
                discovery.fetched[place] = page
                discovery.whole.add(place)
    return discovery


def parse_sitemap(data: bytes) -> Sitemap:
    """The sitemap, or index of sitemaps, in `data`. Raises `NotASitemap`. Pure."""
    reader = _SitemapReader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.doctype
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError) as error:
        raise NotASitemap(f"it is not XML ({error})") from error
    return Sitemap(reader.addresses["url"], reader.addresses["sitemap"])


def _add_sitemap(discovery: Discovery, fetcher: Fetcher, place: str, url: str, sitemap: Sitemap) -> None:
    """Add the pages of the sitemap given as `place` and fetched from `url`, and those of the sitemaps that it lists."""
    host = parse_address(url).host
    waiting = deque(sitemap.sitemaps)
    fetched = {url}
    is_whole = True
    elsewhere = listed = 0
    while True:
        for page in sitemap.pages:
            try:
                target = parse_address(page)
            except NotFetched as error:
                discovery.rejected.append(Rejection(page, error.reason, error.fix))
                continue
            if target.host != host:
                elsewhere += 1
            elif len(discovery.pages) < fetcher.limits.pages or str(target) in discovery.pages:
                discovery.pages.setdefault(str(target), place)
                listed += 1
            else:
                is_whole = False
        while waiting and waiting[0] in fetched:
            waiting.popleft()
        if not waiting or len(fetched) > _MAX_SITEMAPS:
            is_whole = is_whole and not waiting
            break
        following = waiting.popleft()
        fetched.add(following)
        part = _fetch_part(discovery, fetcher, following, host)
        is_whole = is_whole and part is not None
        sitemap = part or Sitemap([], [])
        waiting.extend(sitemap.sitemaps)
    if elsewhere:
        reason = f"{elsewhere:,} of the addresses that it lists are on other hosts"
        discovery.skipped.append(Rejection(place, reason, "Name them, or the sitemaps of those hosts"))
    if not listed:
        discovery.rejected.append(Rejection(place, "it lists no page", "Name another sitemap, or a page"))
    elif not is_whole and len(discovery.pages) >= fetcher.limits.pages:
        reason = f"it lists more than {fetcher.limits.pages:,} pages, and only so many are read"
        discovery.rejected.append(Rejection(place, reason, "Raise the limit (--max-pages), or name a smaller sitemap"))
    if is_whole and listed:
        discovery.whole.add(place)


def _fetch_part(discovery: Discovery, fetcher: Fetcher, url: str, host: str) -> Sitemap | None:
    """A sitemap that another one lists; None, and a rejection, if it cannot be read."""
    try:
        if parse_address(url).host != host:
            raise NotFetched("it is on another host than the sitemap that lists it", "Name it yourself")
        sitemap = _sitemap_in(fetcher.fetch(url), fetcher.limits.page_bytes)
        if sitemap is None:
            raise NotFetched("it is not a sitemap", "Tell the site's owner")
    except NotFetched as error:
        discovery.rejected.append(Rejection(url, error.reason, error.fix))
        return None
    return sitemap


def _sitemap_in(page: FetchedPage, max_bytes: int) -> Sitemap | None:
    """The sitemap that was fetched, also as a gzip file; None if it is something else."""
    data = page.body
    if data is None or page.media_type == "text/html":
        return None
    if data.startswith(_GZIP):
        try:
            data = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(data, max_bytes)
        except zlib.error:
            return None
    try:
        return parse_sitemap(data)
    except NotASitemap:
        return None


class _SitemapReader:
    """Handlers for expat: they collect the text of each `<loc>` inside a `<url>` or `<sitemap>`."""

    def __init__(self) -> None:
        self.addresses: dict[str, list[str]] = {"url": [], "sitemap": []}
        self._open: list[str] = []
        self._text: list[str] = []

    def start(self, name: str, _: dict[str, str]) -> None:
        """Handle the start of an element."""
        name = name.rsplit(" ", 1)[-1]
        if not self._open and name not in _ROOTS:
            raise NotASitemap(f"its root is <{name}>")
        self._open.append(name)
        self._text = []

    def end(self, _: str) -> None:
        """Handle the end of an element."""
        path, tag = self._open[:-1], self._open.pop()
        if tag == "loc" and len(path) == 2 and path[1] == _ROOTS[path[0]]:
            self.addresses[path[1]].append("".join(self._text).strip())

    def text(self, text: str) -> None:
        """Handle characters of the open element."""
        self._text.append(text)

    def doctype(self, *_: object) -> None:
        """Refuse a document type declaration."""
        raise NotASitemap("it has a document type declaration")
