"""Sync web pages into a collection: read new and changed pages, remove those that are gone.

An address is that of a page, or of a sitemap, which stands for the pages that it lists on its own host; links are not
followed. Requests carry what the server said at the last visit, so a page that has not changed is neither sent nor read again.
A page that an earlier version of Quoth read is sent and read again in any case.

A page that cannot be fetched stays as it was; one that its server reports gone, or that its sitemap no longer lists, is
removed. If more than half of the ten or more pages of a sitemap are gone in one run, they stay until it is confirmed
(`index.sync.retention`): a server that is set up wrongly says of every page that it is gone.
"""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from index.collection import Collection
from index.errors import DocumentRejected, NotADocument
from index.extraction.contents import Contents, map_in_order, read_contents
from index.extraction.extractor import Extractor
from index.formats.limits import Limits
from index.formats.registry import web_name
from index.ledger.rows import Visit
from index.records import DocumentSummary
from index.sync.importer import Importer
from index.sync.listing import Rejection
from index.sync.retention import Kept, Reason, is_most
from index.sync.sync import SyncProgress, SyncReport, import_report
from index.uris import file_uri
from index.web.discovery import Discovery, discover_pages
from index.web.fetcher import FetchedPage, Fetcher, NotFetched, PageGone, WebLimits, parse_address


def sync_web(
    collection: Collection,
    addresses: Sequence[str],
    *,
    principals: frozenset[str] | None = None,
    prune: bool = False,
    on_progress: Callable[[SyncProgress], None] | None = None,
    web_limits: WebLimits | None = None,
    limits: Limits | None = None,
    allow_private: bool = False,
) -> SyncReport:
    """Make `collection` match the pages at `addresses`, and those that sitemaps among them list.

    `principals` and `prune` as in `index.sync.sync.sync`. Pages are fetched from machines that are not on the public internet
    only with `allow_private`. A page that fails does not stop the others: see `rejected` in the report. Raises
    `CollectionBusy` and `DiskFull` as `sync` does.
    """
    started = time.monotonic()
    limits = limits or Limits()
    if principals is not None:
        collection.record_roots([place for address in addresses if (place := _normal_address(address))], principals)
    with Fetcher(web_limits, allow_private=allow_private) as fetcher, Extractor(limits) as extractor:
        run = _WebSync(collection, fetcher, extractor, principals, on_progress or (lambda _: None))
        discovery = discover_pages(fetcher, addresses, run.unchanged, run.visits)
        run.read_and_store(discovery, deadline=started + fetcher.limits.seconds, prune=prune)
    collection.embed_pending(on_progress=run.report_vectors)
    return run.report(time.monotonic() - started)


