"""A file -> every document in it. An ordinary file is one; an archive or a mailbox holds any number, a mail what is attached.

A file that holds others is unpacked into a folder of its own, which goes when all of it is read. Its members are then read
like any other file, several at once, each behind the same wall: one that crashes its reader costs itself alone.
"""

import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePath

from index.errors import DocumentRejected
from index.extraction.extractor import Extractor
from index.extraction.prefetch import in_order
from index.formats.limits import UnpackedMember
from index.formats.registry import format_of, holds_members, is_document
from index.records import Document, FileStamp


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds. `source` is None when nobody can tell: then `refused` says why."""

    documents: tuple[Document, ...]
    refused: tuple[DocumentRejected, ...]
    source: FileStamp | None


def contents(extractor: Extractor, path: Path, *, uri: str, name: str | None = None) -> Contents:
    """Everything in the file at `path`, which is called `name` (by default as the path says) and stands at `uri`."""
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
            documents, refused = _read(extractor, files)
    except DocumentRejected as error:
        return Contents((), (error,), None)
    return Contents(tuple(documents), (*unpacking.refused, *refused), unpacking.source)


def _read(
    extractor: Extractor, files: Iterable[tuple[UnpackedMember, Path]]
) -> tuple[list[Document], list[DocumentRejected]]:
    documents: list[Document] = []
    refused: list[DocumentRejected] = []
    left = extractor.limits.container_characters

    def read(file: tuple[UnpackedMember, Path]) -> Document | DocumentRejected:
        member, path = file
        try:
            return extractor.extract(path, uri=member.uri, name=member.name).document
        except DocumentRejected as error:
            return error

    with ThreadPoolExecutor(extractor.workers) as threads:
        for (member, _), found in in_order(read, files, threads, ahead=2 * extractor.workers):
            if isinstance(found, DocumentRejected):
                refused.append(found)
            elif len(found.text) > left:
                most = extractor.limits.container_characters
                reason = f"the texts in its archive have more than {most:,} characters"
                refused.append(DocumentRejected(member.uri, reason, "Unpack the archive into a folder and index that"))
            else:
                left -= len(found.text)
                documents.append(found)
    return documents, refused
