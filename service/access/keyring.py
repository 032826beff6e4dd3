"""The API keys in the database: made, listed, revoked, and asked for at every request.

A key's bucket and its counts are columns of its row, and one UPDATE moves all of them: replicas on one database share a key's
rate, and what `quoth keys list` shows is exact. No row is ever deleted: a server that has once asked for keys goes on asking.
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
from service.access.rate import SLACK_S, Rate, Standing, rate_of
from service.errors import ExposureRefused, KeyInvalid, KeyMissing, KeyOptionInvalid, RateExceeded, StoreUnavailable
from service.storage.database import Database
from service.storage.tables import Table

_INVALID = (
    "This needs an API key that is good: send the header `Authorization: Bearer quoth_...`. A key may be unknown here, expired "
    "or revoked. To make one, where the server runs: quoth keys create NAME"
)


class KeyRow(Table):
    """A key. `full_at` is when its bucket is full again, in seconds since 1970 (service/access/rate.py)."""

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
    """What is known of a key; the key itself is known to its holder only. Times are UTC.

    `requests` counts those that were let in, `refused` those over its rate.
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
        """Whether the key opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def caller(self) -> Caller:
        """Who asks with this key."""
        return Caller(
            self.id, self.name, self.scopes, self.collections, self.principals, self.acts_for_others, owner=self.id
        )


@dataclass(frozen=True, slots=True)
class Admission:
    """A request that was let in: who makes it, and how its key stands with its rate, if it has one."""

    caller: Caller
    standing: Standing | None = None


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
        """A new key and its text, which nobody can show again. Raises KeyOptionInvalid when a good key has the name.

        Without `principals` it reads the documents that are for everybody; with None, all of them.
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

    def all(self) -> tuple[Key, ...]:
        """All keys, also those that are no longer good, oldest first."""
        with self._database.reading() as session:
            return tuple(map(_key, session.scalars(select(KeyRow).order_by(KeyRow.created_at, KeyRow.id))))

    def revoke(self, name: str) -> Key:
        """End the key with that id, or the good one of that name, now. Raises KeyMissing."""
        now = self._clock()
        with self._database.writing() as session:
            rows = session.scalars(select(KeyRow).where((KeyRow.id == name) | (KeyRow.name == name)))
            row = next((row for row in rows if _key(row).is_good(now)), None)
            if row is None:
                raise KeyMissing(f"No good key has the name or id {name!r}. To see them all: quoth keys list")
            row.revoked_at = now
            return _key(row)

    def is_empty(self) -> bool:
        """Whether no key was ever made. While the database does not answer, what it said last holds; raises StoreUnavailable.

        Once there is a key, that is not asked again.
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

    def admit(self, text: str) -> Admission:
        """Let a request in that shows `text`, and count it.

        Raises KeyInvalid, the same for a key that is unknown, expired or revoked, and RateExceeded, counted too.
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
            return Admission(key.caller())
        return Admission(key.caller(), self._through(key, key.rate, now))

    def _through(self, key: Key, rate: Rate, now: datetime) -> Standing:
        """Move the key's bucket on by one request, or raise RateExceeded.

        One statement decides, so that of two requests only one is the last.
        """
        seconds = now.timestamp()
        full_at = case((KeyRow.full_at > seconds, KeyRow.full_at), else_=seconds) + rate.interval
        room = full_at <= seconds + rate.window_s + SLACK_S
        moved = self._count(key, now, {"full_at": full_at}, room)
        if moved is not None:
            return Standing(rate, moved, seconds)
        with self._database.writing() as session:
            counted = update(KeyRow).where(KeyRow.id == key.id).values(refused=KeyRow.refused + 1)
            stands = Standing(rate, session.execute(counted.returning(KeyRow.full_at)).scalar_one(), seconds)
        raise RateExceeded(
            f"The key {key.name!r} may make {rate} requests, and has. The next one is possible in {stands.wait_s} s.",
            {"Retry-After": str(stands.wait_s), **stands.headers()},
        )

    def _count(self, key: Key, now: datetime, values: dict[str, Any], *conditions: ColumnElement[bool]) -> float | None:
        """Count a request; answers when the key's bucket is full again, None when the conditions do not hold."""
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
    """Whether only this machine reaches an address that a socket is bound to."""
    return ip_address(address.partition("%")[0]).is_loopback


def anonymous_at(address: str, keys: Keyring, *, allowed: bool) -> bool:
    """Whether a server bound to `address` lets callers in without a key while there is none: on loopback, or when `allowed`.

    Raises ExposureRefused where it would have to, and may not: other machines reach the address, and there is no key.
    """
    if is_loopback(address) or allowed:
        return True
    if keys.is_empty():
        raise ExposureRefused(
            f"Other machines reach {address}, and there is no API key: anybody could read and change every collection. Make a "
            "key (quoth keys create NAME), listen on 127.0.0.1, or say that this is meant with --allow-anonymous."
        )
    return False
