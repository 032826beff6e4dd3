"""Scanned pages -> text (OCR), by Tesseract if it is installed. Runs only in the process of `index.extraction.worker`.

PDFium draws the pages, one at a time, and the program `tesseract` reads them and tells where their words stand.
"""

import os
import shutil
import struct
import subprocess
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from index.blocks.geometry import Box, PlacedWord
from index.formats.canonical import canonical
from index.formats.pdf.pages import open_pdf
from index.formats.pdf.rendering import png_of

_DOTS_PER_INCH = 200
_PAGE_SECONDS = 120.0
_WIDTH_IN_PNG = 16  # where the width stands in its header
_MAX_LANGUAGES = 4
_FIELDS = 12  # of a line of Tesseract's table
_WORD = "5"  # the level of a line that holds a word
_FARTHEST = 200  # characters between two words of a text, at most
_NOT_LANGUAGES = frozenset(("osd", "equ"))  # models for page orientation and equations


class RecognisedWord(NamedTuple):
    """A word, and its box in points from the top left corner of the page."""

    text: str
    box: Box


class RecognisedPage(NamedTuple):
    """The text of a page, its lines and paragraphs apart, and its words in the same order."""

    text: str
    words: tuple[RecognisedWord, ...]

    def placed(self, text: str, start: int, end: int) -> Iterator[PlacedWord]:
        """Yield where its words stand in the canonical text, `text[start:end]`, that was made of it. Some may be left out.

        A word that is broken at the end of a line is without its hyphen there.
        """
        at = start
        for word, box in self.words:
            wanted = canonical(word)
            for form in (wanted, wanted.removesuffix("-")):
                place = text.find(form, at, min(end, at + len(form) + _FARTHEST)) if form else -1
                if place >= 0:
                    at = place + len(form)
                    yield PlacedWord(place, at, box)
                    break


class RecognitionFailed(Exception):
    """Tesseract or the drawing of a page failed. The message says how."""


def is_installed() -> bool:
    """Whether Tesseract is there."""
    return shutil.which("tesseract") is not None


def recognised_pages(data: bytes, numbers: Iterable[int]) -> dict[int, RecognisedPage]:
    """Return those pages of the PDF (from 1) as they are read. Raises `RecognitionFailed`."""
    program = shutil.which("tesseract")
    if program is None:
        raise RecognitionFailed("tesseract is not installed")
    languages = "+".join(_languages(program))
    document = open_pdf(data)
    found: dict[int, RecognisedPage] = {}
    try:
        for number in numbers:
            picture = png_of(document, number, _DOTS_PER_INCH / 72, is_grey=True)
            table = _run(program, ["stdin", "stdout", "--dpi", str(_DOTS_PER_INCH), "-l", languages, "tsv"], picture)
            (pixels,) = struct.unpack_from(">I", picture, _WIDTH_IN_PNG)
            scale = document.get_page_size(number - 1)[0] / max(pixels, 1)
            found[number] = _page_of(table.decode("utf-8", "replace"), scale)
    except (RuntimeError, ValueError, OSError) as error:
        raise RecognitionFailed(str(error)) from error
    finally:
        document.close()
    return found


def _page_of(table: str, scale: float) -> RecognisedPage:
    """The page that Tesseract's table describes; `scale` is the width of a pixel in points."""
    text: list[str] = []
    words: list[RecognisedWord] = []
    before: list[str] = []
    for line in table.splitlines():
        level, _, *place, _, left, top, width, height, _, word = (*line.split("\t", _FIELDS - 1), *[""] * _FIELDS)[
            :_FIELDS
        ]
        if level != _WORD or not word.strip():
            continue
        if before:
            text.append(" " if place == before else "\n" if place[:2] == before[:2] else "\n\n")
        before = place
        text.append(word)
        x, y, wide, high = (int(edge) * scale for edge in (left, top, width, height))
        words.append(RecognisedWord(word, Box(x, y, x + wide, y + high)))
    return RecognisedPage("".join(text), tuple(words))


def _languages(program: str) -> list[str]:
    """The languages installed for Tesseract, English first, at most four: each makes it slower."""
    lines = _run(program, ["--list-langs"], b"").decode("utf-8", "replace").splitlines()[1:]
    languages = sorted(
        (name for name in lines if name and name not in _NOT_LANGUAGES), key=lambda name: (name != "eng", name)
    )
    if not languages:
        raise RecognitionFailed("tesseract has no language installed")
    return languages[:_MAX_LANGUAGES]


def _run(program: str, arguments: list[str], data: bytes) -> bytes:
    """The standard output of the program given `data`. It uses one thread: there is one worker per processor."""
    try:
        process = subprocess.run(
            [program, *arguments],
            input=data,
            capture_output=True,
            timeout=_PAGE_SECONDS,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RecognitionFailed(f"a page took longer than {_PAGE_SECONDS:g} s") from error
    if process.returncode != 0:
        raise RecognitionFailed(f"tesseract: {process.stderr.decode('utf-8', 'replace').strip()[-150:]}")
    return process.stdout
