"""JSON and JSON Lines -> records and fields with their places. Pure; linear, and bounded in depth.

Letters that stand as escapes (many programs write `u00e9` after a backslash for an accented e) are written out in the text: it
is the same JSON, and its keys and values can be read, found and quoted.
The standard library's parser gives no places, so values are scanned here; strings are scanned by its `scanstring`.
"""

import re
from json.decoder import scanstring  # type: ignore[attr-defined]  # typeshed leaves it out

from index.blocks.block import Span
from index.formats.parsed import Parsed
from index.formats.text.data_tree import (
    MAX_DEPTH,
    MAX_VALUES,
    Items,
    Mapping,
    NotRecords,
    Replaced,
    Scalar,
    Value,
    tree_blocks,
)
from index.formats.text.plain_text import as_text

_SPACE = re.compile(r"[ \t\n\r]*+")
_WORD = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|NaN|-?Infinity")
_ESCAPE = re.compile(r"(?:\\u[dD][89abAB][0-9a-fA-F]{2})?\\(?:u[0-9a-fA-F]{4}|.)", re.DOTALL)
_PLAIN_ESCAPES = {"n": "\n", "t": "\t", "r": "\n", "b": " ", "f": " "}


def read_json(text: str) -> Parsed:
    """Return the records of a JSON text. What is no JSON is read as plain text, with a warning."""
    try:
        shown = _with_letters(text)
        scanner = _Scanner(shown)
        root = scanner.value_at(0)
        if scanner.position < len(shown):
            return read_json_lines(text)
        return Parsed(shown, tree_blocks(shown, [root]))
    except NotRecords as error:
        return as_text(text, "JSON", error)


def read_json_lines(text: str) -> Parsed:
    """Return the records of JSON values one after the other. What is no JSON is read as plain text, with a warning."""
    roots: list[Value] = []
    shown = _with_letters(text)
    scanner = _Scanner(shown)
    try:
        while scanner.position < len(shown):
            roots.append(scanner.value_at(scanner.position))
        return Parsed(shown, tree_blocks(shown, roots))
    except NotRecords as error:
        return as_text(text, "JSON", error)


class _Scanner:
    """Scans values; `position` is where the last one ended, white space after it included."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._count = 0
        self.position = self._skip(0)

    def value_at(self, position: int) -> Value:
        """Return the value that begins there, after white space."""
        self.position = self._skip(position)
        open_values: list[Mapping | Items] = []
        keys: list[Span] = []  # of the open objects, innermost last
        while True:
            value = self._begin()
            if isinstance(value, Mapping | Items) and self._peek() not in "}]":
                open_values.append(value)
                if len(open_values) > MAX_DEPTH:
                    raise NotRecords(f"it is nested deeper than {MAX_DEPTH}")
                if isinstance(value, Mapping):
                    keys.append(self._key())
                continue
            while True:
                if isinstance(value, Mapping | Items):
                    self._take("}" if isinstance(value, Mapping) else "]")
                    value.end = self._last
                if not open_values:
                    return value
                holder = open_values[-1]
                if isinstance(holder, Mapping):
                    holder.entries.append((keys[-1], value))
                else:
                    holder.values.append(value)
                if self._peek() != ",":
                    value = open_values.pop()
                    if isinstance(value, Mapping):
                        keys.pop()
                    continue
                self._take(",")
                if isinstance(holder, Mapping):
                    keys[-1] = self._key()
                break

    def _begin(self) -> Value:
        """Begin the value at the position: a scalar whole, of others the opening bracket."""
        self._count += 1
        if self._count > MAX_VALUES:
            raise NotRecords(f"it holds more than {MAX_VALUES:,} values")
        start = self.position
        mark = self._peek()
        if mark in ("{", "["):
            self._take(mark)
            return Mapping(start, start) if mark == "{" else Items(start, start)
        if mark == '"':
            return self._string()
        match = _WORD.match(self._text, start)
        if match is None:
            raise NotRecords(f"no value begins in line {self._line(start)}")
        self.position = self._skip(match.end())
        return Scalar(start, match.end())

    def _string(self) -> Scalar:
        start = self.position + 1
        try:
            _, end = scanstring(self._text, start, False)
        except ValueError as error:
            raise NotRecords(f"a text in line {self._line(start)} does not end") from error
        self.position = self._skip(end)
        scalar = Scalar(start, end - 1)
        if self._text.find("\\", start, end) >= 0:
            scalar.replaced = [
                Replaced(match.start(), match.end(), _unescaped(match.group()))
                for match in _ESCAPE.finditer(self._text, start, end - 1)
            ]
        return scalar

    def _key(self) -> Span:
        if self._peek() != '"':
            raise NotRecords(f"no key stands in line {self._line(self.position)}")
        key = self._string()
        self._take(":")
        return Span(key.start, key.end)

    def _peek(self) -> str:
        return self._text[self.position : self.position + 1]

    def _take(self, mark: str) -> None:
        if not mark or not self._text.startswith(mark, self.position):
            raise NotRecords(f"{mark or 'a value'} is missing in line {self._line(self.position)}")
        self._last = self.position + 1
        self.position = self._skip(self._last)

    def _skip(self, position: int) -> int:
        match = _SPACE.match(self._text, position)
        return match.end() if match else position

    def _line(self, position: int) -> int:
        return self._text.count("\n", 0, position) + 1


def _with_letters(text: str) -> str:
    """The JSON with the letters in place of their escapes; those that JSON or a reader needs as escapes stay."""
    return _ESCAPE.sub(_letter, text) if "\\u" in text else text


def _letter(match: re.Match[str]) -> str:
    escape = match.group()
    value = _unescaped(escape) if escape[1] == "u" else ""
    return value if value > "\xa0" and value.isprintable() else escape


def _unescaped(escape: str) -> str:
    if escape[1] == "u":
        value: str = scanstring(f'{escape}"', 0, False)[0]
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _PLAIN_ESCAPES.get(escape[1], escape[1])
