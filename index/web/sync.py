"""Pages of the web against a collection: reads those that are new or changed, retires those that are gone.

An address is a page, or a sitemap and then the pages that it lists on its own host; nothing else is followed. Pages are asked
for with what their servers said at the last visit, so what has not changed is neither sent nor read again. A page that does not
answer, or not well, stays as it was; one that its server calls gone, or that its sitemap no longer lists, goes.
"""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from index.collection import Collection
from index.errors import DocumentRejected, NotADocument
from index.extraction.contents import Contents, contents
from index.extraction.extractor import Extractor
from index.extraction.prefetch import in_order
from index.formats.limits import Limits
from index.formats.registry import web_name
from index.ledger.visits import Visit
from index.records import DocumentSummary
from index.sync.importer import Intake
from index.sync.listing import Rejection
from index.sync.sync import Progress, SyncReport
from index.uris import file_uri
from index.web.discovery import Survey, survey
from index.web.fetcher import Fetched, Fetcher, NotFetched, PageGone, WebLimits, parsed


def sync_web(
    collection: Collection,
    addresses: Sequence[str],
    *,
    principals: frozenset[str] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    web_limits: WebLimits | None = None,
    limits: Limits | None = None,
    allow_private: bool = False,
) -> SyncReport:
    """Make `collection` say what the pages at `addresses` say, and those that sitemaps among them list.

    `principals` are those of `index.sync.sync.sync`. Machines that are not on the public internet are asked only if
    `allow_private`. No page stops the others: see `rejected` in the report. Raises `CollectionBusy` and `DiskFull` as `sync`.
    """
    started = time.monotonic()
    limits = limits or Limits()
    if principals is not None:
        collection.note_roots([place for address in addresses if (place := _place(address))], principals)
    with Fetcher(web_limits, allow_private=allow_private) as fetcher, Extractor(limits) as extractor:
        run = _Run(collection, fetcher, extractor, principals, on_progress or (lambda _: None))
        run.read_and_store(survey(fetcher, addresses, run.visits), deadline=started + fetcher.limits.seconds)
    collection.embed_pending(on_progress=run.tell_vectors)
    return run.report(time.monotonic() - started)


