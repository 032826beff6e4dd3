"""One file -> one Document. Runs only in `index.extraction.worker`, because a parser may crash, hang or fill memory.

The bytes are read once, so what is hashed is what is parsed even if the file changes meanwhile.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from kreuzberg import (
    ConcurrencyConfig,
    ExtractionConfig,
    ExtractionResult,
    KreuzbergError,
    PageConfig,
    extract_bytes_sync,
)

from index.blocks.block import Block, Kind
from index.blocks.sections import sections
from index.errors import DocumentRejected, NotADocument, NoTextLayer
from index.formats.canonical import BadEncoding, NotText, canonical, decode_text
from index.formats.html_text import html_text
from index.formats.limits import Extraction, Limits
from index.formats.mail import read_mail
from index.formats.markdown import Heading, front_matter_title, markdown_headings
from index.formats.members import Damaged
from index.formats.notebook import NotANotebook, notebook_text
from index.formats.office import SLIDE_MARK, StructuredText, text_of_nodes, text_of_slides
from index.formats.office_zip import check_office_zip
from index.formats.parsed import Parsed, Unreadable
from index.formats.pdf.reader import OnlyPictures, read_pdf
from index.formats.registry import Format, Parser, format_of, is_document, is_zipped, skip_reason
from index.formats.source_file import check_first_bytes, read_source
from index.records import Document, Page
from index.uris import document_id, document_version

_HAS_WORD = re.compile(r"\w")
_MADE_BY_PROGRAM = re.compile(r"(?i)microsoft word - |untitled|.*\.(?:docx?|indd|qxd|rtf|tex|dvi|pdf|xlsx?|pptx?)\Z")
_UNREADABLE = re.compile(r"(?i)password|encrypt")
_TOO_LARGE = re.compile(r"(?i)out of memory|exceeds limit")


def read_document(path: Path, name: PurePath, uri: str, limits: Limits, *, recognise: bool = False) -> Extraction:
    """The document at `path`, whose name is `name`. Raises `DocumentRejected` with the reason and the fix.

    A PDF whose pages are pictures raises `NoTextLayer`; with `recognise`, their text is recognised instead.
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
        blocks=parsed.blocks,
        metadata=parsed.metadata,
        warnings=parsed.warnings,
        geometry=parsed.geometry,
    )


def _parsed(data: bytes, name: PurePath, uri: str, limits: Limits, file_format: Format, *, recognise: bool) -> Parsed:
    if file_format.parser in _READERS_OF_TEXT:
        return _read_text(data, name, uri, _READERS_OF_TEXT[file_format.parser])
    if is_zipped(data):
        check_office_zip(data, name, uri, limits)
    if file_format.parser in _READERS:
        return _READERS[file_format.parser](data)
    if file_format.parser is Parser.MAIL:
        return _as_parsed(_parts_of_mail(data, uri))
    if file_format.parser is Parser.PDF:
        return read_pdf(data, recognise=recognise)
    return _as_parsed(_parts_of_office(_kreuzberg(data, file_format, uri), file_format))


def _read_text(data: bytes, name: PurePath, uri: str, reader: Callable[[str], Parsed]) -> Parsed:
    try:
        raw, encoding = decode_text(data)
    except NotText as error:
        raise NotADocument(uri, f"it is not text: {error}", "Leave it, or convert it to text") from error
    except BadEncoding as error:
        raise DocumentRejected(uri, str(error), "Save it as UTF-8") from error
    text = canonical(raw)
    parsed = reader(text)
    if name.suffix.lower() == ".txt" and "\f" in text:
        parsed = replace(parsed, pages=tuple(Page(*page) for page in _form_feed_pages(text)))
    if encoding != "utf-8":
        parsed = replace(parsed, metadata={**parsed.metadata, "encoding": encoding})
    return parsed


def _as_parsed(parts: "_Parts") -> Parsed:
    blocks = []
    for heading in parts.headings:
        end = parts.text.find("\n", heading.start)
        blocks.append(Block(Kind.HEADING, heading.start, end if end >= 0 else len(parts.text), level=heading.level))
    pages = tuple(Page(*page) for page in parts.pages)
    return Parsed(parts.text, tuple(blocks), parts.title, pages, parts.metadata)


def _old_html(text: str) -> Parsed:
    page = html_text(text)
    return _as_parsed(_Parts(page.text, page.title, page.headings, (), {}))


def _old_markdown(text: str) -> Parsed:
    return _as_parsed(_Parts(text, front_matter_title(text), markdown_headings(text), (), {}))


def _old_notebook(text: str) -> Parsed:
    try:
        notebook = _canonical_with_offsets(notebook_text(text))
    except NotANotebook as error:
        raise Unreadable(
            f"it is damaged or no notebook ({str(error)[:100]})", "Open it in Jupyter and save it again"
        ) from error
    return _as_parsed(_Parts(notebook.text, "", notebook.headings, (), {}))


def _old_text(text: str) -> Parsed:
    return Parsed(text, ())


