"""The registry of formats: file name and first bytes -> media type and parser. Pure.

The name decides; the first bytes confirm. A file whose content contradicts its name is rejected, never guessed at: a
".pdf" that holds HTML is most often the error page of a failed download.
"""

import re
from enum import Enum
from pathlib import PurePath
from typing import NamedTuple


class Parser(Enum):
    """The parsers, each of which turns files of some formats into text or into members."""

    TEXT = "text"
    MARKDOWN = "markdown"
    NOTEBOOK = "notebook"
    HTML = "html"
    DELIMITED = "delimited"
    TAB_DELIMITED = "tab-delimited"
    JSON = "json"
    JSON_LINES = "json-lines"
    YAML = "yaml"
    TOML = "toml"
    XML = "xml"
    INI = "ini"
    PDF = "pdf"
    IMAGE = "image"
    DOCX = "docx"
    XLSX = "xlsx"
    PPTX = "pptx"
    ODT = "odt"
    ODS = "ods"
    ODP = "odp"
    XLS = "xls"
    RTF = "rtf"
    OFFICE = "office"  # the binary formats of old Office versions
    EPUB = "epub"
    FICTION_BOOK = "fiction-book"
    MAIL = "mail"
    MAILBOX = "mailbox"
    ZIP = "zip"
    TAR = "tar"
    GZIP = "gzip"


class Format(NamedTuple):
    """The parser and the media type of a file."""

    parser: Parser
    media_type: str


_OPEN_XML = "application/vnd.openxmlformats-officedocument."
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
_BY_SUFFIX: dict[str, Format] = {
    ".pdf": Format(Parser.PDF, "application/pdf"),
    ".png": Format(Parser.IMAGE, "image/png"),
    ".jpg": Format(Parser.IMAGE, "image/jpeg"),
    ".jpeg": Format(Parser.IMAGE, "image/jpeg"),
    ".tif": Format(Parser.IMAGE, "image/tiff"),
    ".tiff": Format(Parser.IMAGE, "image/tiff"),
    ".webp": Format(Parser.IMAGE, "image/webp"),
    ".docx": Format(Parser.DOCX, _OPEN_XML + "wordprocessingml.document"),
    ".docm": Format(Parser.DOCX, "application/vnd.ms-word.document.macroEnabled.12"),
    ".dotx": Format(Parser.DOCX, _OPEN_XML + "wordprocessingml.template"),
    ".doc": Format(Parser.OFFICE, "application/msword"),
    ".odt": Format(Parser.ODT, _OPEN_DOCUMENT + "text"),
    ".rtf": Format(Parser.RTF, "application/rtf"),
    ".pptx": Format(Parser.PPTX, _OPEN_XML + "presentationml.presentation"),
    ".pptm": Format(Parser.PPTX, "application/vnd.ms-powerpoint.presentation.macroEnabled.12"),
    ".potx": Format(Parser.PPTX, _OPEN_XML + "presentationml.template"),
    ".ppt": Format(Parser.OFFICE, "application/vnd.ms-powerpoint"),
    ".xlsx": Format(Parser.XLSX, _OPEN_XML + "spreadsheetml.sheet"),
    ".xlsm": Format(Parser.XLSX, "application/vnd.ms-excel.sheet.macroEnabled.12"),
    ".xltx": Format(Parser.XLSX, _OPEN_XML + "spreadsheetml.template"),
    ".xls": Format(Parser.XLS, "application/vnd.ms-excel"),
    ".ods": Format(Parser.ODS, _OPEN_DOCUMENT + "spreadsheet"),
    ".odp": Format(Parser.ODP, _OPEN_DOCUMENT + "presentation"),
    ".epub": Format(Parser.EPUB, "application/epub+zip"),
    ".fb2": Format(Parser.FICTION_BOOK, "application/x-fictionbook+xml"),
    ".eml": Format(Parser.MAIL, "message/rfc822"),
    ".msg": Format(Parser.MAIL, "application/vnd.ms-outlook"),
    ".ipynb": Format(Parser.NOTEBOOK, "application/x-ipynb+json"),
    ".html": Format(Parser.HTML, "text/html"),
    ".htm": Format(Parser.HTML, "text/html"),
    ".xhtml": Format(Parser.HTML, "application/xhtml+xml"),
    ".md": Format(Parser.MARKDOWN, "text/markdown"),
    ".markdown": Format(Parser.MARKDOWN, "text/markdown"),
    ".mdx": Format(Parser.MARKDOWN, "text/markdown"),
    ".txt": Format(Parser.TEXT, "text/plain"),
    ".rst": Format(Parser.TEXT, "text/x-rst"),
    ".csv": Format(Parser.DELIMITED, "text/csv"),
    ".tsv": Format(Parser.TAB_DELIMITED, "text/tab-separated-values"),
    ".json": Format(Parser.JSON, "application/json"),
    ".xml": Format(Parser.XML, "application/xml"),
    ".jsonl": Format(Parser.JSON_LINES, "application/jsonl"),
    ".ndjson": Format(Parser.JSON_LINES, "application/x-ndjson"),
    ".yaml": Format(Parser.YAML, "application/yaml"),
    ".yml": Format(Parser.YAML, "application/yaml"),
    ".toml": Format(Parser.TOML, "application/toml"),
    ".ini": Format(Parser.INI, "text/x-ini"),
    ".cfg": Format(Parser.INI, "text/x-ini"),
    ".conf": Format(Parser.INI, "text/x-ini"),
    ".properties": Format(Parser.INI, "text/x-java-properties"),
    ".mbox": Format(Parser.MAILBOX, "application/mbox"),
    ".zip": Format(Parser.ZIP, "application/zip"),
    ".tar": Format(Parser.TAR, "application/x-tar"),
    ".tgz": Format(Parser.TAR, "application/gzip"),
    ".tar.gz": Format(Parser.TAR, "application/gzip"),
    ".tar.bz2": Format(Parser.TAR, "application/x-bzip2"),
    ".tar.xz": Format(Parser.TAR, "application/x-xz"),
    ".gz": Format(Parser.GZIP, "application/gzip"),
}
_ALIASES = {
    "text/xml": "application/xml",
    "application/x-zip-compressed": "application/zip",
    "text/rtf": "application/rtf",
}
_CONTAINERS = frozenset({Parser.MAILBOX, Parser.ZIP, Parser.TAR, Parser.GZIP})
_PLAIN = Format(Parser.TEXT, "text/plain")

