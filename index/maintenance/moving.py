"""Move a collection to other ledgers: from a home folder to another or into a database, and back.

1. The ledger notes the destination. From then on it takes no writes; it is searched as before.
2. It is copied whole, the copy is compared by its checksum, and appears at the destination in one step, with the identity that
   was noted.
3. The collection is dropped where it was (`index.library.Library.move`).

If the copy fails, the note is taken back. A process that is killed leaves it, and the same move, run again, finishes: a
collection with the noted identity at the destination is the copy.
"""

import secrets
from contextlib import closing
from pathlib import Path

from index.errors import (
    CollectionExists,
    CollectionMoving,
    DestinationInvalid,
    EncoderMismatch,
    IndexingError,
    LedgerDamaged,
)
from index.ledger.protocol import Ledger, Ledgers
from index.ledger.rows import Destination
from index.ledger.sqlite.ledger import SqliteLedger
from index.storage.atomic import replace_file
from index.storage.sqlite import translate_errors

_WAIT_SECONDS = 10.0


def require_staying(ledger: Ledger) -> None:
    """Raise `CollectionMoving` if the collection is being moved."""
    destination = ledger.destination
    if destination is not None:
        raise _moving(ledger, destination)


def copy_to(ledger: Ledger, target: Ledgers) -> None:
    """Let the collection appear among the ledgers `target`, too. From then on `ledger` takes no writes.

    Raises `CollectionExists`, `EncoderMismatch`, `CollectionBusy`, what `Ledgers.adopt` raises, and `CollectionMoving` if
    another move has begun. The ledger then takes writes again, unless it is not known whether the collection appeared.
    """
    with ledger.writer.hold(_WAIT_SECONDS):
        destination = ledger.destination
        if destination is not None and destination.place != target.place:
            raise _moving(ledger, destination)
        there = _identity(ledger, target)
        if there == ledger.identity:
            raise DestinationInvalid(f"the collection {ledger.name!r} is in {target.place} already. Name another place")
        if there is not None and (destination is None or there != destination.identity):
            raise CollectionExists(
                f"there is a collection {ledger.name!r} in {target.place} already. Drop that one, or export this one and "
                "import it there under another name"
            )
        if there is None:
            _require_encoder(ledger, target)
            _copy(ledger, target, destination or Destination(target.place, secrets.randbits(62)))


def _copy(ledger: Ledger, target: Ledgers, destination: Destination) -> None:
    ledger.record_destination(destination)
    try:
        with ledger.writer.working():
            target.adopt(
                ledger.name,
                lambda path: _write_checked(ledger, path),
                encoder=ledger.encoder,
                dimension=ledger.dimension,
                identity=destination.identity,
            )
    except BaseException:
        # An answer that never came may have been a yes: while the destination cannot be asked, the note stays.
        if _identity(ledger, target) == destination.identity:
            return
        ledger.record_destination(None)
        raise


def _write_checked(ledger: Ledger, path: Path) -> None:
    """Write a copy of the ledger to `path`. `LedgerDamaged` if it does not hold the same."""
    with replace_file(path) as partial, translate_errors(path):
        ledger.copy(partial)
    with closing(SqliteLedger(path, encoder=ledger.encoder, dimension=ledger.dimension)) as copy:
        found = copy.checksum()
    if found != ledger.checksum():
        raise LedgerDamaged(
            f"{ledger.name}: the copy at {path} differs from the ledger. Check the disk, and move it again"
        )


def _identity(ledger: Ledger, target: Ledgers) -> int | None:
    """The identity of the collection of that name at the destination; 0 if it does not open, None if there is none."""
    if not target.exists(ledger.name):
        return None
    try:
        with closing(
            target.open(ledger.name, encoder=ledger.encoder, dimension=ledger.dimension, create=False)
        ) as found:
            return found.identity
    except (EncoderMismatch, LedgerDamaged):
        return 0


def _require_encoder(ledger: Ledger, target: Ledgers) -> None:
    """Raise `EncoderMismatch` if another encoder made the collections at the destination, as one of them shows."""
    for name in target.names():
        try:
            target.open(name, encoder=ledger.encoder, dimension=ledger.dimension, create=False).close()
        except EncoderMismatch as error:
            raise EncoderMismatch(
                f"{target.place}: its collections have vectors of another encoder than {ledger.name!r}. {error}"
            ) from error
        except IndexingError:
            continue
        return


def _moving(ledger: Ledger, destination: Destination) -> CollectionMoving:
    return CollectionMoving(
        f"{ledger.name}: the collection is being moved to {destination.place} and takes no changes here. Wait until it is "
        "there; if no process moves it any more, run quoth collections move again with that place, which goes on"
    )
