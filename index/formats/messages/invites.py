"""Invitations in mails (iCalendar, RFC 5545) -> records: what, when, where. Pure."""

import re
from collections.abc import Iterator

from index.blocks.block import Kind
from index.formats.nodes import LINE_BREAK, Node

_FOLD = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(r"([A-Za-z-]+)((?:;[^:\";]*(?:\"[^\"]*\")?[^:\";]*)*):(.*)")
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z?))?\Z")
_PARAMETER = re.compile(r";(\w+)=\"?([^;\"]*)", re.IGNORECASE)
_ESCAPE = re.compile(r"\\([\\;,nN])")
_LABELS = {
    "SUMMARY": "Summary",
    "DTSTART": "Start",
    "DTEND": "End",
    "LOCATION": "Place",
    "ORGANIZER": "Organizer",
    "STATUS": "Status",
    "DESCRIPTION": "Description",
}
_ORDER = tuple(_LABELS)


def add_invites(parent: Node, calendar: str) -> None:
    """Append a record for each event of the calendar to `parent`."""
    for event in _events(calendar):
        record = parent.add(Kind.RECORD)
        for name in sorted(event, key=_ORDER.index):
            record.add(Kind.FIELD, event[name]).label = _LABELS[name]


def _events(calendar: str) -> Iterator[dict[str, str]]:
    event: dict[str, str] | None = None
    depth = 0  # of alarms and the like inside an event
    for line in _FOLD.sub("", calendar).splitlines():
        match = _LINE.match(line[:100_000])
        if match is None:
            continue
        name, parameters, value = match[1].upper(), dict(_PARAMETER.findall(match[2])), match[3].strip()
        if name == "BEGIN" and value.upper() == "VEVENT":
            event, depth = {}, 0
        elif name == "END" and value.upper() == "VEVENT":
            if event:
                yield event
            event = None
        elif name in ("BEGIN", "END"):
            depth += 1 if name == "BEGIN" else -1
        elif event is not None and not depth and name in _LABELS and value:
            event.setdefault(name, _shown(name, value, parameters))


def _shown(name: str, value: str, parameters: dict[str, str]) -> str:
    if name in ("DTSTART", "DTEND"):
        match = _TIME.match(value)
        if match is None:
            return value
        year, month, day, hour, minute, is_utc = match.groups()
        zone = "UTC" if is_utc else parameters.get("TZID", "")
        return f"{year}-{month}-{day}" + (f" {hour}:{minute} {zone}".rstrip() if hour else "")
    if name == "ORGANIZER":
        address = value.partition(":")[2] or value
        return f"{parameters['CN']} <{address}>" if parameters.get("CN") else address
    if name == "STATUS":
        return value.capitalize()
    return _ESCAPE.sub(lambda match: LINE_BREAK if match[1] in "nN" else match[1], value)
