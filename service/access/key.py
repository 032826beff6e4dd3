"""API keys as text: `quoth_<id>_<secret>`. What is stored of one, and how one is checked. Pure, but for `mint`.

Only the SHA-256 of a key is stored. A slow hash (bcrypt, Argon2) is for passwords, which people choose and attackers guess: a
secret of 256 random bits cannot be guessed however fast the hash is, and every request pays for the hash. No salt is
needed either, since no two keys are equal. Whoever reads the database cannot make a request with what is in it.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

PREFIX = "quoth"
_ID_BYTES = 6
_SECRET_BYTES = 32
_FORM = re.compile(rf"{PREFIX}_([0-9a-f]{{{2 * _ID_BYTES}}})_([0-9a-f]{{{2 * _SECRET_BYTES}}})")
_NO_DIGEST = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Minted:
    """A new key. `text` is shown once and kept nowhere; `repr` does not have it."""

    id: str
    text: str

    def __repr__(self) -> str:
        return f"Minted(id={self.id!r})"


def mint() -> Minted:
    """A key that nobody has: 256 random bits from the operating system behind a public id."""
    key_id = secrets.token_hex(_ID_BYTES)
    return Minted(key_id, f"{PREFIX}_{key_id}_{secrets.token_hex(_SECRET_BYTES)}")


def id_of(text: str) -> str | None:
    """The public id inside a key, None when `text` does not have the form of one."""
    match = _FORM.fullmatch(text)
    return match[1] if match else None


def digest(text: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(text.encode()).hexdigest()


def matches(text: str, stored: str | None) -> bool:
    """Whether `text` is the key that `stored` is the digest of; None is no key's. Takes the same time either way."""
    same = hmac.compare_digest(digest(text), stored or _NO_DIGEST)
    return same and stored is not None