_MEDIA = """
    .7z .a .aac .aiff .apk .ar .avi .avif .bin .bmp .bz2 .cab .class .dat .db .deb .dll .dmg .dylib .ear .emf .eot
    .exe .faiss .flac .flv .gguf .gif .heic .ico .img .iso .jar .lib .lz4 .m4a .m4v .mkv .mov
    .mp3 .mp4 .mpeg .mpg .msi .npy .npz .o .obj .ogg .onnx .opus .otf .parquet .pickle .pkl .psd .pt .pth
    .pyc .pyd .pyo .rar .rpm .safetensors .so .sqlite .sqlite3 .ttf .wasm .wav .webm
    .whl .wmf .wmv .woff .woff2 .xz .zst
"""
NEVER_TEXT = frozenset(_MEDIA.split())
"""Suffixes of sound, films, programs, drawings, unusual archives and the like. Such files are skipped without being opened."""

PICTURES = frozenset(suffix for suffix, file_format in _BY_SUFFIX.items() if file_format.parser is Parser.IMAGE)
"""Suffixes of pictures whose text is recognised."""

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PICTURE_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"RIFF")
"""How PNG, JPEG, TIFF and WebP files begin."""

_BEGINS_WITH = {
    # Office writes an encrypted document as an OLE file of the same name
    **dict.fromkeys((".docx", ".docm", ".dotx", ".pptx", ".pptm", ".potx", ".xlsx", ".xlsm", ".xltx"), (_ZIP, _OLE)),
    ".odt": (_ZIP,),
    ".ods": (_ZIP,),
    ".odp": (_ZIP,),
    ".epub": (_ZIP,),
    ".doc": (_OLE,),
    ".ppt": (_OLE,),
    ".xls": (_OLE,),
    ".msg": (_OLE,),
    ".rtf": (b"{\\rtf",),
    **dict.fromkeys(sorted(PICTURES), PICTURE_SIGNATURES),  # their programs read each kind under every such name
    ".mbox": (b"From ",),
    ".zip": (_ZIP, b"PK\x05\x06"),  # the second is an archive without members
    ".tgz": (b"\x1f\x8b",),
    ".tar.gz": (b"\x1f\x8b",),
    ".tar.bz2": (b"BZh",),
    ".tar.xz": (b"\xfd7zXZ\0",),
    ".gz": (b"\x1f\x8b",),
}
_PDF_HEADER_WITHIN = 1024  # viewers accept the header anywhere in these first bytes (PDF 1.7, implementation note 13)

