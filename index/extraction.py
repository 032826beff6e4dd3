"""Files -> documents, safely: every file is parsed in another process, with limits on time, memory and output.

    with Extractor() as extractor:
        extraction = extractor.extract(path)

Parsers of PDF and Office files are large native libraries that meet whatever a folder holds. A file that crashes, hangs
or swells its parser costs itself alone: the process is killed and replaced, and `DocumentRejected` tells the reason.
"""

import hashlib
import json
import os
import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from index.errors import DocumentRejected, NotADocument
from index.guard import GuardedProcess, ProcessLost
from index.records import Document, Page, Section
from index.summary import Source

_MOST_WORKERS = 8
_BYTES_A_CHARACTER = 6  # the most that a character takes in JSON: \\u001f
_BYTES_BESIDE_TEXT = 2**26
_SPLIT = "Split it into smaller files"
_SAVE_AGAIN = "Open it in its own program and save it again, or convert it to PDF or text"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost. Beyond a limit the file is rejected; nothing else is affected.

    `file_bytes` is checked before a file is read; `characters` bounds the text that comes out; `seconds` is wall-clock
    time and `memory_bytes` the private memory of the process that reads it.
    """

    file_bytes: int = 100 * 2**20
    characters: int = 30_000_000
    seconds: float = 120.0
    memory_bytes: int = 2 * 2**30


@dataclass(frozen=True, slots=True)
class Extraction:
    """A document, and what its file looked like when it was read."""

    document: Document
    source: Source


def document_id(uri: str) -> str:
    """The id of the document at `uri`: the same for every version of it. 32 hexadecimal digits."""
    return hashlib.sha256(uri.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def version_of(data: bytes) -> str:
    """The version of a document whose source is `data`: SHA-256, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


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

    def extract(self, path: Path, *, uri: str | None = None) -> Extraction:
        """The document at `path` and what its file looked like. Waits for an idle worker.

        `uri` is by default that of the resolved path. Raises `DocumentRejected` with reason and mend: as `NotADocument`
        if nobody would expect the file to be read.
        """
        uri = path.resolve().as_uri() if uri is None else uri
        request = json.dumps(
            {
                "path": os.fspath(path.absolute()),
                "uri": uri,
                "file_bytes": self.limits.file_bytes,
                "characters": self.limits.characters,
            }
        ).encode()
        try:
            answer = json.loads(self._answer(request))
        except ProcessLost as error:
            raise DocumentRejected(uri, str(error), _SPLIT if error.is_about_size else _SAVE_AGAIN) from error
        if "rejected" in answer:
            rejected = answer["rejected"]
            kind = NotADocument if rejected["skipped"] else DocumentRejected
            raise kind(uri, rejected["reason"], rejected["mend"])
        return _decoded(answer)

    def _answer(self, request: bytes) -> bytes:
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
                    answer = worker.ask(request, seconds=self.limits.seconds, most_bytes=most)
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
            worker = GuardedProcess("index.worker", [str(self.limits.memory_bytes)])
            self._running.add(worker)
            return worker

    def _ended(self, worker: GuardedProcess) -> None:
        with self._guard:
            self._running.discard(worker)
        worker.stop()


def _decoded(answer: Mapping[str, Any]) -> Extraction:
    """The inverse of `index.worker.encoded`."""
    written = dict(answer["document"])
    written["pages"] = tuple(Page(*page) for page in written["pages"])
    written["sections"] = tuple(Section(start, tuple(trail)) for start, trail in written["sections"])
    return Extraction(Document(**written), Source(**answer["source"]))
