"""The pages of a PDF, one after the other: what PDFium says of each, kept small until the whole document is known."""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pypdfium2 as pypdfium
import pypdfium2.raw as pdfium

from index.formats.parsed import Unreadable
from index.formats.pdf.characters import View, characters_of, fonts_of, view_of
from index.formats.pdf.fields import PageNotes, notes_of
from index.formats.pdf.grids import Grid, grids_of
from index.formats.pdf.rows import Row, rows_of
from index.formats.pdf.words import PageWords, words_of

_EMPHASIS = ("bold", "black", "heavy", "semibold", "demi", "italic", "oblique")
_BOLD = 600
_NAME_BYTES = 200
_MAX_OUTLINE = 20_000


@dataclass(frozen=True, slots=True)
class PdfPage:
    """A page: its number (from 1), how it is shown, its words, which of them are bold or slanted, what people wrote on
    it, and the grids of lines drawn on it.

    `is_picture` says that it shows a picture and holds no characters.
    """

    number: int
    view: View
    words: PageWords
    is_emphatic: tuple[bool, ...]
    notes: PageNotes
    is_picture: bool
    grids: tuple[Grid, ...] = ()

    def rows(self) -> list[Row]:
        """Return its rows, from top to bottom."""
        return rows_of(self.words, self.is_emphatic)


def open_pdf(data: bytes) -> pypdfium.PdfDocument:
    """Return the opened file. Raises `Unreadable` if it is encrypted or damaged."""
    try:
        document = pypdfium.PdfDocument(data)
    except pypdfium.PdfiumError as error:
        if error.err_code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
            raise Unreadable("it is encrypted", "Save a copy without a password") from error
        reason = f"it is damaged or cut short ({error})"
        raise Unreadable(reason, "Open it in its own program and save it again, or fetch it again") from error
    if len(document) == 0:
        raise Unreadable(
            "it is damaged or cut short (it has no page)",
            "Open it in its own program and save it again, or fetch it again",
        )
    return document


def pages_of(document: pypdfium.PdfDocument) -> Iterator[PdfPage]:
    """Yield the pages in order; a page that PDFium cannot load is blank."""
    document.init_forms()
    handle = document.formenv.raw if document.formenv is not None else None
    fonts: dict[int, bool] = {}
    for number in range(1, len(document) + 1):
        page = pdfium.FPDF_LoadPage(document.raw, number - 1)
        if not page:
            yield PdfPage(number, View(612, 792, 0, 0, 612, 792, 0), PageWords.none(), (), PageNotes((), ()), False)
            continue
        text_page = pdfium.FPDFText_LoadPage(page)
        try:
            view = view_of(page)
            words = words_of(characters_of(text_page, view)) if text_page else PageWords.none()
            is_picture = not words.texts and _shows_picture(page)
            yield PdfPage(
                number,
                view,
                words,
                _emphasis(words, fonts),
                notes_of(page, handle, view),
                is_picture,
                grids_of(page, view),
            )
        finally:
            if text_page:
                pdfium.FPDFText_ClosePage(text_page)
            pdfium.FPDF_ClosePage(page)


def outline_of(document: pypdfium.PdfDocument) -> list[tuple[str, int, int]]:
    """Return the entries of the outline: title, page (from 1) and level (from 1)."""
    found: list[tuple[str, int, int]] = []
    try:
        for bookmark in document.get_toc(max_depth=8):
            target = bookmark.get_dest()
            page = target.get_index() if target is not None else None
            if page is not None and page >= 0:
                found.append((bookmark.get_title(), page + 1, bookmark.level + 1))
            if len(found) >= _MAX_OUTLINE:
                break
    except (pypdfium.PdfiumError, UnicodeDecodeError):
        return found
    return found


def _shows_picture(page: Any) -> bool:
    count = min(pdfium.FPDFPage_CountObjects(page), 10_000)
    kinds = (pdfium.FPDFPageObj_GetType(pdfium.FPDFPage_GetObject(page, number)) for number in range(count))
    return any(kind in (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_FORM) for kind in kinds)


def _emphasis(words: PageWords, fonts: dict[int, bool]) -> tuple[bool, ...]:
    """Whether each word is bold or slanted, by the name of its font, or its weight, which is often wrong, if it has no name."""
    found = fonts_of(words.objects)
    for address in set(found) - fonts.keys():
        fonts[address] = bool(address) and _is_emphatic(address)
    return tuple(fonts[address] for address in found)


def _is_emphatic(address: int) -> bool:
    font = ctypes.cast(address, pdfium.FPDF_FONT)
    name = ctypes.create_string_buffer(_NAME_BYTES)
    pdfium.FPDFFont_GetBaseFontName(font, name, _NAME_BYTES)
    lower = name.value.decode("latin-1").lower()
    return any(part in lower for part in _EMPHASIS) or (not lower and pdfium.FPDFFont_GetWeight(font) >= _BOLD)
