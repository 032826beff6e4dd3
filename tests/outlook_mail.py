"""Makes mails as Outlook saves them (`.msg`)."""

import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from tests.compound import Storage, compound

SENT = datetime(2024, 1, 1, 10, 0, tzinfo=UTC)
_TIME, _NUMBER, _UNICODE, _BINARY = 0x0040, 0x0003, 0x001F, 0x0102


def mail(
    subject: str = "Of bridges",
    body: str | None = None,
    *,
    html: bytes | None = None,
    attached: Mapping[str, bytes | Storage] | None = None,
    to: Sequence[str] = ("Bob <bob@example.org>",),
    cc: Sequence[str] = (),
    header_bytes: int = 32,
) -> Storage:
    """The storage of a mail. Attachments are given by name; an attached mail is given as its storage."""
    sent = int((SENT - datetime(1601, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) * 10
    root: dict[str, bytes | Storage] = {
        "__properties_version1.0": _properties(header_bytes, (0x0039, _TIME, sent)),
        "__nameid_version1.0": {_name(number, _BINARY): b"" for number in (2, 3, 4)},
        **_texts({0x001A: "IPM.Note", 0x0037: subject, 0x0C1A: "Jörg", 0x0C1F: "/O=X/CN=J", 0x5D01: "j@example.org"}),
    }
    if body is not None:
        root |= _texts({0x1000: body})
    if html is not None:
        root[_name(0x1013, _BINARY)] = html
    for number, (person, kind) in enumerate([*((one, 1) for one in to), *((one, 2) for one in cc)]):
        name, _, address = person.rstrip(">").partition(" <")
        stated = _properties(8, (0x0C15, _NUMBER, kind))
        root[f"__recip_version1.0_#{number:08X}"] = {
            "__properties_version1.0": stated, **_texts({0x3001: name, 0x39FE: address}),
        }  # fmt: skip
    for number, (name, content) in enumerate((attached or {}).items()):
        is_file = isinstance(content, bytes)
        part: dict[str, bytes | Storage] = {
            "__properties_version1.0": _properties(8, (0x3705, _NUMBER, 1 if is_file else 5)),
            **_texts({0x3707: name} if is_file else {0x3001: name}),
            _name(0x3701, _BINARY if is_file else 0x000D): content,
        }
        root[f"__attach_version1.0_#{number:08X}"] = part
    return root


def msg(*args: str, **parts: object) -> bytes:
    """The bytes of the mail's file."""
    return compound(mail(*args, **parts))  # type: ignore[arg-type]


def _name(number: int, kind: int) -> str:
    return f"__substg1.0_{number:04X}{kind:04X}"


def _texts(texts: Mapping[int, str]) -> dict[str, bytes]:
    return {_name(number, _UNICODE): text.encode("utf-16-le") for number, text in texts.items()}


def _properties(header_bytes: int, *entries: tuple[int, int, int]) -> bytes:
    packed = (struct.pack("<HHIQ", kind, number, 6, value) for number, kind, value in entries)
    return bytes(header_bytes) + b"".join(packed)
