"""A picture (PNG, JPEG, TIFF, WebP) -> a PDF whose pages show it, which is read as a scanned PDF is.

Runs only in the guarded process. Each picture in a TIFF is a page; of an animation only the first is shown. A picture is turned
as its EXIF data say, and what is transparent is white.
"""

from io import BytesIO

from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from index.formats.parsed import OnlyPictures, Parsed, Unreadable, Unrecognised, Wordless
from index.formats.pdf.reader import read_pdf
from index.formats.pdf.recognition import is_installed
from index.formats.pdf.rendering import render_page

MAX_PIXELS = 120_000_000
"""Of one picture: about 0.5 GB while it is converted. A sheet of A3 at 600 dots per inch has 70 million."""

MAX_PAGES = 1000
"""In one TIFF."""

_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP")
_LONGEST_SIDE = 65_500  # pixels: a JPEG, as which it stands in the PDF, has no more
_NARROWEST = 40  # pixels: what is narrower or lower is an ornament, and its text, if any, cannot be recognised
_FEWEST_STATED, _MOST_STATED = 99.5, 1200.5
"""Dots per inch that scanners state; cameras and screens state 72 or 96, which says nothing."""

_LONG_SIDE = 11.7  # inches: where nothing is stated, a picture is taken to show a sheet of A4
_COARSEST, _FINEST = 72.0, 600.0  # dots per inch that are taken then, so that a small picture does not fill the sheet
_QUALITY = 92  # of the JPEG in the PDF
_FIX = "Open it in its own program and save it again"

Image.MAX_IMAGE_PIXELS = None  # `_checked` refuses what is too large, before it is unpacked


def read_image(data: bytes, *, recognise: bool) -> Parsed:
    """Return the words that Tesseract recognises, with their places; every picture in the file is a page.

    Without `recognise`, `OnlyPictures` is raised if Tesseract is there, else `Unrecognised`; with it, `Wordless` if there
    are no words. Raises `Unreadable` for a file that is damaged or too large.
    """
    with _opened(data) as picture:
        _checked(picture)
        if max(picture.size) < _NARROWEST or min(picture.size) < _NARROWEST // 2:
            raise Wordless(
                f"it is a picture of {picture.width} × {picture.height} pixels", "Leave it: it is too small for text"
            )
    if not is_installed():
        raise Unrecognised(
            "it is a picture, and Tesseract, which recognises text, is not installed",
            "Install Tesseract (tesseract-ocr), then index again",
        )
    if not recognise:
        raise OnlyPictures("it is a picture", "Let its text be recognised")
    parsed = read_pdf(_pdf_of(data, None), recognise=True)
    if not any(map(str.isalnum, parsed.text)):
        raise Wordless("no text is recognised in the picture", "Leave it, or take a sharper picture")
    return parsed


def render_image(data: bytes, number: int, width: int) -> bytes:
    """Return the picture with that number (from 1) as a PNG of that width in pixels, as `render_page` does for a PDF."""
    return render_page(_pdf_of(data, number), 1, width)


def _opened(data: bytes) -> Image.Image:
    try:
        return Image.open(BytesIO(data), formats=_FORMATS)
    except UnidentifiedImageError as error:
        raise Unreadable("it is no picture that can be read", _FIX) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise _damaged(error) from error


def _pdf_of(data: bytes, number: int | None) -> bytes:
    """A PDF with each picture of the file on a page of its own, or only with that one. Raises `IndexError` for one too many."""
    with _opened(data) as picture:
        is_paged = picture.format == "TIFF"
        pages = BytesIO()
        count = 0
        try:
            for count, frame in enumerate(ImageSequence.Iterator(picture), start=1):
                if count > MAX_PAGES:
                    raise Unreadable(f"it has more than {MAX_PAGES:,} pages", "Split it into smaller files")
                if number in (None, count):
                    _append(pages, _checked(frame))
                if not is_paged or count == number:
                    break
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            if isinstance(error, Unreadable):
                raise
            raise _damaged(error) from error
    if number is not None and number != count:
        raise IndexError(f"page {number} of {count}")
    return pages.getvalue()


def _append(pages: BytesIO, frame: Image.Image) -> None:
    """Add the picture to the PDF as a page."""
    upright = _turned(frame)
    dots = _dots_per_inch(upright)
    if upright.mode == "I;16B":  # of a TIFF with the high byte first, for which Pillow has no more than this conversion
        upright = upright.convert("I")
    if upright.mode in ("I", "I;16", "F"):  # 16 bits and more: Pillow cuts them off instead of scaling
        low, high = upright.getextrema()
        span = max(float(high) - float(low), 1.0)  # type: ignore[arg-type]
        upright = upright.convert("F").point(lambda value: (value - float(low)) * (255.0 / span))  # type: ignore[arg-type]
    if upright.has_transparency_data:
        clear = upright.convert("RGBA")
        upright = Image.new("RGB", clear.size, "white")
        upright.paste(clear, mask=clear.getchannel("A"))
    colours = "L" if upright.mode in ("1", "L", "F") else "RGB"
    is_first = not pages.getbuffer().nbytes
    upright.convert(colours).save(pages, "PDF", resolution=dots, quality=_QUALITY, append=not is_first)


def _turned(frame: Image.Image) -> Image.Image:
    """The picture, turned as its EXIF data say; as it is if these are damaged."""
    frame.load()
    try:
        return ImageOps.exif_transpose(frame)
    except SyntaxError:  # of the EXIF data, since the picture is unpacked
        return frame


def _checked(frame: Image.Image) -> Image.Image:
    """The picture, whose pixels are not unpacked yet. Raises `Unreadable` if there are too many, or too many in a row."""
    if frame.width * frame.height > MAX_PIXELS:
        raise Unreadable(
            f"the picture has {frame.width:,} × {frame.height:,} pixels, more than {MAX_PIXELS // 1_000_000} million",
            "Save it smaller",
        )
    if max(frame.size) > _LONGEST_SIDE:
        raise Unreadable(
            f"the picture has {frame.width:,} × {frame.height:,} pixels, more than {_LONGEST_SIDE:,} on one side",
            "Cut it into several pictures",
        )
    return frame


def _dots_per_inch(picture: Image.Image) -> float:
    """How many pixels are an inch: as stated, else so that the picture is a sheet at most."""
    stated = float(picture.info.get("dpi", (0, 0))[0])
    # Pillow gives a division by zero as NaN, which no comparison holds of.
    if _FEWEST_STATED <= stated <= _MOST_STATED:
        return stated
    return min(max(max(picture.size) / _LONG_SIDE, _COARSEST), _FINEST)


def _damaged(error: Exception) -> Unreadable:
    return Unreadable(f"the picture is damaged ({str(error)[:150]})", _FIX)
