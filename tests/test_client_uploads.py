"""Uploads and jobs through the Python client, with a real server and a worker beside it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from index.embedding.encoder import HashedEncoder
from index.formats.limits import Limits
from index.library import Library
from service.answering.service import Service
from service.client import AsyncQuoth, Quoth, Refused, Unavailable
from service.composition.http import create_app
from service.errors import UploadInvalid
from service.jobs.database import open_jobs
from service.jobs.files import Originals
from service.jobs.indexing import Indexer
from service.jobs.leases import Leases
from service.jobs.worker import JobWorker, Presence
from service.settings import Settings
from service.storage.conversations import ConversationStore

SECONDS = 60.0


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path, HashedEncoder())
    yield library
    library.close()


@pytest.fixture
def url(tmp_path: Path, library: Library, store: ConversationStore, loopback: Any) -> Iterator[str]:
    nobody = cast(Any, None)  # nothing here is asked
    service = Service(Settings(home=tmp_path, rerank=False), library, nobody, nobody, nobody, nobody)
    with loopback(create_app(service, store)) as url:
        yield url


@contextmanager
def working(home: Path) -> Iterator[None]:
    """A worker with its own library, as if it were another process."""
    stop, database, originals = threading.Event(), open_jobs(home / "jobs.sqlite"), Originals(home / "uploads")
    presence, library = Presence(home / "workers"), Library(home, HashedEncoder())
    leases = Leases(database, originals, presence.is_gone, chance=lambda: 0.0)
    indexer = Indexer(library, originals, leases, Limits())

    def run() -> None:
        with presence.announce() as name:
            JobWorker(leases, indexer, name, stop, lambda: None).run()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(SECONDS)
        assert not thread.is_alive()
        indexer.interrupt()
        library.close()
        database.close()


def test_a_file_is_uploaded_waited_for_and_deleted(url: str, tmp_path: Path, library: Library) -> None:
    file = tmp_path / "birds.md"
    file.write_text("A parrot may live for eighty years.")
    with Quoth(url) as quoth, working(tmp_path):
        job = quoth.upload(file, "c", document_id="parrots", title="On parrots", principals=["board"])
        done = quoth.wait(job, timeout_s=SECONDS)
        assert (done.id, done.state, done.filename, done.error) == (job.id, "succeeded", "birds.md", None)
        kept = library.open("c").documents.get("parrots")
        assert (kept.title, kept.principals) == ("On parrots", frozenset({"board"}))
        named = quoth.wait(quoth.upload(b"Owls.", "c", filename="o.txt", title="Owls", principals=["hr", "board"]))
        kept = library.open("c").documents.get(named.document_id)
        assert (kept.title, kept.principals, kept.text) == ("Owls", frozenset({"hr", "board"}), "Owls.")
        failed = quoth.wait(quoth.upload(b"%PDF-1.7 and then nothing", "c", document_id="broken.pdf"))
        assert (failed.state, failed.error_code) == ("failed", "document-rejected")
        assert quoth.job(job.id) == done
        quoth.delete_document("parrots", "c")
        with pytest.raises(Refused, match="'parrots' is not in"):
            quoth.delete_document("parrots", "c")


def test_a_renamed_document_keeps_its_title_when_it_is_replaced(url: str, tmp_path: Path, library: Library) -> None:
    with Quoth(url) as quoth, working(tmp_path):
        quoth.create_collection("c", title="Birds and others")
        quoth.wait(quoth.upload(b"A parrot may live for eighty years.", "c", document_id="p.txt"), timeout_s=SECONDS)
        quoth.rename_document("p.txt", "c", "On parrots")
        replaced = quoth.upload(b"A parrot may live for ninety years.", "c", document_id="p.txt")
        assert quoth.wait(replaced, timeout_s=SECONDS).state == "succeeded"
        assert [hit.title for hit in quoth.search("on parrots", collection="c")] == ["On parrots"]
        named = quoth.upload(b"A parrot may live long.", "c", document_id="p.txt", title="Parrots")
        quoth.wait(named, timeout_s=SECONDS)
        assert library.open("c").documents.get("p.txt").title == "Parrots"
        assert library.open("c").state().title == "Birds and others"
        quoth.rename_collection("c", "Birds")
        assert library.open("c").state().title == "Birds"
        for title in (" ", "x" * 301):
            with pytest.raises(Refused, match="title") as caught:
                quoth.rename_document("p.txt", "c", title)
            assert (caught.value.status, caught.value.code) == (422, "title-invalid")
        with pytest.raises(Refused, match="'nothing' is not in"):
            quoth.rename_document("nothing", "c", "On nothing")


def test_metadata_an_idempotency_key_and_everybody_travel(url: str, tmp_path: Path, library: Library) -> None:
    with Quoth(url) as quoth:
        send = partial(quoth.upload, b"A parrot may live for eighty years.", "c", filename="p.txt")
        once = send(
            document_id="parrots", metadata={"year": "2024", "größe": "S"}, principals=["hr"], idempotency_key="1"
        )
        form = send(metadata={"year": "2025"}, idempotency_key="2")
        assert quoth.upload(b"Owls.", "c", document_id="owls", filename="o.txt").id not in (once.id, form.id)
        again = send(
            document_id="parrots", metadata={"größe": "S", "year": "2024"}, principals=["hr"], idempotency_key="1"
        )
        assert (again.id, send(metadata={"year": "2025"}, idempotency_key="2").id) == (once.id, form.id)
        for other in ({"metadata": {"year": "2026"}}, {"metadata": {"year": "2025"}, "public": True}):
            with pytest.raises(Refused, match="'2' came before") as caught:
                send(idempotency_key="2", **other)  # type: ignore[arg-type]
            assert (caught.value.status, caught.value.code) == (422, "idempotency-key-reused")
        for bad in ("", " x", "größe", "x" * 256, "a\nb"):
            with pytest.raises(UploadInvalid, match="cannot be an idempotency key"):
                send(idempotency_key=bad)
        with working(tmp_path):
            assert {quoth.wait(job, timeout_s=SECONDS).state for job in (once, form)} == {"succeeded"}
            kept = library.open("c").documents.get("parrots")
            assert (dict(kept.metadata), kept.principals) == ({"year": "2024", "größe": "S"}, frozenset({"hr"}))
            quoth.wait(send(document_id="parrots", public=True), timeout_s=SECONDS)
        assert library.open("c").documents.get("parrots").principals == frozenset()
        assert dict(library.open("c").documents.get(form.document_id).metadata) == {"year": "2025"}


def test_a_job_that_nobody_works_is_waited_for_so_long_and_cancelled(url: str) -> None:
    with Quoth(url) as quoth:
        job = quoth.upload(b"Idle.", "c", document_id="idle.txt")
        with pytest.raises(Unavailable, match=rf"{job.id} is not finished after 0\.1 s"):
            quoth.wait(job, timeout_s=0.1)
        assert quoth.cancel(job).state == quoth.wait(job).state == "cancelled"
        with pytest.raises(Refused, match="none"):
            quoth.job("none")
        with pytest.raises(UploadInvalid, match="5 bytes have neither"):
            quoth.upload(b"Idle.", "c")


def test_the_async_client_does_the_same(url: str, tmp_path: Path) -> None:
    file = tmp_path / "plan.txt"
    file.write_text("The plan of Monday.")

    async def run() -> None:
        async with AsyncQuoth(url) as quoth:
            idle = await quoth.upload(b"Idle.", "c", document_id="idle.txt")
            assert (await quoth.cancel(idle)).state == "cancelled"
            job = await quoth.upload(file, "c", metadata={"year": "2024"}, idempotency_key="monday")
            again = await quoth.upload(file, "c", metadata={"year": "2024"}, idempotency_key="monday")
            assert again.id == job.id
            with working(tmp_path):
                done = await quoth.wait(job, timeout_s=SECONDS)
            assert (done.state, done.documents) == ("succeeded", 1)
            assert await quoth.job(job.id) == done
            await quoth.rename_document(done.document_id, "c", "Monday")
            assert [hit.title for hit in await quoth.search("monday", collection="c")] == ["Monday"]
            await quoth.delete_document(done.document_id, "c")
            with pytest.raises(Refused, match="is not in"):
                await quoth.delete_document(done.document_id, "c")

    anyio.run(run)
