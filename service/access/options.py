"""What a key is made with, read from words: its name, its expiry, its principals. Pure."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from service.errors import KeyOptionInvalid

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
_ID = re.compile(r"[0-9a-f]{12}")
_TERM = re.compile(r"([0-9]{1,5})(h|d|w|y)")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1), "y": timedelta(days=365)}
_LONGEST_PRINCIPAL = 256


def name_of(written: str) -> str:
    """A name for a key. Raises KeyOptionInvalid for one that would not print in a list, or that an id could be taken for."""
    if not _NAME.fullmatch(written) or _ID.fullmatch(written):
        raise KeyOptionInvalid(
            f"{written!r} cannot name a key. Use 1 to 64 letters, digits and _ . @ -, and not just what an id looks like"
        )
    return written


def expiry_of(written: str, now: datetime) -> datetime:
    """When a key ends that is made `now`: after `12h`, `90d`, `8w` or `1y`, or as the day `2027-01-31` begins (UTC)."""
    match = _TERM.fullmatch(written.strip().lower())
    try:
        if match:
            ends = now + int(match[1]) * _UNITS[match[2]]
        else:
            ends = datetime.strptime(written.strip(), "%Y-%m-%d").replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise KeyOptionInvalid(
            f"The expiry {written!r} cannot be read. Write a time from now, 12h, 90d, 8w or 1y, or a day, 2027-01-31"
        ) from error
    if ends <= now:
        raise KeyOptionInvalid(f"The expiry {written!r} is not in the future: the key would never be good")
    return ends


def principals_of(written: Iterable[str]) -> frozenset[str]:
    """The principals of a key. Raises KeyOptionInvalid for a name that the header of principals could not carry."""
    found = frozenset(written)
    for name in found:
        if not name.strip() or name != name.strip() or "," in name or not name.isprintable():
            raise KeyOptionInvalid(
                f"{name!r} cannot name a principal. Use printed characters, no comma, no space around it"
            )
        if len(name) > _LONGEST_PRINCIPAL:
            raise KeyOptionInvalid(f"The principal {name[:40]!r}... is longer than {_LONGEST_PRINCIPAL} characters")
    return found
