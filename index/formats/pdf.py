"""Pages of text as a PDF reader gives them -> pages that read as written. Pure.

Measured on 16 reports and filings (1,028 pages): kreuzberg's plain text keeps lines, table rows and typographic quotes;
its Markdown joins table rows, escapes characters, gives wrong page boundaries and takes ten times as long. Four faults
remain in the plain text:

- A word broken at a line's end comes with U+0002 for hyphen and line break (`bu\\x02reaus`). Whether the hyphen belongs,
  as in `state-sponsored`, is told by the document's own words.
- Running headers and footers stand in the middle of sentences that cross a page.
- Tables of contents are mostly dots.
- Ligatures are single characters (`ﬁ`) that no question contains.
"""

import re
from collections import Counter
from collections.abc import Sequence

HYPHEN_AT_LINE_END = "\x02"

_BROKEN = re.compile(r"(-?)([^\W\d_]+)\x02([^\W\d_]+)")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_LEADERS = re.compile(r"(?:[ \t]*[.·…]){5,}[ \t]*")
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_DIGITS = re.compile(r"\d+|\b[ivxlc]+\b")
_NUMBER = "#"
_MARGIN_LINES = 3
_LEAST_PAGES = 3
_LEAST_SHARE = 0.5


def readable_pages(pages: Sequence[str]) -> list[str]:
    """One text for each page given, in order; a page may come out empty."""
    whole = _dehyphenated("\f".join(page.translate(_LIGATURES) for page in pages))
    lines = [[_LEADERS.sub(" ... ", line).strip() for line in page.splitlines()] for page in whole.split("\f")]
    return ["\n".join(page) for page in without_running_lines([_trimmed(page) for page in lines])]


def joined(pages: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """The text of all pages and each page's range in it.

    Pages stand a blank line apart, but for a sentence that crosses over: there a line break is enough.
    """
    parts: list[str] = []
    ranges: list[tuple[int, int]] = []
    position = 0
    before = ""
    for page in pages:
        if page and before:
            gap = "\n" if _continues(before, page) else "\n\n"
            parts.append(gap)
            position += len(gap)
        parts.append(page)
        ranges.append((position, position + len(page)))
        position += len(page)
        before = page or before
    return "".join(parts), ranges


def without_running_lines(pages: Sequence[Sequence[str]]) -> list[list[str]]:
    """The lines of each page without those that run along.

    A line runs along if it stands among the outermost three (on short pages, in the outermost quarter; a page of one or two
    lines has none) at the same edge of at least half of the pages, and of at least three, whatever numbers are in it; a mere
    number must be the outermost. The first occurrence stays: what the document says is never lost altogether.
    """
    kept = [list(page) for page in pages]
    framed = [page for page in kept if len(page) > 2]
    for edge in (0, -1):
        running = _running(framed, edge)
        seen: set[str] = set()
        for page in framed:
            for form, place in _margin(page, edge):
                if form in running and (form in seen or form == _NUMBER):
                    page[place] = ""
                seen.add(form)
            page[:] = _trimmed(page)
    return [_trimmed(page) for page in kept]


def _running(pages: Sequence[Sequence[str]], edge: int) -> set[str]:
    counts = Counter(form for page in pages for form in {form for form, _ in _margin(page, edge)})
    least = max(_LEAST_PAGES, _LEAST_SHARE * sum(1 for page in pages if page))
    return {form for form, count in counts.items() if count >= least}


def _margin(page: Sequence[str], edge: int) -> list[tuple[str, int]]:
    """Form and place of the outermost lines at the top (edge 0) or bottom (edge -1), the outermost first."""
    size = min(_MARGIN_LINES, -(-len(page) // 4))
    places = range(size) if edge == 0 else range(len(page) - 1, len(page) - 1 - size, -1)
    forms = [(_form(page[place]), place) for place in places]
    return [(form, place) for depth, (form, place) in enumerate(forms) if form and (form != _NUMBER or depth == 0)]


def _form(line: str) -> str:
    return " ".join(_DIGITS.sub(_NUMBER, line.lower()).split())


def _trimmed(lines: Sequence[str]) -> list[str]:
    filled = [number for number, line in enumerate(lines) if line]
    return list(lines[filled[0] : filled[-1] + 1]) if filled else []


def _continues(before: str, after: str) -> bool:
    return after[0].islower() and (before[-1].isalnum() or before[-1] in ",;-–")


def _dehyphenated(text: str) -> str:
    """U+0002 gone: the hyphen stays where the document's other words say that it belongs."""
    if HYPHEN_AT_LINE_END not in text:
        return text
    words = Counter(word.lower() for word in _WORD.findall(text))
    parts = Counter(part for word, count in words.items() for part in word.split("-") for _ in range(count))

    def mended(match: re.Match[str]) -> str:
        before, left, right = match.groups()
        joined, compound = before + left + right, f"{before}{left}-{right}"
        common = words[(left + right).lower()] - words[f"{left}-{right}".lower()]
        if common:
            return joined if common > 0 else compound
        least = 1 if before else 3  # "best-in-class" has short parts, "re-pairing" none
        known = all(parts[part.lower()] > 1 and len(part) >= least for part in (left, right))
        return compound if known else joined

    return _BROKEN.sub(mended, text).replace(HYPHEN_AT_LINE_END, "-")
