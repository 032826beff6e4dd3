"""The table of API keys, and a key as the rest of Quoth sees it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from service.access.caller import Caller, Scope
from service.access.rate import Rate, rate_of
from service.storage.database import Table


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


def key_from(row: KeyRow) -> Key:
    """The key in a row."""
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
