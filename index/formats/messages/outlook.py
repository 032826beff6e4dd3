"""Outlook's e-mail files (MS-OXMSG, `.msg`) -> messages (RFC 5322), so that one parser reads all e-mails. Pure.

A body in RTF alone is not read here: Outlook writes the plain text beside it.
"""

import hashlib
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.encoders import encode_base64
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr

from index.formats.members import Damaged
from index.formats.messages.compound_file import Storage, Stream, root_storage

_PROPERTIES = "__properties_version1.0"
_RECIPIENT, _ATTACHMENT = "__recip_version1.0_#", "__attach_version1.0_#"
_HEADER_BYTES = {"message": 32, "inside": 24, "part": 8}
_UNICODE, _STRING, _BINARY, _OBJECT, _TIME, _NUMBER = 0x001F, 0x001E, 0x0102, 0x000D, 0x0040, 0x0003
_SUBJECT, _BODY, _HTML, _CODE_PAGE, _WEB_CODE_PAGE = 0x0037, 0x1000, 0x1013, 0x3FFD, 0x3FDE
_SENDER_NAME, _SENDER, _SENDER_SMTP, _SUBMITTED, _DELIVERED = 0x0C1A, 0x0C1F, 0x5D01, 0x0039, 0x0E06
_SHOWN_TO, _SHOWN_CC = 0x0E04, 0x0E03
_NAME, _ADDRESS, _SMTP, _KIND = 0x3001, 0x3003, 0x39FE, 0x0C15
_DATA, _SHORT_NAME, _LONG_NAME, _MEDIA_TYPE = 0x3701, 0x3704, 0x3707, 0x370E
_RECIPIENTS = {1: "To", 2: "Cc"}
_MAX_DEPTH = 8
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_ENTRY = struct.Struct("<HHI8s")


def outlook_message(data: bytes) -> Message:
    """The e-mail in the file, with its attachments. Raises `Damaged` if it cannot be read or is not an e-mail."""
    root = root_storage(data)
    if not isinstance(root.get(_PROPERTIES), Stream):
        raise Damaged("it holds no mail")
    return _message(_Properties(root, _HEADER_BYTES["message"]), 1)


