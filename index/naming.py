"""What a collection may be called: it is a folder's name and part of an address, so it has neither dots nor slashes. Pure."""

import re

from index.errors import CollectionNameInvalid

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def is_name(name: str) -> bool:
    """Whether a collection may have that name."""
    return _NAME.fullmatch(name) is not None


def require_name(name: str) -> None:
    """Raise `CollectionNameInvalid`, which says what a name may be, unless `name` is one."""
    if not is_name(name):
        raise CollectionNameInvalid(
            f"{name!r} cannot name a collection. Use 1 to 63 of a-z, 0-9, _ and -, beginning with a letter or digit"
        )
