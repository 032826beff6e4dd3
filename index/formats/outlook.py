"""Mails as Outlook saves them (MS-OXMSG, `.msg`) -> messages (RFC 5322), so that they are read as every mail is. Pure.

kreuzberg reads them, too, but (4.10) not a body that is in HTML alone, and it gives what is attached only as text. A body that
is in RTF alone is not read here: Outlook writes the plain text beside it.
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

from index.formats.compound_file import Storage, Stream, storage_of
from index.formats.members import Damaged

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
_DEEPEST = 8
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_ENTRY = struct.Struct("<HHI8s")


def message_of(data: bytes) -> Message:
    """The mail in the file, with what is attached to it. `Damaged` if it does not read, or is no mail."""
    root = storage_of(data)
    if not isinstance(root.get(_PROPERTIES), Stream):
        raise Damaged("it holds no mail")
    return _message(_Properties(root, _HEADER_BYTES["message"]), 1)


class _Properties:
    """What a storage says of the mail, recipient or attachment that it is, by the numbers of MS-OXPROPS."""

    def __init__(self, storage: Storage, header_bytes: int) -> None:
        self.storage = storage
        self._fixed: dict[tuple[int, int], bytes] = {}
        stated = storage.get(_PROPERTIES)
        raw = stated.read()[header_bytes:] if isinstance(stated, Stream) else b""
        for kind, number, _, value in _ENTRY.iter_unpack(raw[: len(raw) // _ENTRY.size * _ENTRY.size]):
            self._fixed[number, kind] = value
        page = self.number(_CODE_PAGE)
        self._encoding = f"cp{page}" if page else "cp1252"

    def number(self, number: int) -> int:
        """An integer, 0 if it is not there."""
        return int.from_bytes(self._fixed.get((number, _NUMBER), b"")[:4], "little")

    def time(self, number: int) -> datetime | None:
        """A time, if it is there and one of this calendar."""
        ticks = int.from_bytes(self._fixed.get((number, _TIME), b""), "little")
        try:
            return _EPOCH + timedelta(microseconds=ticks // 10) if ticks else None
        except OverflowError:
            return None

    def text(self, *numbers: int) -> str:
        """The first of these that is there and not empty."""
        for number in numbers:
            wide, narrow = self._stream(number, _UNICODE), self._stream(number, _STRING)
            found = "" if wide is None else wide.decode("utf-16-le", "replace")
            if not found and narrow is not None:
                found = _decoded(narrow, self._encoding)
            if found.strip("\0 \r\n\t"):
                return found.rstrip("\0")
        return ""

    def data(self, number: int) -> bytes | None:
        """Bytes, if they are there."""
        return self._stream(number, _BINARY)

    def below(self, prefix: str, header_bytes: int) -> "Iterator[_Properties]":
        """The recipients or attachments in the order of their numbers."""
        for name in sorted(self.storage):
            storage = self.storage[name]
            if name.startswith(prefix) and not isinstance(storage, Stream):
                yield _Properties(storage, header_bytes)

    def enclosed(self) -> "_Properties | None":
        """The mail that is attached as a mail, if this is one."""
        storage = self.storage.get(_stream_name(_DATA, _OBJECT))
        if storage is None or isinstance(storage, Stream) or _PROPERTIES not in storage:
            return None
        return _Properties(storage, _HEADER_BYTES["inside"])

    def _stream(self, number: int, kind: int) -> bytes | None:
        found = self.storage.get(_stream_name(number, kind))
        return found.read() if isinstance(found, Stream) else None


def _message(mail: _Properties, depth: int) -> Message:
    bodies = _body(mail)
    attached = list(_attached(mail, depth))
    message: Message = bodies
    if attached:
        parts = [bodies, *attached]
        apart = hashlib.sha256(
            b"".join(part.as_bytes() for part in parts)
        ).hexdigest()  # the same bytes at each reading
        message = MIMEMultipart(boundary=f"=_{apart}", _subparts=parts)
    sent = mail.time(_SUBMITTED) or mail.time(_DELIVERED)
    headers = {
        "Subject": mail.text(_SUBJECT),
        "From": _person(mail.text(_SENDER_NAME), mail.text(_SENDER_SMTP), mail.text(_SENDER)),
        "Date": format_datetime(sent) if sent else "",
    }
    people: dict[str, list[str]] = {"To": [], "Cc": []}
    for person in mail.below(_RECIPIENT, _HEADER_BYTES["part"]):
        to = _RECIPIENTS.get(person.number(_KIND))
        if to is not None:
            people[to].append(_person(person.text(_NAME), person.text(_SMTP), person.text(_ADDRESS)))
    if not any(people.values()):
        people = {"To": [mail.text(_SHOWN_TO)], "Cc": [mail.text(_SHOWN_CC)]}
    headers |= {name: ", ".join(filter(None, found)) for name, found in people.items()}
    for name, value in headers.items():
        if value:
            message[name] = " ".join("".join(one if one.isprintable() else " " for one in value).split())
    return message


def _body(mail: _Properties) -> Message:
    plain = mail.text(_BODY)
    web = mail.data(_HTML)
    if plain or (web is None and not mail.text(_HTML)):
        return MIMEText(plain.replace("\r\n", "\n"), "plain", "utf-8")
    if web is None:
        return MIMEText(mail.text(_HTML), "html", "utf-8")
    part = MIMEBase("text", "html", charset=_charset(mail.number(_WEB_CODE_PAGE)))
    part.set_payload(web)
    encode_base64(part)
    return part


def _attached(mail: _Properties, depth: int) -> Iterator[Message]:
    for part in mail.below(_ATTACHMENT, _HEADER_BYTES["part"]):
        name = part.text(_LONG_NAME, _SHORT_NAME, _NAME)
        enclosed, data = part.enclosed(), part.data(_DATA)
        if enclosed is not None:
            if depth >= _DEEPEST:
                raise Damaged(f"mails lie more than {_DEEPEST} deep in it")
            found: MIMEBase = MIMEMessage(_message(enclosed, depth + 1))
            name = f"{name or enclosed.text(_SUBJECT) or 'mail'}.eml"
        elif data is not None:
            main, _, sub = part.text(_MEDIA_TYPE).partition("/")
            is_plain = main.isalpha() and main.lower() not in ("multipart", "message") and sub.isprintable()
            found = MIMEBase(main, sub) if is_plain and sub else MIMEBase("application", "octet-stream")
            found.set_payload(data)
            encode_base64(found)
        else:
            continue  # a link to a file elsewhere, or an object of another program
        found.add_header("Content-Disposition", "attachment", filename=("utf-8", "", name))
        yield found


def _person(name: str, *addresses: str) -> str:
    address = next((one for one in addresses if "@" in one and one.isascii()), "")
    return formataddr((name, address)) if address else name


def _charset(code_page: int) -> str:
    if code_page in (0, 65001):
        return "utf-8"
    return f"iso-8859-{code_page - 28590}" if 28591 <= code_page <= 28605 else f"cp{code_page}"


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding, "replace")
    except LookupError:
        return data.decode("cp1252", "replace")


def _stream_name(number: int, kind: int) -> str:
    return f"__substg1.0_{number:04X}{kind:04X}"
