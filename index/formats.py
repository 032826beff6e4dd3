"""File names and first bytes -> how a file is read. Pure.

The name decides; the first bytes confirm. A file whose content contradicts its name is rejected rather than guessed at: a
".pdf" that holds HTML is most often the error page of a failed download.
"""

from enum import Enum
from pathlib import PurePath
from typing import NamedTuple


class Reader(Enum):
    """What turns a file of the format into text."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    PDF = "pdf"
    SLIDES = "slides"
    OFFICE = "office"
    NOTEBOOK = "notebook"


class Format(NamedTuple):
    """How a file is read, and its media type."""

    reader: Reader
    media_type: str


_OPEN_XML = "application/vnd.openxmlformats-officedocument."
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
_BY_SUFFIX: dict[str, Format] = {
    ".pdf": Format(Reader.PDF, "application/pdf"),
    ".docx": Format(Reader.OFFICE, _OPEN_XML + "wordprocessingml.document"),
    ".doc": Format(Reader.OFFICE, "application/msword"),
    ".odt": Format(Reader.OFFICE, _OPEN_DOCUMENT + "text"),
    ".rtf": Format(Reader.OFFICE, "application/rtf"),
    ".pptx": Format(Reader.SLIDES, _OPEN_XML + "presentationml.presentation"),
    ".ppt": Format(Reader.OFFICE, "application/vnd.ms-powerpoint"),
    ".xlsx": Format(Reader.OFFICE, _OPEN_XML + "spreadsheetml.sheet"),
    ".xls": Format(Reader.OFFICE, "application/vnd.ms-excel"),
    ".ods": Format(Reader.OFFICE, _OPEN_DOCUMENT + "spreadsheet"),
    ".epub": Format(Reader.OFFICE, "application/epub+zip"),
    ".fb2": Format(Reader.OFFICE, "application/x-fictionbook+xml"),
    ".eml": Format(Reader.OFFICE, "message/rfc822"),
    ".msg": Format(Reader.OFFICE, "application/vnd.ms-outlook"),
    ".ipynb": Format(Reader.NOTEBOOK, "application/x-ipynb+json"),
    ".html": Format(Reader.HTML, "text/html"),
    ".htm": Format(Reader.HTML, "text/html"),
    ".xhtml": Format(Reader.HTML, "application/xhtml+xml"),
    ".md": Format(Reader.MARKDOWN, "text/markdown"),
    ".markdown": Format(Reader.MARKDOWN, "text/markdown"),
    ".mdx": Format(Reader.MARKDOWN, "text/markdown"),
    ".txt": Format(Reader.TEXT, "text/plain"),
    ".rst": Format(Reader.TEXT, "text/x-rst"),
    ".csv": Format(Reader.TEXT, "text/csv"),
    ".tsv": Format(Reader.TEXT, "text/tab-separated-values"),
    ".json": Format(Reader.TEXT, "application/json"),
    ".xml": Format(Reader.TEXT, "application/xml"),
}
_PLAIN = Format(Reader.TEXT, "text/plain")

_MEDIA = """
    .7z .a .aac .aiff .apk .ar .avi .avif .bin .bmp .bz2 .cab .class .dat .db .deb .dll .dmg .dylib .ear .eot
    .exe .faiss .flac .flv .gguf .gif .gz .heic .ico .img .iso .jar .jpeg .jpg .lib .lz4 .m4a .m4v .mkv .mov
    .mp3 .mp4 .mpeg .mpg .msi .npy .npz .o .obj .ogg .onnx .opus .otf .parquet .pickle .pkl .png .psd .pt .pth
    .pyc .pyd .pyo .rar .rpm .safetensors .so .sqlite .sqlite3 .tar .tgz .tif .tiff .ttf .wasm .wav .webm
    .webp .whl .wmv .woff .woff2 .xz .zip .zst
"""
NEVER_TEXT = frozenset(_MEDIA.split())
"""Suffixes of pictures, sound, programs, archives and the like: skipped without being opened."""

RECORDS = frozenset({".jsonl", ".ndjson"})
"""Suffixes of machine-readable records, one a line. A line is a row for a program, and as prose it would be quoted with its
braces: skipped too."""

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BEGINS_WITH = {
    ".docx": (_ZIP, _OLE),  # Office writes an encrypted document as an OLE file of the same name
    ".pptx": (_ZIP, _OLE),
    ".xlsx": (_ZIP, _OLE),
    ".odt": (_ZIP,),
    ".ods": (_ZIP,),
    ".epub": (_ZIP,),
    ".doc": (_OLE,),
    ".ppt": (_OLE,),
    ".xls": (_OLE,),
    ".msg": (_OLE,),
    ".rtf": (b"{\\rtf",),
}
_PDF_HEADER_WITHIN = (
    1024  # readers accept the header anywhere in the first 1,024 bytes (PDF 1.7, implementation note 13)
)


def format_of(path: PurePath) -> Format | None:
    """How the file of that name is read; None if it is skipped unopened. An unknown suffix may still be text."""
    suffix = path.suffix.lower()
    if suffix in NEVER_TEXT | RECORDS:
        return None
    return _BY_SUFFIX.get(suffix, _PLAIN)


def why_skipped(path: PurePath) -> str:
    """The reason, for a file of which `format_of` says None."""
    if path.suffix.lower() in RECORDS:
        return f"{path.suffix} files hold records for programs"
    return f"{path.suffix} files hold no text"


def contradiction(path: PurePath, data: bytes) -> str | None:
    """What the first bytes of the file show when its name says otherwise; None when both agree."""
    suffix = path.suffix.lower()
    if suffix == ".pdf":
        return None if b"%PDF-" in data[:_PDF_HEADER_WITHIN] else _shown_by(data)
    if suffix in _BEGINS_WITH:
        return None if data.startswith(_BEGINS_WITH[suffix]) else _shown_by(data)
    if data.startswith((b"%PDF-", _ZIP, _OLE)):
        return _shown_by(data)
    return None


def _shown_by(data: bytes) -> str:
    head = data[:_PDF_HEADER_WITHIN].lstrip().lower()
    for mark, name in (
        (b"%pdf-", "a PDF"),
        (_ZIP.lower(), "a zip archive or Office file"),
        (_OLE, "an old Office file"),
    ):
        if head.startswith(mark):
            return name
    if head.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    return "something else" if b"\0" in head else "plain text"
