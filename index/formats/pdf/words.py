"""Characters -> words. Pure.

A word ends at white space that the file itself holds, at a step to another place, and at a gap wider than a share of
the font's height: loose boxes are as wide as the advance, so letters of one word touch.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from index.formats.pdf.characters import Characters, Floats

HYPHEN_AT_LINE_END = "\x02"
"""PDFium's mark for a hyphen at the end of a line."""

_GAP = 0.07  # of the height. On 1,028 pages of filings and reports 15 of 351,284 words are glued, 6 split; at 0.035: 14 and 250
_BACK = 0.5
_SHIFT = 0.12  # of the height: a raised or lowered piece is a word of its own
_IS_SPACE = np.zeros(0x3002, bool)
_IS_SPACE[[9, 10, 11, 12, 13, 32, 0x85, 0xA0, *range(0x2000, 0x200C), 0x2028, 0x2029, 0x202F, 0x3000]] = True
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_RIGHT_TO_LEFT = ((0x590, 0x8FF), (0xFB1D, 0xFDFF), (0xFE70, 0xFEFF))


@dataclass(frozen=True, slots=True)
class PageWords:
    """The words of a page in the order in which they are drawn. Boxes as in `Characters`; `first` is each word's first
    character.

    `touches` says that no space parts the word from the one before it: a superscript, or a piece in another font size.
    """

    texts: tuple[str, ...]
    left: Floats
    top: Floats
    right: Floats
    bottom: Floats
    baseline: Floats
    touches: npt.NDArray[np.bool_]
    objects: npt.NDArray[np.uint64]
    first: npt.NDArray[np.int64]

    @classmethod
    def none(cls) -> "PageWords":
        """Return the words of a blank page."""
        empty = np.zeros(0)
        return cls((), empty, empty, empty, empty, empty, np.zeros(0, bool), np.zeros(0, np.uint64), np.zeros(0, int))


def words_of(characters: Characters) -> PageWords:
    """Return the words of a page."""
    codes = characters.codes
    drawn = ~_is_space(codes) & (codes != 0)
    places = np.flatnonzero(drawn & ((characters.bottom > characters.top) | (characters.right > characters.left)))
    if not len(places):
        return PageWords.none()
    left, right = characters.left[places], characters.right[places]
    baseline = characters.baseline[places]
    height = np.maximum(characters.bottom[places] - characters.top[places], 0.1)
    breaks, touches = _breaks(characters, places, left, right, baseline, height)
    starts = np.flatnonzero(breaks)
    ends = np.append(starts[1:], len(places))
    text = _decoded(codes[places])
    texts = tuple(
        text[start:end].translate(_LIGATURES) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    )
    return PageWords(
        texts,
        np.minimum.reduceat(left, starts),
        np.minimum.reduceat(characters.top[places], starts),
        np.maximum.reduceat(right, starts),
        np.maximum.reduceat(characters.bottom[places], starts),
        baseline[starts],
        touches[starts],
        characters.objects[places][starts],
        places[starts],
    )


def _breaks(
    characters: Characters, places: npt.NDArray[np.int64], left: Floats, right: Floats, baseline: Floats, height: Floats
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Whether a word begins at each drawn character, and whether that word touches the one before it."""
    count = len(places)
    gap, rise, size = np.zeros(count), np.zeros(count), height.copy()
    gap[1:] = np.maximum(left, characters.origin[places])[1:] - _advances(characters, places, right)[:-1]
    codes = characters.codes[places]
    is_backward = np.zeros(count, bool)
    for low, high in _RIGHT_TO_LEFT:
        is_backward |= (codes >= low) & (codes <= high)
    is_backward[1:] &= is_backward[:-1]
    gap[1:] = np.where(is_backward[1:], left[:-1] - right[1:], gap[1:])
    rise[1:] = np.abs(baseline[1:] - baseline[:-1])
    size[1:] = np.maximum(height[1:], height[:-1])
    spaced = np.zeros(count, bool)
    spaced[1:] = _real_space_between(characters, places)
    far = (gap > _GAP * size) | (gap < -_BACK * size) | (rise > 0.6 * size)
    moved = spaced | far
    moved[0] = True
    shifted = (rise > _SHIFT * size) | (np.abs(height - np.append(height[:1], height[:-1])) > 0.15 * size)
    return moved | shifted, shifted & ~moved


def _advances(characters: Characters, places: npt.NDArray[np.int64], right: Floats) -> Floats:
    """Where the advance of each drawn character ends; the box of a letter that overhangs, as an italic f does, ends
    after that.

    A space that PDFium adds stands at the end of the advance. Elsewhere it is as wide as the same letter's median
    inside of words.
    """
    after = np.minimum(places + 1, len(characters.codes) - 1)
    added = (characters.objects[after] == 0) & (characters.codes[after] == 32)
    known = added & (characters.left[after] > characters.left[places])
    ends = np.where(known, np.minimum(right, characters.left[after]), right)
    origin, height = characters.origin[places], characters.bottom[places] - characters.top[places]
    step = np.append(origin[1:] - origin[:-1], 0.0)
    objects = characters.objects[places]
    inside = np.append((places[1:] == places[:-1] + 1) & (objects[1:] == objects[:-1]), False) & (step > 0)
    letters = characters.codes[places].astype(np.int64) * 10_000 + np.clip(height * 10, 0, 9_999).astype(np.int64)
    usual = _medians(letters, np.where(inside, step, np.nan))
    return np.where(~known & (usual > 0), np.minimum(ends, origin + usual), ends)


def _medians(keys: npt.NDArray[np.int64], values: Floats) -> Floats:
    """The median of the values with the same key, for each place; 0 where no value is known."""
    order = np.lexsort((values, keys))  # the unknown come last of each key
    found, starts = np.unique(keys[order], return_index=True)
    counts = np.add.reduceat(~np.isnan(values[order]), starts)
    middle = values[order][starts + np.maximum(counts - 1, 0) // 2]
    result: Floats = np.where(counts > 0, middle, 0.0)[np.searchsorted(found, keys)]
    return result


def _real_space_between(characters: Characters, places: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Whether the file itself holds white space between each drawn character and the next."""
    is_real = _is_space(characters.codes) & (characters.objects != 0)
    total = np.concatenate(([0], np.cumsum(is_real)))
    found: npt.NDArray[np.bool_] = total[places[1:]] > total[places[:-1]]
    return found


def _is_space(codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = _IS_SPACE[np.minimum(codes, len(_IS_SPACE) - 1)]
    return found


def _decoded(codes: npt.NDArray[np.uint32]) -> str:
    """The characters as text, one for each code, so that places stay."""
    marks = np.where(
        codes == 0xFFFE, ord(HYPHEN_AT_LINE_END), np.where(codes == 0xAD, ord("-"), codes)
    )  # a drawn hyphen
    valid = np.where((marks > 0x10FFFF) | ((marks >= 0xD800) & (marks <= 0xDFFF)), 0xFFFD, marks)
    return valid.astype("<u4").tobytes().decode("utf-32-le")
