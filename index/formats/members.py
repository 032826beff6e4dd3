"""Members, the files inside archives, mailboxes and e-mails: what is known of one before it is unpacked. Pure."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

_DRIVE = re.compile(r"[A-Za-z]:")


class MemberFault(NamedTuple):
    """Why a member is not unpacked, and the fix. `is_expected` is set if no one would expect it to be unpacked."""

    reason: str
    fix: str
    is_expected: bool = False


class Member(NamedTuple):
    """A file inside a file. `data()` yields its bytes in pieces; they must be read before the next member is requested.

    `suffix` is the suffix of its format where the name has none. `packed_bytes` is the space it takes in its archive;
    None where that says nothing about its size.
    """

    name: str
    data: Callable[[], Iterator[bytes]]
    suffix: str = ""
    packed_bytes: int | None = None
    fault: MemberFault | None = None


class Overflow(Exception):
    """A file holds more than the limits allow. The message is the reason."""


class Damaged(Exception):
    """The rest of a file cannot be read, nor the members that follow. The message says why."""


def leads_outside(name: str) -> bool:
    """Whether a name, used as a path, would lead out of the target folder, or is empty."""
    parts = name.replace("\\", "/").split("/")
    return not name or "\0" in name or parts[0] == "" or ".." in parts or _DRIVE.match(name) is not None
