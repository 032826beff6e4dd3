"""HTML -> the text that a person sees, with title and headings. Pure; uses the standard library's tolerant parser.

kreuzberg leaves Markdown marks in its plain text (`**bold**`, `[link](address)`), so it could not be quoted. Scripts,
styles, navigation and buttons are left out; a table row becomes one line, `| cell | cell |`. Where a page marks its
main part (`<main>`, `role="main"`) and that part has at least half of the text, the rest is left out too: it repeats on
every page of a site.
"""

import re
from html.parser import HTMLParser
from typing import NamedTuple

from index.formats.canonical import canonical
from index.formats.markdown import Heading

_LEFT_OUT = frozenset("button canvas iframe math nav noscript object script select style svg template".split())
_LEFT_OUT_ROLES = frozenset(("navigation", "search"))
_LEFT_OUT_CLASSES = frozenset(("navheader", "navfooter", "headerlink"))
"""The classes of DocBook and Sphinx for links to other pages, and for the link mark after a heading."""
_ALWAYS_CLOSED = frozenset("a aside div footer form header main ol section span table ul".split())
_MIN_SHARE_OF_MAIN = 0.5
_BLOCKS = frozenset(
    "address article aside blockquote body caption dd details dialog div dl dt fieldset figcaption figure footer form "
    "h1 h2 h3 h4 h5 h6 header hr html legend li main ol p pre section summary table tbody tfoot thead tr ul".split()
)
_PARAGRAPHS = frozenset("article blockquote dl figure h1 h2 h3 h4 h5 h6 ol p pre section table ul".split())
_HEADING = re.compile(r"h([1-6])\Z")
_SPACE = re.compile(r"[ \t\n\r\f]+")


class HtmlText(NamedTuple):
    """The text of an HTML page, its `<title>` (may be empty) and its headings."""

    text: str
    title: str
    headings: list[Heading]


def html_text(source: str) -> HtmlText:
    """The text of HTML of any quality; elements that are left open are closed at the end."""
    collector = _TextCollector()
    collector.feed(source)
    collector.close()
    return collector.result()


class _TextCollector(HTMLParser):
    """Collects text line by line; `_left_out` holds the open elements whose text is left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line: list[str] = []
        self._headings: list[tuple[int, int, int]] = []
        self._heading: tuple[int, int] | None = None
        self._left_out: list[str] = []
        self._title: list[str] = []
        self._in_title = False
        self._preformatted = 0
        self._row: list[str] | None = None
        self._main: list[str] = []
        self._main_lines: tuple[int, int] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a tag, which may end the line before it."""
        if tag in _LEFT_OUT or (self._left_out and tag == self._left_out[-1]) or _is_left_out(tag, attrs):
            self._left_out.append(tag)
        if self._left_out:
            return
        if self._main and tag == self._main[-1]:
            self._main.append(tag)
        elif self._main_lines is None and (tag == "main" or (tag in _ALWAYS_CLOSED and ("role", "main") in attrs)):
            self._end_line(blank=True)
            self._main = [tag]
            self._main_lines = (len(self._lines), len(self._lines))
        if tag == "title":
            self._in_title = True
        elif tag == "br":
            self._line.append(" " if self._row is not None else "\n")
        elif tag in ("td", "th"):
            self._end_cell()
        elif tag in _BLOCKS:
            self._end_block(tag, ends_row=tag == "tr")
        if tag == "tr":
            self._row = []
        elif tag == "li" and self._row is None:
            self._line.append("- ")
        elif tag == "pre":
            self._preformatted += 1
        elif match := _HEADING.match(tag):
            self._heading = (int(match.group(1)), len(self._lines))

    def handle_endtag(self, tag: str) -> None:
        """Close a tag."""
        if self._left_out:
            if tag == self._left_out[-1]:
                self._left_out.pop()
            return
        if tag == "title":
            self._in_title = False
        elif tag in ("td", "th"):
            self._end_cell()
        elif tag in _BLOCKS:
            self._end_block(tag, ends_row=tag in ("tr", "table"))
        if tag == "pre":
            self._preformatted = max(0, self._preformatted - 1)
        if _HEADING.match(tag) and self._heading is not None:
            self._headings.append((*self._heading, len(self._lines)))
            self._heading = None
        if self._main and tag == self._main[-1]:
            self._main.pop()
            if not self._main and self._main_lines is not None:
                self._end_line(blank=True)
                self._main_lines = (self._main_lines[0], len(self._lines))

    def handle_data(self, data: str) -> None:
        """Add text between tags; runs of white space become one space, except in `<pre>`."""
        data = canonical(data)  # a reference such as &shy; or &#31; makes a character that the source did not hold
        if self._in_title:
            self._title.append(data)
        elif not self._left_out:
            self._line.append(data if self._preformatted and self._row is None else _SPACE.sub(" ", data))

    def result(self) -> HtmlText:
        """The text, title and headings collected so far."""
        self._end_line(blank=False)
        begin, end = self._line_range()
        lines = self._lines[begin:end]
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line) + 1)
        headings = []
        for level, first, last in self._headings:
            filled = [number for number in range(max(first, begin), min(last, end)) if self._lines[number].strip()]
            if filled:
                words = " ".join(" ".join(self._lines[number].split()) for number in filled)
                headings.append(Heading(starts[filled[0] - begin], level, words))
        title = " ".join("".join(self._title).split())
        return HtmlText("\n".join(lines).rstrip("\n"), title, headings)

    def _line_range(self) -> tuple[int, int]:
        """The lines of the main part if it has at least half of the text, else all lines."""
        if self._main_lines is not None and not self._main:
            main = sum(map(len, self._lines[slice(*self._main_lines)]))
            if main >= _MIN_SHARE_OF_MAIN * sum(map(len, self._lines)):
                return self._main_lines
        return 0, len(self._lines)

    def _end_block(self, tag: str, *, ends_row: bool) -> None:
        if self._row is None or ends_row:
            self._end_line(blank=tag in _PARAGRAPHS)
        else:
            self._line.append(" ")

    def _end_cell(self) -> None:
        cell = " ".join("".join(self._line).split())
        self._line.clear()
        if self._row is not None and cell:
            self._row.append(cell)
        elif cell:
            self._lines.append(cell)

    def _end_line(self, *, blank: bool) -> None:
        if self._row is not None:
            self._end_cell()
            row, self._row = self._row, None
            self._line = ["| " + " | ".join(row) + " |"] if row else []
        text = "".join(self._line)
        self._line.clear()
        if self._preformatted:
            lines = [line.rstrip() for line in text.strip("\n").split("\n")]
        else:
            lines = [" ".join(line.split()) for line in text.split("\n")]
        if any(line and line != "-" for line in lines):
            self._lines.extend(lines)
        if blank and self._lines and self._lines[-1]:
            self._lines.append("")


def _is_left_out(tag: str, attrs: list[tuple[str, str | None]]) -> bool:
    """Whether the attributes say that the text is left out; only for elements that are always closed."""
    values = dict(attrs)
    is_marked = (
        "hidden" in values
        or values.get("role") in _LEFT_OUT_ROLES
        or not _LEFT_OUT_CLASSES.isdisjoint((values.get("class") or "").split())
    )
    return is_marked and tag in _ALWAYS_CLOSED
