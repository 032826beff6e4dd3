"""Mailboxes (mbox) -> their messages in order, read line by line, so that memory does not grow with the mailbox.

A message begins at a line `From ` with a time of day in it, at the start of the file or after an empty line. Most
programs quote such a line inside a message as `>From `, but not all do. A message is named by its Message-ID, which
stays the same when messages before it are deleted; without a usable one, by its number.
"""

import re
from collections.abc import Callable, Iterator
from email.parser import BytesHeaderParser
from itertools import chain
from typing import IO

from index.formats.members import Damaged, Member

_BEGINS = re.compile(rb"From .*\d\d?:\d\d")
_QUOTED = re.compile(rb">+From ")
_EMPTY_LINES = (b"\n", b"\r\n")
_MAX_LINE_BYTES = 2**20
_MAX_HEADER_LINES = 2000
_ID = re.compile(r"<([^<>\s]{1,250})>")


def mailbox_messages(file: IO[bytes]) -> Iterator[Member]:
    """The messages of the mailbox. Raises `Damaged` if it does not begin like one."""
    if not _BEGINS.match(file.readline(_MAX_LINE_BYTES)):
        raise Damaged("its first line begins no message")
    mailbox = _Mailbox(file)
    taken: set[str] = set()
    number = 0
    while mailbox.is_more:
        number += 1
        lines = mailbox.message()
        header = list(_header(lines))
        name = _message_id(b"".join(header))
        name = name if name and name not in taken else str(number)
        taken.add(name)
        yield Member(name, _message_data(header, lines), suffix=".eml")
        for _ in lines:
            continue  # skip what the caller did not read of this message


class _Mailbox:
    """A mailbox file, read from after its first `From ` line."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.is_more = True

    def message(self) -> Iterator[bytes]:
        """The lines of the next message, without the `From ` line that begins the one after it."""
        self.is_more = False
        after_empty = False
        while line := self._file.readline(_MAX_LINE_BYTES):
            if after_empty and _BEGINS.match(line):
                self.is_more = True
                return
            after_empty = line in _EMPTY_LINES
            yield line[1:] if _QUOTED.match(line) else line


def _header(lines: Iterator[bytes]) -> Iterator[bytes]:
    for line, _ in zip(lines, range(_MAX_HEADER_LINES), strict=False):
        yield line
        if line in _EMPTY_LINES:
            return


def _message_id(header: bytes) -> str:
    """The Message-ID without its brackets and slashes, for use in a URI; empty if there is none."""
    value = str(BytesHeaderParser().parsebytes(header).get("Message-ID", ""))
    match = _ID.search(value)
    return match.group(1).replace("/", "_") if match else ""


def _message_data(header: list[bytes], rest: Iterator[bytes]) -> Callable[[], Iterator[bytes]]:
    return lambda: chain(header, rest)
