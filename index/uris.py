"""TODO index/uris.py"""

import hashlib
from urllib.parse import quote


def document_id(uri: str) -> str:
    """The id of the document at `uri`: the same for every version of it. 32 hexadecimal digits."""
    return hashlib.sha256(uri.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def version_of(data: bytes) -> str:
    """The version of a document whose source is `data`: SHA-256, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


_INSIDE = "!/"


def member_uri(container: str, name: str) -> str:
    """The URI of what is called `name` inside the file, or the member, at `container`."""
    return container + _INSIDE + quote(name.encode("utf-8", "surrogatepass"), safe="/@")


def file_uri(uri: str) -> str:
    """The URI of the file that holds the document at `uri`: itself, unless it is a member."""
    return uri.split(_INSIDE, 1)[0]


def is_at_or_inside(uri: str, container: str) -> bool:
    """Whether `uri` is `container` or a member of it, however deep."""
    return uri == container or uri.startswith(container + _INSIDE)


def places_above(uri: str) -> list[str]:
    """The URI, and those of every folder above it, each as it is written with and without its last slash."""
    first = uri.find("://") + len("://")
    cuts = [place for place in range(first, len(uri)) if uri[place] == "/"]
    return [uri] + [uri[:end] for cut in cuts for end in (cut, cut + 1) if end > first]
