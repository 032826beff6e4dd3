"""A home folder with two uploaded documents, an upload that waits, and what is left of them later."""

from pathlib import Path

from index.embedding.encoder import HashedEncoder
from index.library import Library
from index.records import Document
from service.jobs.database import open_jobs
from service.jobs.files import Originals
from service.jobs.leases import Leases
from service.jobs.queue import JobQueue
from service.jobs.records import Job, JobState, Upload


class RemovalHome:
    """The collections `papers` (with uploads) and `other`, opened as a server opens them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.library = Library(home, HashedEncoder())
        self.database = open_jobs(home / "jobs.sqlite")
        self.originals = Originals(home / "uploads")
        self.queue = JobQueue(self.database, self.originals)
        self.leases = Leases(self.database, self.originals, lambda worker: False)

    def close(self) -> None:
        self.library.close()
        self.queue.close()

    def fill(self) -> None:
        """Index a document in each collection, and one more upload in `papers`; leave another upload waiting in each."""
        for name in ("papers", "other"):
            self.library.open_or_create(name).add(_document("kept", f"A text kept in {name}."))
            self.store(name, "sent", f"A text sent to {name}.")
        for name in ("papers", "other"):
            self.send(name, "late", f"A text that waits for {name}.")

    def send(self, collection: str, document: str, text: str) -> Job:
        """Upload a document; no worker takes it."""
        with self.originals.receiving(1000) as incoming:
            incoming.write(text.encode())
            incoming.finish()
            upload = Upload(collection, document, "a.txt", incoming.sha256, incoming.size)
            return self.queue.add(upload, incoming)

    def store(self, collection: str, document: str, text: str) -> None:
        """Upload a document and index it, as a worker does."""
        self.send(collection, document, text)
        claim = self.leases.claim("worker")
        assert claim is not None
        opened = self.library.open_or_create(collection)
        opened.change(add=[(_document(document, text), None)], alongside=self.leases.storing(claim))
        self.leases.succeed(claim)

    def left(self, collection: str) -> list[str]:
        """What is left of a collection: its documents, the uploaded files of its documents, its unfinished jobs."""
        documents = (
            [document.id for document in self.library.open(collection).documents.list()]
            if collection in self.library.names()
            else []
        )
        files = [
            f"file of {original.document_id}"
            for original in self.queue.originals_of(collection)
            if self.originals.path(original.sha256).exists()
        ]
        jobs = [
            f"job of {job.upload.document_id}"
            for job in self.queue.jobs(collection=collection)
            if job.state in (JobState.QUEUED, JobState.RUNNING) and self.originals.path(job.upload.sha256).exists()
        ]
        return [*documents, *files, *sorted(jobs)]


ALL = ["kept", "sent", "file of sent", "job of late"]
"""What `fill` puts into each collection."""


def _document(identity: str, text: str) -> Document:
    return Document(identity, "v", f"upload:///{identity}/a.txt", identity, "text/plain", text)
