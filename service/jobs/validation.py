"""What is asked of an upload before it is taken: its id, its name, its format, its title, metadata and principals. Pure."""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import PurePath

from index.formats.registry import contradiction, format_of, suffix_of, suffixes, why_skipped
from index.uris import document_id
from service.errors import FormatUnsupported, UploadInvalid

MOST_TITLE = 300
MOST_METADATA = 64
MOST_NAME = 128
MOST_VALUE = 4096
MOST_PRINCIPALS = 1024
_NAME_BYTES = 200
_SUFFIX_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,127}")
_SEPARATORS = re.compile(r"[/\\]")


def safe_name(offered: str, media_type: str = "") -> str:
    """A name for a file of its own, from the last part of what was offered: no folder, no control character, not hidden.

    A name without a suffix gets that of the media type, if it is one of a format that is read. `UploadInvalid` if nothing
    of the name is left.
    """
    last = _SEPARATORS.split(offered)[-1]
    readable = "".join(" " if unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") else one for one in last)
    name = " ".join(unicodedata.normalize("NFC", readable).split()).lstrip(". ")
    if not name:
        raise UploadInvalid(f"{offered[:200]!r} names no file. Give the file's name, with the suffix of its format.")
    own = PurePath(name).suffix
    own = own if len(own.encode()) <= _SUFFIX_BYTES else ""
    suffix = own or suffix_of(media_type.partition(";")[0].strip().lower())
    stem = name.removesuffix(own) if own else name
    return stem.encode()[: _NAME_BYTES - len(suffix.encode())].decode("utf-8", "ignore") + suffix


def require_id(identity: str) -> str:
    """The id, if it can name a document. `UploadInvalid` says what an id may be."""
    if not _ID.fullmatch(identity):
        raise UploadInvalid(
            f"{identity[:200]!r} cannot be a document's id. Use 1 to 128 of A-Z, a-z, 0-9, '.', '_', '~' and '-', "
            "beginning with a letter or digit."
        )
    return identity


def id_for(filename: str, owner: str) -> str:
    """The id of a file that was uploaded without one: the same for every file of that name from that owner."""
    return document_id(f"upload:{owner}/{filename}")


def own_id(identity: str, owner: str) -> str:
    """The id of a document that `owner`, who does not read every document, uploads as `identity`.

    Ids of such owners are apart from all others, so that none finds out by an upload which ids there are.
    """
    return document_id(f"upload-as:{owner}/{identity}")


def require_readable(filename: str, head: bytes) -> None:
    """`FormatUnsupported` if a file of that name and beginning is surely not read; the worker finds out about the rest."""
    path = PurePath(filename)
    if format_of(path) is None:
        raise FormatUnsupported(f"{filename}: {why_skipped(path)}. Upload text, or one of: {', '.join(suffixes())}.")
    shown = contradiction(path, head)
    if shown is not None:
        raise FormatUnsupported(
            f"{filename}: it is named {path.suffix or 'without a suffix'} but holds {shown}. "
            f"Name it by what it is; read are text and: {', '.join(suffixes())}."
        )


def title_from(given: str | None) -> str | None:
    """The title on one line; None for none. `UploadInvalid` if it is too long."""
    title = " ".join((given or "").split())
    if len(title) > MOST_TITLE:
        raise UploadInvalid(f"The title has {len(title):,} characters; at most {MOST_TITLE} are kept. Shorten it.")
    return title or None


def metadata_from(given: str | None) -> Mapping[str, str]:
    """Metadata from a JSON object of strings; empty for none. `UploadInvalid` names what is wrong."""
    if not given:
        return {}
    try:
        found = json.loads(given)
    except (ValueError, RecursionError) as error:
        raise UploadInvalid(f"The metadata is not JSON ({error}). Send an object of strings: {_EXAMPLE}.") from error
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise UploadInvalid(f"The metadata is no object of strings. Send one such as {_EXAMPLE}.")
    if len(found) > MOST_METADATA:
        raise UploadInvalid(f"The metadata has {len(found):,} entries; at most {MOST_METADATA} are kept. Send fewer.")
    for name, value in found.items():
        if not 0 < len(name) <= MOST_NAME or len(value) > MOST_VALUE:
            raise UploadInvalid(
                f"The metadata {name[:50]!r} is too long or has no name. "
                f"A name has 1 to {MOST_NAME} characters, a value at most {MOST_VALUE:,}."
            )
        _require_text(name + value, "metadata")
    return found


def principals_from(given: Iterable[str], *, public: bool) -> frozenset[str] | None:
    """Who may read the document, nobody for everybody; None leaves it as it was. `UploadInvalid` names what is wrong."""
    found = frozenset(given)
    if found and public:
        raise UploadInvalid("`public` lets everybody read, `principal` only those named. Leave one of them out.")
    if len(found) > MOST_PRINCIPALS:
        raise UploadInvalid(f"There are {len(found):,} principals; at most {MOST_PRINCIPALS:,} are kept. Use a group.")
    for principal in found:
        if not 0 < len(principal.strip()) <= MOST_NAME:
            raise UploadInvalid(
                f"{principal[:50]!r} cannot be a principal. Name a user or group in 1 to {MOST_NAME} characters, "
                "or let everybody read the document with `public`."
            )
    return found if found or public else None


_EXAMPLE = '{"year": "2024"}'


def _require_text(text: str, what: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UploadInvalid(f"The {what} holds half a surrogate pair. Send whole characters.") from error
