"""Files inside files: how they are called, and what is known of one before it is unpacked. Pure.

The URI of a member is that of its file and, after `!/`, its name there: `file:///a.zip!/2024/offer.pdf`. The name is
percent-encoded like the rest, so that `!` occurs nowhere else, and the form may be repeated, as in
`file:///a.zip!/b.mbox!/7@example.org`.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

_DRIVE = re.compile(r"[A-Za-z]:")


class MemberFault(NamedTuple):
    """Why a member is not unpacked, and what to do about it. `is_expected`: nobody would want it to be."""

    reason: str
    fix: str
    is_expected: bool = False


class Member(NamedTuple):
    """A file inside a file. `data()` gives its bytes in pieces, to be taken before the next member is asked for.

    `suffix` tells its format where the name does not. `packed_bytes` is the space that it takes in its archive; None
    where that says nothing about its size.
    """

    name: str
    data: Callable[[], Iterator[bytes]]
    suffix: str = ""
    packed_bytes: int | None = None
    fault: MemberFault | None = None


class Overflow(Exception):
    """A file holds more than the limits allow. The message is the reason."""


class Damaged(Exception):
    """A file does not read any further, and so neither do the members that follow. The message says why."""


def leads_outside(name: str) -> bool:
    """Whether a name, unpacked as it stands, could lead out of its folder, or is none at all."""
    parts = name.replace("\\", "/").split("/")
    return not name or "\0" in name or parts[0] == "" or ".." in parts or _DRIVE.match(name) is not None
