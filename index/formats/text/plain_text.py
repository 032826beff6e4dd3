"""Plain text -> blocks over it: paragraphs, headings, lists, tables, fields, quotations, code. Pure; the text does not change.

What a line is follows from its look, so a rule that is not certain leaves a paragraph. Hard-wrapped lines are joined: a line
break ends a paragraph only if the next word would have fitted on the line.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from index.blocks.block import Kind
from index.blocks.lines import Line, Stretch, is_row, stretches, usual_width
from index.formats.parsed import Parsed
from index.formats.text.block_builder import BlockBuilder
from index.formats.text.text_blocks import add_fields, add_log, add_quotation, add_table
from index.formats.text.text_lines import fence_of, is_bullet, is_contents, is_option, is_sentence, marker_of
from index.formats.text.text_lists import OpenLists
from index.formats.text.text_runs import (
    code_lines,
    column_lines,
    contents_lines,
    family_of,
    field_lines,
    heading_level,
    is_shown_code,
    log_lines,
    parted_lines,
    parts,
    quoted_lines,
    rows_of,
    signature_lines,
)
from index.formats.text.text_tables import Row, column_table, figure_row, has_gaps, parted_rows
from index.records import Page

_TABLE_RULE = re.compile(r"[|+][-=:+| ]+|[-=:]+(?:[ |+]+[-=:]+)+")
_MAX_TERM = 8  # words
_FINDERS = (
    contents_lines,
    log_lines,
    quoted_lines,
    parted_lines,
    column_lines,
    field_lines,
    signature_lines,
    code_lines,
)


def read_plain_text(text: str) -> Parsed:
    """Return the blocks of the text. Form feeds part its pages; without any it has none."""
    reader = _Reader(text)
    reader.read()
    return Parsed(text, reader.builder.finish(), pages=_pages(text) if "\f" in text else ())


def as_text(text: str, name: str, error: ValueError) -> Parsed:
    """Return the blocks of a text that is not in the format of that name, as the error says, with a warning."""
    warning = f"It is no valid {name} ({error}), so it was read as plain text, without records"
    return replace(read_plain_text(text), warnings=(warning,))


def _pages(text: str) -> tuple[Page, ...]:
    pages: list[Page] = []
    start = 0
    for number, page in enumerate(text.split("\f"), start=1):
        pages.append(Page(number, start, start + len(page)))
        start += len(page) + 1
    return tuple(pages)


class _Reader:
    def __init__(self, text: str) -> None:
        self.builder = BlockBuilder(text)
        self._text = text
        self._stretches = list(stretches(text))
        self._lists = OpenLists(self.builder)
        self._fence_lines = [line for stretch in self._stretches for line in stretch.lines if fence_of(line.text)]
        self._fences_read = 0
        self._code_until = -1
        self._families: Counter[str] = Counter()  # of the marks in this stretch, and of the one that begins the next
        self._width = 0

    def read(self) -> None:
        """Read all stretches of lines."""
        place = 0
        while place < len(self._stretches):
            place += self._read_stretch(place)
        self._lists.close()

    def _read_stretch(self, place: int) -> int:
        """Read the stretch, and return how many stretches were read with it."""
        stretch = self._stretches[place]
        after = self._stretches[place + 1] if place + 1 < len(self._stretches) else None
        before = self._stretches[place - 1] if place else None
        lines = self._without_code(stretch.lines)
        if not lines:
            return 1
        if not self._lists or not marker_of(lines[0].text):
            self._lists.close(lines[0].indent)
        if count := self._read_ruled_table(place, lines):
            return count
        if level := heading_level(Stretch(lines, stretch.rule), before, after, numbered=bool(self._lists)):
            self._lists.close()
            is_furniture = after is not None and is_contents(after.lines[0].text)
            for line in lines:
                facts = {} if is_furniture else {"level": level}
                kind = Kind.FURNITURE if is_furniture else Kind.HEADING
                self.builder.add(kind, line.text_start, line.text_end, **facts)
            return 1
        if count := self._read_definitions(lines, after):
            return count
        if is_shown_code(lines, before):
            self.builder.add(Kind.CODE, lines[0].text_start, lines[-1].text_end)
            return 1
        self._read_lines(lines, after)
        return 1

    def _read_ruled_table(self, place: int, lines: list[Line]) -> int:
        """Read a table whose header a rule parts from the rows below; return the number of its stretches, 0 for none."""
        count = 1
        while _TABLE_RULE.fullmatch(self._stretches[place + count - 1].rule) and place + count < len(self._stretches):
            following = self._stretches[place + count].lines
            if not any("|" in line.text or has_gaps(line) for line in following):
                break
            count += 1
        if count == 1:
            return 0
        every = [*lines, *(line for s in self._stretches[place + 1 : place + count] for line in s.lines)]
        rows = parted_rows(every, "|") if all("|" in line.text for line in every) else column_table(every)
        if not rows:
            return 0
        self._lists.close()
        add_table(self.builder, rows, headers=len(lines))
        return count

    def _without_code(self, lines: list[Line]) -> list[Line]:
        """The lines after the last fenced code among them, which is added here with the lines before it."""
        left = [line for line in lines if line.start >= self._code_until]
        first = 0
        for number, line in enumerate(left):
            if line.start < self._code_until:
                first = number + 1
            elif fence_of(line.text) and (closing := self._closing_fence(line)) is not None:
                self._read_lines(left[first:number], None)
                self._add_fenced(line, closing)
                first = number + 1
        return left[first:]

    def _add_fenced(self, opening: Line, closing: Line) -> None:
        self._lists.close(opening.indent)
        self.builder.add(Kind.MARKUP, opening.text_start, opening.text_end)
        inner = self._text[opening.end : closing.start]
        body = inner.strip("\n").rstrip()
        if body:
            start = opening.end + len(inner) - len(inner.lstrip("\n"))
            language = opening.text.strip("`~ ").split()
            self.builder.add(Kind.CODE, start, start + len(body), marker=language[0] if language else "")
        self.builder.add(Kind.MARKUP, closing.text_start, closing.text_end)
        self._code_until = closing.end

    def _closing_fence(self, line: Line) -> Line | None:
        """The line that closes the fenced code which the line opens, if there is one."""
        while self._fence_lines[self._fences_read].start < line.start:
            self._fences_read += 1
        following = self._fence_lines[self._fences_read + 1 : self._fences_read + 2]
        return following[0] if following else None

    def _read_lines(self, lines: Sequence[Line], after: Stretch | None) -> None:
        """Read the lines of one stretch, from top to bottom."""
        if not lines:
            return
        self._width = usual_width(lines)
        self._families = Counter(family_of(marker_of(line.text)) for line in lines)
        if after is not None:
            self._families[family_of(marker_of(after.lines[0].text))] += 1
        run: list[Line] = []
        number = 0
        while number < len(lines):
            line = lines[number]
            count = self._read_special(lines, number, run)
            if count:
                run = []
                number += count
                continue
            row = is_row(line.text)
            if run and parts(run[-1], line, self._width, is_figures=row):
                self._flush(run)
                run = []
            run.append(line)
            number += 1
            if row:
                number = self._read_figure_rows(run, lines, number)
                run = []
        self._flush(run)

    def _read_special(self, lines: Sequence[Line], number: int, run: list[Line]) -> int:
        """Read what begins at the line if it is no prose, after the run before it; return the number of its lines."""
        for find in _FINDERS:
            count = find(lines, number)
            if not count:
                continue
            self._flush(run)
            found = lines[number : number + count]
            if find in (contents_lines, signature_lines):
                self.builder.add(Kind.FURNITURE, found[0].text_start, found[-1].text_end)
            elif find is log_lines:
                self._lists.close()
                add_log(self.builder, found)
            elif find is quoted_lines:
                add_quotation(self.builder, found)
            elif find is field_lines:
                add_fields(self.builder, found)
            elif find is code_lines:
                self.builder.add(Kind.CODE, found[0].text_start, found[-1].text_end)
            else:
                self._lists.close()
                add_table(self.builder, rows_of(found))
            return count
        return 0

    def _flush(self, run: Sequence[Line]) -> None:
        """Add a run of lines as a paragraph or an item."""
        if not run:
            return
        start, end = run[0].text_start, run[-1].text_end
        marker = marker_of(run[0].text)
        family = family_of(marker)
        if not marker or not (is_bullet(marker) or self._lists.has(family) or self._families[family] > 1):
            self._lists.close(run[0].indent)
            self.builder.add(Kind.PARAGRAPH, start, end)
            return
        self._lists.open_item(run[0], marker, family)
        self.builder.extend(end)

    def _read_figure_rows(self, run: Sequence[Line], lines: Sequence[Line], number: int) -> int:
        """Add rows of figures that only single blanks part; a name may begin on the line before. Returns the next line."""
        named = 2 if len(run) == 2 else 1
        self._flush(run[:-named])
        rows = [self._figure_row(run[-named:])]
        while number < len(lines):
            pair = lines[number : number + 2]
            if is_row(pair[0].text):
                rows.append(self._figure_row(pair[:1]))
                number += 1
            elif len(pair) == 2 and is_row(pair[1].text) and not parts(pair[0], pair[1], self._width, is_figures=True):
                rows.append(self._figure_row(pair))
                number += 2
            else:
                break
        self._lists.close()
        add_table(self.builder, rows, headers=0)
        return number

    def _figure_row(self, lines: Sequence[Line]) -> Row:
        start, end = lines[0].text_start, lines[-1].text_end
        return figure_row(start, self._text[start:end])

    def _read_definitions(self, lines: Sequence[Line], after: Stretch | None) -> int:
        """Read the definitions that begin here; return the number of their stretches, 0 for none."""
        return 2 if self._reads_option(lines, after) else int(self._reads_indented_definitions(lines))

    def _reads_option(self, lines: Sequence[Line], after: Stretch | None) -> bool:
        """Whether the line is an option that the next stretch explains; if so, both are read."""
        if len(lines) != 1 or not is_option(lines[0].text) or after is None:
            return False
        following = after.lines
        if marker_of(following[0].text) or is_option(following[0].text) or not is_sentence(following[-1].text):
            return False
        if any(fence_of(line.text) for line in following):
            return False
        self._lists.close()
        self.builder.open(Kind.DEFINITION, lines[0].text_start)
        self.builder.add(Kind.TERM, lines[0].text_start, lines[0].text_end)
        self.builder.add(Kind.MEANING, following[0].text_start, following[-1].text_end)
        self.builder.close(following[-1].text_end)
        return True

    def _reads_indented_definitions(self, lines: Sequence[Line]) -> bool:
        """Whether the lines are terms, each with its meaning on indented lines below it; if so, they are read."""
        left = lines[0].indent
        starts = [number for number, line in enumerate(lines) if line.indent <= left]
        groups = [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]
        if not all(_is_definition(group, usual_width(lines)) for group in groups):
            return False
        self._lists.close()
        for term, *meaning in groups:
            self.builder.open(Kind.DEFINITION, term.text_start)
            self.builder.add(Kind.TERM, term.text_start, term.text_end)
            self.builder.add(Kind.MEANING, meaning[0].text_start, meaning[-1].text_end)
            self.builder.close(meaning[-1].text_end)
        return True


def _is_definition(lines: Sequence[Line], width: int) -> bool:
    """Whether the first line is a term and the others, further to the right by two blanks or more, are its meaning."""
    term, *meaning = lines
    if not meaning or any(line.indent < term.indent + 2 or fence_of(line.text) for line in meaning):
        return False
    if marker_of(term.text) or marker_of(meaning[0].text) or is_sentence(term.text) or is_row(term.text):
        return False
    is_short = len(term.text.split()) <= _MAX_TERM and not term.text.endswith((",", ";"))
    is_prose = is_sentence(meaning[-1].text) and len(" ".join(line.text for line in meaning).split()) > 2
    return is_short and is_prose and parts(term, meaning[0], width, is_figures=False)
