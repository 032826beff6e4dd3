"""Scanned pages -> text (OCR), by Tesseract if it is installed. Runs only in the process of `index.extraction.worker`.

kreuzberg includes a Tesseract of its own, but (4.10) it returns the text of all pages as one, turns ordinary lines into
tables, and keeps the text in the user's cache folder. So kreuzberg only draws the pages, one at a time, and the program
`tesseract` reads them.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from kreuzberg import PdfPageIterator

from index.formats.pdf import HYPHEN_AT_LINE_END

_DOTS_PER_INCH = 200
_PAGE_SECONDS = 120.0
_MAX_LANGUAGES = 4
_NOT_LANGUAGES = frozenset(("osd", "equ"))  # models for page orientation and equations
_BROKEN_WORD = re.compile(r"(?<=[^\W\d_])-\n(?=[^\W\d_])")


class RecognitionFailed(Exception):
    """Tesseract or the drawing of a page failed. The message says how."""


def recognised_pages(path: Path) -> Iterator[str]:
    """The text of each page of the PDF, in the form of a PDF's text layer. Raises `RecognitionFailed`."""
    program = shutil.which("tesseract")
    if program is None:
        raise RecognitionFailed("tesseract is not installed")
    languages = "+".join(_languages(program))
    try:
        with PdfPageIterator(str(path), dpi=_DOTS_PER_INCH) as pages:
            for _, picture in pages:
                text = _run(program, ["stdin", "stdout", "-l", languages], picture).decode("utf-8", "replace")
                yield _BROKEN_WORD.sub(HYPHEN_AT_LINE_END, text.replace("\f", "").strip())
    except (RuntimeError, ValueError, OSError) as error:
        raise RecognitionFailed(str(error)) from error


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
