"""Objects in an S3 store are indexed as files of a folder are: found, changed, removed, and refused by name."""

import itertools
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Self
from urllib.parse import quote
from zipfile import ZipFile

import httpx
import pytest
from typer.testing import CliRunner

import quoth
from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.errors import ObjectsUnsupported
from index.formats.limits import Limits
from index.records import FileStamp
from index.storage.buckets import Bucket
from index.sync.earlier import count_earlier
from index.sync.objects import ObjectFiles, list_objects, sync_objects
from index.sync.retention import Reason
from tests.s3_server import make_bucket
from tests.synced_folder import names, texts

_numbers = itertools.count()
_SIGNED = {
    "Authorization": "AWS test:test"
}  # the server lets nobody else change what is there, and checks no signature


class Store:
    """A bucket of the test's own. `put` and `delete` act on it as any other program would."""

    def __init__(self, server: str) -> None:
        self.name = f"bucket-{next(_numbers)}"
        self.url = make_bucket(server, self.name)
        self._client = httpx.Client(base_url=f"{server}/{self.name}/", headers=_SIGNED)

    def put(self, key: str, content: str | bytes) -> None:
        self._client.put(self._path(key), content=content).raise_for_status()

    def delete(self, key: str) -> None:
        self._client.delete(self._path(key)).raise_for_status()

    def remove(self) -> None:
        """Remove the bucket, which is empty."""
        self._client.delete("").raise_for_status()

    def _path(self, key: str) -> str:
        # Dots between slashes would be taken as steps through folders.
        return quote(key, safe="" if {".", "..", ""} & set(key.split("/")) else "/")

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def store(s3_url: str) -> Iterator[Store]:
    store = Store(s3_url)
    yield store
    store.close()


@pytest.fixture
def filled(store: Store) -> Store:
    store.put("docs/apple.txt", "Apples grow on trees.")
    store.put("docs/sub/bear.md", "# Bears\n\nBears eat honey.\n")
    store.put("docs/sub/cat.html", "<h1>Cats</h1><p>Cats drink milk.</p>")
    return store


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    collection = Collection(tmp_path / "collection", HashedEncoder())
    yield collection
    collection.close()


def test_objects_are_documents_found_changed_and_removed_one_by_one(filled: Store, collection: Collection) -> None:
    docs = f"{filled.url}/docs"
    assert names(sync_objects(collection, [docs])) == {"added": ["apple.txt", "bear.md", "cat.html"]}
    found = collection.search("honey", 1)[0]
    assert (found.uri, found.title) == (f"{docs}/sub/bear.md", "Bears")
    assert names(sync_objects(collection, [docs])) == {"unchanged": ["apple.txt", "bear.md", "cat.html"]}
    filled.put("docs/apple.txt", "Apples fall from trees.")
    filled.delete("docs/sub/cat.html")
    filled.put("docs/sub/moved.md", "# Bears\n\nBears eat honey.\n")
    filled.delete("docs/sub/bear.md")
    assert names(sync_objects(collection, [f"{docs}/"])) == {
        "changed": ["apple.txt"],
        "removed": ["cat.html"],
        "renamed": ["moved.md"],
    }
    assert texts(collection)["apple.txt"] == "Apples fall from trees."
    assert collection.verify() == []
    assert count_earlier(collection.documents.list(), lambda _: False).total == 0


def test_nothing_outside_of_the_prefix_is_read_or_removed(filled: Store, collection: Collection) -> None:
    filled.put("docs2/dog.txt", "Dogs bark.")
    filled.put("doc", "A fox.")
    sync_objects(collection, [filled.url])
    assert len(collection.documents.list()) == 5
    filled.delete("docs2/dog.txt")
    assert names(sync_objects(collection, [f"{filled.url}/docs"])) == {
        "unchanged": ["apple.txt", "bear.md", "cat.html"]
    }
    assert names(sync_objects(collection, [f"{filled.url}/docs/apple.txt"])) == {"unchanged": ["apple.txt"]}
    assert len(collection.documents.list()) == 5


def test_keys_with_odd_characters_are_read_and_those_that_cannot_be_are_named(
    store: Store, collection: Collection
) -> None:
    odd = [
        "ü ö+&%41.txt",
        "q?x=1#h.txt",
        " trail .txt",
        "bang!/in.txt",
        "emoji😀.txt",
        "back\\slash.txt",
        "n" * 240 + ".txt",
    ]
    for key in odd:
        store.put(f"docs/{key}", f"It is {key}")
    unopenable = ["a//b.txt", "x/../y.txt", "./z.txt"]
    for key in unopenable:
        store.put(f"docs/{key}", "Out of reach.")
    store.put("docs/folder/", "")
    store.put("docs/.hidden/f.txt", "Hidden.")
    report = sync_objects(collection, [f"{store.url}/docs"])
    assert sorted(report.added) == sorted(f"{store.url}/docs/{quote(key)}" for key in odd)
    assert {collection.documents.get(found.id).text for found in collection.documents.list()} == {
        f"It is {key}" for key in odd
    }
    assert sorted(found.uri for found in report.rejected) == sorted(f"{store.url}/docs/{key}" for key in unopenable)
    assert {found.fix for found in report.rejected} == {"Give it another key"}
    assert len(sync_objects(collection, [f"{store.url}/docs"]).unchanged) == len(odd)


