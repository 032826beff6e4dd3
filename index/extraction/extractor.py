"""The Extractor: files -> documents, each parsed in another process with limits on time, memory and output.

    with Extractor() as extractor:
        extraction = extractor.extract(path)

Parsers of PDF and Office files are large native libraries that must take whatever a folder holds. If a file makes its
parser crash, hang or fill memory, only that file is lost: the process is killed and replaced, and `DocumentRejected`
gives the reason.
"""

import base64
import json
import os
import queue
import shutil
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from index.blocks import codec, geometry
from index.errors import DocumentRejected, NotADocument, NoTextLayer, NotRecognised, NoWords
from index.extraction.sandbox import GuardedProcess, ProcessLost
from index.formats.limits import Extraction, Limits, UnpackedMember, Unpacking
from index.records import Document, FileStamp, Page

_MAX_WORKERS = 8
_MAX_BYTES_PER_CHARACTER = 6  # in JSON, for example \\u001f
_BYTES_BESIDE_TEXT = 2**26
_DRAWING_SECONDS = 30.0
_KINDS = {kind.__name__: kind for kind in (DocumentRejected, NotADocument, NoWords, NotRecognised, NoTextLayer)}
_SPLIT = "Split it into smaller files"
_SAVE_AGAIN = "Open it in its own program and save it again, or convert it to PDF or text"


def extract(path: Path, *, uri: str | None = None, limits: Limits | None = None) -> Document:
    """The document at `path`. For more than one file, an `Extractor` is faster. Raises `DocumentRejected`."""
    with Extractor(limits, workers=1) as extractor:
        return extractor.extract(path, uri=uri).document


class Extractor:
    """A pool of worker processes that read files. Thread-safe: each worker reads one file at a time.

    A worker starts when it is first needed and runs until `close`. `workers` is by default the number of processors, at
    most eight.
    """

    def __init__(self, limits: Limits | None = None, *, workers: int | None = None) -> None:
        self.limits = limits or Limits()
        self.workers = workers or min(os.cpu_count() or 1, _MAX_WORKERS)
        self._idle: queue.LifoQueue[GuardedProcess | None] = queue.LifoQueue()
        self._running: set[GuardedProcess] = set()
        self._guard = threading.Lock()
        self._closed = False
        for _ in range(self.workers):
            self._idle.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all workers at once. Files being read are rejected, and so are all later ones."""
        with self._guard:
            self._closed = True
            for worker in self._running:
                worker.kill()
        for idle in [self._idle.get() for _ in range(self._idle.qsize())]:
            if idle is not None:
                self._end_worker(idle)
            self._idle.put(None)

    def extract(self, path: Path, *, uri: str | None = None, name: str | None = None) -> Extraction:
        """The document at `path` and its file's stamp. Waits for an idle worker.

        `uri` is by default that of the resolved path. `name`, by default that of the file, decides the format. Raises
        `DocumentRejected` with reason and fix, or its subclass `NotADocument` if the file is not meant to be read.
        """
        uri, name = uri or _uri_of(path), name or path.name
        try:
            answer = self._request("read", path, uri, name, seconds=self.limits.seconds)
        except NoTextLayer:
            if shutil.which("tesseract") is None:
                raise
            answer = self._request("recognise", path, uri, name, seconds=self.limits.recognition_seconds)
        return _extraction(answer)

    def unpack(self, path: Path, folder: Path, *, uri: str | None = None, name: str | None = None) -> Unpacking:
        """Unpack the archive, mailbox or e-mail at `path` into the empty folder `folder`.

        Raises `DocumentRejected` if it is damaged, or holds more than the limits allow.
        """
        uri, name = uri or _uri_of(path), name or path.name
        return _unpacking(self._request("unpack", path, uri, name, seconds=self.limits.seconds, folder=str(folder)))

    def draw(self, path: Path, *, uri: str, version: str, page: int, width: int) -> bytes | None:
        """Draw a page (from 1) of the PDF or picture at `path` as a PNG of that width in pixels, or less if it is too large.

        None if the file's bytes are not those of the version. Raises `DocumentRejected`.
        """
        answer = self._request(
            "draw", path, uri, path.name, seconds=_DRAWING_SECONDS, version=version, page=page, width=width
        )
        return None if answer["picture"] is None else base64.b64decode(answer["picture"])

    def _request(
        self, task: str, path: Path, uri: str, name: str, *, seconds: float, **more: str | int
    ) -> dict[str, Any]:
        """A worker's answer to a request. An answer that is a rejection is raised as `DocumentRejected`."""
        request = {"task": task, "path": os.fspath(path.absolute()), "uri": uri, "name": name, **more}
        try:
            answer: dict[str, Any] = json.loads(
                self._answer(json.dumps({**request, "limits": asdict(self.limits)}).encode(), seconds)
            )
        except ProcessLost as error:
            raise DocumentRejected(uri, str(error), _SPLIT if error.is_about_size else _SAVE_AGAIN) from error
        if "rejected" in answer:
            raise _rejection(answer["rejected"])
        return answer

    def _answer(self, request: bytes, seconds: float) -> bytes:
        """An idle worker's answer. If a worker that read other files before dies, a new one tries again: the cause may
        be what the earlier files left behind.
        """
        max_bytes = self.limits.characters * _MAX_BYTES_PER_CHARACTER + _BYTES_BESIDE_TEXT
        worker = self._idle.get()
        kept = None
        try:
            while kept is None:
                used = worker is not None and worker.answered > 0
                worker = worker or self._start_worker()
                try:
                    answer = worker.ask(request, seconds=seconds, max_bytes=max_bytes)
                    kept = worker
                except ProcessLost as error:
                    if error.is_final or not used:
                        raise
                finally:
                    if kept is None:
                        self._end_worker(worker)
                        worker = None
            return answer
        finally:
            if self._closed and kept is not None:
                self._end_worker(kept)
                kept = None
            self._idle.put(kept)

    def _start_worker(self) -> GuardedProcess:
        with self._guard:
            if self._closed:
                raise ProcessLost("indexing was interrupted", is_final=True)
            worker = GuardedProcess("index.extraction.worker", [str(self.limits.memory_bytes)])
            self._running.add(worker)
            return worker

    def _end_worker(self, worker: GuardedProcess) -> None:
        with self._guard:
            self._running.discard(worker)
        worker.stop()


def _uri_of(path: Path) -> str:
    return path.resolve().as_uri()


def _extraction(answer: Mapping[str, Any]) -> Extraction:
    """The inverse of `index.extraction.worker.extraction_fields`."""
    fields = dict(answer["document"])
    fields["pages"] = tuple(Page(*page) for page in fields["pages"])
    fields["blocks"] = codec.from_lists(fields["blocks"])
    fields["geometry"] = geometry.from_lists(fields["geometry"])
    fields["warnings"] = tuple(fields["warnings"])
    return Extraction(Document(**fields), FileStamp(**answer["source"]))


def _unpacking(answer: Mapping[str, Any]) -> Unpacking:
    """The inverse of `index.extraction.worker.unpacking_fields`."""
    members = tuple(UnpackedMember(**member) for member in answer["members"])
    return Unpacking(members, tuple(map(_rejection, answer["rejections"])), FileStamp(**answer["source"]))


def _rejection(fields: Mapping[str, Any]) -> DocumentRejected:
    return _KINDS[fields["kind"]](fields["uri"], fields["reason"], fields["fix"])
