"""Validate an upload before it is accepted: its id, name, format, title, metadata and principals. Pure."""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import PurePath

from index.collection import MAX_TITLE
from index.formats.registry import contradiction, format_of, skip_reason, suffix_of, suffixes
from index.uris import document_id
from service.errors import FormatUnsupported, UploadInvalid

MAX_METADATA = 64
MAX_NAME = 128
MAX_VALUE = 4096
MAX_PRINCIPALS = 1024
_NAME_BYTES = 200
_SUFFIX_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,127}")
_SEPARATORS = re.compile(r"[/\\]")


def safe_name(offered: str, media_type: str = "") -> str:
    """A safe file name from the last part of the one offered: no folder, no control character, not hidden.

    A name without a suffix gets that of the media type, if Quoth reads its format. Raises UploadInvalid if nothing of the name
    is left.
    """
    last = _SEPARATORS.split(offered)[-1]
    readable = "".join(" " if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") else char for char in last)
    name = " ".join(unicodedata.normalize("NFC", readable).split()).lstrip(". ")
    if not name:
        raise UploadInvalid(f"{offered[:200]!r} names no file. Give the file's name, with the suffix of its format.")
    own = PurePath(name).suffix
    own = own if len(own.encode()) <= _SUFFIX_BYTES else ""
    suffix = own or suffix_of(media_type.partition(";")[0].strip().lower())
    stem = name.removesuffix(own) if own else name
    return stem.encode()[: _NAME_BYTES - len(suffix.encode())].decode("utf-8", "ignore") + suffix


def require_id(identity: str) -> str:
    """The id, if it can name a document. Raises UploadInvalid, which says what an id may be."""
    if not _ID.fullmatch(identity):
        raise UploadInvalid(
            f"{identity[:200]!r} cannot be a document's id. Use 1 to 128 of A-Z, a-z, 0-9, '.', '_', '~' and '-', "
            "beginning with a letter or digit."
        )
    return identity


def id_for(filename: str, owner: str) -> str:
    """The id of a file uploaded without one: the same for every file of that name from that owner."""
    return document_id(f"upload:{owner}/{filename}")


def own_id(identity: str, owner: str) -> str:
    """The id of a document that `owner`, who may not read every document, uploads as `identity`.

    The ids of such owners never equal those of others, so that an upload does not reveal which ids exist.
    """
    return document_id(f"upload-as:{owner}/{identity}")


def require_readable(filename: str, head: bytes) -> None:
    """Raise FormatUnsupported if the name or the first bytes show that the file cannot be read; the worker finds the rest."""
    path = PurePath(filename)
    if format_of(path) is None:
        raise FormatUnsupported(f"{filename}: {skip_reason(path)}. Upload text, or one of: {', '.join(suffixes())}.")
    content = contradiction(path, head)
    if content is not None:
        raise FormatUnsupported(
            f"{filename}: it is named {path.suffix or 'without a suffix'} but holds {content}. "
            f"Name it by what it is; read are text and: {', '.join(suffixes())}."
        )


def title_from(given: str | None) -> str | None:
    """The title on one line; None if it is empty. Raises UploadInvalid if it is too long."""
    title = " ".join((given or "").split())
    if len(title) > MAX_TITLE:
        raise UploadInvalid(f"The title has {len(title):,} characters; at most {MAX_TITLE} are kept. Shorten it.")
    return title or None


def metadata_from(given: str | None) -> Mapping[str, str]:
    """Metadata from a JSON object of strings; empty if none was given. Raises UploadInvalid, which says what is wrong."""
    if not given:
        return {}
    try:
        metadata = json.loads(given)
    except (ValueError, RecursionError) as error:
        raise UploadInvalid(f"The metadata is not JSON ({error}). Send an object of strings: {_EXAMPLE}.") from error
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise UploadInvalid(f"The metadata is no object of strings. Send one such as {_EXAMPLE}.")
    if len(metadata) > MAX_METADATA:
        raise UploadInvalid(f"The metadata has {len(metadata):,} entries; at most {MAX_METADATA} are kept. Send fewer.")
    for name, value in metadata.items():
        if not 0 < len(name) <= MAX_NAME or len(value) > MAX_VALUE:
            raise UploadInvalid(
                f"The metadata {name[:50]!r} is too long or has no name. "
                f"A name has 1 to {MAX_NAME} characters, a value at most {MAX_VALUE:,}."
            )
        _require_text(name + value, "metadata")
    return metadata


def principals_from(given: Iterable[str], *, public: bool) -> frozenset[str] | None:
    """Who may read the document: the empty set means everybody, None keeps what was. Raises UploadInvalid."""
    principals = frozenset(given)
    if principals and public:
        raise UploadInvalid("`public` lets everybody read, `principal` only those named. Leave one of them out.")
    if len(principals) > MAX_PRINCIPALS:
        raise UploadInvalid(
            f"There are {len(principals):,} principals; at most {MAX_PRINCIPALS:,} are kept. Use a group."
        )
    for principal in principals:
        if not 0 < len(principal.strip()) <= MAX_NAME:
            raise UploadInvalid(
                f"{principal[:50]!r} cannot be a principal. Name a user or group in 1 to {MAX_NAME} characters, "
                "or let everybody read the document with `public`."
            )
    return principals if principals or public else None


_EXAMPLE = '{"year": "2024"}'


def _require_text(text: str, what: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UploadInvalid(f"The {what} holds half a surrogate pair. Send whole characters.") from error
