"""One file -> one Document. Runs only in `index.extraction.worker`, because a parser may crash, hang or fill memory.

The bytes are read once, so what is hashed is what is parsed even if the file changes meanwhile.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePath

from index.blocks.block import Kind
from index.blocks.sections import sections
from index.errors import DocumentRejected, NotADocument, NoTextLayer, NotRecognised, NoWords
from index.formats.canonical import BadEncoding, NotText, canonical, decode_text
from index.formats.limits import Extraction, Limits
from index.formats.office.office_zip import check_office_zip
from index.formats.office.old_office import read_old_office
from index.formats.parsed import OnlyPictures, Parsed, Unreadable, Unrecognised, Wordless
from index.formats.readers import READERS_OF_BYTES, READERS_OF_TEXT
from index.formats.registry import Format, Parser, format_of, is_document, is_zipped, skip_reason
from index.formats.source_file import check_first_bytes, read_source
from index.languages.detection import with_languages
from index.records import Document
from index.uris import document_id, document_version

_HAS_WORD = re.compile(r"\w")


def read_document(path: Path, name: PurePath, uri: str, limits: Limits, *, recognise: bool = False) -> Extraction:
    """The document at `path`, whose name is `name`. Raises `DocumentRejected` with the reason and the fix.

    A picture, or a PDF whose pages are pictures, raises `NoTextLayer`; with `recognise`, their text is recognised instead.
    """
    file_format = format_of(name)
    if file_format is None:
        raise NotADocument(uri, skip_reason(name), "Leave it: it is not needed")
    if not is_document(file_format):
        raise NotADocument(uri, "it holds other files and is no document itself", "Read the files that it holds")
    data, stamp = read_source(path, uri, limits.file_bytes)
    return Extraction(parse_document(data, name, uri, limits, file_format, recognise=recognise), stamp)


def parse_document(
    data: bytes, name: PurePath, uri: str, limits: Limits, file_format: Format, *, recognise: bool = False
) -> Document:
    """The document in `data`. `name` is the title if nothing else is; `recognise`: see `read_document`."""
    check_first_bytes(name, data, uri)
    try:
        parsed = _parsed(data, name, uri, limits, file_format, recognise=recognise)
    except OnlyPictures as error:
        raise NoTextLayer(uri, str(error), error.fix) from error
    except (Wordless, Unrecognised) as error:
        kind = NoWords if isinstance(error, Wordless) else NotRecognised
        raise kind(uri, str(error), error.fix) from error
    except Unreadable as error:
        raise DocumentRejected(uri, str(error), error.fix) from error
    if len(parsed.text) > limits.characters:
        reason = f"its text of {len(parsed.text):,} characters is over the limit of {limits.characters:,}"
        raise DocumentRejected(uri, reason, "Split it into smaller files")
    if not _HAS_WORD.search(parsed.text):
        raise DocumentRejected(uri, "no word is in it", "Check that it holds text and not only pictures")
    return Document(
        id=document_id(uri),
        version=document_version(data),
        uri=uri,
        title=_title(parsed, name),
        media_type=file_format.media_type,
        text=parsed.text,
        pages=parsed.pages,
        blocks=with_languages(parsed.text, parsed.blocks),
        metadata=parsed.metadata,
        warnings=parsed.warnings,
        geometry=parsed.geometry,
    )


def _parsed(data: bytes, name: PurePath, uri: str, limits: Limits, file_format: Format, *, recognise: bool) -> Parsed:
    if file_format.parser in READERS_OF_TEXT:
        return _read_text(data, uri, READERS_OF_TEXT[file_format.parser])
    if is_zipped(data):
        check_office_zip(data, name, uri, limits)
    if file_format.parser in READERS_OF_BYTES:
        return READERS_OF_BYTES[file_format.parser](data)
    if file_format.parser in (Parser.PDF, Parser.IMAGE):
        # numpy, Pillow and PDFium are a third of the processor time in which the process that reads files starts.
        from index.formats.images import read_image  # noqa: PLC0415
        from index.formats.pdf.reader import read_pdf  # noqa: PLC0415

        return (read_pdf if file_format.parser is Parser.PDF else read_image)(data, recognise=recognise)
    return read_old_office(data, file_format.media_type)


def _read_text(data: bytes, uri: str, reader: Callable[[str], Parsed]) -> Parsed:
    try:
        raw, encoding = decode_text(data)
    except NotText as error:
        raise NotADocument(uri, f"it is not text: {error}", "Leave it, or convert it to text") from error
    except BadEncoding as error:
        raise DocumentRejected(uri, str(error), "Save it as UTF-8") from error
    parsed = reader(canonical(raw))
    if encoding != "utf-8":
        parsed = replace(parsed, metadata={**parsed.metadata, "encoding": encoding})
    return parsed


def _title(parsed: Parsed, name: PurePath) -> str:
    """The first heading if it is a title or of level 1, else the title that the file gives, else the file's name."""
    first = next((block for block in parsed.blocks if block.kind in (Kind.TITLE, Kind.HEADING)), None)
    is_title = first is not None and (first.kind is Kind.TITLE or first.level == 1)
    heading = sections(parsed.text, parsed.blocks)[0].trail[-1] if is_title else ""
    for title in (heading, parsed.title, name.stem):
        one_line = " ".join(canonical(title).split())
        if one_line:
            return one_line[:300]
    return name.name.encode("utf-8", "replace").decode()
