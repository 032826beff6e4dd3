"""Uploaded files as objects in a store: on disk or S3, read back as they were, and never lost, left behind or taken away."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from index.errors import ObjectStoreUnavailable, SourceChanged, SourceMissing
from index.storage.objects import Objects
from service.errors import JobsUnavailable
from tests.clocked_queue import QueueWithClock
from tests.s3_server import make_bucket

LARGE = "A sentence of a long text. " * 500_000  # 13 MB: several parts


@pytest.fixture(params=["folder", "s3"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    """An empty store of each kind."""
    if request.param == "folder":
        return Objects(str(tmp_path / "objects"))
    return Objects(f"{request.getfixturevalue('bucket')}/{tmp_path.name}")


@pytest.fixture(scope="module")
def bucket(s3_url: str) -> str:
    """An empty bucket."""
    return make_bucket(s3_url, f"files-{os.getpid()}")


@pytest.fixture
def queue(empty_jobs_url: str, tmp_path: Path, objects: Objects) -> Iterator[QueueWithClock]:
    with closing(QueueWithClock(tmp_path / "home", url=empty_jobs_url, objects=objects)) as queue:
        yield queue


def names(queue: QueueWithClock) -> list[str]:
    """The names of the objects that files have."""
    with queue.database.reading() as transaction:
        return [name for (name,) in transaction.rows("SELECT object FROM files WHERE object IS NOT NULL")]


def loose(queue: QueueWithClock) -> int:
    """How many objects are listed that no file has."""
    with queue.database.reading() as transaction:
        return int(transaction.rows("SELECT count(*) FROM loose_objects")[0][0])


def test_a_file_is_read_back_on_another_machine_and_its_object_goes_with_it(
    queue: QueueWithClock, objects: Objects, tmp_path: Path
) -> None:
    job = queue.add(text=LARGE)
    (name,) = names(queue)
    with closing(QueueWithClock(tmp_path / "other", url=queue.url, objects=objects)) as other:
        assert other.text(job.upload.sha256) == LARGE
        assert not list((tmp_path / "other").rglob("*.*"))
        other.queue.cancel(job.id)
    assert (names(queue), loose(queue)) == ([], 1)
    queue.originals.discard()  # as a worker does
    assert (names(queue), loose(queue)) == ([], 0)
    with pytest.raises(FileNotFoundError):
        list(objects.parts(name))
    with pytest.raises(SourceMissing, match="not stored any more"):
        queue.text(job.upload.sha256)


def test_an_object_that_holds_other_bytes_or_is_gone_is_an_error_until_it_is_uploaded_again(
    queue: QueueWithClock, objects: Objects, tmp_path: Path
) -> None:
    sha256 = queue.add().upload.sha256
    (name,) = names(queue)
    other = tmp_path / "other.txt"
    other.write_text("Some tixt.")
    objects.put(name, other)
    with pytest.raises(SourceChanged, match=name):
        queue.text(sha256)
    objects.delete(name)
    objects.delete(name)
    with pytest.raises(SourceMissing, match=name):
        queue.text(sha256)
    queue.add("other")
    assert queue.text(sha256) == "Some text."
    assert loose(queue) == 1  # the name of the object that was lost
    queue.originals.discard()
    assert loose(queue) == 0


def test_an_upload_that_is_not_accepted_leaves_an_object_for_a_day_and_cannot_use_it_later(
    queue: QueueWithClock, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    with queue.originals.receiving(100) as incoming:
        incoming.write(b"Some text.")
        incoming.finish()
    queue.originals.discard()
    assert loose(queue) == 1
    monkeypatch.setattr("service.jobs.shared_files._UPLOAD_SECONDS", -1.0)
    with pytest.raises(JobsUnavailable, match="took too long to store"):
        queue.add()
    queue.originals.discard()
    assert loose(queue) == 1
    assert queue.queue.jobs() == []


def test_files_in_the_database_stay_readable_with_a_store_and_objects_need_it(
    empty_jobs_url: str, tmp_path: Path
) -> None:
    objects = Objects(str(tmp_path / "objects"))
    with (
        closing(QueueWithClock(tmp_path / "a", url=empty_jobs_url)) as plain,
        closing(QueueWithClock(tmp_path / "b", url=empty_jobs_url, objects=objects)) as stored,
    ):
        first, second = plain.add("a", "First."), stored.add("b", "Second.")
        assert stored.text(first.upload.sha256) == "First."
        with pytest.raises(JobsUnavailable, match="QUOTH_STORAGE_URL"):
            plain.text(second.upload.sha256)
        stored.add("c", "First.")
        assert len(names(stored)) == 2
        assert stored.text(first.upload.sha256) == "First."


class FullStore(BaseHTTPRequestHandler):
    """A store that has no room, and says so to every request."""

    def refuse(self) -> None:
        body = b"<Error><Code>XMinioStorageFull</Code><Message>no room is left</Message></Error>"
        self.send_response(400)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_POST = do_GET = do_HEAD = refuse  # noqa: N815 (the names that the server calls)

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_store_that_is_full_away_or_silent_is_named_and_accepts_nothing(
    empty_jobs_url: str, tmp_path: Path, s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(objects: Objects, message: str) -> None:
        with closing(QueueWithClock(tmp_path / "home", url=empty_jobs_url, objects=objects)) as queue:
            with pytest.raises(JobsUnavailable, match=message):
                queue.add()
            assert queue.queue.jobs() == []

    refused(Objects("s3://no-such-bucket/prefix"), "s3://no-such-bucket/prefix: the storage cannot be .*NO_SUCH_BUCKET")
    with pytest.raises(ObjectStoreUnavailable, match="there is no no-such-bucket"):
        Objects("s3://no-such-bucket/prefix").require_answer()
    (tmp_path / "file").touch()
    refused(Objects(str(tmp_path / "file")), "file: the storage cannot be read or written")
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and never answers
        monkeypatch.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        refused(Objects("s3://bucket/prefix"), "s3://bucket/prefix: the storage cannot be")
    with HTTPServer(("127.0.0.1", 0), FullStore) as full:
        threading.Thread(target=full.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{full.server_port}")
        refused(Objects("s3://bucket/prefix"), "s3://bucket/prefix: .*no room is left.* free space")
        full.shutdown()
