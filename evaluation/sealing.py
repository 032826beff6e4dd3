"""Seal a part of a test set: its cases are encrypted, runs over them show figures only, and every look is counted.

A sealed file is JSON: how the key is made of the passphrase (scrypt, Percival 2009), and the cases, encrypted and
authenticated (Fernet: AES-128-CBC with HMAC-SHA256). Beside it stands a record of looks, one line each, chained by an HMAC
with the same key.

It protects from what spoils a held-out set by accident: reading its cases while one tunes, a search that finds them, a
program that reads the folder. A changed case or record is noticed. It does not protect from somebody who has the passphrase
and decrypts the file by other means, nor from a record that is deleted, or put back to an earlier state: keep it under version
control.
"""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from evaluation.cases import Case
from evaluation.datasets.golden import case_fields, refuse_existing
from evaluation.errors import DataInvalid, SealInvalid

SUFFIX = ".sealed"
_LOOKS = ".looks"
_COST = {"n": 2**15, "r": 8, "p": 1}  # 32 MiB and some 0.1 s for each passphrase that is tried
_SALT_BYTES = 16
_MAX_MEMORY = 2**27


@dataclass(frozen=True, slots=True)
class Look:
    """One use of sealed cases: when (UTC), of which run, and whether its cases were opened or only counted."""

    at: str
    run: str
    opened: bool


@dataclass(frozen=True, slots=True)
class SealedCases:
    """A sealed file, decrypted: the cases as JSON lines, and the key that looks are recorded with."""

    file: Path
    text: str
    key: bytes

    def looks(self) -> list[Look]:
        """The looks so far, oldest first. Raises SealInvalid if the record was changed."""
        return [look for look, _ in self._recorded()]

    def record(self, run: str, *, opened: bool) -> None:
        """Record a look. Raises SealInvalid if the record was changed."""
        recorded = self._recorded()
        look = Look(datetime.now(UTC).isoformat(timespec="seconds"), run, opened)
        before = recorded[-1][1] if recorded else ""
        line = {**asdict(look), "mac": self._mac(look, before)}
        with _record_of(self.file).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")

    def _recorded(self) -> list[tuple[Look, str]]:
        file = _record_of(self.file)
        recorded: list[tuple[Look, str]] = []
        before = ""
        for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
            try:
                fields = json.loads(line)
                mac = str(fields.pop("mac"))
                look = Look(**fields)
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                raise SealInvalid(f"{file}: not a record of looks ({error}). Restore it.") from error
            if not hmac.compare_digest(mac, self._mac(look, before)):
                raise SealInvalid(
                    f"{file}: the look at {look.at} was changed, or one before it is missing. Restore it."
                )
            recorded.append((look, mac))
            before = mac
        return recorded

    def _mac(self, look: Look, before: str) -> str:
        return hmac.new(self.key, json.dumps([before, asdict(look)]).encode(), hashlib.sha256).hexdigest()


def seal(cases: Sequence[Case], file: Path, passphrase: str) -> None:
    """Write the cases into a new sealed file. Raises RunInvalid if it exists, SealInvalid for an empty passphrase."""
    refuse_existing(file)
    if not passphrase:
        raise SealInvalid("The passphrase is empty. Choose one that nobody guesses.")
    salt = os.urandom(_SALT_BYTES)
    lines = "".join(json.dumps(case_fields(case), ensure_ascii=False) + "\n" for case in cases)
    key = _key(passphrase, salt, _COST)
    record = {
        "quoth_sealed": 1,
        "cases": len(cases),
        "salt": salt.hex(),
        **_COST,
        "encrypted": Fernet(key).encrypt(lines.encode()).decode("ascii"),
    }
    file.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def unseal(file: Path, passphrase: str) -> SealedCases:
    """The cases of a sealed file. Raises DataInvalid if it is none, SealInvalid for another passphrase or a changed file."""
    try:
        record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        salt, encrypted = bytes.fromhex(record["salt"]), str(record["encrypted"])
        key = _key(passphrase, salt, {name: int(record[name]) for name in _COST})
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise DataInvalid(
            file, None, f"not a sealed file ({error})", "Name one that `quoth eval seal` wrote"
        ) from error
    try:
        text = Fernet(key).decrypt(encrypted.encode("ascii")).decode()
    except (InvalidToken, ValueError) as error:
        raise SealInvalid(f"{file}: the passphrase is another one, or the file was changed. Check both.") from error
    return SealedCases(file, text, key)


def _key(passphrase: str, salt: bytes, cost: dict[str, int]) -> bytes:
    made = hashlib.scrypt(passphrase.encode(), salt=salt, **cost, maxmem=_MAX_MEMORY, dklen=32)
    return base64.urlsafe_b64encode(made)


def _record_of(file: Path) -> Path:
    return file.with_name(file.name + _LOOKS)