class _Properties:
    """The properties of the e-mail, recipient or attachment in one storage, by their numbers in MS-OXPROPS."""

    def __init__(self, storage: Storage, header_bytes: int) -> None:
        self.storage = storage
        self._fixed: dict[tuple[int, int], bytes] = {}
        stream = storage.get(_PROPERTIES)
        raw = stream.read()[header_bytes:] if isinstance(stream, Stream) else b""
        for kind, number, _, value in _ENTRY.iter_unpack(raw[: len(raw) // _ENTRY.size * _ENTRY.size]):
            self._fixed[number, kind] = value
        code_page = self.number(_CODE_PAGE)
        self._encoding = f"cp{code_page}" if code_page else "cp1252"

    def number(self, number: int) -> int:
        """The integer of that number, 0 if it is missing."""
        return int.from_bytes(self._fixed.get((number, _NUMBER), b"")[:4], "little")

    def time(self, number: int) -> datetime | None:
        """The time of that number; None if it is missing or outside `datetime`'s range."""
        ticks = int.from_bytes(self._fixed.get((number, _TIME), b""), "little")
        try:
            return _EPOCH + timedelta(microseconds=ticks // 10) if ticks else None
        except OverflowError:
            return None

    def text(self, *numbers: int) -> str:
        """The first of these texts that is not missing or empty; an empty string if all are."""
        for number in numbers:
            wide, narrow = self._stream(number, _UNICODE), self._stream(number, _STRING)
            text = "" if wide is None else wide.decode("utf-16-le", "replace")
            if not text and narrow is not None:
                text = _decode(narrow, self._encoding)
            if text.strip("\0 \r\n\t"):
                return text.rstrip("\0")
        return ""

    def data(self, number: int) -> bytes | None:
        """The bytes of that number, None if they are missing."""
        return self._stream(number, _BINARY)

    def children(self, prefix: str, header_bytes: int) -> "Iterator[_Properties]":
        """The recipients or attachments, as `prefix` says, in the order of their numbers."""
        for name in sorted(self.storage):
            storage = self.storage[name]
            if name.startswith(prefix) and not isinstance(storage, Stream):
                yield _Properties(storage, header_bytes)

    def enclosed(self) -> "_Properties | None":
        """The attached e-mail, if this attachment is one."""
        storage = self.storage.get(_stream_name(_DATA, _OBJECT))
        if storage is None or isinstance(storage, Stream) or _PROPERTIES not in storage:
            return None
        return _Properties(storage, _HEADER_BYTES["inside"])

    def _stream(self, number: int, kind: int) -> bytes | None:
        stream = self.storage.get(_stream_name(number, kind))
        return stream.read() if isinstance(stream, Stream) else None


def _message(mail: _Properties, depth: int) -> Message:
    bodies = _bodies(mail)
    message = bodies[0] if len(bodies) == 1 else _multipart("alternative", bodies)
    attached = list(_attachments(mail, depth))
    if attached:
        message = _multipart("mixed", [message, *attached])
    sent = mail.time(_SUBMITTED) or mail.time(_DELIVERED)
    headers = {
        "Subject": mail.text(_SUBJECT),
        "From": _person(mail.text(_SENDER_NAME), mail.text(_SENDER_SMTP), mail.text(_SENDER)),
        "Date": format_datetime(sent) if sent else "",
    }
    people: dict[str, list[str]] = {"To": [], "Cc": []}
    for person in mail.children(_RECIPIENT, _HEADER_BYTES["part"]):
        to = _RECIPIENTS.get(person.number(_KIND))
        if to is not None:
            people[to].append(_person(person.text(_NAME), person.text(_SMTP), person.text(_ADDRESS)))
    if not any(people.values()):
        people = {"To": [mail.text(_SHOWN_TO)], "Cc": [mail.text(_SHOWN_CC)]}
    headers |= {name: ", ".join(filter(None, persons)) for name, persons in people.items()}
    for name, value in headers.items():
        if value:
            message[name] = " ".join("".join(char if char.isprintable() else " " for char in value).split())
    return message


def _multipart(subtype: str, parts: list[Message]) -> Message:
    # A hash of the parts, so that every reading of the file gives the same bytes.
    boundary = hashlib.sha256(b"".join(part.as_bytes() for part in parts)).hexdigest()
    return MIMEMultipart(subtype, boundary=f"=_{boundary}", _subparts=parts)


def _bodies(mail: _Properties) -> list[Message]:
    """The body as plain text and as HTML, whichever there is."""
    plain, page, html = mail.text(_BODY), mail.text(_HTML), mail.data(_HTML)
    bodies: list[Message] = []
    if plain or not (page or html):
        bodies.append(MIMEText(plain.replace("\r\n", "\n"), "plain", "utf-8"))
    if html:
        part = MIMEBase("text", "html", charset=_charset(mail.number(_WEB_CODE_PAGE)))
        part.set_payload(html)
        encode_base64(part)
        bodies.append(part)
    elif page:
        bodies.append(MIMEText(page, "html", "utf-8"))
    return bodies


def _attachments(mail: _Properties, depth: int) -> Iterator[Message]:
    for part in mail.children(_ATTACHMENT, _HEADER_BYTES["part"]):
        name = part.text(_LONG_NAME, _SHORT_NAME, _NAME)
        enclosed, data = part.enclosed(), part.data(_DATA)
        if enclosed is not None:
            if depth >= _MAX_DEPTH:
                raise Damaged(f"mails lie more than {_MAX_DEPTH} deep in it")
            attachment: MIMEBase = MIMEMessage(_message(enclosed, depth + 1))
            name = f"{name or enclosed.text(_SUBJECT) or 'mail'}.eml"
        elif data is not None:
            main, _, sub = part.text(_MEDIA_TYPE).partition("/")
            is_plain = main.isalpha() and main.lower() not in ("multipart", "message") and sub.isprintable()
            attachment = MIMEBase(main, sub) if is_plain and sub else MIMEBase("application", "octet-stream")
            attachment.set_payload(data)
            encode_base64(attachment)
        else:
            continue  # a link to a file elsewhere, or an object of another program
        attachment.add_header("Content-Disposition", "attachment", filename=("utf-8", "", name))
        yield attachment


def _person(name: str, *addresses: str) -> str:
    email = next((address for address in addresses if "@" in address and address.isascii()), "")
    return formataddr((name, email)) if email else name


def _charset(code_page: int) -> str:
    if code_page in (0, 65001):
        return "utf-8"
    return f"iso-8859-{code_page - 28590}" if 28591 <= code_page <= 28605 else f"cp{code_page}"


def _decode(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding, "replace")
    except LookupError:
        return data.decode("cp1252", "replace")


def _stream_name(number: int, kind: int) -> str:
    return f"__substg1.0_{number:04X}{kind:04X}"
