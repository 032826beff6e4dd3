"""Read data files as records that know their file and line, so that every error names its place.

Text is UTF-8 (a byte order mark is allowed). Line numbers of JSON files are computed only for errors: JSON is parsed by
the fast decoder, and parsed again by one that notes positions when an error needs it.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from json import scanner
from pathlib import Path
from typing import Any, TypeAlias

from evaluation.errors import DataInvalid

Key: TypeAlias = str | int

_UTF8 = "Save the whole file as UTF-8 (for example: iconv -f {} -t UTF-8 OLD > NEW)"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BYTE_ORDER_MARK = "\ufeff"
_SURROGATE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


@dataclass(frozen=True, slots=True)
class DataRecord:
    """One JSON object of a data file.

    `line` is known for JSON lines, else computed on demand from `path` (keys from the root).
    """

    value: Mapping[str, Any]
    file: Path
    line: int | None = None
    path: tuple[Key, ...] = ()

    def fault(self, reason: str, fix: str) -> DataInvalid:
        """The error to raise about this record, with its place."""
        line = self.line if self.line is not None else line_of(self.file, self.path)
        return DataInvalid(self.file, line, reason, fix)

    def text(self, key: str, *, default: str | None = None) -> str:
        """A string field, not blank; `default`, if given, when it is missing or null.

        A whole number is returned as a string.
        """
        value = self.value.get(key)
        if value is None and default is not None:
            return default
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str) or (not value.strip() and default is None):
            raise self.fault(f"field {key!r} is {_describe(value, key in self.value)}", f"Give {key!r} a text")
        return value

    def flag(self, key: str, *, default: bool | None = None) -> bool | None:
        """A true/false field; `default` when it is missing or null."""
        value = self.value.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.fault(f"field {key!r} is {_describe(value, True)}", f"Write {key!r} as true or false")
        return value

    def number(self, key: str) -> int:
        """A required integer field."""
        value = self.value.get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.fault(f"field {key!r} is {_describe(value, key in self.value)}", f"Give {key!r} a whole number")
        return value

    def texts(self, key: str, *, required: bool = True) -> tuple[str, ...]:
        """A list of strings; empty when it is missing and not required."""
        values = self._list(key, required)
        for value in values:
            if not isinstance(value, str):
                raise self.fault(f"field {key!r} holds {value!r}", f"Give {key!r} a list of texts")
        return tuple(values)

    def children(self, key: str, *, required: bool = True) -> list["DataRecord"]:
        """A list of objects; empty when it is missing and not required."""
        children = []
        for position, value in enumerate(self._list(key, required)):
            child = DataRecord(value, self.file, self.line, (*self.path, key, position))
            if not isinstance(value, dict):
                raise self.fault(f"item {position} of {key!r} is {value!r}", "Make it a JSON object")
            children.append(child)
        return children

    def refuse_unknown(self, known: tuple[str, ...]) -> None:
        """Raise DataInvalid for a field that is not in `known`; a misspelt field would be dropped silently."""
        for key in self.value:
            if key not in known:
                close = get_close_matches(key, known, n=1)
                hint = f"Did you mean {close[0]!r}?" if close else f"Known fields: {', '.join(known)}"
                raise self.fault(f"unknown field {key!r}", hint)

    def _list(self, key: str, required: bool) -> list[Any]:
        value = self.value.get(key)
        if value is None and not required:
            return []
        if not isinstance(value, list):
            raise self.fault(f"field {key!r} is {_describe(value, key in self.value)}", f"Make {key!r} a list")
        return value


class UniqueIds:
    """The ids seen so far in one file; a second use raises DataInvalid with both places."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._seen: dict[str, DataRecord] = {}

    def add(self, id: str, record: DataRecord) -> str:
        """Add and return the id. Raises DataInvalid if another record has it."""
        first = self._seen.setdefault(id, record)
        if first is not record:
            where = first.line if first.line is not None else line_of(first.file, first.path)
            raise record.fault(f"{self.kind} id {id!r} is used twice, first in line {where}", "Give each its own id")
        return id


