"""Pictures as documents: their words by a real Tesseract where it is installed, otherwise skipped with the fix."""

import io
import shutil
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.errors import DocumentRejected, NotRecognised, NoWords
from index.extraction.extractor import Extractor, extract
from index.formats.limits import Limits
from index.sync.folder_note import read_note
from index.sync.listing import list_files
from index.sync.sync import preview, sync

needs_tesseract = pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
FONT = ImageFont.load_default(size=32)
LINES = ("The quay closes at ten.", "Mooring costs 42 euros.")


def picture(lines: Sequence[str] = LINES, mode: str = "RGB") -> Image.Image:
    drawn = Image.new("L", (640, 240), 255)
    for row, line in enumerate(lines):
        ImageDraw.Draw(drawn).text((60, 50 + 70 * row), line, font=FONT, fill=0)
    return drawn.convert(mode)


def saved(drawn: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    drawn.save(file, "PNG", **options)
    return file.getvalue()


@needs_tesseract
@pytest.mark.parametrize(("name", "mode"), [("a.png", "RGBA"), ("a.jpg", "CMYK"), ("a.webp", "RGB"), ("a.tiff", "1")])
def test_the_words_of_a_picture_are_recognised_with_their_places(tmp_path: Path, name: str, mode: str) -> None:
    drawn = picture(mode=mode)
    drawn.save(tmp_path / name)
    found = extract(tmp_path / name)
    assert (found.text.split(), found.title) == (" ".join(LINES).split(), "a")
    assert (found.metadata["recognised_by"], len(found.pages)) == ("tesseract", 1)
    (page,) = found.geometry
    assert (page.number, round(page.width / page.height, 2)) == (1, round(640 / 240, 2))
    scale = 640 / page.width
    place = found.text.index("42")
    (word,) = (word for word in page.words() if word.start == place)
    left, top, right, bottom = ImageDraw.Draw(drawn).textbbox((60, 120), "42", font=FONT)
    before = FONT.getlength("Mooring costs ")
    drawn_at = (left + before, top, right + before, bottom)
    assert all(abs(edge * scale - expected) < 6 for edge, expected in zip(word.box, drawn_at, strict=True))


@needs_tesseract
def test_every_picture_of_a_tiff_is_a_page_that_can_be_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    picture(LINES[:1]).save(path, save_all=True, append_images=[picture(LINES[1:])], compression="tiff_lzw")
    with Extractor(Limits(), workers=1) as extractor:
        found = extractor.extract(path).document
        assert [found.text[page.start : page.end] for page in found.pages] == list(LINES)
        second = extractor.draw(path, uri=found.uri, version=found.version, page=2, width=320)
        assert second is not None
        assert Image.open(io.BytesIO(second)).size == (320, 120)
        with pytest.raises(DocumentRejected):
            extractor.draw(path, uri=found.uri, version=found.version, page=3, width=320)


@needs_tesseract
def test_a_picture_is_read_as_its_camera_was_held(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    picture().transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a.png", "JPEG", exif=exif)  # under another name
    found = extract(tmp_path / "a.png")
    assert found.text.split() == " ".join(LINES).split()
    assert found.geometry[0].width > found.geometry[0].height


@needs_tesseract
def test_a_picture_whose_exif_data_are_damaged_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(saved(picture(), exif=b"Exif\0\0not a TIFF header"))
    assert extract(tmp_path / "a.png").text.split() == " ".join(LINES).split()


@needs_tesseract
def test_a_picture_that_divides_its_dots_by_zero_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    picture().save(path, dpi=(300, 300))
    dots = struct.pack("<II", 300, 1)
    assert path.read_bytes().count(dots) == 2
    path.write_bytes(path.read_bytes().replace(dots, struct.pack("<II", 300, 0)))
    assert extract(path).text.split() == " ".join(LINES).split()


@needs_tesseract
def test_a_picture_of_16_bits_with_the_high_byte_first_is_read(tmp_path: Path) -> None:
    drawn = picture(mode="I").point(lambda value: value * 200).convert("I;16B")
    drawn.save(tmp_path / "a.tif")
    with Image.open(tmp_path / "a.tif") as kept:
        assert kept.mode == "I;16B"
    assert extract(tmp_path / "a.tif").text.split() == " ".join(LINES).split()


def bomb(side: int) -> bytes:
    """A PNG of `side` times `side` white pixels, in a few bytes."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    packed = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    )


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.png", bomb(60_000), r"60,000 × 60,000 pixels, more than 120 million\. Save it smaller"),
        ("a.png", saved(Image.new("1", (70_000, 40))), r"70,000 × 40 pixels, more than 65,500 on one side\. Cut it"),
        ("a.png", b"\x89PNG\r\n\x1a\nand then nothing", "the picture is damaged"),
        ("a.jpg", b"%PDF-1.7 and then nothing", "but holds a PDF"),
        ("a.webp", b"RIFF----WAVEfmt ", "no picture that can be read"),
    ],
)
def test_a_picture_that_cannot_be_read_is_rejected(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DocumentRejected, match=reason) as caught:
        extract(tmp_path / name)
    assert type(caught.value) is DocumentRejected


@needs_tesseract
def test_a_damaged_picture_is_rejected(tmp_path: Path) -> None:
    whole = saved(picture())
    (tmp_path / "a.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DocumentRejected, match="the picture is damaged"):
        extract(tmp_path / "a.png")


def test_an_ornament_is_skipped(tmp_path: Path) -> None:
    Image.new("RGB", (30, 30)).save(tmp_path / "a.png")
    with pytest.raises(NoWords, match="30 × 30 pixels"):
        extract(tmp_path / "a.png")


def test_without_tesseract_the_fix_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture().save(tmp_path / "a.png")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotRecognised, match=r"is not installed\. Install Tesseract"):
        extract(tmp_path / "a.png")


@needs_tesseract
def test_a_picture_without_words_is_looked_at_once_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    picture(()).save(folder / "plain.png")
    collection = Collection(tmp_path / "collection", HashedEncoder())
    read: list[str] = []
    original = Extractor.extract

    def extract_and_note(self: Extractor, path: Path, **options: str | None) -> object:
        read.append(path.name)
        return original(self, path, **options)

    monkeypatch.setattr(Extractor, "extract", extract_and_note)
    for _ in range(2):
        report = sync(collection, [folder])
        assert [skipped.reason for skipped in report.skipped] == ["no text is recognised in the picture"]
    planned = preview(collection.documents.list(), list_files([folder]), note=read_note(collection))
    assert (read, planned.added, len(planned.skipped)) == (["plain.png"], (), 1)
    picture().save(folder / "plain.png")
    assert sync(collection, [folder]).added == ((folder / "plain.png").as_uri(),)
    assert [hit.chunk.text for hit in collection.search("mooring")] != []
    collection.close()
