"""The API keys in the database: create, list and revoke them, and authenticate each request.

A key's rate bucket and its counts are columns of its row, and one UPDATE changes all of them: replicas on one database share
a key's rate, and what `quoth keys list` shows is exact. No row is ever deleted: a server that once required keys always does,
also when the database is lost (key_record.py).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import structlog
from sqlalchemy import ColumnElement, case, exists, select, update

from index.errors import DiskFull
from service.access.caller import Caller, Scope
from service.access.key_record import KeyRecord
from service.access.key_table import Key, KeyRow, key_from
from service.access.keys import Minted, digest, id_of, matches, mint
from service.access.rate import SLACK_S, BucketState, Rate, full_at_after_jump
from service.errors import (
    ExposureRefused,
    KeyInvalid,
    KeyMissing,
    KeyOptionInvalid,
    KeysKept,
    KeysLost,
    RateExceeded,
    StoreDamaged,
    StoreMissing,
    StoreUnavailable,
)
from service.storage.database import Database

log = structlog.get_logger(__name__)

_INVALID = (
    "This needs a valid API key: send the header `Authorization: Bearer quoth_...`. The key that was sent may be unknown here, "
    "expired or revoked. To create one, on the server's machine: quoth keys create NAME"
)


@dataclass(frozen=True, slots=True)
class Authentication:
    """The result of authenticating a request: its caller, and the state of the key's rate bucket, if it has a rate."""

    caller: Caller
    bucket: BucketState | None = None