class _WebSync:
    """One run of a web sync. Pages are fetched and read in threads; everything else happens in the caller's thread."""

    def __init__(
        self,
        collection: Collection,
        fetcher: Fetcher,
        extractor: Extractor,
        principals: frozenset[str] | None,
        on_progress: Callable[[SyncProgress], None],
    ) -> None:
        self._collection = collection
        self._fetcher = fetcher
        self._extractor = extractor
        self._principals = principals
        self._on_progress = on_progress
        self._total = 0
        known = collection.documents.list()
        self._importer = Importer(collection, known, (), lambda _uri, _source: True, principals)
        self._pages: dict[str, list[DocumentSummary]] = {}
        for document in known:
            self._pages.setdefault(file_uri(document.uri), []).append(document)
        self.visits = {visit.uri: visit for visit in collection.documents.visits() if visit.uri in self._pages}
        self.unchanged = {uri: visit for uri, visit in self.visits.items() if _have_structure(self._pages[uri])}
        self._new_visits: list[Visit] = []
        self._seen: set[str] = set()
        self._gone: set[str] = set()
        self._kept: list[Kept] = []

    def read_and_store(self, discovery: Discovery, *, deadline: float, prune: bool) -> None:
        """Read the pages, store them in batches, and remove what is gone."""
        self._importer.rejected += discovery.rejected
        self._importer.skipped += discovery.skipped
        self._gone |= discovery.gone
        self._total = len(discovery.pages)
        whole = set(discovery.whole)
        unread: dict[str, int] = {}

        def read(page: tuple[str, str]) -> tuple[FetchedPage, Contents | None] | NotFetched | None:
            if time.monotonic() > deadline:
                return None
            try:
                fetched = discovery.fetched.pop(page[0], None) or self._fetcher.fetch(page[0], self.unchanged)
            except NotFetched as error:
                return error
            return fetched, None if fetched.body is None else self._contents(fetched, fetched.body)

        concurrency = self._fetcher.limits.concurrency
        with (
            ThreadPoolExecutor(concurrency) as threads,
            closing(map_in_order(read, discovery.pages.items(), threads, ahead=2 * concurrency)) as pages,
        ):
            for done, ((url, found_by), outcome) in enumerate(pages, start=1):
                if outcome is None:
                    unread[found_by] = unread.get(found_by, 0) + 1
                    whole.discard(found_by)
                elif isinstance(outcome, NotFetched):
                    if not self._add_failure(url, outcome):
                        whole.discard(found_by)
                else:
                    self._add_page(url, found_by, *outcome)
                if self._importer.is_full or done == self._total:
                    self._store()
                self._on_progress(SyncProgress(done, self._total, current=url))
        for found_by, count in unread.items():
            reason = f"the time of {self._fetcher.limits.seconds:g} s was over before {count:,} of its pages were read"
            self._importer.rejected.append(Rejection(found_by, reason, "Run it again: what was read is not sent again"))
        self._remove_gone(whole, prune=prune)

    def report_vectors(self, done: int, total: int) -> None:
        """Report how many chunks have a vector."""
        self._on_progress(SyncProgress(self._total, self._total, done, total))

    def report(self, seconds: float) -> SyncReport:
        """Return what the sync did."""
        return replace(import_report(self._importer, seconds), kept=tuple(self._kept))

    def _contents(self, fetched: FetchedPage, body: bytes) -> Contents:
        """The contents of the page, read in the same sandbox as a file."""
        name = web_name(unquote(urlsplit(fetched.url).path), fetched.media_type)
        if name is None:
            reason = f"what is there is of the type {fetched.media_type}"
            return Contents((), (NotADocument(fetched.url, reason, "Leave it: it holds no text"),), None)
        with tempfile.TemporaryDirectory(prefix="quoth-") as folder:
            path = Path(folder) / "page"
            path.write_bytes(_as_utf8(body, fetched))
            modified = _modification_time(fetched.last_modified)
            os.utime(path, (modified, modified))
            return read_contents(self._extractor, path, uri=fetched.url, name=name)

    def _add_page(self, url: str, found_by: str, fetched: FetchedPage, contents: Contents | None) -> None:
        if fetched.url in self._seen:
            reason = f"it leads to {fetched.url}, which is read already"
            self._importer.skipped.append(Rejection(url, reason, "Leave it out of the list"))
            return
        self._seen.add(fetched.url)
        if contents is None:
            self._new_visits.append(self.visits[fetched.url]._replace(found_by=found_by))
            self._keep(self._pages[fetched.url])
            return
        self._importer.add(fetched.url, contents, found_by)
        if contents.source is not None and not _has_rejected(contents.rejected):
            self._new_visits.append(Visit(fetched.url, found_by, fetched.etag, fetched.last_modified))

    def _keep(self, documents: Sequence[DocumentSummary]) -> None:
        """Keep the documents of an unchanged page, and give them the principals."""
        for document in documents:
            if self._principals in (None, document.principals):
                self._importer.unchanged.append(document.uri)
            else:
                self._collection.permit(document.id, self._principals or frozenset())
                self._importer.changed.append(document.uri)

    def _add_failure(self, url: str, error: NotFetched) -> bool:
        """Record that a page was not fetched. Returns whether its server reports it gone."""
        if isinstance(error, PageGone) and url in self._pages:
            self._gone.add(url)
            return True
        self._importer.rejected.append(Rejection(url, error.reason, error.fix))
        return isinstance(error, PageGone)

    def _store(self) -> None:
        self._importer.store()
        # After the documents: a page without a visit is merely fetched again.
        self._collection.record_visits(self._new_visits)
        self._new_visits = []

    def _remove_gone(self, whole: set[str], *, prune: bool) -> None:
        """Remove pages that are gone, and those no longer listed by a sitemap that was read completely (`whole`)."""
        unlisted = {uri for uri, visit in self.visits.items() if visit.found_by in whole and uri not in self._seen}
        gone = (self._gone | unlisted) - self._seen
        if not prune:
            gone -= self._keep_most_gone(gone)
        self._importer.remove(document for uri in gone for document in self._pages.get(uri, ()))
        self._collection.record_visits((), forget=sorted(gone))

    def _keep_most_gone(self, gone: set[str]) -> set[str]:
        """Return the pages among `gone` that stay because most pages of their sitemap are gone at once."""
        listed: dict[str, list[str]] = {}
        for uri, visit in self.visits.items():
            listed.setdefault(visit.found_by, []).append(uri)
        stays: set[str] = set()
        for place, uris in listed.items():
            lost = [uri for uri in uris if uri in gone]
            if is_most(len(lost), len(uris)):
                stays.update(lost)
                documents = tuple(document.uri for uri in lost for document in self._pages.get(uri, ()))
                self._kept.append(Kept(place, Reason.MOST_UNLISTED, len(lost), len(uris), documents))
        return stays


def _have_structure(documents: Sequence[DocumentSummary]) -> bool:
    """Whether this version of Quoth read all of these documents."""
    return all(document.has_structure for document in documents)


def _normal_address(address: str) -> str | None:
    """The address as it is recorded in the visits that it led to; None if it is not valid."""
    try:
        return str(parse_address(address))
    except NotFetched:
        return None


def _has_rejected(refused: Sequence[DocumentRejected]) -> bool:
    return any(not isinstance(error, NotADocument) for error in refused)


def _as_utf8(body: bytes, fetched: FetchedPage) -> bytes:
    """Text converted to UTF-8 from the encoding that the server states; other bytes unchanged."""
    is_text = fetched.media_type.startswith("text/") or fetched.media_type.endswith("xml")
    if not is_text or fetched.charset in ("", "utf-8", "utf8", "us-ascii"):
        return body
    try:
        return body.decode(fetched.charset).encode()
    except (LookupError, UnicodeError):
        return body


def _modification_time(last_modified: str) -> float:
    """The time that the server states, in seconds since 1970; the present time if it states none."""
    try:
        return max(0.0, parsedate_to_datetime(last_modified).timestamp())
    except (ValueError, TypeError, IndexError, OverflowError):
        return time.time()
