"""YAML -> records and fields with their places, over the events of PyYAML. Pure.

An alias is not replaced by what it stands for, so a small text cannot grow. Comments are kept: they are what the parser leaves
out between the values.
"""

import re
from collections.abc import Iterator, Sequence

import yaml

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
from index.formats.text.remarks import remarks_of

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_COMMENT = re.compile(r"(?:^|(?<=\s))#[^\n]*", re.MULTILINE)
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*+")


def read_yaml(text: str) -> Parsed:
    """Return the records of the YAML documents. What is no YAML, or only text, is read as plain text, with a warning."""
    try:
        roots, used = yaml_values(text, 0, len(text))
    except NotRecords as error:
        return as_text(text, "YAML", error)
    if all(isinstance(root, Scalar) for root in roots):
        return as_text(text, "YAML", NotRecords("it has no keys"))
    return Parsed(text, tree_blocks(text, roots, remarks_of(text, _comments(text, used))))


def yaml_values(text: str, begin: int, end: int) -> tuple[list[Value], list[Span]]:
    """Return the documents in `text[begin:end]` as trees, and the ranges of their scalars. Raises `NotRecords`."""
    roots: list[Value] = []
    used: list[Span] = []
    open_values: list[tuple[Mapping | Items, list[Span]]] = []  # and the key that waits for its value
    try:
        for event in yaml.parse(text[begin:end], Loader=_Loader):
            value = _value_of(event, text, begin)
            if value is None:
                continue
            if isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
                used.append(_span(event, begin))
            if isinstance(event, yaml.CollectionEndEvent):
                value, _ = open_values.pop()
                value.end = max(value.start, _last_end(value))
            elif isinstance(value, Mapping | Items):
                open_values.append((value, []))
                if len(open_values) > MAX_DEPTH:
                    raise NotRecords(f"it is nested deeper than {MAX_DEPTH}")
                continue
            if len(used) > MAX_VALUES:
                raise NotRecords(f"it holds more than {MAX_VALUES:,} values")
            _place(value, open_values, roots)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error)
        place = f" in line {text.count(chr(10), 0, begin) + mark.line + 1}" if mark is not None else ""
        raise NotRecords(f"{reason}{place}") from error
    return roots, used


def _value_of(event: yaml.Event, text: str, begin: int) -> Value | None:
    """The value that begins or ends with the event; None for events that are neither."""
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event, text, begin)
    if isinstance(event, yaml.AliasEvent):
        return Scalar(*_span(event, begin))
    if isinstance(event, yaml.MappingStartEvent | yaml.CollectionEndEvent):
        return Mapping(*_span(event, begin))
    if isinstance(event, yaml.SequenceStartEvent):
        return Items(*_span(event, begin))
    return None


def _span(event: yaml.Event, begin: int) -> Span:
    assert event.start_mark is not None
    assert event.end_mark is not None
    return Span(begin + event.start_mark.index, begin + event.end_mark.index)


def _place(value: Value, open_values: list[tuple[Mapping | Items, list[Span]]], roots: list[Value]) -> None:
    """Put a value that is read whole where it belongs."""
    if not open_values:
        roots.append(value)
        return
    holder, waiting = open_values[-1]
    if isinstance(holder, Items):
        holder.values.append(value)
    elif waiting:
        holder.entries.append((waiting.pop(), value))
    else:
        waiting.append(Span(value.start, value.end))


def _scalar(event: yaml.ScalarEvent, text: str, begin: int) -> Scalar:
    """A scalar without its quotes or its block mark."""
    start, end = _span(event, begin)
    if event.anchor or event.tag:
        properties = _PROPERTIES.match(text, start, end)
        start = properties.end() if properties else start
    if event.style in ("'", '"'):
        start, end = start + 1, end - 1
        escape = re.compile("''" if event.style == "'" else r"\\(?:x..|u.{4}|U.{8}|\s*\n\s*|.)", re.DOTALL)
        found = [Replaced(m.start(), m.end(), _unescaped(m.group())) for m in escape.finditer(text, start, end)]
        return Scalar(start, end, found)
    if event.style in ("|", ">"):
        line_end = text.find("\n", start, end)
        start = end if line_end < 0 else line_end
        body = text[start:end]
        start += len(body) - len(body.lstrip())
        end = start + len(body.strip())
    return Scalar(start, end)


def _unescaped(escape: str) -> str:
    if escape == "''":
        return "'"
    body = escape[1:]
    if body[0] in "xuU" and len(body) > 1:
        try:
            return chr(int(body[1:], 16))
        except (ValueError, OverflowError):
            return "\ufffd"
    return {"n": "\n", "t": "\t", "_": " ", "N": "\n"}.get(body, "" if body.isspace() else body)


def _last_end(value: Mapping | Items) -> int:
    """Where the last value ends; what follows in its range may be comments and the keys of others."""
    last = (value.entries[-1][1] if value.entries else None) if isinstance(value, Mapping) else None
    if isinstance(value, Items) and value.values:
        last = value.values[-1]
    if last is None:
        return value.end
    key_end = value.entries[-1][0].end if isinstance(value, Mapping) else 0
    return max(last.end, key_end)


def _comments(text: str, used: Sequence[Span]) -> Iterator[Span]:
    """The comments between the scalars."""
    position = 0
    for start, end in (*used, Span(len(text), len(text))):
        for match in _COMMENT.finditer(text, position, max(position, start)):
            yield Span(*match.span())
        position = max(position, end)
