"""Pages and sitemaps are synced into a collection from a real server on loopback."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.sync.retention import Reason
from index.sync.sync import SyncProgress, SyncReport
from index.web.fetcher import WebLimits
from index.web.sync import sync_web
from tests.web_server import Page, WebServer

GROUPS = ("added", "changed", "renamed", "removed", "unchanged")


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


@pytest.fixture
def encoder() -> HashedEncoder:
    return HashedEncoder()


@pytest.fixture
def collection(tmp_path: Path, encoder: HashedEncoder) -> Iterator[Collection]:
    collection = Collection(tmp_path / "home" / "library", encoder)
    yield collection
    collection.close()


def read(collection: Collection, *addresses: str, prune: bool = False, **limits: float) -> SyncReport:
    return sync_web(
        collection,
        addresses,
        prune=prune,
        web_limits=WebLimits(**{"delay": 0, **limits}),
        allow_private=True,  # type: ignore[arg-type]
    )


def names(report: SyncReport) -> dict[str, list[str]]:
    """The groups of a report that are not empty, as paths."""
    groups = {group: sorted("/" + uri.split("/", 3)[3] for uri in getattr(report, group)) for group in GROUPS}
    return {group: found for group, found in groups.items() if found}


def reasons(report: SyncReport) -> dict[str, str]:
    assert all(found.fix for found in (*report.rejected, *report.skipped))
    return {"/" + found.uri.split("/", 3)[3]: found.reason for found in (*report.rejected, *report.skipped)}


def texts(collection: Collection) -> dict[str, str]:
    return {
        "/" + found.uri.split("/", 3)[3]: collection.documents.get(found.id).text
        for found in collection.documents.list()
    }


def test_a_page_is_read_and_read_again_only_when_it_changed(
    collection: Collection, server: WebServer, encoder: HashedEncoder
) -> None:
    server.html("/bears", "Bears eat honey.", etag='"1"')
    assert names(read(collection, f"{server.url}/bears")) == {"added": ["/bears"]}
    [hit] = collection.search("honey", k=1)
    assert (hit.uri, hit.title) == (f"{server.url}/bears", "bears")
    encoded = encoder.encoded
    assert names(read(collection, f"{server.url}/bears")) == {"unchanged": ["/bears"]}
    assert server.headers[-1]["If-None-Match"] == '"1"'
    server.html("/bears", "Bears sleep.", etag='"2"')
    assert names(read(collection, f"{server.url}/bears")) == {"changed": ["/bears"]}
    assert "Bears sleep." in texts(collection)["/bears"]
    server.html("/bears", "Bears sleep.")  # without an ETag: sent again, found the same, not embedded again
    assert names(read(collection, f"{server.url}/bears")) == {"unchanged": ["/bears"]}
    assert encoder.encoded == encoded + 1


def test_links_on_a_page_are_not_followed(collection: Collection, server: WebServer) -> None:
    server.html("/a", "Text with <a href='/b'>a link</a>.")
    server.html("/b", "Not asked for.")
    read(collection, f"{server.url}/a")
    assert list(texts(collection)) == ["/a"]


def test_a_page_that_is_gone_goes_and_one_that_fails_stays(collection: Collection, server: WebServer) -> None:
    server.html("/a", "Apples.")
    server.html("/b", "Bears.")
    read(collection, f"{server.url}/a", f"{server.url}/b")
    server.pages["/a"] = Page(status=410)
    server.pages["/b"] = Page(status=500)
    report = read(collection, f"{server.url}/a", f"{server.url}/b")
    assert names(report) == {"removed": ["/a"]}
    assert reasons(report) == {"/b": "its server is not able to answer (HTTP 500)"}
    assert list(texts(collection)) == ["/b"]
    assert [visit.uri for visit in collection.documents.visits()] == [f"{server.url}/b"]
    assert reasons(read(collection, f"{server.url}/a")) == {"/a": "there is no such page (HTTP 410)"}


def test_a_sitemap_gives_its_pages_and_takes_them_back(collection: Collection, server: WebServer) -> None:
    for name in ("a", "b", "c"):
        server.html(f"/{name}", f"Text of {name}.", etag='"1"')
    server.sitemap(
        "/sitemap.xml", f"{server.url}/a", f" {server.url}/b\n", "http://elsewhere.example/x", "javascript:x"
    )
    progress: list[SyncProgress] = []
    report = sync_web(
        collection,
        [f"{server.url}/sitemap.xml"],
        web_limits=WebLimits(delay=0),
        allow_private=True,
        on_progress=progress.append,
    )
    assert names(report) == {"added": ["/a", "/b"]}
    assert {found.uri.rsplit("/", 1)[-1]: found.reason for found in (*report.rejected, *report.skipped)} == {
        "javascript:x": "it is no address of the web",
        "sitemap.xml": "1 of the addresses that it lists are on other hosts",
    }
    assert [(step.files_done, step.files_total) for step in progress if not step.chunks_total] == [(1, 2), (2, 2)]
    server.sitemap("/sitemap.xml", f"{server.url}/b", f"{server.url}/c")
    assert names(read(collection, f"{server.url}/sitemap.xml")) == {
        "added": ["/c"], "removed": ["/a"], "unchanged": ["/b"],
    }  # fmt: skip


def test_a_sitemap_that_fails_or_is_not_read_to_its_end_takes_nothing_back(
    collection: Collection, server: WebServer
) -> None:
    for name in ("a", "b", "c"):
        server.html(f"/{name}", f"Text of {name}.")
    pages = [f"{server.url}/{name}" for name in ("a", "b", "c")]
    server.sitemap("/sitemap.xml", *pages)
    read(collection, f"{server.url}/sitemap.xml")
    server.sitemap("/sitemap.xml", pages[1], pages[2])
    report = read(collection, f"{server.url}/sitemap.xml", pages=1)
    assert reasons(report) == {"/sitemap.xml": "it lists more than 1 pages, and only so many are read"}
    server.pages["/c"] = Page(status=503)
    assert "removed" not in names(read(collection, f"{server.url}/sitemap.xml"))
    report = read(collection, f"{server.url}/sitemap.xml", seconds=0)
    assert reasons(report) == {"/sitemap.xml": "the time of 0 s was over before 2 of its pages were read"}
    server.sitemap("/sitemap.xml")
    assert reasons(read(collection, f"{server.url}/sitemap.xml")) == {"/sitemap.xml": "it lists no page"}
    del server.pages["/sitemap.xml"]
    assert reasons(read(collection, f"{server.url}/sitemap.xml")) == {
        "/sitemap.xml": "there is no such page (HTTP 404)"
    }
    assert sorted(texts(collection)) == ["/a", "/b", "/c"]


def test_most_pages_of_a_sitemap_gone_at_once_stay_until_it_is_confirmed(
    collection: Collection, server: WebServer
) -> None:
    pages = [f"{server.url}/{number:02}" for number in range(12)]
    for page in pages:
        server.html(page.removeprefix(server.url), f"Text of {page}.")
    server.sitemap("/sitemap.xml", *pages)
    read(collection, f"{server.url}/sitemap.xml")
    server.sitemap("/sitemap.xml", *pages[:7])
    for page in pages[:2]:
        server.pages[page.removeprefix(server.url)] = Page(status=404)
    report = read(collection, f"{server.url}/sitemap.xml")
    [kept] = report.kept
    assert (kept.uri, kept.reason, kept.gone, kept.known) == (
        f"{server.url}/sitemap.xml", Reason.MOST_UNLISTED, 7, 12,
    )  # fmt: skip
    assert (report.removed, len(texts(collection))) == ((), 12)
    report = read(collection, f"{server.url}/sitemap.xml", prune=True)
    assert (len(report.removed), report.kept, len(texts(collection))) == (7, (), 5)


def test_an_index_of_sitemaps_is_followed_packed_ones_too_and_in_a_circle_once(
    collection: Collection, server: WebServer
) -> None:
    for name in ("a", "b"):
        server.html(f"/{name}", f"Text of {name}.")
    server.sitemap("/one.xml", f"{server.url}/a")
    server.sitemap("/two.xml", f"{server.url}/b")
    server.pages["/two.xml.gz"] = Page(gzip.compress(server.pages["/two.xml"].body), type="application/gzip")
    server.sitemap(
        "/index.xml",
        *(f"{server.url}/{name}" for name in ("one.xml", "two.xml.gz", "index.xml", "gone.xml")),
        index=True,
    )
    report = read(collection, f"{server.url}/index.xml")
    assert names(report) == {"added": ["/a", "/b"]}
    assert reasons(report) == {"/gone.xml": "there is no such page (HTTP 404)"}
    assert server.asked.count("/index.xml") == 1


def test_a_sitemap_with_entities_is_no_sitemap(collection: Collection, server: WebServer) -> None:
    laughs = b"".join(b'<!ENTITY a%d "%s">' % (i, b"&a%d;" % (i - 1) * 10) for i in range(1, 9))
    xml = (
        b'<?xml version="1.0"?><!DOCTYPE urlset [<!ENTITY a0 "lol">%s]><urlset><url><loc>&a8;</loc></url></urlset>'
        % laughs
    )
    server.pages["/sitemap.xml"] = Page(xml, type="application/xml")
    read(collection, f"{server.url}/sitemap.xml")
    assert all("lollol" not in text for text in texts(collection).values())


def test_two_addresses_of_one_page_are_one_document(collection: Collection, server: WebServer) -> None:
    server.html("/new", "Text.")
    server.pages["/old"] = Page(status=301, headers={"Location": "/new"})
    server.sitemap("/sitemap.xml", f"{server.url}/old", f"{server.url}/new")
    report = read(collection, f"{server.url}/sitemap.xml")
    assert names(report) == {"added": ["/new"]}
    assert reasons(report) == {"/new": f"it leads to {server.url}/new, which is read already"}


def test_a_page_that_moved_is_not_kept_twice(collection: Collection, server: WebServer) -> None:
    server.html("/old", "Text.")
    read(collection, f"{server.url}/old")
    server.html("/new", "Text.")
    server.pages["/old"] = Page(status=301, headers={"Location": "/new"})
    read(collection, f"{server.url}/old")
    assert list(texts(collection)) == ["/new"]


def test_types_decide_how_a_page_is_read(collection: Collection, server: WebServer) -> None:
    server.pages["/notes"] = Page(b"# Heading\n\nApples.\n", type="text/markdown")
    server.pages["/plain.html"] = Page(b"<p>Not a page.</p>", type="text/plain")
    server.pages["/latin"] = Page("Où est-il ?".encode("utf-16"), type="text/plain; charset=utf-16")
    server.pages["/photo"] = Page(b"\x89PNG", type="image/png")
    server.pages["/fake.pdf"] = Page(b"<html>Please log in</html>", type="application/pdf")
    report = read(collection, *(f"{server.url}{path}" for path in server.pages))
    assert texts(collection) == {
        "/latin": "Où est-il ?",
        "/notes": "# Heading\n\nApples.\n",
        "/plain.html": "<p>Not a page.</p>",
    }
    assert reasons(report) == {
        "/photo": "what is there is of the type image/png",
        "/fake.pdf": "it is named .pdf but holds a web page",
    }


def test_who_may_read_is_kept_or_changed_without_reading_again(collection: Collection, server: WebServer) -> None:
    server.html("/a", "Text.", etag='"1"')
    limits = WebLimits(delay=0)
    sync_web(collection, [f"{server.url}/a"], principals=frozenset({"ann"}), web_limits=limits, allow_private=True)
    assert names(read(collection, f"{server.url}/a")) == {"unchanged": ["/a"]}
    assert collection.documents.list()[0].principals == frozenset({"ann"})
    report = sync_web(collection, [f"{server.url}/a"], principals=frozenset(), web_limits=limits, allow_private=True)
    assert names(report) == {"changed": ["/a"]}
    assert collection.documents.list()[0].principals == frozenset()


def test_a_page_that_a_sitemap_lists_later_is_for_those_who_were_named_for_the_sitemap(
    collection: Collection, server: WebServer
) -> None:
    for name in ("/a", "/b", "/open"):
        server.html(name, "Text.")
    server.sitemap("/s.xml", f"{server.url}/a")
    limits, ann = WebLimits(delay=0), frozenset({"ann"})
    sync_web(collection, [f"{server.url}/s.xml"], principals=ann, web_limits=limits, allow_private=True)
    server.sitemap("/s.xml", f"{server.url}/a", f"{server.url}/b")
    report = read(collection, f"{server.url}/s.xml", f"{server.url}/open")
    assert names(report) == {"added": ["/b", "/open"], "unchanged": ["/a"]}
    assert [(root.uri, root.principals, count) for root, count in report.inherited] == [(f"{server.url}/s.xml", ann, 1)]
    assert {found.uri.rsplit("/", 1)[1]: found.principals for found in collection.documents.list()} == {
        "a": ann, "b": ann, "open": frozenset(),
    }  # fmt: skip