def read_text(file: Path) -> str:
    """The file's text.

    Raises DataInvalid if the file is missing, empty or not UTF-8, with the line of the first bad byte.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise DataInvalid(file, None, error.strerror or "cannot be read", "Check the path") from error
    if not data.strip():
        raise DataInvalid(file, None, "the file is empty", "Put at least one record in it, or name another file")
    if data.startswith(_UTF16):
        raise DataInvalid(file, 1, "the file begins with the byte order mark of UTF-16", _UTF8.format("UTF-16"))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        reason = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise DataInvalid(file, line, reason, _UTF8.format("WINDOWS-1252")) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataInvalid(file, line, "a zero byte; the text looks like UTF-16", _UTF8.format("UTF-16LE"))
    return text


def text_lines(file: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with numbers from 1.

    Only line feeds end a line; other separators may be part of a text.
    """
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        if line.strip():
            yield number, line.removesuffix("\r")


def json_lines(file: Path) -> Iterator[DataRecord]:
    """The records of a JSON lines file."""
    yield from _records(text_lines(file), file)


def parsed_lines(text: str, file: Path) -> Iterator[DataRecord]:
    """The records of JSON lines that `file` held in another form."""
    yield from _records(enumerate(text.split("\n")[:-1], start=1), file)


def _records(lines: Iterable[tuple[int, str]], file: Path) -> Iterator[DataRecord]:
    for number, line in lines:
        if line.startswith(_BYTE_ORDER_MARK):
            fix = "Remove it; it is left where files were joined"
            raise DataInvalid(file, number, "a byte order mark inside the file", fix)
        value = _parse_json(line, file, number, "Write one JSON object a line")
        if not isinstance(value, dict):
            raise DataInvalid(file, number, f"{line[:60]!r} is not an object", "Write one JSON object a line")
        yield DataRecord(value, file, number)


def json_root(file: Path) -> DataRecord:
    """The root of a JSON file as a record; a list at the root becomes its field ""."""
    value = _parse_json(read_text(file), file, None, "Repair or re-download the file")
    return DataRecord(value if isinstance(value, dict) else {"": value}, file)


def _parse_json(text: str, file: Path, line: int | None, fix: str) -> Any:
    """The JSON value of a text on `line` of the file (None: the whole file); every error is raised as DataInvalid."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        place = f" at column {error.colno}"
        raise DataInvalid(file, line or error.lineno, f"not JSON: {error.msg}{place}", fix) from error
    except RecursionError as error:
        raise DataInvalid(file, line or 1, "the JSON is nested too deeply", fix) from error
    except ValueError as error:  # a number of more digits than Python reads
        raise DataInvalid(file, line, f"not JSON that can be read: {error}", fix) from error
    half = _SURROGATE.search(text)
    if half is not None and not _is_text(value):
        number = line or text.count("\n", 0, half.start()) + 1
        raise DataInvalid(file, number, f"{half.group()} is half a character", "Write the whole character")
    return value


def _is_text(value: object) -> bool:
    """Whether the value can be encoded as UTF-8, which half a surrogate pair cannot."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def line_of(file: Path, path: tuple[Key, ...]) -> int | None:
    """The line on which the object or list at `path` begins in a JSON file; None if it is nested too deeply."""
    text = read_text(file)
    decoder = _PlacingDecoder()
    try:
        node = decoder.decode(text)
    except RecursionError:
        return None
    place = decoder.places.get(id(node), 0)
    for key in path:
        if key == "":
            continue
        node = node[key]
        place = decoder.places.get(id(node), place)
    return text.count("\n", 0, place) + 1


class _PlacingDecoder(json.JSONDecoder):
    """A JSON decoder that records where each object begins (`places`: id of the object -> character)."""

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[int, int] = {}
        within: Any = self
        parse = within.parse_object

        def placing(state: tuple[str, int], *rest: Any) -> tuple[Any, int]:
            value, end = parse(state, *rest)
            self.places[id(value)] = state[1] - 1
            return value, end

        within.parse_object = placing
        within.scan_once = scanner.py_make_scanner(self)  # type: ignore[attr-defined]


def _describe(value: object, present: bool) -> str:
    if not present:
        return "missing"
    return "blank" if isinstance(value, str) and not value.strip() else repr(value)[:60]
