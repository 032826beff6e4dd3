"""Caller: who asks, and what that one may do. Every door makes one before anything is read."""

from dataclasses import dataclass, replace
from enum import StrEnum

from service.errors import ScopeMissing


class Scope(StrEnum):
    """What a key may be used for. `admin` includes the others; `ask` and `ingest` include nothing else."""

    ASK = "ask"
    INGEST = "ingest"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. What is asked for is looked up with this in hand, so that nothing else can be found.

    `key_id` is empty without a key. `collections` are the only ones there are for this caller, None for all of them.
    `principals` are the names that documents may be restricted to: a document without principals is for everybody, another
    one for those who have one of its principals; None reads everything. `acts_for_others`: may say in a header whose
    principals count. `owner` marks the rows that the caller makes (conversations, feedback, jobs): another owner's are not
    there.
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
        """Whether the collection is there for the caller."""
        return self.collections is None or collection in self.collections

    def may_read(self, principals: frozenset[str]) -> bool:
        """Whether a document with these principals is for the caller."""
        return self.principals is None or not principals or not principals.isdisjoint(self.principals)

    def acting_for(self, principals: frozenset[str], owner: str) -> "Caller":
        """The same caller with only those of its principals that are in `principals`, making rows of `owner`."""
        narrowed = principals if self.principals is None else self.principals & principals
        return replace(self, principals=narrowed, owner=owner)


LOCAL = Caller("", "local", frozenset(Scope), acts_for_others=True)
"""Who sits at this machine, or reaches a server that has no keys: may do everything, reads everything."""

NOBODY = Caller("", "nobody", frozenset(), frozenset(), frozenset())
"""Who has not shown a key to a server that has some."""
