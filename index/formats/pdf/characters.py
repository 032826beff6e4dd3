"""The characters of a page, by PDFium: code points, boxes and baselines as arrays, in the order in which the file draws
them.

PDFium is called through pointers whose arguments are plain numbers, inside `map`: a page of 2,800 characters takes 4 ms
(10-Q filings, agency reports), a quarter of what the typed calls take.
"""

import ctypes
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt
import pypdfium2.raw as pdfium

Floats = npt.NDArray[np.float64]

MAX_CHARACTERS = 1_000_000
"""More on one page are not read."""

_POINTER, _INT = ctypes.c_void_p, ctypes.c_int


@dataclass(frozen=True, slots=True)
class View:
    """How a page is shown: width and height in points, its box in the file's coordinates, and its quarter turns clockwise."""

    width: float
    height: float
    left: float
    bottom: float
    right: float
    top: float
    turns: int

    def shown(self, left: Any, bottom: Any, right: Any, top: Any) -> tuple[Any, Any, Any, Any]:
        """Return left, top, right and bottom of boxes as shown, from the page's top left corner, y downwards."""
        if self.turns == 1:
            return bottom - self.bottom, left - self.left, top - self.bottom, right - self.left
        if self.turns == 2:
            return self.right - right, bottom - self.bottom, self.right - left, top - self.bottom
        if self.turns == 3:
            return self.top - top, self.right - right, self.top - bottom, self.right - left
        return left - self.left, self.top - top, right - self.left, self.top - bottom


@dataclass(frozen=True, slots=True)
class Characters:
    """The characters of one page. Boxes are loose: as high as the font, as wide as the advance, in points as shown.

    `baseline` is the y of the line that the letters stand on, `origin` the x at which a letter begins: its box begins
    before that if it overhangs, as an italic f does. `objects` are the addresses of PDFium's text objects, 0 for
    characters that PDFium adds (spaces, line breaks).
    """

    codes: npt.NDArray[np.uint32]
    left: Floats
    top: Floats
    right: Floats
    bottom: Floats
    baseline: Floats
    origin: Floats
    objects: npt.NDArray[np.uint64]


def view_of(page: Any) -> View:
    """Return how the page is shown."""
    box = pdfium.FS_RECTF()
    pdfium.FPDF_GetPageBoundingBox(page, box)
    width, height = pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page)
    return View(width, height, box.left, box.bottom, box.right, box.top, pdfium.FPDFPage_GetRotation(page) % 4)


def characters_of(text_page: Any, view: View) -> Characters:
    """Return the characters of a page, whose text PDFium has loaded."""
    count = min(max(0, pdfium.FPDFText_CountChars(text_page)), MAX_CHARACTERS)
    address = ctypes.cast(text_page, ctypes.c_void_p).value
    codes = np.fromiter(map(_unicode, repeat(address), range(count)), dtype=np.uint32, count=count)
    objects = np.fromiter(map(_object, repeat(address), range(count)), dtype=np.uint64, count=count)
    boxes = np.zeros((count, 4), dtype=np.float32)
    _fill(_loose_box, address, count, [boxes.ctypes.data], 16)
    origins = np.zeros((count, 2), dtype=np.float64)
    _fill(_origin, address, count, [origins.ctypes.data, origins.ctypes.data + 8], 16)
    left, top, right, bottom = (edges.astype(np.float64) for edges in boxes.T)  # FS_RECTF: left, top, right, bottom
    origin_x, origin_y = origins.T
    shown = view.shown(left, np.minimum(bottom, top), right, np.maximum(bottom, top))
    origin, baseline, _, _ = view.shown(origin_x, origin_y, origin_x, origin_y)
    edges = np.stack((*shown, baseline, origin))
    if not np.isfinite(edges).all():
        edges = np.nan_to_num(edges, posinf=0, neginf=0)
    left, top, right, bottom, baseline, origin = edges
    return Characters(codes, left, top, right, bottom, baseline, origin, objects)


def fonts_of(objects: npt.NDArray[np.uint64]) -> list[int]:
    """Return the addresses of the fonts of text objects; 0 for none."""
    return [address or 0 for address in map(_font, objects.tolist())]


def _fill(function: Callable[..., Any], address: int | None, count: int, targets: list[int], size: int) -> None:
    """Call the function for each character; it writes to the addresses, `size` bytes further for each."""
    if count:
        places = [range(target, target + size * count, size) for target in targets]
        deque(map(function, repeat(address), range(count), *places), maxlen=0)


def fast(function: Any, result: Any, *arguments: Any) -> Callable[..., Any]:
    """Return a function of PDFium with plain numbers for addresses: it takes half the time, and checks nothing."""
    address = ctypes.cast(function, ctypes.c_void_p).value
    assert address is not None
    return ctypes.CFUNCTYPE(result, *arguments)(address)


_unicode = fast(pdfium.FPDFText_GetUnicode, ctypes.c_uint, _POINTER, _INT)
_loose_box = fast(pdfium.FPDFText_GetLooseCharBox, _INT, _POINTER, _INT, _POINTER)
_origin = fast(pdfium.FPDFText_GetCharOrigin, _INT, _POINTER, _INT, _POINTER, _POINTER)
_font = fast(pdfium.FPDFTextObj_GetFont, ctypes.c_size_t, ctypes.c_size_t)
_object = fast(pdfium.FPDFText_GetTextObject, ctypes.c_size_t, _POINTER, _INT)
