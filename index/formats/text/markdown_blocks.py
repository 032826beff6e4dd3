"""Markdown source -> blocks with their places in it, over markdown-it-py. Pure; the source itself does not change."""

import re
from bisect import bisect_right
from collections.abc import Sequence

from markdown_it.token import Token

from index.blocks.block import Block, Kind
from index.formats.text.block_builder import BlockBuilder
from index.formats.text.inline_marks import Mark, inline_marks
from index.formats.text.markdown_html import add_html
from index.formats.text.markdown_lines import MarkdownLines, Running
from index.formats.text.markdown_parser import LINK_LINES, markdown_parser

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
        self._begin = begin
        self._builder = BlockBuilder(text)
        self._env: dict[str, object] = {}
        self._parser = markdown_parser()
        self._lines = MarkdownLines(text, begin)
        self._covered: set[int] = set()  # lines
        self._depth = 0
        self._is_header = False
        self._row = -1

    def read(self) -> tuple[Block, ...]:
        tokens: list[Token] = []
        self._parser.block.parse(self._text[self._begin :], self._parser, self._env, tokens)
        hidden = self._env.get(LINK_LINES, [])
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
            self._builder.add(Kind.HIDDEN, self._lines.start(first), self._lines.text_end(last - 1))
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
            self._builder.open(Kind.DEFINITION, self._lines.first_word(token.map[0] if token.map else 0))
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
            start = self._lines.skip(line, marker)
        elif kind is Kind.QUOTATION:
            start = self._lines.skip(line, ">")
            self._lines.quotes += 1
        elif kind is Kind.NOTE:
            label = token.meta["label"]
            facts = {"marker": label}
            start = self._lines.skip(line, f"[^{label}]:")
        elif kind is Kind.MEANING:
            start = self._lines.skip(line, re.compile("[:~]"))
            start = self._lines.first_word(line)
        elif kind is Kind.LIST:
            self._depth += 1
            start = self._lines.first_word(line)
        elif kind is Kind.ROW:
            self._row += 1
            facts = {"row": self._row, "is_header": self._is_header}
            start = self._lines.first_word(line)
            self._column, self._cells = 0, self._lines.cells(line)
            self._row_end = self._lines.text_end(line)
            self._covered.add(line)
        else:
            self._row = -1
            start = self._lines.first_word(line)
        if kind is Kind.TABLE:
            self._covered.add(line + 1)
        self._builder.open(kind, start, **facts)
        if kind is Kind.NOTE:
            self._builder.add(Kind.MARKUP, start, self._lines.first_word(line))
        if kind is Kind.ITEM:
            self._builder.extend(start + len(marker))

    def _close(self, token: Token) -> None:
        kind = _CONTAINERS[token.type.removesuffix("_close") + "_open"]
        if kind is Kind.QUOTATION:
            self._lines.quotes -= 1
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
        running = self._lines.running(token.content, first)
        start, end = running.start, running.end
        prefixes: list[Mark] = []
        if opening.type == "heading_open":
            line = opening.map[0] if opening.map else first
            begin = self._lines.first_word(line)
            stop = self._lines.text_end(last - 1)
            prefixes = [Mark(Kind.MARKUP, begin, start), Mark(Kind.MARKUP, end, stop)]
            self._builder.open(Kind.HEADING, begin, level=int(opening.tag[1]))
            end = stop
        elif opening.type == "dt_open":
            start, end = self._bare(token.content, running)
            self._builder.open(Kind.TERM, start)
        else:
            is_own = self._builder.innermost in _OWN_TEXT and not self._builder.is_filled
            if is_own:
                self._builder.extend(end, fill=True)
            else:
                self._builder.open(Kind.PARAGRAPH, start)
            prefixes = self._quote_marks(running)
            self._add_marks(token.content, running, prefixes)
            if not is_own:
                self._builder.close(end)
            return
        self._add_marks(token.content, running, prefixes, start, end)
        self._builder.close(end)

    def _add_marks(
        self,
        content: str,
        running: Running,
        others: Sequence[Mark] = (),
        start: int = 0,
        end: int | None = None,
    ) -> None:
        """Add the marks of running text; those outside of `start` and `end`, in the source, are not added."""
        found = [
            Mark(mark.kind, running.place(mark.start), running.place_end(mark.end), mark.marker)
            for mark in inline_marks(content, self._parser, self._env)
        ]
        for mark in sorted((*found, *others), key=lambda mark: (mark.start, -mark.end)):
            inside = mark.start >= start and (end is None or mark.end <= end)
            if mark.start < mark.end and (inside or mark in others):
                self._builder.add(mark.kind, mark.start, mark.end, marker=mark.marker)

    def _quote_marks(self, running: Running) -> list[Mark]:
        """The marks of a quotation at the start of the lines after the first."""
        found: list[Mark] = []
        for _, place in running.pieces[1:]:
            line_start = self._text.rfind("\n", 0, place) + 1
            if ">" in self._text[line_start:place]:
                found.append(Mark(Kind.MARKUP, line_start, place))
        return found

    def _bare(self, content: str, running: Running) -> tuple[int, int]:
        """The range of running text without the marks around all of it."""
        marks = inline_marks(content, self._parser, self._env)
        half = len(marks) // 2
        start, end = 0, len(content)
        for opening, closing in zip(marks[:half], reversed(marks[half:]), strict=False):
            if (opening.start, closing.end) == (start, end) and {opening.kind, closing.kind} == {Kind.MARKUP}:
                start, end = opening.end, closing.start
        if len(marks) % 2 or (half and start != marks[half - 1].end) or start >= end:
            start, end = 0, len(content)
        return running.place(start), running.place_end(end)

    def _read_cell(self, token: Token) -> None:
        is_there = self._column < len(self._cells)
        running = self._cells[self._column] if is_there else Running(((0, self._row_end),), 0)
        facts = {"row": self._row, "column": self._column, "is_header": self._is_header}
        self._column += 1
        if not running.length or not token.content:
            self._builder.add(Kind.CELL, running.start, running.start, **facts)
            return
        start, end = self._bare(token.content, running)
        self._builder.open(Kind.CELL, start, **facts)
        self._add_marks(token.content, running, _escapes(running), start, end)
        self._builder.close(end)

    def _read_code(self, token: Token) -> None:
        assert token.map is not None
        first, last = token.map
        self._covered.update(range(first, last))
        is_fence = token.type == "fence"
        lines = token.content.split("\n")[:-1] if token.content.endswith("\n") else token.content.split("\n")
        opening = first + 1 if is_fence else first
        if is_fence:
            self._builder.add(Kind.MARKUP, self._lines.first_word(first), self._lines.text_end(first))
        numbered = [(opening + number, line) for number, line in enumerate(lines) if line.strip()]
        if numbered:
            start = self._lines.suffix(numbered[0][0], numbered[0][1])
            end = self._lines.text_end(numbered[-1][0])
            words = token.info.split() if is_fence else []
            self._builder.add(Kind.CODE, start, end, marker=words[0] if words else "")
        if is_fence and last - 1 > opening + len(lines) - 1 and last - 1 > first:
            begin = self._lines.first_word(last - 1)
            self._builder.add(Kind.MARKUP, begin, self._lines.text_end(last - 1))

    def _read_html(self, token: Token) -> None:
        assert token.map is not None
        first, last = token.map
        self._covered.update(range(first, last))
        content = token.content.strip("\n")
        if content.strip():
            add_html(self._builder, content, self._lines.running(content, first))

    def _with_rest(self) -> tuple[Block, ...]:
        """The blocks, and paragraphs of the lines that the parser left out because they are nested too deep."""
        run: list[int] = []
        for line in range(len(self._lines) + 1):
            is_lost = line < len(self._lines) and line not in self._covered
            if is_lost and _HAS_WORD.search(self._text, self._lines.first_word(line), self._lines.end(line)):
                run.append(line)
            elif run:
                self._builder.add(Kind.PARAGRAPH, self._lines.first_word(run[0]), self._lines.text_end(run[-1]))
                run = []
        return self._builder.finish()


def _escapes(running: Running) -> list[Mark]:
    """The backslashes before the bars in a cell."""
    return [Mark(Kind.MARKUP, place - 1, place) for _, place in running.pieces[1:]]
