"""The header with which a trusted program says for whom it asks. Pure.

A program that knows its users (a chat bot, a portal) has one key, made with `--acts-for-others`, and sends
with each request the principals of the person it asks for, separated by commas. The first one names the person, who owns
what the request makes.
"""

import hashlib

from service.access.caller import Caller
from service.errors import ActingForbidden, PrincipalsInvalid

_LONGEST = 8192
_OWNER_HEX = 16


def acting(caller: Caller, header: str, values: list[bytes]) -> Caller:
    """`caller`, narrowed to the principals in `values`: each the value of one header line named `header`.

    Without the header, a key that acts for others reads what is for everybody: a program that forgets whom it asks for must not
    read everything. Raises ActingForbidden for a key that may not act for others, PrincipalsInvalid for a value that does
    not read, and for more than one: behind a proxy that adds a header to one that was there already, one of the two is forged.
    """
    if values and not caller.acts_for_others:
        raise ActingForbidden(
            f"The header {header} says for whom is asked, and the key {caller.name!r} may not ask for others. Leave the "
            "header out, or make a key for the program that sends it: quoth keys create NAME --acts-for-others"
        )
    if not caller.acts_for_others or (not values and not caller.key_id):
        return caller
    if not values:
        return caller.acting_for(frozenset(), caller.owner)
    if len(values) > 1:
        raise PrincipalsInvalid(
            f"The header {header} came {len(values)} times. Send it once; a proxy has to replace it, not add one."
        )
    principals = _read(header, values[0])
    return caller.acting_for(frozenset(principals), _owner(caller, principals))


def _read(header: str, value: bytes) -> list[str]:
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise PrincipalsInvalid(f"The header {header} is not UTF-8. Send names, separated by commas.") from error
    if len(text) > _LONGEST or not text.isprintable():
        raise PrincipalsInvalid(
            f"The header {header} is longer than {_LONGEST:,} characters, or has one that cannot be printed. "
            "Send names, separated by commas."
        )
    return [name.strip() for name in text.split(",") if name.strip()]


def _owner(caller: Caller, principals: list[str]) -> str:
    """The key with the person, shortened to a hash: no name of a person is in the column."""
    if not principals:
        return caller.owner
    return f"{caller.owner}:{hashlib.sha256(principals[0].encode()).hexdigest()[:_OWNER_HEX]}"
