"""Addresses that a user names -> the pages to read: the addresses themselves, and what sitemaps among them list."""

import zlib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from index.ledger.visits import Visit
from index.sync.listing import Rejection
from index.web.fetcher import Fetched, Fetcher, NotFetched, PageGone, parsed
from index.web.sitemap import NotASitemap, Sitemap, sitemap_of

_MOST_SITEMAPS = 100
_GZIP = b"\x1f\x8b"


@dataclass(slots=True)
class Survey:
    """Pages in order, each with the address named that led to it.

    `fetched` are pages that were asked for to find out. `whole` are the addresses whose pages are all among `pages`. `gone`
    are pages named that are no longer there.
    """

    pages: dict[str, str] = field(default_factory=dict)
    fetched: dict[str, Fetched] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    rejected: list[Rejection] = field(default_factory=list)
    skipped: list[Rejection] = field(default_factory=list)


def survey(fetcher: Fetcher, addresses: Sequence[str], visits: Mapping[str, Visit]) -> Survey:
    """What there is to read. `visits` are those of pages that are in the collection."""
    found = Survey()
    for address in addresses:
        try:
            place = str(parsed(address))
            fetched = fetcher.fetch(place, visits)
        except PageGone as error:
            if str(parsed(address)) in visits:
                found.gone.add(str(parsed(address)))
            else:
                found.rejected.append(Rejection(address, error.reason, error.mend))
        except NotFetched as error:
            found.rejected.append(Rejection(address, error.reason, error.mend))
        else:
            sitemap = _sitemap_in(fetched, fetcher.limits.page_bytes)
            if sitemap is not None:
                _list(found, fetcher, place, fetched.url, sitemap)
            else:
                found.pages.setdefault(place, place)
                found.fetched[place] = fetched
                found.whole.add(place)
    return found


def _list(found: Survey, fetcher: Fetcher, place: str, url: str, sitemap: Sitemap) -> None:
    """Add the pages of the sitemap that was named as `place` and stands at `url`, and those of the sitemaps that it lists."""
    host = parsed(url).host
    waiting = deque(sitemap.sitemaps)
    asked = {url}
    is_whole = True
    elsewhere = listed = 0
    while True:
        for page in sitemap.pages:
            try:
                target = parsed(page)
            except NotFetched as error:
                found.rejected.append(Rejection(page, error.reason, error.mend))
                continue
            if target.host != host:
                elsewhere += 1
            elif len(found.pages) < fetcher.limits.pages or str(target) in found.pages:
                found.pages.setdefault(str(target), place)
                listed += 1
            else:
                is_whole = False
        while waiting and waiting[0] in asked:
            waiting.popleft()
        if not waiting or len(asked) > _MOST_SITEMAPS:
            is_whole = is_whole and not waiting
            break
        following = waiting.popleft()
        asked.add(following)
        part = _part(found, fetcher, following, host)
        is_whole = is_whole and part is not None
        sitemap = part or Sitemap([], [])
        waiting.extend(sitemap.sitemaps)
    if elsewhere:
        reason = f"{elsewhere:,} of the addresses that it lists are on other hosts"
        found.skipped.append(Rejection(place, reason, "Name them, or the sitemaps of those hosts"))
    if not listed:
        found.rejected.append(Rejection(place, "it lists no page", "Name another sitemap, or a page"))
    elif not is_whole and len(found.pages) >= fetcher.limits.pages:
        reason = f"it lists more than {fetcher.limits.pages:,} pages, and only so many are read"
        found.rejected.append(Rejection(place, reason, "Raise the limit (--max-pages), or name a smaller sitemap"))
    if is_whole and listed:
        found.whole.add(place)


def _part(found: Survey, fetcher: Fetcher, url: str, host: str) -> Sitemap | None:
    """A sitemap that another one lists; None if it cannot be read."""
    try:
        if parsed(url).host != host:
            raise NotFetched("it is on another host than the sitemap that lists it", "Name it yourself")
        sitemap = _sitemap_in(fetcher.fetch(url), fetcher.limits.page_bytes)
        if sitemap is None:
            raise NotFetched("it is no sitemap", "Tell the site's owner")
    except NotFetched as error:
        found.rejected.append(Rejection(url, error.reason, error.mend))
        return None
    return sitemap


def _sitemap_in(fetched: Fetched, most_bytes: int) -> Sitemap | None:
    """The sitemap that was fetched, also as a gzip file; None if it is something else."""
    data = fetched.body
    if data is None or fetched.media_type == "text/html":
        return None
    if data.startswith(_GZIP):
        try:
            data = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(data, most_bytes)
        except zlib.error:
            return None
    try:
        return sitemap_of(data)
    except NotASitemap:
        return None
