"""Documents that an earlier version of Quoth read are read again wherever their source is, and keep what belongs to them."""

import hashlib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from index.blocks.block import Kind
from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.sync.listing import list_files
from index.sync.sync import SyncReport, preview, sync
from index.web.fetcher import WebLimits
from index.web.sync import sync_web
from tests.earlier_ledger import make_earlier
from tests.synced_folder import names, write_folder
from tests.web_server import WebServer

Reopen = Callable[[dict[str, bytes]], Collection]


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    collection = Collection(tmp_path / "home" / "library", HashedEncoder())
    yield collection
    collection.close()


@pytest.fixture
def reopen(collection: Collection) -> Iterator[Reopen]:
    """To make the collection an earlier one, whose documents have these bytes, and to open it as such."""
    opened: list[Collection] = []

    def reopen(contents: dict[str, bytes]) -> Collection:
        collection.close()
        make_earlier(collection.folder, contents)
        opened.append(Collection(collection.folder, HashedEncoder()))
        return opened[-1]

    yield reopen
    for again in opened:
        again.close()


def contents_of(folder: Path) -> dict[str, bytes]:
    return {path.as_uri(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_unchanged_files_are_read_again_once_and_old_versions_stay(
    collection: Collection, tmp_path: Path, reopen: Reopen
) -> None:
    folder = write_folder(tmp_path)
    sync(collection, [folder])
    earlier = reopen(contents_of(folder))
    before = earlier.documents.list()
    assert [document.has_structure for document in before] == [False] * 3
    assert names(preview(before, list_files([folder]))) == {"changed": ["apple.txt", "bear.md", "cat.html"]}
    assert names(sync(earlier, [folder])) == {"changed": ["apple.txt", "bear.md", "cat.html"]}
    after = earlier.documents.list()
    assert [document.has_structure for document in after] == [True] * 3
    assert [document.id for document in after] == [document.id for document in before]
    [bear] = [document for document in after if document.uri.endswith("bear.md")]
    assert Kind.HEADING in {block.kind for block in earlier.documents.get(bear.id).blocks}
    old = hashlib.sha256((folder / "sub" / "bear.md").read_bytes()).hexdigest()
    assert bear.version != old
    assert earlier.documents.get(bear.id, old).text == "# Bears\n\nBears eat honey.\n"  # what stored answers cite
    assert names(sync(earlier, [folder])) == {"unchanged": ["apple.txt", "bear.md", "cat.html"]}


def test_files_that_are_gone_keep_what_an_earlier_version_read(
    collection: Collection, tmp_path: Path, reopen: Reopen
) -> None:
    folder = write_folder(tmp_path)
    sync(collection, [folder])
    earlier = reopen(contents_of(folder))
    folder.rename(tmp_path / "away")
    report = sync(earlier, [folder])
    assert [len(place.documents) for place in report.kept] == [3]
    assert [document.has_structure for document in earlier.documents.list()] == [False] * 3
    assert [hit.title for hit in earlier.search("honey", k=1)] == ["Bears"]


def test_a_renamed_file_keeps_its_readers_although_its_version_is_another(
    collection: Collection, tmp_path: Path, reopen: Reopen
) -> None:
    folder = write_folder(tmp_path)
    sync(collection, [folder])
    [secret] = [document for document in collection.documents.list() if document.uri.endswith("bear.md")]
    collection.permit(secret.id, frozenset({"board"}))
    earlier = reopen(contents_of(folder))
    (folder / "sub" / "bear.md").rename(folder / "moved.md")
    report = sync(earlier, [folder])
    assert names(report) == {"changed": ["apple.txt", "cat.html"], "renamed": ["moved.md"]}
    readers = {document.uri.rpartition("/")[2]: document.principals for document in earlier.documents.list()}
    assert readers == {"apple.txt": frozenset(), "cat.html": frozenset(), "moved.md": frozenset({"board"})}


def test_members_of_a_moved_archive_keep_their_readers(collection: Collection, tmp_path: Path, reopen: Reopen) -> None:
    folder = tmp_path / "packed"
    folder.mkdir()
    texts = {"a.txt": b"Apples are red.", "b.txt": b"Bears are brown."}
    with zipfile.ZipFile(folder / "old.zip", "w") as archive:
        for name, data in texts.items():
            archive.writestr(name, data)
    sync(collection, [folder])
    for document in collection.documents.list():
        collection.permit(document.id, frozenset({document.uri[-5]}))
    inside = (folder / "old.zip").as_uri() + "!/"
    earlier = reopen({inside + name: data for name, data in texts.items()})
    assert not any(document.has_structure for document in earlier.documents.list())
    (folder / "old.zip").rename(folder / "new.zip")
    assert names(sync(earlier, [folder])) == {"renamed": ["a.txt", "b.txt"]}
    readers = {document.uri.rpartition("/")[2]: document.principals for document in earlier.documents.list()}
    assert readers == {"a.txt": frozenset("a"), "b.txt": frozenset("b")}


def test_unchanged_pages_are_sent_and_read_again(collection: Collection, reopen: Reopen) -> None:
    with WebServer() as server:
        server.html("/bears", "Bears eat honey.", etag='"1"')
        server.html("/apes", "Apes eat figs.", etag='"1"')
        server.sitemap("/map.xml", f"{server.url}/apes")
        addresses = [f"{server.url}/bears", f"{server.url}/map.xml"]

        def run(collection: Collection) -> SyncReport:
            del server.headers[:]
            return sync_web(collection, addresses, web_limits=WebLimits(delay=0), allow_private=True)

        run(collection)
        earlier = reopen({f"{server.url}{path}": server.pages[path].body for path in ("/bears", "/apes")})
        assert names(run(earlier)) == {"changed": ["apes", "bears"]}
        assert not any("If-None-Match" in headers for headers in server.headers)
        assert [document.has_structure for document in earlier.documents.list()] == [True] * 2
        assert names(run(earlier)) == {"unchanged": ["apes", "bears"]}
        assert sum("If-None-Match" in headers for headers in server.headers) == 2
