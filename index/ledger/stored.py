"""Values as a ledger stores them: whoever reads one that is not what Quoth stored there says so, whatever it breaks.

A database's own checks find only what breaks its structure. A value may be text that is no UTF-8, a number of another type, or
JSON that ends early, and whoever reads it first would fail in a way that names no ledger.
"""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_WRONG_VALUES = (ValueError, TypeError, LookupError, AttributeError, OverflowError, zlib.error)
_MAX_NUMBER = 2**31 - 1

Kinds = Sequence[type | tuple[type, ...]]


class ValueUnreadable(Exception):
    """A stored value is not what Quoth stores there. Never leaves index/: the ledger that reads it names itself."""


@contextmanager
def as_stored() -> Iterator[None]:
    """Inside the block, or the function that this decorates, whatever a wrong value breaks becomes `ValueUnreadable`."""
    try:
        yield
    except _WRONG_VALUES as error:
        raise ValueUnreadable(f"a stored value is not what it was: {error}") from error


def require_kinds(row: Sequence[object], kinds: Kinds) -> None:
    """Raise TypeError unless each value of the row is of its kind."""
    if not all(map(isinstance, row, kinds)):
        raise TypeError(f"{[type(value).__name__ for value in row]} stand where other types belong")


def require_numbers(*numbers: int) -> None:
    """Raise ValueError unless these can be the ledger's numbers of documents or chunks."""
    if not all(0 < number <= _MAX_NUMBER for number in numbers):
        raise ValueError(f"{numbers} cannot be numbers of this ledger")
