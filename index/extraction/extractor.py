"""Files -> documents, safely: every file is parsed in another process, with limits on time, memory and output.

    with Extractor() as extractor:
        extraction = extractor.extract(path)

Parsers of PDF and Office files are large native libraries that meet whatever a folder holds. A file that crashes, hangs
or swells its parser costs itself alone: the process is killed and replaced, and `DocumentRejected` tells the reason.
"""

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

from index.errors import DocumentRejected, NotADocument, NoTextLayer
from index.extraction.sandbox import GuardedProcess, ProcessLost
from index.formats.limits import Extraction, Limits, UnpackedMember, Unpacking
from index.records import Document, FileStamp, Page, Section

_MOST_WORKERS = 8
_BYTES_A_CHARACTER = 6  # the most that a character takes in JSON: \\u001f
_BYTES_BESIDE_TEXT = 2**26
_KINDS = {kind.__name__: kind for kind in (DocumentRejected, NotADocument, NoTextLayer)}
_SPLIT = "Split it into smaller files"
_SAVE_AGAIN = "Open it in its own program and save it again, or convert it to PDF or text"


def extract(path: Path, *, uri: str | None = None, limits: Limits | None = None) -> Document:
    """The document at `path`; for more than one file an `Extractor` is quicker. Raises `DocumentRejected`."""
    with Extractor(limits, workers=1) as extractor:
        return extractor.extract(path, uri=uri).document


class Extractor:
    """A pool of processes that read files. Thread-safe: as many files are read at once as there are workers and callers.

    A worker starts when it is first needed and stays until `close`. `workers` is by default the number of processors, at
    most eight.
    """

    def __init__(self, limits: Limits | None = None, *, workers: int | None = None) -> None:
        self.limits = limits or Limits()
        self.workers = workers or min(os.cpu_count() or 1, _MOST_WORKERS)
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
        """End all workers at once; a file that is being read meanwhile is rejected, and so is every later one."""
        with self._guard:
            self._closed = True
            for worker in self._running:
                worker.kill()
        for idle in [self._idle.get() for _ in range(self._idle.qsize())]:
            if idle is not None:
                self._ended(idle)
            self._idle.put(None)

    def extract(self, path: Path, *, uri: str | None = None, name: str | None = None) -> Extraction:
        """The document at `path` and what its file looked like. Waits for an idle worker.

        `uri` is by default that of the resolved path; `name`, by default that of the file, tells the format. Raises
        `DocumentRejected` with reason and mend: as `NotADocument` if nobody would expect the file to be read.
        """
        uri, name = uri or _uri_of(path), name or path.name
        try:
            answer = self._asked("read", path, uri, name, seconds=self.limits.seconds)
        except NoTextLayer:
            if shutil.which("tesseract") is None:
                raise
            answer = self._asked("recognise", path, uri, name, seconds=self.limits.recognition_seconds)
        return _extraction(answer)

    def unpack(self, path: Path, folder: Path, *, uri: str | None = None, name: str | None = None) -> Unpacking:
        """What the archive, mailbox or mail at `path` holds, unpacked into `folder`, which is empty.

        Raises `DocumentRejected` if it is damaged, or holds more than the limits allow.
        """
        uri, name = uri or _uri_of(path), name or path.name
        return _unpacking(self._asked("unpack", path, uri, name, seconds=self.limits.seconds, folder=str(folder)))

    def _asked(self, task: str, path: Path, uri: str, name: str, *, seconds: float, **more: str) -> dict[str, Any]:
        """What a worker answers to a request, unless it is a rejection: that is raised."""
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
        """An idle worker's answer. If it dies but read other files before, a fresh one decides: what they left behind
        must not be held against this one.
        """
        most = self.limits.characters * _BYTES_A_CHARACTER + _BYTES_BESIDE_TEXT
        worker = self._idle.get()
        kept = None
        try:
            while kept is None:
                used = worker is not None and worker.answered > 0
                worker = worker or self._started()
                try:
                    answer = worker.ask(request, seconds=seconds, most_bytes=most)
                    kept = worker
                except ProcessLost as error:
                    if error.is_final or not used:
                        raise
                finally:
                    if kept is None:
                        self._ended(worker)
                        worker = None
            return answer
        finally:
            if self._closed and kept is not None:
                self._ended(kept)
                kept = None
            self._idle.put(kept)

    def _started(self) -> GuardedProcess:
        with self._guard:
            if self._closed:
                raise ProcessLost("indexing was interrupted", is_final=True)
            worker = GuardedProcess("index.extraction.worker", [str(self.limits.memory_bytes)])
            self._running.add(worker)
            return worker

    def _ended(self, worker: GuardedProcess) -> None:
        with self._guard:
            self._running.discard(worker)
        worker.stop()


def _uri_of(path: Path) -> str:
    return path.resolve().as_uri()


def _extraction(answer: Mapping[str, Any]) -> Extraction:
    """The inverse of `index.extraction.worker.extraction_fields`."""
    written = dict(answer["document"])
    written["pages"] = tuple(Page(*page) for page in written["pages"])
    written["sections"] = tuple(Section(start, tuple(trail)) for start, trail in written["sections"])
    return Extraction(Document(**written), FileStamp(**answer["source"]))


def _unpacking(answer: Mapping[str, Any]) -> Unpacking:
    """The inverse of `index.extraction.worker.unpacking_fields`."""
    members = tuple(UnpackedMember(**member) for member in answer["members"])
    return Unpacking(members, tuple(map(_rejection, answer["refused"])), FileStamp(**answer["source"]))


def _rejection(fields: Mapping[str, Any]) -> DocumentRejected:
    return _KINDS[fields["kind"]](fields["uri"], fields["reason"], fields["mend"])
