"""Mails (RFC 5322, and as Outlook saves them) -> text with headings, and what is attached. Pure; the standard library's parser.

kreuzberg reads mails, too, but (4.10) runs the words of an HTML mail together where a block ends (`HeadDear Bob`), and
appends what is attached to the text without a name.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parsedate_to_datetime

from index.formats import outlook
from index.formats.canonical import BadEncoding, NotText, canonical, decoded
from index.formats.compound_file import MAGIC
from index.formats.html import webpage
from index.formats.markdown import Heading
from index.formats.members import Member
from index.formats.office import Flow
from index.formats.registry import suffix_of

_SHOWN = ("Subject", "From", "To", "Cc", "Date")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it is read. `created` is its date as ISO 8601, empty if it states none that can be told."""

    subject: str
    sender: str
    created: str
    flow: Flow


def mail_of(data: bytes) -> Mail:
    """Header, names of what is attached, and body; of two forms of the body the plain one. `Damaged` for a broken `.msg`."""
    message = _message(data)
    bodies, attached = _parted(message)
    shown = [f"{name}: {value}" for name in _SHOWN if (value := _stated(message, name))]
    if attached:
        shown.append(f"Attachments: {', '.join(_names(attached))}")
    blocks = ["\n".join(shown)] if shown else []
    headings: list[Heading] = []
    for body in bodies:
        text, found = _read(body)
        if text.strip():
            start = sum(len(block) + 2 for block in blocks)
            headings += [heading._replace(start=start + heading.start) for heading in found]
            blocks.append(text)
    flow = Flow("\n\n".join(blocks), headings, [])
    return Mail(_stated(message, "Subject"), _stated(message, "From"), _created(message), flow)


def attachments(data: bytes) -> Iterator[Member]:
    """What is attached to the mail, in order. Names that occur twice are numbered."""
    _, attached = _parted(_message(data))
    for name, part in zip(_names(attached), attached, strict=True):
        yield Member(name, _content(part))


def _message(data: bytes) -> Message:
    return outlook.message_of(data) if data.startswith(MAGIC) else message_from_bytes(data)


def _parted(message: Message) -> tuple[list[Message], list[Message]]:
    """The parts that are the body, and those that are attached to it."""
    if message.get_content_type() == "multipart/alternative" and (parts := _parts(message)):
        forms = [_parted(part) for part in parts]
        chosen = next((bodies for bodies, _ in forms if bodies and _read(bodies[0])[0].strip()), [])
        return chosen, [part for _, attached in forms for part in attached]
    if message.get_content_maintype() == "multipart" and (parts := _parts(message)):
        bodies, attached = [], []
        for part in parts:
            own_bodies, own_attached = _parted(part)
            bodies += own_bodies
            attached += own_attached
        return bodies, attached
    is_body = message.get_content_maintype() == "text" and not message.get_filename()
    if is_body and message.get_content_disposition() != "attachment":
        return [message], []
    return [], [message]


def _parts(message: Message) -> list[Message]:
    """The parts of a message of several, or the one that a `message/rfc822` part encloses."""
    payload = message.get_payload()
    return [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []


def _names(attached: list[Message]) -> list[str]:
    """What the attachments are called; each name once."""
    names: list[str] = []
    for number, part in enumerate(attached, start=1):
        stated = _decoded_words(part.get_filename() or "").strip()
        name = stated or f"attachment-{number}{suffix_of(part.get_content_type())}"
        if name in names:
            stem, dot, suffix = name.rpartition(".")
            name = f"{stem}-{number}.{suffix}" if dot else f"{name}-{number}"
        names.append(name)
    return names


def _content(part: Message) -> Callable[[], Iterator[bytes]]:
    def data() -> Iterator[bytes]:
        enclosed = _parts(part)
        yield enclosed[0].as_bytes() if enclosed else _payload(part)

    return data


def _payload(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _read(body: Message) -> tuple[str, list[Heading]]:
    """The text of a body and its headings."""
    payload = _payload(body)
    try:
        text = payload.decode(body.get_content_charset() or "utf-8")
    except (LookupError, UnicodeDecodeError):
        try:
            text = decoded(payload)[0]
        except (NotText, BadEncoding):
            text = payload.decode("utf-8", "replace")
    text = canonical(text)
    if body.get_content_subtype() != "html":
        return text.strip("\n"), []
    page = webpage(text)
    return page.text, page.headings


def _stated(message: Message, name: str) -> str:
    """A header on one line, empty if it is not there."""
    return " ".join(canonical(_decoded_words(str(message.get(name, "")))).split())


def _decoded_words(value: str) -> str:
    """`=?utf-8?q?Gr=C3=B6=C3=9Fe?=` as it reads; as it stands where it does not decode."""
    try:
        return str(make_header(decode_header(value)))
    except (MessageError, LookupError, ValueError):
        return value


def _created(message: Message) -> str:
    try:
        return parsedate_to_datetime(str(message["Date"])).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""
