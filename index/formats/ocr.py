"""Scanned pages -> text, through Tesseract where it is installed. Only `index.extraction.worker` calls it.

kreuzberg carries a Tesseract of its own, but (4.10) gives the text of all pages as one, makes tables of lines that are none,
and keeps what it read in the user's cache folder. So it draws the pages, one at a time, and the program `tesseract` reads them.
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
_MOST_LANGUAGES = 4
_NO_LANGUAGES = frozenset(("osd", "equ"))
_BROKEN_WORD = re.compile(r"(?<=[^\W\d_])-\n(?=[^\W\d_])")


class RecognitionFailed(Exception):
    """Tesseract or the drawing of a page failed. The message says how."""


def recognised_pages(path: Path) -> Iterator[str]:
    """The text of each page of the PDF, as a PDF reader would give it. `RecognitionFailed` says what went wrong."""
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
    """The languages that Tesseract has installed, English first, at most four: each makes it slower."""
    listed = _run(program, ["--list-langs"], b"").decode("utf-8", "replace").splitlines()[1:]
    found = sorted(
        (name for name in listed if name and name not in _NO_LANGUAGES), key=lambda name: (name != "eng", name)
    )
    if not found:
        raise RecognitionFailed("tesseract has no language installed")
    return found[:_MOST_LANGUAGES]


def _run(program: str, arguments: list[str], given: bytes) -> bytes:
    """What the program writes; it uses one thread, for there is a worker a processor."""
    try:
        done = subprocess.run(
            [program, *arguments],
            input=given,
            capture_output=True,
            timeout=_PAGE_SECONDS,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RecognitionFailed(f"a page took longer than {_PAGE_SECONDS:g} s") from error
    if done.returncode != 0:
        raise RecognitionFailed(f"tesseract: {done.stderr.decode('utf-8', 'replace').strip()[-150:]}")
    return done.stdout
