"""The zip archive inside an Office, OpenDocument or EPUB file -> refused if another kind, damaged, or made to fill memory.

The parsers behind this look differ in what they bound, and some swallow it when memory runs out: so the parts that they would
parse are unpacked here first, a piece at a time, and counted. What an archive says of a part's size is not believed.
"""

import io
import zipfile
from collections.abc import Iterator
from pathlib import PurePath

from index.errors import DocumentRejected
from index.formats.archive import ZIP_DAMAGE
from index.formats.limits import Limits
from index.formats.registry import NEVER_TEXT

_AT_ONCE = 2**18
_SMALL = 2**24  # a part up to this size may be packed as tightly as it likes, as lists of thousands of equal styles are
_SIZE_UNSTATED = 2**62
_BY_MIMETYPE = {
    b"application/vnd.oasis.opendocument.text": (".odt", "an OpenDocument text"),
    b"application/vnd.oasis.opendocument.spreadsheet": (".ods", "an OpenDocument spreadsheet"),
    b"application/vnd.oasis.opendocument.presentation": (".odp", "an OpenDocument presentation"),
    b"application/epub+zip": (".epub", "an e-book (EPUB)"),
}
_BY_FOLDER = {
    "word/": (".docx", "a Word document"),
    "xl/": (".xlsx", "an Excel workbook"),
    "ppt/": (".pptx", "a PowerPoint presentation"),
}
_CONTENT_TYPES = "[Content_Types].xml"
_OPEN_XML = frozenset(suffix for suffix, _ in _BY_FOLDER.values())


def refuse_unsound(data: bytes, name: PurePath, uri: str, limits: Limits) -> None:
    """`DocumentRejected` unless the zip archive is of the kind that `name` says and its parts keep within the limits.

    A part of more than 16 MiB may be packed to 1/`ratio` of its size, and all parts together unpack to `unpacked_bytes`;
    pictures and the like count by what they say of themselves, for nobody unpacks them. Memory: a piece of a part.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            shown = _kind_other_than(name.suffix.lower(), archive)
            if shown is not None:
                reason = f"it is named {name.suffix} but holds {shown}"
                raise DocumentRejected(uri, reason, "Rename it, or fetch it again")
            _count(archive, uri, limits)
    except ZIP_DAMAGE as error:
        fix = "Open it in its own program and save it again, or fetch it again"
        raise DocumentRejected(uri, f"it is damaged or cut short ({str(error)[:100]})", fix) from error


def _kind_other_than(suffix: str, archive: zipfile.ZipFile) -> str | None:
    """What the archive is when its parts say clearly that it is not what `suffix` says."""
    names = archive.namelist()
    found = None
    if "mimetype" in names:
        with archive.open("mimetype") as part:
            found = _BY_MIMETYPE.get(part.read(100).strip())
    elif _CONTENT_TYPES in names:
        found = next((kind for name in names for folder, kind in _BY_FOLDER.items() if name.startswith(folder)), None)
    elif suffix in _OPEN_XML:
        return "a zip archive"
    return None if found is None or found[0] == suffix else found[1]


def _count(archive: zipfile.ZipFile, uri: str, limits: Limits) -> None:
    total = 0
    for info in archive.infolist():
        if PurePath(info.filename).suffix.lower() in NEVER_TEXT:
            total += info.file_size
            continue
        if info.flag_bits & 1:
            raise DocumentRejected(uri, "it is encrypted", "Save a copy without a password")
        size = 0
        for piece in _pieces(archive, info):
            size += len(piece)
            if total + size > limits.unpacked_bytes:
                break
            if size > _SMALL and size > limits.ratio * info.compress_size:
                reason = (
                    f"its part {info.filename[:100]!r} unpacks to more than {limits.ratio} times its packed size, "
                    "as a file made to fill memory does"
                )
                raise DocumentRejected(uri, reason, "Open it in its own program and save it again, if you trust it")
        total += size
        if total > limits.unpacked_bytes:
            reason = f"more than {limits.unpacked_bytes:,} bytes come out of it"
            raise DocumentRejected(uri, reason, "Split it into smaller files")


def _pieces(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    info.file_size = _SIZE_UNSTATED  # else zipfile stops at the size that the archive states
    with archive.open(info) as part:
        while piece := part.read(_AT_ONCE):
            yield piece
