"""Markdown source -> blocks with their places in it, over markdown-it-py. Pure; the source itself does not change.

markdown-it-py tells the lines of each block and its text without the prefixes of lists and quotations. A line of that text is
always the end of its line in the source, so its place there follows.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, reference
from markdown_it.token import Token
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin

from index.blocks.block import Block, Kind
from index.formats.block_builder import BlockBuilder
from index.formats.inline_marks import Mark, inline_marks, markup_marks, note_marks

_MAX_NESTING = 40
_ATX = re.compile(r"#{1,6}[ \t]*")
_PREFIX = re.compile(r"[ \t>]*")
_HAS_WORD = re.compile(r"\w")
_CONTAINERS = {
    "blockquote_open": Kind.QUOTATION,
    "bullet_list_open": Kind.LIST,
    "ordered_list_open": Kind.LIST,
    "list_item_open": Kind.ITEM,
    "table_open": Kind.TABLE,
    "tr_open": Kind.ROW,
    "dd_open": Kind.MEANING,
    "footnote_reference_open": Kind.NOTE,
}
_OWN_TEXT = (Kind.ITEM, Kind.MEANING, Kind.NOTE)


def markdown_blocks(text: str, begin: int = 0) -> tuple[Block, ...]:
    """Return the blocks of the Markdown in `text[begin:]`, with their labels. `begin` must be the start of a line."""
    return _Reader(text, begin).read()


class _Reader:
    def __init__(self, text: str, begin: int) -> None:
        self._text = text
        self._source = text[begin:]
        self._begin = begin
        self._builder = BlockBuilder(text)
        self._env: dict[str, object] = {}
        self._parser = _parser()
        self._lines = [0]
        self._lines += [match.end() for match in re.finditer("\n", self._source)]
        self._after: dict[int, int] = {}  # line -> where the markers that were read on it end
        self._covered: set[int] = set()  # lines
        self._depth = 0
        self._quotes = 0
        self._is_header = False
        self._row = -1

    def read(self) -> tuple[Block, ...]:
        tokens: list[Token] = []
        self._parser.block.parse(self._source, self._parser, self._env, tokens)
        hidden = self._env.get("hidden", [])
        assert isinstance(hidden, list)
        starts = [lines[0] for lines in hidden]
        due = 0
        for place, token in enumerate(tokens):
            if token.level == 0 and token.map:
                due = self._hide_until(token.map[0], hidden, starts, due)
            self._read_token(tokens, place)
        self._hide_until(len(self._lines), hidden, starts, due)
        return self._with_rest()

    def _hide_until(self, line: int, hidden: Sequence[tuple[int, int]], starts: Sequence[int], due: int) -> int:
        """Add the definitions of links that stand before the line."""
        until = bisect_right(starts, line)
        for first, last in hidden[due:until]:
            self._builder.add(Kind.HIDDEN, self._at(self._lines[first]), self._line_end(last - 1))
            self._covered.update(range(first, last))
        return max(due, until)

    def _read_token(self, tokens: Sequence[Token], place: int) -> None:
        token = tokens[place]
        if token.type in _CONTAINERS:
            lines = tokens[place + 1].map if token.type == "dd_open" else token.map
            self._open(token, lines[0] if lines else 0)
        elif token.type.removesuffix("_close") + "_open" in _CONTAINERS and token.nesting < 0:
            self._close(token)
        elif token.type == "dl_close":
            self._builder.close(0)
        elif token.type == "dt_open":
            if tokens[place - 1].type == "dd_close":
                self._builder.close(0)
            self._builder.open(Kind.DEFINITION, self._at(self._first_word(token.map[0] if token.map else 0)))
        elif token.type in ("thead_open", "thead_close"):
            self._is_header = token.nesting > 0
        elif token.type == "inline":
            self._read_inline(tokens[place - 1], token)
        elif token.type in ("fence", "code_block"):
            self._read_code(token)
        elif token.type == "html_block":
            self._read_html(token)

    def _open(self, token: Token, line: int) -> None:
        kind = _CONTAINERS[token.type]
        facts: dict[str, object] = {}
        if kind is Kind.ITEM:
            marker = f"{token.info}{token.markup}"
            facts = {"marker": marker, "level": self._depth}
            start = self._skip(line, marker)
        elif kind is Kind.QUOTATION:
            start = self._skip(line, ">")
            self._quotes += 1
        elif kind is Kind.NOTE:
            label = token.meta["label"]
            facts = {"marker": label}
            start = self._skip(line, f"[^{label}]:")
        elif kind is Kind.MEANING:
            start = self._skip(line, re.compile("[:~]"))
            start = self._first_word(line)
        elif kind is Kind.LIST:
            self._depth += 1
            start = self._first_word(line)
        elif kind is Kind.ROW:
            self._row += 1
            facts = {"row": self._row, "is_header": self._is_header}
            start = self._first_word(line)
            self._column, self._cells = 0, self._cells_of(line)
            self._covered.add(line)
        else:
            self._row = -1
            start = self._first_word(line)
        if kind is Kind.TABLE:
            self._covered.add(line + 1)
        self._builder.open(kind, self._at(start), **facts)
        if kind is Kind.NOTE:
            self._builder.add(Kind.MARKUP, self._at(start), self._at(self._first_word(line)))
        if kind is Kind.ITEM:
            self._builder.extend(self._at(start + len(marker)))

    def _close(self, token: Token) -> None:
        kind = _CONTAINERS[token.type.removesuffix("_close") + "_open"]
        if kind is Kind.QUOTATION:
            self._quotes -= 1
        if kind is Kind.LIST:
            self._depth -= 1
        end = 0
        if kind is Kind.ROW:
            end = self._row_end
        self._builder.close(end)

    def _read_inline(self, opening: Token, token: Token) -> None:
        assert token.map is not None
        first, last = token.map
        if opening.type in ("th_open", "td_open"):
            self._read_cell(token)
            return
        last = max(last, first + 1)
        if opening.map:
            last = max(last, opening.map[1])
        self._covered.update(range(first, last))
        pieces = self._pieces(token.content, first)
        start, end = self._place(pieces, 0), self._place_end(pieces, len(token.content))
        prefixes: list[Mark] = []
        if opening.type == "heading_open":
            line = opening.map[0] if opening.map else first
            begin = self._first_word(line)
            stop = self._line_end(last - 1) - self._begin
            prefixes = [Mark(Kind.MARKUP, begin, start), Mark(Kind.MARKUP, end, stop)]
            self._builder.open(Kind.HEADING, self._at(begin), level=int(opening.tag[1]))
            end = stop
        elif opening.type == "dt_open":
            start, end = self._bare(token.content, pieces)
            self._builder.open(Kind.TERM, self._at(start))
        else:
            is_own = self._builder.innermost in _OWN_TEXT and not self._builder.is_filled
            if is_own:
                self._builder.extend(self._at(end), fill=True)
            else:
                self._builder.open(Kind.PARAGRAPH, self._at(start))
            prefixes = self._quote_marks(pieces)
            self._add_marks(token.content, pieces, prefixes)
            if not is_own:
                self._builder.close(self._at(end))
            return
        self._add_marks(token.content, pieces, prefixes, start, end)
        self._builder.close(self._at(end))

    def _add_marks(
        self,
        content: str,
        pieces: list[tuple[int, int]],
        others: Sequence[Mark] = (),
        start: int = 0,
        end: int | None = None,
    ) -> None:
        """Add the marks of running text; those outside of `start` and `end`, in the source, are not added."""
        found = [
            Mark(mark.kind, self._place(pieces, mark.start), self._place_end(pieces, mark.end), mark.marker)
            for mark in inline_marks(content, self._parser, self._env)
        ]
        for mark in sorted((*found, *others), key=lambda mark: (mark.start, -mark.end)):
            inside = mark.start >= start and (end is None or mark.end <= end)
            if mark.start < mark.end and (inside or mark in others):
                self._builder.add(mark.kind, self._at(mark.start), self._at(mark.end), marker=mark.marker)

    def _quote_marks(self, pieces: Sequence[tuple[int, int]]) -> list[Mark]:
        """The marks of a quotation at the start of the lines after the first."""
        found: list[Mark] = []
        for _, place in pieces[1:]:
            line_start = self._source.rfind("\n", 0, place) + 1
            if ">" in self._source[line_start:place]:
                found.append(Mark(Kind.MARKUP, line_start, place))
        return found

    def _bare(self, content: str, pieces: list[tuple[int, int]]) -> tuple[int, int]:
        """The range of running text without the marks around all of it."""
        marks = inline_marks(content, self._parser, self._env)
        half = len(marks) // 2
        start, end = 0, len(content)
        for opening, closing in zip(marks[:half], reversed(marks[half:]), strict=False):
            if (opening.start, closing.end) == (start, end) and {opening.kind, closing.kind} == {Kind.MARKUP}:
                start, end = opening.end, closing.start
        if len(marks) % 2 or (half and start != marks[half - 1].end) or start >= end:
            start, end = 0, len(content)
        return self._place(pieces, start), self._place_end(pieces, end)

    def _read_cell(self, token: Token) -> None:
        pieces, length = self._cells[self._column] if self._column < len(self._cells) else ([(0, self._row_end_raw)], 0)
        facts = {"row": self._row, "column": self._column, "is_header": self._is_header}
        self._column += 1
        if not length or not token.content:
            self._builder.add(Kind.CELL, self._at(pieces[0][1]), self._at(pieces[0][1]), **facts)
            return
        start, end = self._bare(token.content, pieces)
        self._builder.open(Kind.CELL, self._at(start), **facts)
        self._add_marks(token.content, pieces, self._escapes(pieces), start, end)
        self._builder.close(self._at(end))

    def _escapes(self, pieces: Sequence[tuple[int, int]]) -> list[Mark]:
        return [Mark(Kind.MARKUP, place - 1, place) for _, place in pieces[1:]]

    def _cells_of(self, line: int) -> list[tuple[list[tuple[int, int]], int]]:
        """The cells of a row: where the stretches of each stand, and its length without the escapes of its bars."""
        begin, end = self._first_word(line), self._line_end(line) - self._begin
        self._row_end_raw = end
        self._row_end = self._at(end)
        row = self._source[begin:end]
        bars = [match.start() for match in re.finditer(r"(?<!\\)\|", row)]
        edges = [-1, *bars, len(row)]
        ranges = [(left + 1, right) for left, right in pairwise(edges)]
        if ranges and not row[ranges[0][0] : ranges[0][1]].strip():
            ranges.pop(0)
        if ranges and not row[ranges[-1][0] : ranges[-1][1]].strip():
            ranges.pop()
        cells: list[tuple[list[tuple[int, int]], int]] = []
        for left, right in ranges:
            cell = row[left:right]
            lead = len(cell) - len(cell.lstrip())
            if not cell.strip():
                cells.append(([(0, begin + left + min(1, right - left))], 0))
                continue
            position, length = left + lead, len(cell.strip())
            pieces = [(0, begin + position)]
            read = 0
            for match in re.finditer(r"\\\|", row[position : position + length]):
                pieces.append((match.start() - read, begin + position + match.start() + 1))
                read += 1
            cells.append((pieces, length - read))
        return cells

    def _read_code(self, token: Token) -> None:
        assert token.map is not None
        first, last = token.map
        self._covered.update(range(first, last))
        is_fence = token.type == "fence"
        lines = token.content.split("\n")[:-1] if token.content.endswith("\n") else token.content.split("\n")
        opening = first + 1 if is_fence else first
        if is_fence:
            self._builder.add(Kind.MARKUP, self._at(self._first_word(first)), self._line_end(first))
        numbered = [(opening + number, line) for number, line in enumerate(lines) if line.strip()]
        if numbered:
            start = self._suffix(numbered[0][0], numbered[0][1])
            end = self._line_end(numbered[-1][0])
            words = token.info.split() if is_fence else []
            self._builder.add(Kind.CODE, self._at(start), end, marker=words[0] if words else "")
        if is_fence and last - 1 > opening + len(lines) - 1 and last - 1 > first:
            begin = self._first_word(last - 1)
            self._builder.add(Kind.MARKUP, self._at(begin), self._line_end(last - 1))

    def _read_html(self, token: Token) -> None:
        assert token.map is not None
        first, last = token.map
        self._covered.update(range(first, last))
        content = token.content.strip("\n")
        if not content.strip():
            return
        pieces = self._pieces(content, first)
        start, end = self._place(pieces, 0), self._place_end(pieces, len(content))
        marks = markup_marks(content)
        if any(mark.kind is Kind.HIDDEN and mark.start == 0 and mark.end >= len(content.rstrip()) for mark in marks):
            self._builder.add(Kind.HIDDEN, self._at(start), self._at(end))
            return
        self._builder.open(Kind.PARAGRAPH, self._at(start))
        for mark in marks:
            left, right = self._place(pieces, mark.start), self._place_end(pieces, mark.end)
            if left < right:
                self._builder.add(mark.kind, self._at(left), self._at(right), marker=mark.marker)
        self._builder.close(self._at(end))

    def _with_rest(self) -> tuple[Block, ...]:
        """The blocks, and paragraphs of the lines that the parser left out because they are nested too deep."""
        run: list[int] = []
        for line in range(len(self._lines) + 1):
            is_lost = line < len(self._lines) and line not in self._covered
            if is_lost and _HAS_WORD.search(self._source, self._first_word(line), self._end_of(line)):
                run.append(line)
            elif run:
                self._builder.add(Kind.PARAGRAPH, self._at(self._first_word(run[0])), self._line_end(run[-1]))
                run = []
        return self._builder.finish()

    def _pieces(self, content: str, first: int) -> list[tuple[int, int]]:
        """Where each line of the content begins: its offset there, and its place in the source."""
        pieces: list[tuple[int, int]] = []
        offset = 0
        for number, line in enumerate(content.split("\n")):
            body = line.lstrip(" \t")
            lead = len(line) - len(body)
            pieces.append((offset + lead if pieces else 0, self._suffix(first + number, body if pieces else line)))
            offset += len(line) + 1
        return pieces

    def _suffix(self, line: int, body: str) -> int:
        """Where the text stands that ends the line; a heading's may be followed by number signs."""
        start, end = self._lines[line], self._end_of(line)
        whole = self._source[start:end]
        stripped = whole.rstrip()
        body = body.rstrip()
        if stripped.endswith(body):
            return start + len(stripped) - len(body)
        lead = len(body) - len(body.lstrip())
        if stripped.endswith(body[lead:]):  # a tab before it was made spaces
            return max(start, start + len(stripped) - len(body))
        found = whole.find(body, self._after.get(line, start) - start)
        return start + max(0, found)

    def _skip(self, line: int, marker: "str | re.Pattern[str]") -> int:
        """Where the marker stands on the line, after those that were read before it."""
        position, end = self._after.get(line, self._lines[line]), self._end_of(line)
        if isinstance(marker, str):
            found = max(position, self._source.find(marker, position, end))
            self._after[line] = found + len(marker)
            return found
        match = marker.search(self._source, position, end)
        self._after[line] = match.end() if match else position
        return match.start() if match else position

    def _first_word(self, line: int) -> int:
        """Where the text of the line begins after the markers that were read, and after those of the quotations around it."""
        start, end = self._after.get(line, self._lines[line]), self._end_of(line)
        pattern = _PREFIX if self._quotes and line not in self._after else re.compile(r"[ \t]*")
        match = pattern.match(self._source, start, end)
        return match.end() if match else start

    def _place(self, pieces: Sequence[tuple[int, int]], offset: int) -> int:
        """The place in the source of an offset into running text."""
        piece = pieces[max(0, bisect_right(pieces, (offset, len(self._source))) - 1)]
        return piece[1] + max(0, offset - piece[0])

    def _place_end(self, pieces: Sequence[tuple[int, int]], offset: int) -> int:
        return self._place(pieces, offset - 1) + 1 if offset else self._place(pieces, 0)

    def _end_of(self, line: int) -> int:
        return self._lines[line + 1] - 1 if line + 1 < len(self._lines) else len(self._source)

    def _line_end(self, line: int) -> int:
        """The end of the line in the whole text, without white space."""
        start, end = self._lines[line], self._end_of(line)
        return self._at(start + len(self._source[start:end].rstrip()))

    def _at(self, place: int) -> int:
        return self._begin + place


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING}).enable(["table", "strikethrough"])
    parser.use(footnote_plugin, inline=False, move_to_end=False).use(deflist_plugin)
    parser.block.ruler.at("reference", _reference)
    note_marks(parser)
    return parser


def _reference(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """A definition of a link, whose lines are noted."""
    found = reference(state, start_line, end_line, silent)
    if found and not silent:
        state.env.setdefault("hidden", []).append((start_line, state.line))
    return found
