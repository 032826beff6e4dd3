"""The binary files of old Office versions (`.doc`, `.ppt`) -> text with headings and pages, by kreuzberg.

No kept library reads these. kreuzberg gives the text in order with its headings; tables and lists are lines of text. Every
file has a warning that says so.
"""

import re
from collections.abc import Iterable

from kreuzberg import (
    ConcurrencyConfig,
    ExtractionConfig,
    ExtractionResult,
    KreuzbergError,
    PageConfig,
    extract_bytes_sync,
)

from index.blocks.block import Block, Kind
from index.formats.canonical import canonical
from index.formats.office.structured_text import StructuredText, text_of_nodes
from index.formats.parsed import Parsed, Unreadable
from index.records import Page

_MADE_BY_PROGRAM = re.compile(r"(?i)microsoft word - |untitled|.*\.(?:docx?|indd|qxd|rtf|tex|dvi|pdf|xlsx?|pptx?)\Z")
_UNREADABLE = re.compile(r"(?i)password|encrypt")
_TOO_LARGE = re.compile(r"(?i)out of memory|exceeds limit")
_NEW_FORMATS = {"application/msword": ".docx", "application/vnd.ms-powerpoint": ".pptx"}


def read_old_office(data: bytes, media_type: str) -> Parsed:
    """Return the file as text with headings, pages and a warning. Raises `Unreadable` if encrypted, damaged or too large."""
    result = _kreuzberg(data, media_type)
    document = result.document
    content = _canonical_with_offsets(text_of_nodes(document["nodes"] if document else ()))
    blocks = []
    for heading in content.headings:
        end = content.text.find("\n", heading.start)
        end = end if end >= 0 else len(content.text)
        blocks.append(Block(Kind.HEADING, heading.start, end, level=heading.level))
    pages = tuple(Page(*page) for page in content.pages)
    warning = (
        "It is in the format of an old version of Office: its tables and lists are read as lines of text, without the names of "
        f"columns and rows, and notes as if they were text. Save it as {_NEW_FORMATS[media_type]} and index that instead."
    )
    return Parsed(content.text, tuple(blocks), _document_title(result), pages, _document_facts(result), (warning,))


def _kreuzberg(data: bytes, media_type: str) -> ExtractionResult:
    """kreuzberg's result for the bytes: without cache, OCR or models, so nothing is ever downloaded."""
    config = ExtractionConfig(
        use_cache=False,
        enable_quality_processing=False,
        output_format="plain",
        include_document_structure=True,
        pages=PageConfig(extract_pages=True),
        concurrency=ConcurrencyConfig(max_threads=1),
    )
    try:
        return extract_bytes_sync(data, media_type, config)
    except (KreuzbergError, RuntimeError, ValueError, OSError) as error:  # OSError: also its own "out of memory"
        if _UNREADABLE.search(str(error)):
            raise Unreadable("it is encrypted", "Save a copy without a password") from error
        if _TOO_LARGE.search(str(error)):
            reason = f"reading it takes too much memory ({str(error).rsplit(': ', 1)[-1][:100]})"
            raise Unreadable(reason, "Split it into smaller files") from error
        reason = f"it is damaged or cut short ({str(error).rsplit(': ', 1)[-1][:100]})"
        raise Unreadable(reason, "Open it in its own program and save it again, or fetch it again") from error


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
