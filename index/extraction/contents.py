"""A file -> every document in it: one for an ordinary file, any number for an archive, a mailbox or an e-mail.

A file that holds other files is unpacked into a temporary folder, which is deleted after all of it is read. Its members
are read like any other file, several at once, each in a separate process: one that crashes its parser is rejected
alone.
"""

import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePath
from typing import TypeVar

from index.errors import DocumentRejected
from index.extraction.extractor import Extractor
from index.formats.limits import UnpackedMember
from index.formats.registry import format_of, holds_members, is_document
from index.records import Document, FileStamp

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Contents:
    """The documents of a file, and its members that were rejected. `source` is None if the whole file was rejected."""

    documents: tuple[Document, ...]
    rejected: tuple[DocumentRejected, ...]
    source: FileStamp | None


def read_contents(extractor: Extractor, path: Path, *, uri: str, name: str | None = None) -> Contents:
    """Everything in the file at `path`, whose URI is `uri` and whose name is `name` (by default that of `path`)."""
    name = name or path.name
    file_format = format_of(PurePath(name))
    try:
        if file_format is None or not holds_members(file_format):
            extraction = extractor.extract(path, uri=uri, name=name)
            return Contents((extraction.document,), (), extraction.source)
        with tempfile.TemporaryDirectory(prefix="quoth-") as folder:
            unpacking = extractor.unpack(path, Path(folder), uri=uri, name=name)
            files = [(member, Path(folder) / member.file) for member in unpacking.members]
            if is_document(file_format):
                files.insert(0, (UnpackedMember(uri, name, ""), path))
            documents, rejected = _read_members(extractor, files)
    except DocumentRejected as error:
        return Contents((), (error,), None)
    return Contents(tuple(documents), (*unpacking.rejected, *rejected), unpacking.source)


def _read_members(
    extractor: Extractor, files: Iterable[tuple[UnpackedMember, Path]]
) -> tuple[list[Document], list[DocumentRejected]]:
    documents: list[Document] = []
    rejected: list[DocumentRejected] = []
    max_characters = remaining = extractor.limits.container_characters

    def read(file: tuple[UnpackedMember, Path]) -> Document | DocumentRejected:
        member, path = file
        try:
            return extractor.extract(path, uri=member.uri, name=member.name).document
        except DocumentRejected as error:
            return error

    with ThreadPoolExecutor(extractor.workers) as threads:
        for (member, _), result in map_in_order(read, files, threads, ahead=2 * extractor.workers):
            if isinstance(result, DocumentRejected):
                rejected.append(result)
            elif len(result.text) > remaining:
                reason = f"the texts in its archive have more than {max_characters:,} characters"
                rejected.append(DocumentRejected(member.uri, reason, "Unpack the archive into a folder and index that"))
            else:
                remaining -= len(result.text)
                documents.append(result)
    return documents, rejected


def map_in_order(
    work: Callable[[Item], Result], items: Iterable[Item], threads: ThreadPoolExecutor, *, ahead: int
) -> Generator[tuple[Item, Result], None, None]:
    """Each item with its result, in the order given. `threads` work on at most `ahead` items in advance.

    An error of `work` is raised when its item's turn comes. Items not started when the caller stops iterating never
    are.
    """
    started: deque[tuple[Item, Future[Result]]] = deque()
    remaining = iter(items)
    try:
        while True:
            started.extend((item, threads.submit(work, item)) for item in islice(remaining, ahead - len(started)))
            if not started:
                return
            item, future = started.popleft()
            yield item, future.result()
    finally:
        for _, future in started:
            future.cancel()
