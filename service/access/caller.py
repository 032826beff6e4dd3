"""Caller: the person or program that asks, and what they may do. Every door makes one before anything is read. Pure.

A program that knows its users (a chat bot, a portal) has one key, made with `--acts-for-others`. With each request it sends a
header with the principals of the person it asks for, separated by commas; `narrow_caller` reads it. The first principal names
the person, who owns what the request creates.
"""

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum

from service.errors import ActingForbidden, PrincipalsInvalid, ScopeMissing

_MAX_HEADER_CHARS = 8192
_OWNER_HEX = 16


class Scope(StrEnum):
    """What a key may be used for. `admin` includes the others; `ask` and `ingest` include nothing else."""

    ASK = "ask"
    INGEST = "ingest"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """The person or program that asks. Every look-up takes the caller, so that it finds only what they may read.

    `key_id` is empty without a key. `collections` are the only ones that exist for this caller; None means all. `principals`
    are the users and groups that the caller counts as: a document without principals is for everybody, another one for
    callers with one of its principals; None reads everything. `acts_for_others`: may send a header that says whose principals
    count. `owner` marks the rows that the caller creates (conversations, feedback, jobs); those of other owners do not exist
    for them.
    """

    key_id: str
    name: str
    scopes: frozenset[Scope]
    collections: frozenset[str] | None = None
    principals: frozenset[str] | None = None
    acts_for_others: bool = False
    owner: str = ""

    def has(self, scope: Scope) -> bool:
        """Whether the caller has the scope."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def require(self, scope: Scope) -> None:
        """Raise ScopeMissing, which names the scope, unless the caller has it."""
        if not self.has(scope):
            held = ", ".join(sorted(self.scopes)) or "none"
            raise ScopeMissing(
                f"The key {self.name!r} does not have the scope {scope.value!r} that this needs; it has: {held}. "
                f"Make a key that has it: quoth keys create NAME --scope {scope.value}"
            )

    def may_open(self, collection: str) -> bool:
        """Whether the collection exists for the caller."""
        return self.collections is None or collection in self.collections

    def may_read(self, principals: frozenset[str]) -> bool:
        """Whether the caller may read a document with these principals."""
        return self.principals is None or not principals or not principals.isdisjoint(self.principals)

    def acting_for(self, principals: frozenset[str], owner: str) -> "Caller":
        """The same caller with only those of its principals that are in `principals`, creating rows of `owner`."""
        narrowed = principals if self.principals is None else self.principals & principals
        return replace(self, principals=narrowed, owner=owner)


LOCAL = Caller("", "local", frozenset(Scope), acts_for_others=True)
"""A person at this machine, or a client of a server without keys: may do and read everything."""

NOBODY = Caller("", "nobody", frozenset(), frozenset(), frozenset())
"""A client that sent no key to a server that has keys."""


def narrow_caller(caller: Caller, header: str, values: list[bytes]) -> Caller:
    """The caller narrowed to the principals in `values`, each the value of one header line named `header`.

    Without the header, a key that acts for others reads what is for everybody: a program that forgets whom it asks for must not
    read everything. Raises ActingForbidden for a key that may not act for others, PrincipalsInvalid for a value that cannot be
    read, and for more than one: behind a proxy that adds its header to one that was sent, one of the two is forged.
    """
    if values and not caller.acts_for_others:
        raise ActingForbidden(
            f"The header {header} names the person who asks, and the key {caller.name!r} may not ask for others. Leave the "
            "header out, or create a key for the program that sends it: quoth keys create NAME --acts-for-others"
        )
    if not caller.acts_for_others or (not values and not caller.key_id):
        return caller
    if not values:
        return caller.acting_for(frozenset(), caller.owner)
    if len(values) > 1:
        raise PrincipalsInvalid(
            f"The header {header} was sent {len(values)} times. Send it once; a proxy must replace it, not add another."
        )
    principals = _header_principals(header, values[0])
    return caller.acting_for(frozenset(principals), _owner(caller, principals))


def _header_principals(header: str, value: bytes) -> list[str]:
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise PrincipalsInvalid(f"The header {header} is not UTF-8. Send names, separated by commas.") from error
    if len(text) > _MAX_HEADER_CHARS or not text.isprintable():
        raise PrincipalsInvalid(
            f"The header {header} is longer than {_MAX_HEADER_CHARS:,} characters, or contains one that cannot be printed. "
            "Send names, separated by commas."
        )
    return [name.strip() for name in text.split(",") if name.strip()]


def _owner(caller: Caller, principals: list[str]) -> str:
    """The key and the hash of the person's name: the column of owners contains no names of people."""
    if not principals:
        return caller.owner
    return f"{caller.owner}:{hashlib.sha256(principals[0].encode()).hexdigest()[:_OWNER_HEX]}"
