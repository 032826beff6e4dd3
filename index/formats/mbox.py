"""Mailboxes (mbox) -> their messages in order, a line at a time, so that the size of the mailbox does not matter.

A message begins at a line `From `, first in the file or after an empty line, that has a time of day in it: programs that
write mailboxes quote such lines inside of a message as `>From `, but not all do. A message is called by its Message-ID, which
stays when others before it are deleted, else by its number.
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
_LONGEST_LINE = 2**20
_MOST_HEADER_LINES = 2000
_ID = re.compile(r"<([^<>\s]{1,250})>")


def mailbox_messages(file: IO[bytes]) -> Iterator[Member]:
    """The messages of the mailbox. `Damaged` if it does not begin like one."""
    if not _BEGINS.match(file.readline(_LONGEST_LINE)):
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
        yield Member(name, _all_of(header, lines), suffix=".eml")
        for _ in lines:
            continue  # to the next message, whatever was taken of this one


class _Mailbox:
    """A mailbox file behind the first `From ` line."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.is_more = True

    def message(self) -> Iterator[bytes]:
        """The lines of the next message, without the line that begins the one after it."""
        self.is_more = False
        after_empty = False
        while line := self._file.readline(_LONGEST_LINE):
            if after_empty and _BEGINS.match(line):
                self.is_more = True
                return
            after_empty = line in _EMPTY_LINES
            yield line[1:] if _QUOTED.match(line) else line


def _header(lines: Iterator[bytes]) -> Iterator[bytes]:
    for line, _ in zip(lines, range(_MOST_HEADER_LINES), strict=False):
        yield line
        if line in _EMPTY_LINES:
            return


def _message_id(header: bytes) -> str:
    """The Message-ID without its brackets, fit for a URI; empty if there is none."""
    stated = str(BytesHeaderParser().parsebytes(header).get("Message-ID", ""))
    match = _ID.search(stated)
    return match.group(1).replace("/", "_") if match else ""


def _all_of(header: list[bytes], rest: Iterator[bytes]) -> Callable[[], Iterator[bytes]]:
    return lambda: chain(header, rest)
