"""The API keys in the database: create, list and revoke them, and authenticate each request.

A key's rate bucket and its counts are columns of its row, and one UPDATE changes all of them: replicas on one database share
a key's rate, and what `quoth keys list` shows is exact. No row is ever deleted: a server that once required keys always does.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

from sqlalchemy import JSON, ColumnElement, case, exists, select, update
from sqlalchemy.orm import Mapped, mapped_column

from service.access.caller import Caller, Scope
from service.access.keys import Minted, digest, id_of, matches, mint
from service.access.rate import SLACK_S, BucketState, Rate, rate_of
from service.errors import ExposureRefused, KeyInvalid, KeyMissing, KeyOptionInvalid, RateExceeded, StoreUnavailable
from service.storage.database import Database, Table

_INVALID = (
    "This needs a valid API key: send the header `Authorization: Bearer quoth_...`. The key that was sent may be unknown here, "
    "expired or revoked. To create one, on the server's machine: quoth keys create NAME"
)


class KeyRow(Table):
    """A key. `full_at` is when its rate bucket is full again, in seconds since 1970 (service/access/rate.py)."""

    __tablename__ = "key"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(index=True)
    digest: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(JSON)
    collections: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    principals: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    acts_for_others: Mapped[bool]
    rate: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    requests: Mapped[int]
    refused: Mapped[int]
    full_at: Mapped[float]


@dataclass(frozen=True, slots=True)
class Key:
    """What is stored about a key; only its holder knows the key itself. Times are UTC.

    `requests` counts accepted requests, `refused` those over the key's rate.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    collections: frozenset[str] | None
    principals: frozenset[str] | None
    acts_for_others: bool
    rate: Rate | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    requests: int
    refused: int

    def is_good(self, now: datetime) -> bool:
        """Whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def caller(self) -> Caller:
        """The caller that uses this key."""
        return Caller(
            self.id, self.name, self.scopes, self.collections, self.principals, self.acts_for_others, owner=self.id
        )


@dataclass(frozen=True, slots=True)
class Authentication:
    """The result of authenticating a request: its caller, and the state of the key's rate bucket, if it has a rate."""

    caller: Caller
    bucket: BucketState | None = None


class Keyring:
    """The keys of a database. Thread-safe. `clock` gives the time in UTC, `make` a new key; tests pass their own."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        make: Callable[[], Minted] = mint,
    ) -> None:
        self._database = database
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
        with self._database.writing() as session:
            same = map(_key, session.scalars(select(KeyRow).where(KeyRow.name == name)))
            if any(key.is_good(now) for key in same):
                raise KeyOptionInvalid(
                    f"There is a key {name!r} already. Choose another name, or revoke that one first"
                )
            session.add(row)
            session.flush()
            return _key(row), minted.text

    def list_keys(self) -> tuple[Key, ...]:
        """All keys, also expired and revoked ones, oldest first."""
        with self._database.reading() as session:
            return tuple(map(_key, session.scalars(select(KeyRow).order_by(KeyRow.created_at, KeyRow.id))))

    def revoke(self, name: str) -> Key:
        """Revoke the valid key of that id or name. Raises KeyMissing."""
        now = self._clock()
        with self._database.writing() as session:
            rows = session.scalars(select(KeyRow).where((KeyRow.id == name) | (KeyRow.name == name)))
            row = next((row for row in rows if _key(row).is_good(now)), None)
            if row is None:
                raise KeyMissing(f"No valid key has the name or id {name!r}. To see them all: quoth keys list")
            row.revoked_at = now
            return _key(row)

    def is_empty(self) -> bool:
        """Whether no key was ever created.

        While the database does not answer, its last answer holds; raises StoreUnavailable if there is none. Once a key exists,
        the database is not asked again.
        """
        if self._empty is False:
            return False
        try:
            with self._database.reading() as session:
                self._empty = not session.scalar(select(exists(select(KeyRow.id))))
        except StoreUnavailable:
            if self._empty is None:
                raise
        return self._empty

    def authenticate(self, text: str) -> Authentication:
        """Authenticate a request that sends the key `text`, and count it.

        Raises KeyInvalid, which does not say whether the key is unknown, expired or revoked, and RateExceeded; that is counted,
        too.
        """
        now = self._clock()
        key_id = id_of(text)
        with self._database.reading() as session:
            row = session.get(KeyRow, key_id) if key_id else None
            key, stored = (_key(row), row.digest) if row else (None, None)
        if not matches(text, stored) or key is None or not key.is_good(now):
            raise KeyInvalid(_INVALID)
        if key.rate is None:
            self._count(key, now, {})
            return Authentication(key.caller())
        return Authentication(key.caller(), self._take_from_bucket(key, key.rate, now))

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


def _key(row: KeyRow) -> Key:
    return Key(
        id=row.id,
        name=row.name,
        scopes=frozenset(map(Scope, row.scopes)),
        collections=None if row.collections is None else frozenset(row.collections),
        principals=None if row.principals is None else frozenset(row.principals),
        acts_for_others=row.acts_for_others,
        rate=None if row.rate is None else rate_of(row.rate),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        requests=row.requests,
        refused=row.refused,
    )


def is_loopback(address: str) -> bool:
    """Whether an address that a socket is bound to can be reached only from this machine."""
    return ip_address(address.partition("%")[0]).is_loopback


def allows_anonymous(address: str, keys: Keyring, *, allowed: bool) -> bool:
    """Whether a server bound to `address` accepts callers without a key while none exists: on loopback, or when `allowed`.

    Raises ExposureRefused if no key exists and other machines reach the address, unless `allowed`.
    """
    if is_loopback(address) or allowed:
        return True
    if keys.is_empty():
        raise ExposureRefused(
            f"Other machines reach {address}, and no API key exists: anybody could read and change every collection. Create a "
            "key (quoth keys create NAME), listen on 127.0.0.1, or say that this is meant with --allow-anonymous."
        )
    return False