def test_what_cannot_be_read_is_named_and_stays_as_it_was(filled: Store, collection: Collection) -> None:
    docs = f"{filled.url}/docs"
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("fox.txt", "Foxes run in the night.")
    filled.put("docs/a.zip", packed.getvalue())
    sync_objects(collection, [docs])
    assert "fox.txt" in texts(collection)
    filled.put("docs/apple.txt", "Apples " * 100)
    filled.put("docs/broken.pdf", "no PDF")
    filled.put("docs/song.mp3", "la la")
    report = sync_objects(collection, [docs], limits=Limits(file_bytes=200))
    reasons = {found.uri.rpartition("/")[2]: found.reason for found in report.rejected}
    assert reasons["apple.txt"] == "its 700 bytes are over the limit of 200"
    assert "holds" in reasons["broken.pdf"]
    assert [found.uri for found in report.skipped] == [f"{docs}/song.mp3"]
    assert texts(collection)["apple.txt"] == "Apples grow on trees."
    assert report.removed == ()


def test_an_object_that_changes_between_the_listing_and_the_reading_is_read_again(
    filled: Store, collection: Collection
) -> None:
    listing, files = list_objects([f"{filled.url}/docs"])
    file = next(file for file in listing.files if file.uri.endswith("apple.txt"))
    assert files.is_unchanged(file.uri, file.source)
    filled.put("docs/apple.txt", "Apples, apples!")
    with files.local(file, Limits()) as path:
        status = path.stat()
    assert FileStamp(status.st_size, status.st_mtime_ns) == FileStamp(15, file.source.modified_ns + 1) != file.source
    assert not files.is_unchanged(file.uri, file.source)
    filled.delete("docs/apple.txt")
    assert not files.is_unchanged(file.uri, file.source)