_READERS_OF_TEXT: dict[Parser, Callable[[str], Parsed]] = {
    Parser.TEXT: _old_text,
    Parser.MARKDOWN: _old_markdown,
    Parser.HTML: _old_html,
    Parser.NOTEBOOK: _old_notebook,
}
_READERS: dict[Parser, Callable[[bytes], Parsed]] = {}


@dataclass(frozen=True, slots=True)
class _Parts:
    """What every parser returns. `pages` are (number, start, end)."""

    text: str
    title: str
    headings: Sequence[Heading]
    pages: Sequence[tuple[int, int, int]]
    metadata: dict[str, str]


def _parts_of_mail(data: bytes, uri: str) -> _Parts:
    try:
        mail = read_mail(data)
    except Damaged as error:
        fix = "Open it in Outlook and save it again"
        raise DocumentRejected(uri, f"it is damaged or cut short ({str(error)[:100]})", fix) from error
    facts = {"author": mail.sender, "created": mail.created}
    return _Parts(
        mail.content.text, mail.subject, mail.content.headings, (), {name: fact for name, fact in facts.items() if fact}
    )


def _form_feed_pages(text: str) -> list[tuple[int, int, int]]:
    """The pages of a text file made for printing, which are separated by form feeds."""
    pages: list[tuple[int, int, int]] = []
    start = 0
    for number, page in enumerate(text.split("\f"), start=1):
        pages.append((number, start, start + len(page)))
        start += len(page) + 1
    return pages


def _kreuzberg(data: bytes, file_format: Format, uri: str) -> ExtractionResult:
    """kreuzberg's result for the bytes: without cache, OCR or models, so nothing is ever downloaded."""
    slides = file_format.parser is Parser.SLIDES
    config = ExtractionConfig(
        use_cache=False,
        enable_quality_processing=False,
        output_format="plain",
        include_document_structure=file_format.parser is Parser.OFFICE,
        pages=PageConfig(extract_pages=True, insert_page_markers=slides, marker_format=SLIDE_MARK),
        concurrency=ConcurrencyConfig(max_threads=1),
    )
    try:
        return extract_bytes_sync(data, file_format.media_type, config)
    except (KreuzbergError, RuntimeError, ValueError, OSError) as error:  # OSError: also its own "out of memory"
        if _UNREADABLE.search(str(error)):
            raise DocumentRejected(uri, "it is encrypted", "Save a copy without a password") from error
        if _TOO_LARGE.search(str(error)):
            reason = f"reading it takes too much memory ({str(error).rsplit(': ', 1)[-1][:100]})"
            raise DocumentRejected(uri, reason, "Split it into smaller files") from error
        reason = f"it is damaged or cut short ({str(error).rsplit(': ', 1)[-1][:100]})"
        raise DocumentRejected(
            uri, reason, "Open it in its own program and save it again, or fetch it again"
        ) from error


def _parts_of_office(result: ExtractionResult, file_format: Format) -> _Parts:
    if file_format.parser is Parser.SLIDES:
        content = _canonical_with_offsets(text_of_slides(result.content))
    else:
        document = result.document
        content = _canonical_with_offsets(text_of_nodes(document["nodes"] if document else ()))
    return _Parts(content.text, _document_title(result), content.headings, content.pages, _document_facts(result))


def _canonical_with_offsets(raw: StructuredText) -> StructuredText:
    """`raw` with canonical text, and with every offset changed to match."""
    text = canonical(raw.text)
    if len(text) == len(raw.text):
        return raw._replace(text=text)
    offsets = {heading.start for heading in raw.headings} | {offset for page in raw.pages for offset in page[1:]}
    canonical_offset = _canonical_offsets(raw.text, sorted(offsets))
    return StructuredText(
        text,
        [heading._replace(start=canonical_offset[heading.start]) for heading in raw.headings],
        [(number, canonical_offset[start], canonical_offset[end]) for number, start, end in raw.pages],
    )


def _canonical_offsets(text: str, offsets: Iterable[int]) -> dict[int, int]:
    """Offsets of the raw text -> of the canonical text; ascending, none between CR and LF, since they end blocks."""
    result: dict[int, int] = {}
    position = previous = 0
    for offset in offsets:
        position += len(canonical(text[previous:offset]))
        result[offset] = position
        previous = offset
    return result


def _document_title(result: ExtractionResult) -> str:
    """The title or subject in the file's metadata; empty if a program made it or it is a single word."""
    metadata = result.metadata
    title = canonical(str(metadata.get("title") or metadata.get("subject") or "")).strip()
    return "" if _MADE_BY_PROGRAM.match(title) or len(title.split()) < 2 else title


def _document_facts(result: ExtractionResult) -> dict[str, str]:
    """Author and date of creation from the file's metadata, if they are there."""
    facts: dict[str, str] = {}
    authors = result.metadata.get("authors")
    if authors:
        facts["author"] = canonical(", ".join(str(author) for author in authors))
    created = result.metadata.get("created_at")
    if created:
        facts["created"] = canonical(str(created))
    return facts


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
