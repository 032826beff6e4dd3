"""The lease queue: claim the next due item, renew, finish, give back. Jobs and the questions from Slack both use it.

An item waits until it is due. A worker claims it and holds it under a lease, which it renews while it works; then it finishes
the item or gives it back. A worker that dies stops renewing, and another one takes the item over. Every action of a worker is
one transaction that begins by checking that its lease still holds (`LeaseQueue.writing`), so a worker that lost its item
changes nothing.

The algorithm is written once, here. A `LeaseTable` writes its steps in one table: service/jobs/database.py in that of the jobs,
service/slack/store/questions.py in Quoth's database. In a home folder the jobs keep a file of their own, because an accepted
upload must not be lost: accepting one waits for the disk (synchronous=FULL), which conversations need not.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

FIRST_DELAY_SECONDS = 1.0
MAX_DELAY_SECONDS = 300.0


class LeaseLost(Exception):
    """Another worker has the item, or it was withdrawn. Workers catch it and drop what they were doing."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Which worker holds which item. `attempts` is how often the item had been claimed then, this time included."""

    item: str
    worker: str
    attempts: int


Transaction = TypeVar("Transaction")
Transaction_co = TypeVar("Transaction_co", covariant=True)
Transaction_contra = TypeVar("Transaction_contra", contravariant=True)
Row = TypeVar("Row")
Claimed = TypeVar("Claimed")
Claimed_co = TypeVar("Claimed_co", covariant=True)


class Transactions(Protocol[Transaction_co]):
    """A database: service.jobs.database.JobDatabase or service.storage.database.Database."""

    def reading(self) -> AbstractContextManager[Transaction_co]:
        """A transaction that only reads."""
        ...

    def writing(self) -> AbstractContextManager[Transaction_co]:
        """A transaction that commits when its block ends well, and else changes nothing."""
        ...


class LeaseTable(Protocol[Transaction_contra, Row, Claimed_co]):
    """The table with the items of a queue. Times are seconds since 1970."""

    def next_due(self, transaction: Transaction_contra, now: float, *, lock: bool) -> Row | None:
        """The first item that is due; None if none is. With `lock`, no other worker gets it before the transaction ends."""
        ...

    def hold(self, transaction: Transaction_contra, row: Row, worker: str, now: float, until: float) -> Claimed_co:
        """Record that the worker holds the item until then, and count the attempt. Returns the item as workers see it."""
        ...

    def leased(self, transaction: Transaction_contra, lease: Lease) -> Row | None:
        """The item if the lease still holds, else None."""
        ...

    def extend(self, transaction: Transaction_contra, row: Row, until: float) -> None:
        """Move the end of the lease."""
        ...

    def release(self, transaction: Transaction_contra, row: Row, due_at: float) -> None:
        """End the lease; the item waits, and is due at that time."""
        ...

    def close(self, transaction: Transaction_contra, row: Row, state: str, now: float) -> None:
        """End the lease; the item is finished and stays in that state."""
        ...


class LeaseQueue(Generic[Transaction, Row, Claimed]):
    """The items of a table as workers hold them. Thread-safe; processes and replicas may share the table.

    A lease that is not renewed ends after `lease_seconds`.
    """

    def __init__(
        self,
        database: Transactions[Transaction],
        table: LeaseTable[Transaction, Row, Claimed],
        lease_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.lease_seconds = lease_seconds
        self._database = database
        self._table = table
        self._clock = clock

    def claim(self, worker: str) -> Claimed | None:
        """The next due item, held by `worker` from now on; None if nothing is due.

        A worker that asks in vain takes no write lock.
        """
        with self._database.reading() as transaction:
            if self._table.next_due(transaction, self._clock(), lock=False) is None:
                return None
        with self._database.writing() as transaction:
            now = self._clock()
            row = self._table.next_due(transaction, now, lock=True)
            return None if row is None else self._table.hold(transaction, row, worker, now, now + self.lease_seconds)

    @contextmanager
    def writing(
        self, lease: Lease, begin: Callable[[Transaction], object] = lambda _: None
    ) -> Iterator[tuple[Transaction, Row]]:
        """A write transaction with the item, for as long as the lease holds. Raises LeaseLost, and then changes nothing.

        `begin` is called in the transaction before the item is looked up: to take what others take before an item, too.
        """
        with self._database.writing() as transaction:
            begin(transaction)
            yield transaction, self._held(transaction, lease)

    @contextmanager
    def reading(self, lease: Lease) -> Iterator[tuple[Transaction, Row]]:
        """The same in a transaction that only reads."""
        with self._database.reading() as transaction:
            yield transaction, self._held(transaction, lease)

    def renew(self, lease: Lease) -> Row:
        """Let the lease end `lease_seconds` from now. Returns the item. Raises LeaseLost."""
        with self.writing(lease) as (transaction, row):
            self._table.extend(transaction, row, self._clock() + self.lease_seconds)
            return row

    def give_back(self, transaction: Transaction, row: Row, wait_seconds: float = 0.0) -> None:
        """End the lease of an item that is not finished; it is due again after the wait."""
        self._table.release(transaction, row, self._clock() + wait_seconds)

    def finish(self, transaction: Transaction, row: Row, state: str) -> None:
        """End the lease of an item that is finished in that state."""
        self._table.close(transaction, row, state, self._clock())

    def _held(self, transaction: Transaction, lease: Lease) -> Row:
        row = self._table.leased(transaction, lease)
        if row is None:
            raise LeaseLost(lease.item)
        return row


def delay(failures: int, chance: float) -> float:
    """Seconds to wait after so many failures (from 1); `chance`, uniform in [0, 1), picks from the upper half of the bound."""
    bound = min(FIRST_DELAY_SECONDS * 2.0 ** (min(failures, 64) - 1), MAX_DELAY_SECONDS)
    return bound * (1.0 + chance) / 2.0