def test_an_object_replaced_within_the_second_in_which_it_was_read_is_read_again(
    filled: Store, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = f"{filled.url}/docs"
    sync_objects(collection, [docs])
    filled.put("docs/apple.txt", "Apples grow on lawns.")
    assert names(sync_objects(collection, [docs]))["changed"] == ["apple.txt"]
    monkeypatch.setattr("index.sync.objects._YOUNG_NS", -(10**12))  # ... and long after nothing is fetched any more
    sync_objects(collection, [docs])
    monkeypatch.setattr(ObjectFiles, "local", None)
    assert len(sync_objects(collection, [docs]).unchanged) == 3


def test_readers_are_remembered_for_the_prefix(filled: Store, collection: Collection) -> None:
    docs = f"{filled.url}/docs"
    sync_objects(collection, [docs], principals=frozenset({"hr"}))
    filled.put("docs/sub/new.txt", "New words.")
    report = sync_objects(collection, [docs])
    assert [(root.uri, count) for root, count in report.inherited] == [(docs, 1)]
    assert {found.principals for found in collection.documents.list()} == {frozenset({"hr"})}


def test_all_pages_of_a_listing_are_read_and_one_that_fails_removes_nothing(
    s3_url: str, filled: Store, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        filled.put(f"docs/{number}.mp3", "la")
    with Relay(s3_url, lambda path: False, page=3) as relay:
        monkeypatch.setenv("AWS_ENDPOINT", relay.url)
        report = sync_objects(collection, [f"{filled.url}/docs"])
        assert relay.pages == 3
    assert names(report) == {"added": ["apple.txt", "bear.md", "cat.html"]}
    assert len(report.skipped) == 4
    with Relay(s3_url, lambda path: "continuation-token=" in path, page=3) as relay:
        monkeypatch.setenv("AWS_ENDPOINT", relay.url)
        broken = sync_objects(collection, [f"{filled.url}/docs"], prune=True)
        assert (relay.pages, relay.failed > 0) == (1, True)
    (rejection,) = broken.rejected
    assert (rejection.uri, broken.removed, broken.kept) == (f"{filled.url}/docs", (), ())
    assert "does not answer as it should" in rejection.reason
    assert len(collection.documents.list()) == 3


def test_an_object_whose_bytes_do_not_come_is_named_and_the_others_are_read(
    s3_url: str, filled: Store, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Relay(s3_url, lambda path: path.endswith("bear.md")) as relay:
        monkeypatch.setenv("AWS_ENDPOINT", relay.url)
        report = sync_objects(collection, [f"{filled.url}/docs"])
    assert names(report) == {"added": ["apple.txt", "cat.html"]}
    assert [found.uri for found in report.rejected] == [f"{filled.url}/docs/sub/bear.md"]


class Relay:
    """A proxy before the store that answers 500 to what `fails` is true of, and passes on everything else.

    A page of a listing has at most `page` objects: a thousand, as clients ask for, take long to put there.
    """

    def __init__(self, target: str, fails: Callable[[str], bool], page: int = 1000) -> None:
        self.failed = self.pages = 0
        relay = self
        self._client = client = httpx.Client(base_url=target)

        class Handler(BaseHTTPRequestHandler):
            def pass_on(self) -> None:
                if fails(self.path) and self.command == "GET":
                    relay.failed += 1
                    self.send_error(500)
                    return
                path = self.path.replace("max-keys=1000", f"max-keys={page}")
                relay.pages += path != self.path
                sent = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                answer = client.request(self.command, path, headers=sent)
                self.send_response(answer.status_code)
                for name, value in answer.headers.items():
                    if name not in ("connection", "transfer-encoding"):
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.content)

            do_GET = do_HEAD = pass_on  # noqa: N815  (http.server names them)

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._client.close()


def test_a_prefix_without_objects_and_a_missing_bucket_keep_the_documents(
    filled: Store, collection: Collection
) -> None:
    docs = f"{filled.url}/docs"
    sync_objects(collection, [docs])
    for key in ("docs/apple.txt", "docs/sub/bear.md", "docs/sub/cat.html"):
        filled.delete(key)
    emptied = sync_objects(collection, [docs])
    assert [(kept.uri, kept.reason, kept.gone) for kept in emptied.kept] == [(docs, Reason.EMPTY, 3)]
    filled.remove()
    missing = sync_objects(collection, [docs])
    assert [kept.reason for kept in missing.kept] == [Reason.MISSING]
    assert missing.rejected[0].reason == f"there is no bucket {filled.name}"
    assert len(sync_objects(collection, [docs], prune=True).removed) == 3


def test_a_wrong_key_and_a_store_that_does_not_answer_are_named_and_remove_nothing(
    s3_url: str, filled: Store, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = f"{filled.url}/docs"
    sync_objects(collection, [docs])
    httpx.post(f"{s3_url}/moto-api/reset-auth", content=b"0").raise_for_status()  # from now on keys are checked
    try:
        report = sync_objects(collection, [docs], prune=True)
    finally:
        httpx.post(f"{s3_url}/moto-api/reset-auth", content=b"inf").raise_for_status()
    assert report.rejected[0].reason.startswith("the store does not let this program read it (")
    assert (report.removed, report.kept) == ((), ())
    monkeypatch.setenv("AWS_ENDPOINT", "http://127.0.0.1:1")
    assert "NETWORK_CONNECTION" in sync_objects(collection, [docs], prune=True).rejected[0].reason
    monkeypatch.delenv("AWS_ALLOW_HTTP")
    assert (
        "not encrypted; if that is meant, set AWS_ALLOW_HTTP=true"
        in sync_objects(collection, [docs]).rejected[0].reason
    )
    assert len(collection.documents.list()) == 3


def test_without_the_library_or_a_bucket_a_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ObjectsUnsupported, match=r"'s3://' names no bucket\. Write s3://bucket/prefix"):
        Bucket("s3://")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.fs", None)
    with pytest.raises(ObjectsUnsupported, match=r"pip install 'quoth\[cluster\]'"):
        Bucket("s3://bucket/prefix")
    assert ObjectFiles().places == {}


def test_the_command_indexes_objects_shows_what_would_change_and_does_not_follow_them(
    filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUOTH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("service.composition.library.SentenceEncoder", lambda *_, **__: HashedEncoder())
    docs = f"{filled.url}/docs"

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(quoth.app, ["index", docs, *words])
        return result.exit_code, " ".join(result.output.split())

    code, output = run("--dry-run")
    assert (code, output.count("+ "), "Nothing was changed." in output) == (0, 3, True)
    assert not (tmp_path / "home" / "collections").exists()
    code, output = run("--watch")
    assert (code, "Only folders are followed" in output) == (2, True)
    code, output = run()
    assert (code, "default: 3 added" in output) == (0, True)
    for key in ("docs/apple.txt", "docs/sub/bear.md", "docs/sub/cat.html"):
        filled.delete(key)
    code, output = run()
    assert (code, "its 3 files cannot be found" in output or "3 of 3 files cannot be found" in output) == (4, True)
    assert "Check the names of bucket and prefix" in output
    listed = CliRunner().invoke(quoth.app, ["collections", "show", "default", "--verify"])
    assert (listed.exit_code, f"{docs}/apple.txt" in listed.output) == (0, True)
