"""The values of a data file as a tree with their places -> records and fields. Pure.

Formats that nest (JSON, YAML, TOML, XML) build this tree. An object that holds scalars is a record. Small objects inside a
record belong to it; the objects of a list are records of their own, labelled with the keys above them and with what identifies
the object that holds the list.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from index.blocks.block import Block, Kind, Span
from index.blocks.labels import IDENTITY
from index.formats.text.block_builder import BlockBuilder

MAX_DEPTH = 100
MAX_VALUES = 1_000_000

_SMALL = 8  # scalars of an object that belongs to the record around it
_MAX_RECORD_CHARACTERS = 1500
_MAX_RECORD_FIELDS = 40
_LONG = 400  # characters of a value that is read as prose, sentence by sentence


class Replaced(NamedTuple):
    """A range inside a value that is not read as it stands, such as an escape, and what is read instead."""

    start: int
    end: int
    text: str = ""


@dataclass(slots=True)
class Scalar:
    """A value without parts: its range, without quotes. `is_prose` says that it is running text."""

    start: int
    end: int
    replaced: list[Replaced] = field(default_factory=list)
    is_prose: bool = False


@dataclass(slots=True)
class Items:
    """A list of values."""

    start: int
    end: int
    values: "list[Value]" = field(default_factory=list)


@dataclass(slots=True)
class Mapping:
    """Values with their keys. `is_item` marks one of several siblings of the same name, as XML has them."""

    start: int
    end: int
    entries: "list[tuple[Span, Value]]" = field(default_factory=list)
    is_item: bool = False


Value = Scalar | Items | Mapping


class Remark(NamedTuple):
    """A comment: its range, the marks in it that are not read, and whether it is a setting that was switched off.

    One that stands after a value on its line is about that value.
    """

    start: int
    end: int
    marks: tuple[Span, ...]
    is_setting: bool


class NotRecords(ValueError):
    """The text is not what the format says. The message is the reason."""


def tree_blocks(text: str, roots: Sequence[Value], remarks: Sequence[Remark] = ()) -> tuple[Block, ...]:
    """Return the records and fields of the trees, with the comments between them as notes."""
    writer = _Writer(text, remarks)
    for root in roots:
        writer.write_root(root)
    writer.write_remarks(len(text) + 1)
    return writer.builder.finish()


class _Writer:
    def __init__(self, text: str, remarks: Sequence[Remark]) -> None:
        self.builder = BlockBuilder(text)
        self._text = text
        self._remarks = list(reversed(remarks))
        self._last: Span | None = None  # the field that was written last, with its key

    def write_root(self, root: Value) -> None:
        """Write one document of the file."""
        self.write_remarks(root.start)
        if isinstance(root, Scalar):
            self._write_field(root, ())
        else:
            self._write_record(root, (), is_item=False)

    def write_remarks(self, before: int) -> None:
        """Write the comments that begin before that place."""
        while self._remarks and self._remarks[-1].start < before:
            remark = self._remarks.pop()
            if remark.is_setting:
                self.builder.add(Kind.FURNITURE, remark.start, remark.end)
                continue
            is_beside = self._last is not None and "\n" not in self._text[self._last.end : remark.start]
            self.builder.open(Kind.NOTE, remark.start, labels=(self._last,) if self._last and is_beside else ())
            for mark in remark.marks:
                self.builder.add(Kind.MARKUP, *mark)
            self.builder.close(remark.end)

    def _write_record(self, value: Mapping | Items, path: tuple[Span, ...], *, is_item: bool) -> None:
        """Write an object or a list as a record, and what it holds as its fields and as records of their own."""
        self.write_remarks(value.start)
        own = list(self._own_fields(value, is_item))
        fields = [item for keys, item in own if isinstance(item, Scalar | Items)]
        size = sum(item.end - item.start for item in fields)
        is_whole = size <= _MAX_RECORD_CHARACTERS and len(fields) <= _MAX_RECORD_FIELDS
        identity = self._identity(own)
        self.builder.open(Kind.RECORD, value.start, labels=path if is_whole and fields else ())
        for keys, item in own:
            if isinstance(item, Mapping):
                self._write_record(item, (*path, *keys), is_item=item.is_item)
            elif isinstance(item, Items) and not _is_flat(item):
                self._write_items(item, (*path, *keys, *identity))
            elif is_whole:
                self._write_field(item, keys)
            else:
                self.builder.open(Kind.RECORD, item.start)
                self._write_field(item, (*path, *(span for span in identity if span.start != item.start), *keys))
                self.builder.close(item.end)
        self.write_remarks(value.end)
        self.builder.close(value.end)

    def _own_fields(self, value: Mapping | Items, is_item: bool) -> Iterator[tuple[tuple[Span, ...], Value]]:
        """What an object holds, each with its keys; small objects inside give what they hold."""
        if isinstance(value, Items):
            yield (), value
            return
        scalars = sum(isinstance(item, Scalar) for _, item in value.entries)
        merges = is_item or (2 * scalars >= len(value.entries) and _is_small(value))
        for key, item in value.entries:
            if isinstance(item, Mapping) and not item.is_item and merges and _is_small(item):
                for keys, inner in self._own_fields(item, True):
                    yield (key, *keys), inner
            else:
                yield (key,), item

    def _write_items(self, items: Items, path: tuple[Span, ...]) -> None:
        for item in items.values:
            if isinstance(item, Scalar):
                self._write_field(item, path[-1:])
            else:
                self._write_record(item, path, is_item=True)

    def _identity(self, own: Sequence[tuple[tuple[Span, ...], Value]]) -> tuple[Span, ...]:
        """The range of the value that names the object, if one does."""
        for keys, item in own:
            is_short = isinstance(item, Scalar) and 0 < item.end - item.start <= 80 and not item.is_prose
            if is_short and keys and IDENTITY.match(self._text[keys[-1].start : keys[-1].end]):
                return (Span(item.start, item.end),)
        return ()

    def _write_field(self, item: Value, labels: tuple[Span, ...]) -> None:
        self.write_remarks(item.start)
        start, end = item.start, item.end
        if isinstance(item, Items):
            if not item.values:
                return
            start, end = item.values[0].start, item.values[-1].end
            if self._remarks and self._remarks[-1].start < end:
                for value in item.values:
                    self._write_field(value, labels)
                return
        if start >= end:
            return
        is_prose = isinstance(item, Scalar) and (item.is_prose or self._is_long(item))
        if is_prose:
            self.builder.open(Kind.PARAGRAPH, start)
        else:
            self.builder.open(Kind.FIELD, start, labels=labels)
        for mark in _replaced(item):
            self.builder.add(Kind.MARKUP, mark.start, mark.end, marker=mark.text)
        self.builder.close(end)
        key = labels[-1] if labels else None
        is_beside = key is not None and key.end <= start and "\n" not in self._text[key.start : start]
        self._last = Span(key.start if key is not None and is_beside else start, end)

    def _is_long(self, item: Scalar) -> bool:
        return item.end - item.start > _LONG and re.search(r"[.!?。]\s", self._text[item.start : item.end]) is not None


def _replaced(item: Value) -> Iterator[Replaced]:
    """What is not read as it stands: escapes, and what parts the values of a list."""
    if isinstance(item, Scalar):
        yield from item.replaced
        return
    assert isinstance(item, Items)
    end: int | None = None
    for value in item.values:
        if end is not None and value.start > end:
            yield Replaced(end, value.start, ", ")
        if isinstance(value, Scalar):
            yield from value.replaced
        end = value.end


def _is_flat(items: Items) -> bool:
    return all(isinstance(value, Scalar) for value in items.values)


def _is_small(value: Mapping) -> bool:
    return _count(value, _SMALL + 1) <= _SMALL


def _count(value: Value, most: int) -> int:
    """How many scalars it holds, counted up to `most`; a list of objects counts as `most`."""
    if isinstance(value, Scalar):
        return 1
    if isinstance(value, Items):
        return 1 if _is_flat(value) else most
    count = 0
    for _, item in value.entries:
        count += most if isinstance(item, Mapping) and item.is_item else _count(item, most - count)
        if count >= most:
            return most
    return count