class Keyring:
    """The keys of a database. Thread-safe. `clock` gives the time in UTC, `make` a new key; tests pass their own.

    `record` keeps outside the database that keys were made; without it, an emptied database looks like a new one.
    """

    def __init__(
        self,
        database: Database,
        record: KeyRecord | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        make: Callable[[], Minted] = mint,
    ) -> None:
        self._database = database
        self._record = record
        self._clock = clock
        self._make = make
        self._empty: bool | None = None

    def create(
        self,
        name: str,
        scopes: Iterable[Scope],
        *,
        collections: Iterable[str] | None = None,
        principals: Iterable[str] | None = (),
        acts_for_others: bool = False,
        expires_at: datetime | None = None,
        rate: Rate | None = None,
    ) -> tuple[Key, str]:
        """Create a key. Returns it with its text, which cannot be shown again.

        Without `principals` it reads the documents that are for everybody; with None, all of them. Raises KeyOptionInvalid if
        a valid key has the name.
        """
        now = self._clock()
        minted = self._make()
        row = KeyRow(
            id=minted.id,
            name=name,
            digest=digest(minted.text),
            scopes=sorted(set(scopes)),
            collections=None if collections is None else sorted(set(collections)),
            principals=None if principals is None else sorted(set(principals)),
            acts_for_others=acts_for_others,
            rate=None if rate is None else str(rate),
            created_at=now,
            expires_at=expires_at,
            requests=0,
            refused=0,
            full_at=0.0,
        )
        with self._explain_damage(), self._database.writing() as session:
            same = map(key_from, session.scalars(select(KeyRow).where(KeyRow.name == name)))
            if any(key.is_good(now) for key in same):
                raise KeyOptionInvalid(
                    f"There is a key {name!r} already. Choose another name, or revoke that one first"
                )
            session.add(row)
            session.flush()
            key = key_from(row)
        self._note()
        return key, minted.text

    def list_keys(self) -> tuple[Key, ...]:
        """All keys, also expired and revoked ones, oldest first. Raises KeysLost if there are none, though keys were made."""
        self.is_empty()
        with self._explain_damage(), self._database.reading() as session:
            return tuple(map(key_from, session.scalars(select(KeyRow).order_by(KeyRow.created_at, KeyRow.id))))

    def revoke(self, name: str) -> Key:
        """Revoke the valid key of that id or name. Raises KeyMissing."""
        now = self._clock()
        with self._explain_damage(), self._database.writing() as session:
            rows = session.scalars(select(KeyRow).where((KeyRow.id == name) | (KeyRow.name == name)))
            row = next((row for row in rows if key_from(row).is_good(now)), None)
            if row is None:
                raise KeyMissing(f"No valid key has the name or id {name!r}. To see them all: quoth keys list")
            row.revoked_at = now
            return key_from(row)

    def is_empty(self) -> bool:
        """Whether no key was ever made. Raises KeysLost if keys were, and the database holds none of them.

        While the database does not answer, its last answer holds unless keys were made since; raises StoreUnavailable if
        neither is known. Once a key exists, the database is not asked again.
        """
        if self._empty is False:
            return False
        try:
            with self._database.reading() as session:
                empty = not session.scalar(select(exists(select(KeyRow.id))))
        except StoreMissing:
            empty = True
        except StoreUnavailable:
            if self._empty is None or self._is_recorded():
                raise
            return self._empty
        if empty and self._record is not None and self._record.exists():
            raise KeysLost(
                f"API keys were made ({self._record.describe()}), and the database {self._database.place} holds none: it was "
                "lost, emptied or replaced. Until this is settled nobody is let in. Restore the database from a backup, make "
                "new keys (quoth keys create NAME), or say that nobody needs a key any more (quoth keys give-up)."
            )
        self._empty = empty
        if not empty:
            self._note()
        return empty

    def give_up(self) -> None:
        """Forget that keys were ever made, after they were lost. Raises KeysKept while the database holds keys."""
        try:
            empty = self.is_empty()
        except KeysLost:
            empty = True
        if not empty:
            raise KeysKept(
                f"The database {self._database.place} holds API keys, so there is nothing to give up. To end one: "
                "quoth keys revoke NAME. A server that has required keys goes on requiring them."
            )
        if self._record is not None:
            self._record.remove()

    def authenticate(self, text: str) -> Authentication:
        """Authenticate a request that sends the key `text`, and count it.

        Raises KeyInvalid, which does not say whether the key is unknown, expired or revoked, and RateExceeded; that is counted,
        too.
        """
        now = self._clock()
        key_id = id_of(text)
        with self._explain_damage(), self._database.reading() as session:
            row = session.get(KeyRow, key_id) if key_id else None
            key, stored, full_at = (key_from(row), row.digest, row.full_at) if row else (None, None, 0.0)
        if not matches(text, stored) or key is None or not key.is_good(now):
            self.is_empty()  # says so if all keys are lost
            raise KeyInvalid(_INVALID)
        if key.rate is None:
            self._count(key, now, {})
            return Authentication(key.caller())
        self._correct_bucket(key, key.rate, full_at, now)
        return Authentication(key.caller(), self._take_from_bucket(key, key.rate, now))

    def _correct_bucket(self, key: Key, rate: Rate, full_at: float, now: datetime) -> None:
        """Move the bucket's time with the clock if that was set back since the key's last request.

        Nothing happens if another request does the same at the same time.
        """
        if key.last_used_at is None:
            return
        corrected = full_at_after_jump(rate, full_at, key.last_used_at.timestamp(), now.timestamp())
        if corrected is None:
            return
        same = (KeyRow.id == key.id, KeyRow.last_used_at == key.last_used_at)
        with self._database.writing() as session:
            session.execute(update(KeyRow).where(*same).values(full_at=corrected, last_used_at=now))

    def _take_from_bucket(self, key: Key, rate: Rate, now: datetime) -> BucketState:
        """Take one request from the key's bucket, or raise RateExceeded.

        One statement decides, so that two requests cannot both take the last one.
        """
        seconds = now.timestamp()
        full_at = case((KeyRow.full_at > seconds, KeyRow.full_at), else_=seconds) + rate.interval
        room = full_at <= seconds + rate.window_s + SLACK_S
        full_again = self._count(key, now, {"full_at": full_at}, room)
        if full_again is not None:
            return BucketState(rate, full_again, seconds)
        with self._database.writing() as session:
            counted = update(KeyRow).where(KeyRow.id == key.id).values(refused=KeyRow.refused + 1)
            bucket = BucketState(rate, session.execute(counted.returning(KeyRow.full_at)).scalar_one(), seconds)
        raise RateExceeded(
            f"The key {key.name!r} has used up its rate of {rate}. The next request is possible in {bucket.wait_s} s.",
            {"Retry-After": str(bucket.wait_s), **bucket.headers()},
        )

    def _count(self, key: Key, now: datetime, values: dict[str, Any], *conditions: ColumnElement[bool]) -> float | None:
        """Count a request. Returns when the key's bucket is full again; None if the conditions do not hold."""
        counted = (
            update(KeyRow)
            .where(KeyRow.id == key.id, *conditions)
            .values(requests=KeyRow.requests + 1, last_used_at=now, **values)
            .returning(KeyRow.full_at)
        )
        with self._database.writing() as session:
            return session.execute(counted).scalar_one_or_none()

    def _is_recorded(self) -> bool:
        return self._record is not None and self._record.exists()

    def _note(self) -> None:
        """Keep outside the database that keys exist. A home that cannot be written is reported, and stops nobody."""
        if self._record is None:
            return
        try:
            self._record.write(self._database.place)
        except (OSError, DiskFull) as error:
            log.warning(
                "keys not noted",
                detail=f"{self._record.path} cannot be written ({error}). Without it a lost database looks like a new one: "
                "make the home folder writable, or set QUOTH_REQUIRE_KEYS=true.",
            )

    @contextmanager
    def _explain_damage(self) -> Iterator[None]:
        """Turn what a damaged row causes into StoreDamaged."""
        try:
            yield
        except (ValueError, TypeError, AttributeError) as error:  # a row without an id is None
            raise StoreDamaged(
                f"The API keys in the database {self._database.place} do not read ({error}). Restore it from a backup."
            ) from error


def is_loopback(address: str) -> bool:
    """Whether an address that a socket is bound to can be reached only from this machine."""
    return ip_address(address.partition("%")[0]).is_loopback


def allows_anonymous(address: str, keys: Keyring, *, allowed: bool, required: bool = False) -> bool:
    """Whether a server bound to `address` accepts callers without a key while none exists: on loopback, or when `allowed`.

    Never when keys are `required`. Raises ExposureRefused if no key was ever made and other machines reach the address, unless
    `allowed` or `required`. Lost keys are logged: such a server starts, and lets nobody in until they are back.
    """
    anonymous = (is_loopback(address) or allowed) and not required
    try:
        exposed = keys.is_empty() and not anonymous and not required
    except KeysLost as error:
        log.error("keys are lost", detail=str(error))
        return anonymous
    if exposed:
        raise ExposureRefused(
            f"Other machines reach {address}, and no API key exists: anybody could read and change every collection. Create a "
            "key (quoth keys create NAME), listen on 127.0.0.1, or say that this is meant with --allow-anonymous."
        )
    return anonymous