class _Run:
    """One reading of the web under way. Pages are fetched and read in threads; all else happens in the caller's."""

    def __init__(
        self,
        collection: Collection,
        fetcher: Fetcher,
        extractor: Extractor,
        principals: frozenset[str] | None,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._collection = collection
        self._fetcher = fetcher
        self._extractor = extractor
        self._principals = principals
        self._on_progress = on_progress
        self._total = 0
        known = collection.documents()
        self._intake = Intake(collection, known, (), lambda _uri, _source: True, principals)
        self._pages: dict[str, list[DocumentSummary]] = {}
        for document in known:
            self._pages.setdefault(file_uri(document.uri), []).append(document)
        self.visits = {visit.uri: visit for visit in collection.visits() if visit.uri in self._pages}
        self._noted: list[Visit] = []
        self._seen: set[str] = set()
        self._gone: set[str] = set()

    def read_and_store(self, found: Survey, *, deadline: float) -> None:
        """Read the pages found, store them in batches, and retire what is gone."""
        self._intake.rejected += found.rejected
        self._intake.skipped += found.skipped
        self._gone |= found.gone
        self._total = len(found.pages)
        whole = set(found.whole)
        late: dict[str, int] = {}

        def read(page: tuple[str, str]) -> tuple[Fetched, Contents | None] | NotFetched | None:
            if time.monotonic() > deadline:
                return None
            try:
                fetched = found.fetched.pop(page[0], None) or self._fetcher.fetch(page[0], self.visits)
            except NotFetched as error:
                return error
            return fetched, None if fetched.body is None else self._contents(fetched, fetched.body)

        at_once = self._fetcher.limits.at_once
        with (
            ThreadPoolExecutor(at_once) as threads,
            closing(in_order(read, found.pages.items(), threads, ahead=2 * at_once)) as pages,
        ):
            for done, ((url, found_by), outcome) in enumerate(pages, start=1):
                if outcome is None:
                    late[found_by] = late.get(found_by, 0) + 1
                    whole.discard(found_by)
                elif isinstance(outcome, NotFetched):
                    if not self._miss(url, outcome):
                        whole.discard(found_by)
                else:
                    self._take(url, found_by, *outcome)
                if self._intake.is_full or done == self._total:
                    self._store()
                self._on_progress(Progress(done, self._total, current=url))
        for found_by, count in late.items():
            reason = f"the time of {self._fetcher.limits.seconds:g} s was over before {count:,} of its pages were read"
            self._intake.rejected.append(Rejection(found_by, reason, "Run it again: what was read is not sent again"))
        self._retire(whole)

    def tell_vectors(self, done: int, total: int) -> None:
        """Pass on how many chunks have a vector."""
        self._on_progress(Progress(self._total, self._total, done, total))

    def report(self, seconds: float) -> SyncReport:
        """What was done."""
        done = self._intake
        return SyncReport(
            added=tuple(done.added),
            changed=tuple(done.changed),
            renamed=tuple(done.renamed),
            removed=tuple(done.removed),
            unchanged=tuple(done.unchanged),
            rejected=tuple(done.rejected),
            skipped=tuple(done.skipped),
            inherited=done.inherited,
            seconds=seconds,
        )

    def _contents(self, fetched: Fetched, body: bytes) -> Contents:
        """What the page holds, read behind the same wall as a file."""
        name = web_name(unquote(urlsplit(fetched.url).path), fetched.media_type)
        if name is None:
            reason = f"what is there is of the type {fetched.media_type}"
            return Contents((), (NotADocument(fetched.url, reason, "Leave it: it holds no text"),), None)
        with tempfile.TemporaryDirectory(prefix="quoth-") as folder:
            path = Path(folder) / "page"
            path.write_bytes(_as_utf8(body, fetched))
            modified = _time_of(fetched.last_modified)
            os.utime(path, (modified, modified))
            return contents(self._extractor, path, uri=fetched.url, name=name)

    def _take(self, url: str, found_by: str, fetched: Fetched, held: Contents | None) -> None:
        if fetched.url in self._seen:
            reason = f"it leads to {fetched.url}, which is read already"
            self._intake.skipped.append(Rejection(url, reason, "Leave it out of the list"))
            return
        self._seen.add(fetched.url)
        if held is None:
            self._noted.append(self.visits[fetched.url]._replace(found_by=found_by))
            self._leave(self._pages[fetched.url])
            return
        self._intake.take(fetched.url, held, found_by)
        if held.source is not None and not _has_rejected(held.refused):
            self._noted.append(Visit(fetched.url, found_by, fetched.etag, fetched.last_modified))

    def _leave(self, documents: Sequence[DocumentSummary]) -> None:
        """Keep documents whose page has not changed, for those who are to read them."""
        for document in documents:
            if self._principals in (None, document.principals):
                self._intake.unchanged.append(document.uri)
            else:
                self._collection.permit(document.id, self._principals or frozenset())
                self._intake.changed.append(document.uri)

    def _miss(self, url: str, error: NotFetched) -> bool:
        """Whether a page that was not fetched is gone for good."""
        if isinstance(error, PageGone) and url in self._pages:
            self._gone.add(url)
            return True
        self._intake.rejected.append(Rejection(url, error.reason, error.mend))
        return isinstance(error, PageGone)

    def _store(self) -> None:
        self._intake.store()
        self._collection.note_visits(self._noted)  # after the documents: a page without a visit is just fetched again
        self._noted = []

    def _retire(self, whole: set[str]) -> None:
        """Retire what is gone, and what is no longer listed where the list was read to its end."""
        unlisted = {uri for uri, visit in self.visits.items() if visit.found_by in whole and uri not in self._seen}
        gone = (self._gone | unlisted) - self._seen
        self._intake.retire(document for uri in gone for document in self._pages.get(uri, ()))
        self._collection.note_visits((), forget=sorted(gone))


def _place(address: str) -> str | None:
    """The address as the pages found by it name it; None if it does not read as one."""
    try:
        return str(parsed(address))
    except NotFetched:
        return None


def _has_rejected(refused: Sequence[DocumentRejected]) -> bool:
    return any(not isinstance(error, NotADocument) for error in refused)


def _as_utf8(body: bytes, fetched: Fetched) -> bytes:
    """Text in the encoding that the server states, as UTF-8; else the bytes as they are."""
    is_text = fetched.media_type.startswith("text/") or fetched.media_type.endswith("xml")
    if not is_text or fetched.charset in ("", "utf-8", "utf8", "us-ascii"):
        return body
    try:
        return body.decode(fetched.charset).encode()
    except (LookupError, UnicodeError):
        return body


def _time_of(last_modified: str) -> float:
    """Seconds since 1970 that the server states, else now."""
    try:
        return max(0.0, parsedate_to_datetime(last_modified).timestamp())
    except (ValueError, TypeError, IndexError, OverflowError):
        return time.time()
