"""API keys as text, `quoth_<id>_<secret>`: creating and checking them, and the options of a key. Pure, except `mint`.

Only the SHA-256 of a key is stored. A slow hash (bcrypt, Argon2) is for passwords, which people choose and attackers guess: a
secret of 256 random bits cannot be guessed however fast the hash is, and every request pays for the hash. No salt is needed
either, since no two keys are equal. With what the database contains, nobody can make a request.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from service.errors import KeyOptionInvalid

PREFIX = "quoth"
_ID_BYTES = 6
_SECRET_BYTES = 32
_FORM = re.compile(rf"{PREFIX}_([0-9a-f]{{{2 * _ID_BYTES}}})_([0-9a-f]{{{2 * _SECRET_BYTES}}})")
_NO_DIGEST = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Minted:
    """A new key. `text` is shown once and stored nowhere; `repr` leaves it out."""

    id: str
    text: str

    def __repr__(self) -> str:
        return f"Minted(id={self.id!r})"


def mint() -> Minted:
    """A new key: a public id and 256 random bits from the operating system."""
    key_id = secrets.token_hex(_ID_BYTES)
    return Minted(key_id, f"{PREFIX}_{key_id}_{secrets.token_hex(_SECRET_BYTES)}")


def id_of(text: str) -> str | None:
    """The public id inside a key; None if `text` does not have the form of a key."""
    match = _FORM.fullmatch(text)
    return match[1] if match else None


def digest(text: str) -> str:
    """The SHA-256 of a key, which is what is stored."""
    return hashlib.sha256(text.encode()).hexdigest()


def matches(text: str, stored: str | None) -> bool:
    """Whether `stored` is the digest of the key `text`; None never is. Takes the same time either way."""
    same = hmac.compare_digest(digest(text), stored or _NO_DIGEST)
    return same and stored is not None


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
_ID = re.compile(r"[0-9a-f]{12}")
_TERM = re.compile(r"([0-9]{1,5})(h|d|w|y)")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1), "y": timedelta(days=365)}
_MAX_PRINCIPAL = 256


def name_of(written: str) -> str:
    """A name for a key. Raises KeyOptionInvalid for a name that does not print in a list or looks like an id."""
    if not _NAME.fullmatch(written) or _ID.fullmatch(written):
        raise KeyOptionInvalid(
            f"{written!r} cannot name a key. Use 1 to 64 letters, digits and _ . @ -, and not just what an id looks like"
        )
    return written


def expiry_of(written: str, now: datetime) -> datetime:
    """When a key created `now` expires: after `12h`, `90d`, `8w` or `1y`, or when the day `2027-01-31` begins (UTC)."""
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
        raise KeyOptionInvalid(f"The expiry {written!r} is in the past: the key would never be valid. Give a later one")
    return ends


def principals_of(written: Iterable[str]) -> frozenset[str]:
    """The principals of a key. Raises KeyOptionInvalid for a name that the principals header cannot carry."""
    principals = frozenset(written)
    for name in principals:
        if not name.strip() or name != name.strip() or "," in name or not name.isprintable():
            raise KeyOptionInvalid(
                f"{name!r} cannot name a principal. Use printed characters, no comma, no space around it"
            )
        if len(name) > _MAX_PRINCIPAL:
            raise KeyOptionInvalid(
                f"The principal {name[:40]!r}... is longer than {_MAX_PRINCIPAL} characters. Shorten it"
            )
    return principals
