"""Checks on Office, OpenDocument and EPUB files, which are zip archives: the right kind, undamaged, not a zip bomb.

The parsers that run afterwards differ in what they limit, and some hide it when memory runs out. So the parts that they
would parse are unpacked here first, a piece at a time, and counted. The size that an archive states for a part is not
trusted.
"""

import io
import zipfile
from collections.abc import Iterator
from pathlib import PurePath

from index.errors import DocumentRejected
from index.formats.containers.archive import ZIP_DAMAGE
from index.formats.limits import Limits
from index.formats.registry import NEVER_TEXT, PICTURES

_PIECE_BYTES = 2**18
_ANY_RATIO_BYTES = 2**24  # a part up to this size may have any ratio: lists of thousands of equal styles pack tightly
_NO_SIZE = 2**62
_BY_MIMETYPE: dict[bytes, tuple[tuple[str, ...], str]] = {
    b"application/vnd.oasis.opendocument.text": ((".odt",), "an OpenDocument text"),
    b"application/vnd.oasis.opendocument.spreadsheet": ((".ods",), "an OpenDocument spreadsheet"),
    b"application/vnd.oasis.opendocument.presentation": ((".odp",), "an OpenDocument presentation"),
    b"application/epub+zip": ((".epub",), "an e-book (EPUB)"),
}
_BY_FOLDER: dict[str, tuple[tuple[str, ...], str]] = {
    "word/": ((".docx", ".docm", ".dotx"), "a Word document"),
    "xl/": ((".xlsx", ".xlsm", ".xltx"), "an Excel workbook"),
    "ppt/": ((".pptx", ".pptm", ".potx"), "a PowerPoint presentation"),
}
_CONTENT_TYPES = "[Content_Types].xml"
_OPEN_XML = frozenset(suffix for suffixes, _ in _BY_FOLDER.values() for suffix in suffixes)


def check_office_zip(data: bytes, name: PurePath, uri: str, limits: Limits) -> None:
    """Raise `DocumentRejected` unless the zip archive is of the kind that `name` says and its parts keep the limits.

    A part of more than 16 MiB may be packed to 1/`ratio` of its size, and all parts together may unpack to
    `unpacked_bytes`; pictures and the like count with the size they state, since nothing unpacks them. Memory: one
    piece of a part.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            other_kind = _kind_other_than(name.suffix.lower(), archive)
            if other_kind is not None:
                reason = f"it is named {name.suffix} but holds {other_kind}"
                raise DocumentRejected(uri, reason, "Rename it, or fetch it again")
            _check_sizes(archive, uri, limits)
    except ZIP_DAMAGE as error:
        fix = "Open it in its own program and save it again, or fetch it again"
        raise DocumentRejected(uri, f"it is damaged or cut short ({str(error)[:100]})", fix) from error


def _kind_other_than(suffix: str, archive: zipfile.ZipFile) -> str | None:
    """What the archive is, if its parts clearly contradict `suffix`; else None."""
    names = archive.namelist()
    kind = None
    if "mimetype" in names:
        with archive.open("mimetype") as part:
            kind = _BY_MIMETYPE.get(part.read(100).strip())
    elif _CONTENT_TYPES in names:
        kind = next((kind for name in names for folder, kind in _BY_FOLDER.items() if name.startswith(folder)), None)
    elif suffix in _OPEN_XML:
        return "a zip archive"
    return None if kind is None or suffix in kind[0] else kind[1]


def _check_sizes(archive: zipfile.ZipFile, uri: str, limits: Limits) -> None:
    total = 0
    for info in archive.infolist():
        if PurePath(info.filename).suffix.lower() in NEVER_TEXT | PICTURES:
            total += info.file_size
            continue
        if info.flag_bits & 1:
            raise DocumentRejected(uri, "it is encrypted", "Save a copy without a password")
        size = 0
        for piece in _pieces(archive, info):
            size += len(piece)
            if total + size > limits.unpacked_bytes:
                break
            if size > _ANY_RATIO_BYTES and size > limits.ratio * info.compress_size:
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
    info.file_size = _NO_SIZE  # otherwise zipfile stops at the size that the archive states
    with archive.open(info) as part:
        while piece := part.read(_PIECE_BYTES):
            yield piece
