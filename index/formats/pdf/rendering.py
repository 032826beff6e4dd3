"""A page -> a picture (PNG). Runs only in the guarded process, because PDFium may crash or fill memory on a hostile file."""

import struct
import zlib

import pypdfium2 as pypdfium

from index.formats.parsed import Unreadable
from index.formats.pdf.pages import open_pdf

MAX_PIXELS = 16_000_000
"""Of one picture; larger ones are drawn smaller."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COMPRESSION = 6


def render_page(data: bytes, number: int, width: int) -> bytes:
    """Return the page with that number (from 1) as a PNG of that width in pixels, with the values of its form fields.

    The picture is narrower if it would have more than `MAX_PIXELS`. Raises `Unreadable` if the file is encrypted or
    damaged, and `IndexError` if it has no such page.
    """
    document = open_pdf(data)
    try:
        document.init_forms()
        if not 1 <= number <= len(document):
            raise IndexError(f"page {number} of {len(document)}")
        page_width = document.get_page_size(number - 1)[0]
        return png_of(document, number, max(1, width) / max(page_width, 1.0))
    finally:
        document.close()


def png_of(document: pypdfium.PdfDocument, number: int, scale: float, *, is_grey: bool = False) -> bytes:
    """Return a page of an open document as a PNG, `scale` pixels a point, smaller if it would have more than `MAX_PIXELS`."""
    try:
        page = document[number - 1]
    except pypdfium.PdfiumError as error:
        raise Unreadable(f"its page {number} is damaged", "Open it in its own program and save it again") from error
    width, height = page.get_size()
    scale = min(scale, (MAX_PIXELS / max(width * height, 1.0)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=is_grey, rev_byteorder=True, draw_annots=True)
    try:
        channels = 1 if is_grey else 3
        pixels = bitmap.to_numpy()
        if pixels.ndim == 2:
            pixels = pixels[:, :, None]
        rows = pixels[:, :, :channels].reshape(bitmap.height, -1).copy()
        return _png(bitmap.width, bitmap.height, channels, b"".join(b"\0" + row.tobytes() for row in rows))
    finally:
        bitmap.close()
        page.close()


def _png(width: int, height: int, channels: int, lines: bytes) -> bytes:
    """A PNG of 8 bits a channel; each line begins with its filter, 0."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, _COMPRESSION)), (b"IEND", b""))
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )
