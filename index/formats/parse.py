"""One file -> one Document, in this process. Only `index.extraction.worker` calls it: a parser may crash, hang or swell.

The bytes are read once: what is hashed is what is parsed, whatever happens to the file meanwhile.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from kreuzberg import (
    ConcurrencyConfig,
    ExtractionConfig,
    ExtractionResult,
    KreuzbergError,
    PageConfig,
    extract_bytes_sync,
)

from index.errors import DocumentRejected, NotADocument, NoTextLayer
from index.formats.canonical import BadEncoding, NotText, canonical, decoded
from index.formats.html import webpage
from index.formats.limits import Extraction, Limits
from index.formats.mail import mail_of
from index.formats.markdown import Heading, front_matter_title, markdown_headings, sections
from index.formats.members import Damaged
from index.formats.notebook import NotANotebook, flow_of_notebook
from index.formats.ocr import RecognitionFailed, recognised_pages
from index.formats.office import SLIDE_MARK, Flow, flow_of_nodes, flow_of_slides
from index.formats.office_zip import refuse_unsound
from index.formats.pdf import HYPHEN_AT_LINE_END, joined, readable_pages
from index.formats.registry import Format, Parser, format_of, is_document, is_zipped, why_skipped
from index.formats.source_file import bytes_of, refuse_unless_like
from index.records import Document, Page
from index.uris import document_id, document_version

_HAS_WORD = re.compile(r"\w")
_MADE_BY_PROGRAM = re.compile(r"(?i)microsoft word - |untitled|.*\.(?:docx?|indd|qxd|rtf|tex|dvi|pdf|xlsx?|pptx?)\Z")
_UNREADABLE = re.compile(r"(?i)password|encrypt")
_TOO_LARGE = re.compile(r"(?i)out of memory|exceeds limit")


def read_document(path: Path, name: PurePath, uri: str, limits: Limits, *, recognise: bool = False) -> Extraction:
    """The document at `path`, which is called `name`. `DocumentRejected` says why there is none and what to do about it.

    A PDF whose pages are pictures is `NoTextLayer`; with `recognise`, their text is recognised instead.
    """
    form = format_of(name)
    if form is None:
        raise NotADocument(uri, why_skipped(name), "Leave it: it is not needed")
    if not is_document(form):
        raise NotADocument(uri, "it holds other files and is no document itself", "Read the files that it holds")
    data, source = bytes_of(path, uri, limits.file_bytes)
    return Extraction(document_of(data, name, uri, limits, form, path if recognise else None), source)


def document_of(
    data: bytes, name: PurePath, uri: str, limits: Limits, form: Format, pictures: Path | None = None
) -> Document:
    """The document whose source is `data`; `name` gives a title of last resort. `pictures` is a PDF to be recognised."""
    refuse_unless_like(name, data, uri)
    if form.parser in (Parser.TEXT, Parser.MARKDOWN, Parser.HTML, Parser.NOTEBOOK):
        parts = _parts_of_text(data, name, uri, form)
    elif form.parser is Parser.MAIL:
        parts = _parts_of_mail(data, uri)
    elif form.parser is Parser.PDF:
        parts = _parts_of_pdf(_kreuzberg(data, form, uri), uri, pictures)
    else:
        if is_zipped(data):
            refuse_unsound(data, name, uri, limits)
        parts = _parts_of_office(_kreuzberg(data, form, uri), form)
    if len(parts.text) > limits.characters:
        reason = f"its text of {len(parts.text):,} characters is over the limit of {limits.characters:,}"
        raise DocumentRejected(uri, reason, "Split it into smaller files")
    if not _HAS_WORD.search(parts.text):
        raise DocumentRejected(uri, "no word is in it", "Check that it holds text and not only pictures")
    return Document(
        id=document_id(uri),
        version=document_version(data),
        uri=uri,
        title=_title(parts, name),
        media_type=form.media_type,
        text=parts.text,
        pages=tuple(Page(*page) for page in parts.pages),
        sections=sections(parts.headings),
        metadata=parts.metadata,
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the formats have in common. `pages` are (number, start, end)."""

    text: str
    title: str
    headings: Sequence[Heading]
    pages: Sequence[tuple[int, int, int]]
    metadata: dict[str, str]


def _parts_of_text(data: bytes, name: PurePath, uri: str, form: Format) -> _Parts:
    try:
        raw, encoding = decoded(data)
    except NotText as error:
        raise NotADocument(uri, f"it is not text: {error}", "Leave it, or convert it to text") from error
    except BadEncoding as error:
        raise DocumentRejected(uri, str(error), "Save it as UTF-8") from error
    metadata = {} if encoding == "utf-8" else {"encoding": encoding}
    text = canonical(raw)
    if form.parser is Parser.HTML:
        page = webpage(text)
        return _Parts(page.text, page.title, page.headings, (), metadata)
    if form.parser is Parser.MARKDOWN:
        return _Parts(text, front_matter_title(text), markdown_headings(text), (), metadata)
    if form.parser is Parser.NOTEBOOK:
        try:
            notebook = _each_canonical(flow_of_notebook(text))
        except NotANotebook as error:
            reason = f"it is damaged or no notebook ({str(error)[:100]})"
            raise DocumentRejected(uri, reason, "Open it in Jupyter and save it again") from error
        return _Parts(notebook.text, "", notebook.headings, (), metadata)
    pages = _form_feed_pages(text) if name.suffix.lower() == ".txt" and "\f" in text else ()
    return _Parts(text, "", (), pages, metadata)


