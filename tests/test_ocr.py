"""Scanned PDFs: their text by a real Tesseract where it is installed, otherwise a clear rejection with the fix."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from index.errors import DocumentRejected, NoTextLayer
from index.extraction.extractor import extract
from index.formats.limits import Limits

needs_tesseract = pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")


def make_scan(path: Path, *pages: Sequence[str]) -> Path:
    """A PDF that holds only images of pages."""
    pictures = []
    for lines in pages:
        picture = Image.new("L", (1240, 1754), 255)
        for row, line in enumerate(lines):
            ImageDraw.Draw(picture).text((120, 150 + 54 * row), line, font=ImageFont.load_default(size=40), fill=0)
        pictures.append(picture)
    pictures[0].save(path, save_all=True, append_images=pictures[1:], resolution=150)
    return path


@needs_tesseract
def test_the_text_of_a_scan_is_recognised_page_by_page(tmp_path: Path) -> None:
    path = make_scan(
        tmp_path / "a.pdf",
        ["Bridges of the town.", "The archive holds an exten-", "sive collection of letters."],
        ["The bridge opened in 1932."],
    )
    found = extract(path)
    assert (
        found.text.split()
        == (
            "Bridges of the town. The archive holds an extensive collection of letters. The bridge opened in 1932."
        ).split()
    )
    assert [page.number for page in found.pages] == [1, 2]
    second = found.pages[1]
    assert found.text[second.start : second.end] == "The bridge opened in 1932."
    assert found.metadata["recognised_by"] == "tesseract"


@needs_tesseract
def test_a_scan_without_words_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(DocumentRejected, match="no word is in it"):
        extract(make_scan(tmp_path / "a.pdf", []))


@needs_tesseract
def test_recognition_has_a_time_limit_of_its_own(tmp_path: Path) -> None:
    path = make_scan(tmp_path / "a.pdf", *[["The bridge opened in 1932."]] * 20)
    with pytest.raises(DocumentRejected, match=r"took longer than 1 s"):
        extract(path, limits=Limits(recognition_seconds=1))


def test_without_tesseract_the_fix_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoTextLayer) as caught:
        extract(make_scan(tmp_path / "a.pdf", ["Bridges of the town."]))
    assert caught.value.reason == "it has no text layer: its pages are pictures"
    assert "Install Tesseract" in caught.value.fix


def test_a_failure_of_tesseract_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "tesseract"
    broken.write_text("#!/bin/sh\necho 'no data files' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DocumentRejected, match=r"not recognised \(tesseract: no data files\)"):
        extract(make_scan(tmp_path / "a.pdf", ["Bridges of the town."]))


@needs_tesseract
def test_recognised_words_have_places_in_the_text_and_on_the_page(tmp_path: Path) -> None:
    lines = ["Bridges of the town.", "The archive holds an exten-", "sive collection of letters."]
    found = extract(make_scan(tmp_path / "a.pdf", lines, ["The bridge opened in 1932."]))
    first, second = found.geometry
    words = [found.text[word.start : word.end] for page in (first, second) for word in page.words()]
    broken = words.index("exten")
    assert [*words[:broken], "extensive", *words[broken + 2 :]] == found.text.split()
    points = 72 / 150  # of a pixel of the scan
    top = {found.text[word.start : word.end]: word.box for word in first.words()}
    assert top["Bridges"].left == pytest.approx(120 * points, abs=4)
    for word, row in (("Bridges", 0), ("archive", 1), ("letters.", 2)):
        assert 150 + 54 * row <= (top[word].top + top[word].bottom) / 2 / points <= 150 + 54 * row + 54
    assert (first.width, first.height) == pytest.approx((1240 * points, 1754 * points), abs=0.5)
