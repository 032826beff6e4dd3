"""The identifiers of documents: ids, versions, and the URIs of files and of the members inside them. Pure.

A document's id comes from its URI, its version from its bytes. A member's URI is the URI of the file that holds it,
then `!/`, then the member's name: `file:///a.zip!/2024/offer.pdf`. The name is percent-encoded, so `!` occurs nowhere
else, and the form repeats for files inside files: `file:///a.zip!/b.mbox!/7@example.org`.
"""

import hashlib
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

_INSIDE = "!/"


def document_id(uri: str) -> str:
    """The id of the document at `uri`: the same for every version of it. 32 hexadecimal digits."""
    return hashlib.sha256(uri.encode("utf-8", "surrogatepass")).hexdigest()[:32]


READING = 4
"""Which way of reading files this version of Quoth has. Another way gives another text, so the number is part of a version."""


def document_version(data: bytes) -> str:
    """The version of a document whose source is `data`: SHA-256 over `READING` and the bytes, 64 hexadecimal digits."""
    found = reading_hash()
    found.update(data)
    return found.hexdigest()


def reading_hash() -> "hashlib._Hash":
    """The hash that a document's version is, before its bytes: to update with them."""
    return hashlib.sha256(b"%d\0" % READING)


def member_uri(container: str, name: str) -> str:
    """The URI of the member called `name` inside the file or member at `container`."""
    return container + _INSIDE + quote(name.encode("utf-8", "surrogatepass"), safe="/@")


def file_uri(uri: str) -> str:
    """The URI of the file that holds the document at `uri`: itself, unless it is a member."""
    return uri.split(_INSIDE, 1)[0]


def file_path(uri: str) -> Path:
    """The path of the file at a URI, as `file` URIs have it."""
    return Path(unquote(urlsplit(uri).path))


def file_words(uri: str) -> str:
    """The name of the file at a URI as words: without its ending, and with blanks for dashes and underscores."""
    return file_path(uri).stem.replace("_", " ").replace("-", " ")


def is_at_or_inside(uri: str, container: str) -> bool:
    """Whether `uri` is `container` or a member of it at any depth."""
    return uri == container or uri.startswith(container + _INSIDE)


def uri_prefixes(uri: str) -> list[str]:
    """The URI itself and every folder above it, each folder both with and without its final slash."""
    first = uri.find("://") + len("://")
    slashes = [position for position in range(first, len(uri)) if uri[position] == "/"]
    return [uri] + [uri[:end] for slash in slashes for end in (slash, slash + 1) if end > first]
