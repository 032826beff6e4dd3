"""A PDF -> canonical text, blocks, pages and the places of its words.

The file is gone through twice: first each page's words are read, which shows what the whole document says (the body's
size, running lines, how words are spelled); then each page is laid out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from index.blocks.block import Block, Kind, Span
from index.blocks.geometry import PageGeometry, PlacedWord, page_geometry
from index.formats.canonical import canonical
from index.formats.node_writer import write_nodes
from index.formats.parsed import OnlyPictures, Parsed, Unreadable
from index.formats.pdf.asides import Note, contents_rows, with_notes
from index.formats.pdf.columns import reading_order
from index.formats.pdf.fields import with_labels
from index.formats.pdf.flow import Flow
from index.formats.pdf.furniture import Edges, edge_lines, running_lines
from index.formats.pdf.grids import with_grids
from index.formats.pdf.hyphens import Hyphenation
from index.formats.pdf.ink import Ink, span_of
from index.formats.pdf.names import PageName, page_names
from index.formats.pdf.pages import PdfPage, open_pdf, outline_of, pages_of
from index.formats.pdf.recognition import RecognisedPage, RecognitionFailed, is_installed, recognised_pages
from index.formats.pdf.rows import Row
from index.formats.pdf.styles import RowFacts, Styles, facts_of
from index.records import Page

_INVISIBLE = 2.5  # points: nobody reads letters of that height; programs leave notes of their own in them
_MAX_KEPT_WORDS = 400_000  # about 100 MB
_MADE_BY_PROGRAM = re.compile(
    r"microsoft word - |untitled|.*\.(?:docx?|indd|qxd|rtf|tex|dvi|pdf|xlsx?|pptx?)\Z", re.IGNORECASE
)


def read_pdf(data: bytes, *, recognise: bool) -> Parsed:
    """Return the PDF with its structure. Raises `Unreadable` if it is encrypted or damaged.

    With `recognise`, the text of pages that are pictures is recognised by Tesseract. Without it, they are named in a
    warning, or `OnlyPictures` is raised if no page has characters, or if Tesseract is there.
    """
    document = open_pdf(data)
    try:
        outline = outline_of(document)
        facts = document.get_metadata_dict(skip_empty=True)
        pages = list(pages_of(document))
    finally:
        document.close()
    recognised, warnings = _recognised(data, pages, recognise)
    edges: list[Edges] = []
    row_facts: list[RowFacts] = []
    kept: dict[int, list[Row]] = {}  # of the first pages; the others are made again, so that long files fit into memory
    words = 0
    for page in pages:
        rows = page.rows()
        words += len(page.words.texts)
        if words < _MAX_KEPT_WORDS:
            kept[page.number] = rows
        edges.append(edge_lines(rows))
        row_facts.extend(map(facts_of, rows))
    texts = (" ".join(page.words.texts) for page in pages)
    ink = Ink(Hyphenation((*texts, *(page.text for page in recognised.values()))))
    flow = Flow(ink, Styles(row_facts, outline))
    running = running_lines(edges)
    for page, of_page, name in zip(pages, running, page_names(edges, running), strict=True):
        rows = kept.get(page.number) or page.rows()
        flow.start_page(page.number, rows, is_named=name is not None)
        top = _add_head(flow, rows, of_page[0], name)
        _add_page(flow, page, rows, top, of_page[1], recognised[page.number].text if page.number in recognised else "")
    written = write_nodes(flow.finish())
    places = ink.places(written.text)
    scanned = {
        page.number: list(recognised[page.number].placed(written.text, page.start, page.end))
        for page in written.pages
        if page.number in recognised
    }
    return Parsed(
        written.text,
        _with_field_labels(written.blocks, flow, places),
        title=_title(facts),
        pages=_with_last_pages(written.pages, len(pages), len(written.text)),
        metadata=_facts(facts) | ({"recognised_by": "tesseract"} if recognised else {}),
        warnings=warnings,
        geometry=tuple(_geometry(page, places.get(page.number, ()), scanned.get(page.number, ())) for page in pages),
    )


def _recognised(
    data: bytes, pages: Sequence[PdfPage], recognise: bool
) -> tuple[dict[int, RecognisedPage], tuple[str, ...]]:
    """The pages that are pictures as they were read, and what to say about those that were not."""
    numbers = [page.number for page in pages if page.is_picture]
    has_characters = any(page.words.texts for page in pages)
    if not numbers:
        return {}, ()
    if recognise:
        try:
            return recognised_pages(data, numbers), ()
        except RecognitionFailed as error:
            if not has_characters:
                reason = f"its pages are pictures, and their text was not recognised ({error})"
                raise Unreadable(reason, "Run it through ocrmypdf, then index again") from error
            return {}, (
                _unread(numbers, f"was not recognised ({error}). Run the file through ocrmypdf, then index again"),
            )
    if not has_characters or is_installed():
        fix = "Install Tesseract (tesseract-ocr), or run the file through ocrmypdf; then index again"
        raise OnlyPictures("it has no text layer: its pages are pictures", fix)
    return {}, (_unread(numbers, "was not read. Install Tesseract (tesseract-ocr), then index again"),)


def _unread(numbers: Sequence[int], what: str) -> str:
    named = ", ".join(map(str, numbers[:20])) + (f" and {len(numbers) - 20} more" if len(numbers) > 20 else "")
    subject = f"Page {named} is a picture" if len(numbers) == 1 else f"Pages {named} are pictures"
    return f"{subject} without characters, and {'its' if len(numbers) == 1 else 'their'} text {what}"


def _add_head(flow: Flow, rows: Sequence[Row], running: int, name: PageName | None) -> int:
    """Add the running lines at the top of a page and the line that names it; return how many lines that is."""
    if name is None:
        flow.add_furniture(rows[:running])
        return running
    end = max(running, name.place + 1)
    flow.add_furniture(rows[: name.place])
    if name.is_new:
        flow.add_name(rows[name.place], rows[end : end + 1])
    else:
        flow.add_furniture(rows[name.place : name.place + 1])
    flow.add_furniture(rows[name.place + 1 : end])
    return end


def _add_page(flow: Flow, page: PdfPage, rows: Sequence[Row], top: int, bottom: int, recognised: str) -> None:
    end = len(rows) - bottom
    body = [row for row in rows[top:end] if row.size > _INVISIBLE]
    flow.add_furniture((row for row in rows[top:end] if row.size <= _INVISIBLE), Kind.HIDDEN)
    contents = contents_rows(body)
    fields = with_labels(page.notes.fields, rows)
    for is_contents, part in _parts(body, contents):
        if is_contents:
            flow.add_furniture(part)
            continue
        for run in reading_order(with_grids(part, page.grids)):
            for piece in with_notes(run.rows, flow.body):
                if isinstance(piece, Note):
                    flow.add_note(piece.rows, piece.mark)
                else:
                    flow.add_run(piece, run.bound, fields)
    flow.add_fields(field for field in fields if not field.label)
    for text in (*page.notes.texts, recognised):
        if text.strip():
            flow.add_text(text)
    flow.add_furniture(rows[end:])


def _parts(rows: Sequence[Row], contents: frozenset[int]) -> list[tuple[bool, list[Row]]]:
    """The rows in runs, each with whether they are of a table of contents."""
    parts: list[tuple[bool, list[Row]]] = []
    for number, row in enumerate(rows):
        if not parts or parts[-1][0] != (number in contents):
            parts.append((number in contents, []))
        parts[-1][1].append(row)
    return parts


def _geometry(page: PdfPage, places: Sequence[tuple[int, PlacedWord]], scanned: Sequence[PlacedWord]) -> PageGeometry:
    words = [*(place for _, place in places), *scanned]
    return page_geometry(page.number, page.view.width, page.view.height, words)


def _with_last_pages(pages: Sequence[Page], count: int, length: int) -> tuple[Page, ...]:
    """The pages with those at the end that hold no text."""
    last = pages[-1].number if pages else 0
    return (*pages, *(Page(number, length, length) for number in range(last + 1, count + 1)))


def _with_field_labels(
    blocks: Sequence[Block], flow: Flow, places: Mapping[int, Sequence[tuple[int, PlacedWord]]]
) -> tuple[Block, ...]:
    fields = iter(flow.fields)
    found: list[Block] = []
    for block in blocks:
        if block.kind is not Kind.FIELD:
            found.append(block)
            continue
        page, field = next(fields)
        wanted = {word.place for word in field.label}
        label = span_of(place for number, place in places.get(page, ()) if number in wanted)
        labels: tuple[Span, ...] = (label,) if label is not None else ()
        found.append(replace(block, labels=labels))
    return tuple(found)


def _facts(facts: Mapping[str, str]) -> dict[str, str]:
    found = {"author": facts.get("Author", ""), "created": _date(facts.get("CreationDate", ""))}
    return {name: canonical(fact) for name, fact in found.items() if fact.strip()}


def _date(date: str) -> str:
    """A PDF's date, D:20240131235959+01'00', in ISO 8601; empty if it is none."""
    digits = date.removeprefix("D:")
    zone = digits[14:].replace("'", "")
    zone = zone if zone[:1] in ("+", "-") and len(zone) in (3, 5) else "Z" if zone[:1] == "Z" else ""
    for length, form in ((14, "%Y%m%d%H%M%S"), (12, "%Y%m%d%H%M"), (8, "%Y%m%d"), (6, "%Y%m"), (4, "%Y")):
        try:
            found = datetime.strptime(digits[:length], form)
        except ValueError:
            continue
        return found.date().isoformat() if length < 12 else found.isoformat() + zone.replace("+0000", "Z")
    return ""


def _title(facts: Mapping[str, str]) -> str:
    """The title or subject that the file gives; empty if a program made it or it is a single word."""
    title = canonical(facts.get("Title") or facts.get("Subject") or "").strip()
    return "" if _MADE_BY_PROGRAM.match(title) or len(title.split()) < 2 else title
