"""A note beside the ledger that there is one, so that a ledger that is missing or empty is lost and not new.

`ledger.json` holds the ledger's identity. It is written when the ledger has its tables: a crash before leaves no note, and the
next program begins the ledger again. A collection's caches count as a note, too, since they are only made from a ledger.
"""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

from index.errors import DiskFull
from index.storage.atomic import replace_file

_CACHES = ("lexicon", "vectors.json")
_log = logging.getLogger(__name__)


def note_of(ledger: Path) -> Path:
    """The path of the note about the ledger at that path."""
    return ledger.with_suffix(".json")


def caches_in(folder: Path) -> tuple[Path, ...]:
    """What a collection in that folder makes only from a ledger."""
    return tuple(folder / name for name in _CACHES)


def is_expected(ledger: Path, caches: Sequence[Path]) -> bool:
    """Whether a ledger with its tables was once at that path: there is the note, or one of these caches made from it."""
    return any(path.exists() for path in (note_of(ledger), *caches))


def is_lost(ledger: Path, caches: Sequence[Path]) -> bool:
    """Whether the ledger is gone or has no bytes, although there was one."""
    # In this order: a ledger gets its bytes before its note. Twice: the folder may be dropped between the two looks.
    return all(is_expected(ledger, caches) and not _has_bytes(ledger) for _ in range(2))


def noted_identity(ledger: Path) -> int | None:
    """The identity in the note; None without a readable note."""
    try:
        return int(json.loads(note_of(ledger).read_text(encoding="utf-8"))["identity"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_note(ledger: Path, identity: int) -> None:
    """Note the ledger's identity, unless an identity is noted already. Where nothing can be written, the caches must do."""
    if noted_identity(ledger) is not None:
        return
    try:
        with replace_file(note_of(ledger)) as partial:
            partial.write_text(json.dumps({"identity": identity}), encoding="utf-8")
    except (OSError, DiskFull) as error:
        _log.warning("%s cannot be written: %s", note_of(ledger), error)


def _has_bytes(ledger: Path) -> bool:
    try:
        return ledger.stat().st_size > 0
    except FileNotFoundError:
        return False
