"""TOML -> records and fields with their places. Pure; linear.

The standard library checks the text but gives no places, so tables, keys and values are scanned here.
"""

import re
import tomllib
from json.decoder import scanstring  # type: ignore[attr-defined]  # typeshed leaves it out

from index.blocks.block import Block, Span
from index.formats.parsed import Parsed
from index.formats.text.data_tree import MAX_DEPTH, Items, Mapping, NotRecords, Replaced, Scalar, Value, tree_blocks
from index.formats.text.plain_text import as_text
from index.formats.text.remarks import remarks_of

_BLANK = re.compile(r"[ \t\r\n]*+")
_SPACE = re.compile(r"[ \t]*+")
_COMMENT = re.compile(r"#[^\n]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*'""")
_WORD = re.compile(r"[^\s,\]}#][^,\]}#\n]*")
_LITERAL = re.compile(r"'([^'\n]*)'")
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\s*\n\s*|.)", re.DOTALL)


def read_toml(text: str) -> Parsed:
    """Return the records of the TOML. What is no TOML is read as plain text, with a warning."""
    try:
        tomllib.loads(text)
        return Parsed(text, _Scanner(text).blocks())
    except (tomllib.TOMLDecodeError, RecursionError, NotRecords, ValueError) as error:
        return as_text(text, "TOML", error if isinstance(error, ValueError) else ValueError("it is nested too deep"))


class _Scanner:
    """Scans a text that is known to be right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._comments: list[Span] = []

    def blocks(self) -> tuple[Block, ...]:
        """Return the blocks of the text."""
        root = Mapping(0, len(self._text.rstrip()))
        table = root
        while self._skip_blank() < len(self._text):
            start = self._at
            if self._text[start] == "[":
                is_item = self._text.startswith("[[", start)
                self._at += 2 if is_item else 1
                keys = self._keys()
                self._at += 2 if is_item else 1
                table = Mapping(start, self._at, is_item=True)
                _enter(root, keys, table)
                continue
            keys = self._keys()
            self._at += 1  # the equals sign
            value = self._value(0)
            _enter(table, keys, value)
            table.end = max(table.end, value.end)
        return tree_blocks(self._text, [root], remarks_of(self._text, self._comments))

    def _keys(self) -> list[Span]:
        """The parts of a dotted key, without quotes."""
        keys: list[Span] = []
        while True:
            self._skip(_SPACE)
            match = _KEY.match(self._text, self._at)
            if match is None:
                raise NotRecords("a key is missing")
            quote = 1 if match.group()[0] in "\"'" else 0
            keys.append(Span(match.start() + quote, match.end() - quote))
            self._at = match.end()
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return keys
            self._at += 1

    def _value(self, depth: int) -> Value:
        """The value at the position."""
        if depth > MAX_DEPTH:
            raise NotRecords(f"it is nested deeper than {MAX_DEPTH}")
        start = self._skip(_SPACE)
        first = self._text[start : start + 1]
        if first == "[":
            return self._items(depth)
        if first == "{":
            return self._inline(depth)
        if first in ('"', "'"):
            return self._string(first)
        match = _WORD.match(self._text, start)
        if match is None:
            raise NotRecords("a value is missing")
        self._at = match.end()
        return Scalar(start, start + len(match.group().rstrip()))

    def _items(self, depth: int) -> Items:
        items = Items(self._at, self._at)
        self._at += 1
        while not self._text.startswith("]", self._skip_blank()):
            items.values.append(self._value(depth + 1))
            self._skip_comma()
        self._at += 1
        items.end = self._at
        return items

    def _inline(self, depth: int) -> Mapping:
        table = Mapping(self._at, self._at)
        self._at += 1
        while not self._text.startswith("}", self._skip_blank()):
            keys = self._keys()
            self._at += 1
            _enter(table, keys, self._value(depth + 1))
            self._skip_comma()
        self._at += 1
        table.end = self._at
        return table

    def _string(self, quote: str) -> Scalar:
        start = self._at
        if self._text.startswith(quote * 3, start):
            begin = end = start + 3
            while not self._text.startswith(quote * 3, end):
                end += 2 if quote == '"' and self._text[end] == "\\" else 1
            while self._text.startswith(quote, end + 3):
                end += 1
            self._at = end + 3
            begin += self._text.startswith("\n", begin)
        elif quote == "'":
            match = _LITERAL.match(self._text, start)
            assert match is not None
            begin, end = match.span(1)
            self._at = match.end()
        else:
            begin = end = start + 1
            while self._text[end] != '"':
                end += 2 if self._text[end] == "\\" else 1
            self._at = end + 1
        found = _ESCAPE.finditer(self._text, begin, end) if quote == '"' else ()
        return Scalar(begin, end, [Replaced(*match.span(), _unescaped(match.group())) for match in found])

    def _skip_comma(self) -> None:
        if self._text.startswith(",", self._skip_blank()):
            self._at += 1

    def _skip_blank(self) -> int:
        """Skip white space, line breaks and comments."""
        while True:
            self._skip(_BLANK)
            comment = _COMMENT.match(self._text, self._at)
            if comment is None:
                return self._at
            self._comments.append(Span(*comment.span()))
            self._at = comment.end()

    def _skip(self, pattern: "re.Pattern[str]") -> int:
        match = pattern.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._at


def _enter(holder: Mapping, keys: list[Span], value: Value) -> None:
    """Put the value under its keys; those above the last become objects around it."""
    for key in reversed(keys[1:]):
        value = Mapping(value.start, value.end, [(key, value)])
    holder.entries.append((keys[0], value))


def _unescaped(escape: str) -> str:
    if escape[1] in "uU":
        return chr(int(escape[2:], 16))
    if escape[1:].isspace():
        return ""
    text: str = scanstring(f'{escape}"', 0, False)[0] if escape[1] in 'bfnrt"\\' else escape
    return text
