"""May a server listen there without asking for keys? Loopback is this machine alone."""

from ipaddress import ip_address

from service.access.keyring import Keyring
from service.errors import ExposureRefused


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