_CACHES = frozenset({"node_modules", "__pycache__", "__MACOSX", "$RECYCLE.BIN", "System Volume Information"})
_TEMPORARY = re.compile(r"(?i)~\$|.*~\Z|#.*#\Z|.*\.(?:tmp|temp|part|partial|crdownload|download|lock|swp|bak)\Z")


def format_of(path: PurePath) -> Format | None:
    """The format of the file of that name; None if it is skipped unopened. An unknown suffix may still be text.

    A file packed with gzip is skipped if the file in it would be.
    """
    suffix = _suffix(path)
    if suffix in NEVER_TEXT:
        return None
    file_format = _BY_SUFFIX.get(suffix, _PLAIN)
    if file_format.parser is Parser.GZIP and _suffix(path.with_suffix("")) in NEVER_TEXT:
        return None
    return file_format


def suffixes() -> list[str]:
    """The suffixes of the known formats, sorted. Any other file is read if it turns out to be text."""
    return sorted(_BY_SUFFIX)


def holds_members(file_format: Format) -> bool:
    """Whether a file of the format can hold other files: an archive, a mailbox, or an e-mail with attachments."""
    return file_format.parser in _CONTAINERS or file_format.parser is Parser.MAIL


def is_document(file_format: Format) -> bool:
    """Whether a file of the format is itself a document; an archive or a mailbox is not."""
    return file_format.parser not in _CONTAINERS


def suffix_of(media_type: str) -> str:
    """The first suffix of files of that media type; an empty string if the media type is unknown."""
    return next((suffix for suffix, file_format in _BY_SUFFIX.items() if file_format.media_type == media_type), "")


def skip_reason(path: PurePath) -> str:
    """Why a file for which `format_of` returns None is skipped."""
    suffix = path.suffix
    if suffix.lower() == ".gz":
        suffix = "".join(path.suffixes[-2:])
    return f"{suffix} files hold no text"


def contradiction(path: PurePath, data: bytes) -> str | None:
    """What the first bytes of the file show if its name says otherwise; None if both agree."""
    suffix = _suffix(path)
    if suffix == ".pdf":
        return None if b"%PDF-" in data[:_PDF_HEADER_WITHIN] else _kind_of(data)
    if suffix in _BEGINS_WITH:
        return None if data.startswith(_BEGINS_WITH[suffix]) else _kind_of(data)
    if data.startswith((b"%PDF-", _ZIP, _OLE)):
        return _kind_of(data)
    return None


def is_picture(data: bytes) -> bool:
    """Whether `data` begins like a picture whose text is recognised."""
    return data.startswith(PICTURE_SIGNATURES)


def is_zipped(data: bytes) -> bool:
    """Whether `data` begins like a zip archive."""
    return data.startswith(_ZIP)


def web_name(path: str, media_type: str) -> str | None:
    """The file name for what a web server sends for `path` as `media_type`; None if it is not to be read."""
    last = PurePath(path).name or "index"
    file_format = format_of(PurePath(last))
    if media_type.startswith("image/") or (file_format is not None and file_format.parser is Parser.IMAGE):
        return None  # most pictures of a website show no text
    if media_type in ("", "application/octet-stream", "binary/octet-stream"):
        return last if file_format is not None else None
    if media_type == "text/plain":
        is_text = file_format is not None and file_format.parser in (Parser.TEXT, Parser.MARKDOWN)
        return last if is_text else f"{last}.txt"
    if file_format is not None and file_format.media_type == media_type and file_format is not _PLAIN:
        return last
    suffix = suffix_of(_ALIASES.get(media_type, media_type))
    return f"{last}{suffix}" if suffix else None


def _suffix(path: PurePath) -> str:
    """The suffix that decides the format, in lower case: the last one, or the last two of a compressed tar archive."""
    two = "".join(path.suffixes[-2:]).lower()
    return two if two in _BY_SUFFIX else path.suffix.lower()


def _kind_of(data: bytes) -> str:
    """What kind of file the first bytes show, as words for a message."""
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


def is_ignored(name: str) -> bool:
    """Whether a file or folder of that name is hidden, an editor's temporary file or a tool's cache."""
    return name.startswith(".") or name in _CACHES or _TEMPORARY.match(name) is not None