def _parts_of_mail(data: bytes, uri: str) -> _Parts:
    try:
        mail = mail_of(data)
    except Damaged as error:
        fix = "Open it in Outlook and save it again"
        raise DocumentRejected(uri, f"it is damaged or cut short ({str(error)[:100]})", fix) from error
    facts = {"author": mail.sender, "created": mail.created}
    return _Parts(
        mail.flow.text, mail.subject, mail.flow.headings, (), {name: fact for name, fact in facts.items() if fact}
    )


def _form_feed_pages(text: str) -> list[tuple[int, int, int]]:
    """Printed text files part their pages by form feeds."""
    pages: list[tuple[int, int, int]] = []
    start = 0
    for number, page in enumerate(text.split("\f"), start=1):
        pages.append((number, start, start + len(page)))
        start += len(page) + 1
    return pages


def _kreuzberg(data: bytes, form: Format, uri: str) -> ExtractionResult:
    """What kreuzberg reads from the bytes: no cache, no OCR, no models, so nothing is ever downloaded."""
    slides = form.parser is Parser.SLIDES
    config = ExtractionConfig(
        use_cache=False,
        enable_quality_processing=False,
        output_format="plain",
        include_document_structure=form.parser is Parser.OFFICE,
        pages=PageConfig(extract_pages=True, insert_page_markers=slides, marker_format=SLIDE_MARK),
        concurrency=ConcurrencyConfig(max_threads=1),
    )
    try:
        return extract_bytes_sync(data, form.media_type, config)
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


def _parts_of_pdf(result: ExtractionResult, uri: str, pictures: Path | None) -> _Parts:
    raw = [page["content"] for page in sorted(result.pages or (), key=lambda page: page["page_number"])]
    facts = _stated_facts(result)
    if not any(page.strip() for page in raw):
        if pictures is None:
            fix = "Install Tesseract (tesseract-ocr), or run the file through ocrmypdf; then index again"
            raise NoTextLayer(uri, "it has no text layer: its pages are pictures", fix)
        try:
            raw = list(recognised_pages(pictures))
        except RecognitionFailed as error:
            reason = f"its pages are pictures, and their text was not recognised ({error})"
            raise DocumentRejected(uri, reason, "Run it through ocrmypdf, then index again") from error
        facts["recognised_by"] = "tesseract"
    marked = [HYPHEN_AT_LINE_END.join(canonical(part) for part in page.split(HYPHEN_AT_LINE_END)) for page in raw]
    text, ranges = joined(readable_pages(marked))
    numbered = [(number, start, end) for number, (start, end) in enumerate(ranges, start=1)]
    return _Parts(text, _stated_title(result), (), numbered, facts)


def _parts_of_office(result: ExtractionResult, form: Format) -> _Parts:
    if form.parser is Parser.SLIDES:
        flow = _each_canonical(flow_of_slides(result.content))
    else:
        document = result.document
        flow = _each_canonical(flow_of_nodes(document["nodes"] if document else ()))
    return _Parts(flow.text, _stated_title(result), flow.headings, flow.pages, _stated_facts(result))


def _each_canonical(flow: Flow) -> Flow:
    """The flow with its text made canonical and every offset moved along."""
    text = canonical(flow.text)
    if len(text) == len(flow.text):
        return flow._replace(text=text)
    marks = {heading.start for heading in flow.headings} | {place for page in flow.pages for place in page[1:]}
    moved = _moved(flow.text, sorted(marks))
    return Flow(
        text,
        [heading._replace(start=moved[heading.start]) for heading in flow.headings],
        [(number, moved[start], moved[end]) for number, start, end in flow.pages],
    )


def _moved(text: str, marks: Iterable[int]) -> dict[int, int]:
    """Where each place of the raw text lies in the canonical text. No mark stands between CR and LF: they end a block."""
    moved: dict[int, int] = {}
    position = before = 0
    for mark in marks:
        position += len(canonical(text[before:mark]))
        moved[mark] = position
        before = mark
    return moved


def _stated_title(result: ExtractionResult) -> str:
    metadata = result.metadata
    title = canonical(str(metadata.get("title") or metadata.get("subject") or "")).strip()
    return "" if _MADE_BY_PROGRAM.match(title) or len(title.split()) < 2 else title


def _stated_facts(result: ExtractionResult) -> dict[str, str]:
    """Author and date of creation where the file states them."""
    facts: dict[str, str] = {}
    authors = result.metadata.get("authors")
    if authors:
        facts["author"] = canonical(", ".join(str(author) for author in authors))
    created = result.metadata.get("created_at")
    if created:
        facts["created"] = canonical(str(created))
    return facts


def _title(parts: _Parts, name: PurePath) -> str:
    """The first heading of the first rank, else the title that the file states, else the file's name."""
    first = parts.headings[0].text if parts.headings and parts.headings[0].level == 1 else ""
    for title in (first, parts.title, name.stem):
        one_line = " ".join(canonical(title).split())
        if one_line:
            return one_line[:300]
    return name.name.encode("utf-8", "replace").decode()
