"""Scanned pages -> text (OCR), by Tesseract if it is installed. Runs only in the process of `index.extraction.worker`.

PDFium draws the pages, one at a time, and the program `tesseract` reads them.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable

from index.formats.pdf.pages import open_pdf
from index.formats.pdf.rendering import png_of

_DOTS_PER_INCH = 200
_PAGE_SECONDS = 120.0
_MAX_LANGUAGES = 4
_NOT_LANGUAGES = frozenset(("osd", "equ"))  # models for page orientation and equations


class RecognitionFailed(Exception):
    """Tesseract or the drawing of a page failed. The message says how."""


def is_installed() -> bool:
    """Whether Tesseract is there."""
    return shutil.which("tesseract") is not None


def recognised_pages(data: bytes, numbers: Iterable[int]) -> dict[int, str]:
    """Return the text of those pages of the PDF (from 1). Raises `RecognitionFailed`."""
    program = shutil.which("tesseract")
    if program is None:
        raise RecognitionFailed("tesseract is not installed")
    languages = "+".join(_languages(program))
    document = open_pdf(data)
    found: dict[int, str] = {}
    try:
        for number in numbers:
            picture = png_of(document, number, _DOTS_PER_INCH / 72, is_grey=True)
            text = _run(program, ["stdin", "stdout", "--dpi", str(_DOTS_PER_INCH), "-l", languages], picture)
            found[number] = re.sub(r"\f", "", text.decode("utf-8", "replace")).strip()
    except (RuntimeError, ValueError, OSError) as error:
        raise RecognitionFailed(str(error)) from error
    finally:
        document.close()
    return found


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
