"""INI, .properties, .env and systemd units -> records and fields with their places. Pure; linear.

A section is a record, labelled with its name. A value goes on in indented lines, or after a backslash at the line's end if the
next line is no setting of its own.
"""

import re
from collections.abc import Iterator

from index.blocks.block import Block, Span
from index.formats.parsed import Parsed
from index.formats.text.data_tree import Mapping, NotRecords, Replaced, Scalar, tree_blocks
from index.formats.text.plain_text import as_text
from index.formats.text.remarks import remarks_of

_SECTION = re.compile(r"[ \t]*\[([^\]\n]+)\][ \t]*(?:[#;][^\n]*)?\Z")
_COMMENT = re.compile(r"[ \t]*([#;!])")
_BESIDE = re.compile(r"[ \t]([#;])[ \t]")
_ENTRY = re.compile(r"[ \t]*(?:export[ \t]+)?([^\s=:#;\[][^=:\n]{0,200}?)[ \t]*([=:])[ \t]*")
_INDENT = re.compile(r"\s*")
_MIN_SHARE = 0.7  # of the lines that are sections, settings, comments or go on; fewer are another format


def read_ini(text: str) -> Parsed:
    """Return the records of the settings. What has few lines `key = value` is read as plain text, with a warning."""
    try:
        return Parsed(text, _Reader(text).read())
    except NotRecords as error:
        return as_text(text, "settings file", error)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._root = Mapping(0, len(text.rstrip()))
        self._section: Mapping | None = None
        self._last: Scalar | None = None
        self._backslash: int | None = None  # the place of the one that ends the line before
        self._comments: list[Span] = []

    def read(self) -> tuple[Block, ...]:
        """Return the blocks of the settings. Raises `NotRecords`."""
        lines = understood = 0
        for start, end in _lines(self._text):
            lines += 1
            understood += self._read_line(start, end)
        self._keep_backslash()
        if understood < _MIN_SHARE * lines or not self._root.entries:
            raise NotRecords("few of its lines are settings")
        return tree_blocks(self._text, [self._root], remarks_of(self._text, self._comments))

    def _read_line(self, start: int, end: int) -> bool:
        """Read a line that is not blank; return whether it was understood."""
        line = self._text[start:end]
        comment = _COMMENT.match(line)
        if self._last is not None and _goes_on(line, is_asked=self._backslash is not None):
            self._backslash = None
            self._continue(start, end)
            return True
        self._keep_backslash()
        if comment is not None:
            self._comments.append(Span(start + comment.start(1), end))
            return True
        if section := _SECTION.match(line):
            name = Span(start + section.start(1), start + section.end(1))
            self._section = Mapping(start, end, is_item=True)
            self._root.entries.append((name, self._section))
            self._last = None
            return True
        entry = _ENTRY.match(line)
        if entry is None:
            return False
        key = Span(start + entry.start(1), start + entry.end(1))
        self._last = self._value(start + entry.end(), end)
        holder = self._section if self._section is not None else self._root
        holder.entries.append((key, self._last))
        holder.end = max(holder.end, end)
        return True

    def _keep_backslash(self) -> None:
        """Leave the backslash in the value that ends in it, as nothing goes on after it."""
        if self._last is not None and self._backslash is not None:
            self._last.end = self._backslash + 1
        self._backslash = None

    def _value(self, start: int, end: int) -> Scalar:
        body = self._text[start:end].rstrip()
        if body[:1] not in ("'", '"') and (comment := _BESIDE.search(body)):
            self._comments.append(Span(start + comment.start(1), start + len(body)))
            body = body[: comment.start()].rstrip()
        if body.endswith("\\"):
            self._backslash = start + len(body) - 1
            body = body[:-1].rstrip()
        end = start + len(body)
        if len(body) > 1 and body[0] == body[-1] and body[0] in "\"'":
            start, end = start + 1, end - 1
        return Scalar(start, end)

    def _continue(self, start: int, end: int) -> None:
        """Join the line to the value before it."""
        assert self._last is not None
        indent = _INDENT.match(self._text, start, end)
        body = self._value(indent.end() if indent else start, end)
        between = Replaced(self._last.end, body.start, " ")
        if self._last.start == self._last.end:
            self._last.start = body.start
        elif self._text[between.start : between.end].strip():
            self._last.replaced.append(between)
        self._last.end = max(self._last.end, body.end)
        if self._section is not None:
            self._section.end = max(self._section.end, end)


def _goes_on(line: str, *, is_asked: bool) -> bool:
    """Whether the line goes on with the value before it; `is_asked` if that ends in a backslash."""
    is_new = _ENTRY.match(line) is not None or _COMMENT.match(line) is not None
    if line[0] in " \t":
        return is_asked or not is_new
    return is_asked and not is_new and _SECTION.match(line) is None


def _lines(text: str) -> Iterator[Span]:
    """The lines that are not blank, without their line breaks."""
    position = 0
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        if text[position:end].strip():
            yield Span(position, end)
        position = end + 1
