"""E-mails (RFC 5322 and Outlook's `.msg`) -> text with headings, and attachments. Pure; the standard library's parser.

kreuzberg reads e-mails too, but (4.10) it joins words of an HTML e-mail where a block ends (`HeadDear Bob`), and it
appends attachments to the text without their names.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parsedate_to_datetime

from index.formats import outlook
from index.formats.canonical import BadEncoding, NotText, canonical, decode_text
from index.formats.compound_file import MAGIC
from index.formats.html_text import html_text
from index.formats.markdown import Heading
from index.formats.members import Member
from index.formats.office import StructuredText
from index.formats.registry import suffix_of

_SHOWN_HEADERS = ("Subject", "From", "To", "Cc", "Date")


@dataclass(frozen=True, slots=True)
class Mail:
    """The text and facts of an e-mail. `created` is its date in ISO 8601, empty if it has no valid date."""

    subject: str
    sender: str
    created: str
    content: StructuredText


def read_mail(data: bytes) -> Mail:
    """Headers, attachment names, and body (plain text rather than HTML). Raises `Damaged` for a broken `.msg`."""
    message = _parse_message(data)
    bodies, attached = _bodies_and_attachments(message)
    header_lines = [f"{name}: {value}" for name in _SHOWN_HEADERS if (value := _header(message, name))]
    if attached:
        header_lines.append(f"Attachments: {', '.join(_attachment_names(attached))}")
    blocks = ["\n".join(header_lines)] if header_lines else []
    headings: list[Heading] = []
    for body in bodies:
        text, body_headings = _body_text(body)
        if text.strip():
            start = sum(len(block) + 2 for block in blocks)
            headings += [heading._replace(start=start + heading.start) for heading in body_headings]
            blocks.append(text)
    content = StructuredText("\n\n".join(blocks), headings, [])
    return Mail(_header(message, "Subject"), _header(message, "From"), _date(message), content)


def attachments(data: bytes) -> Iterator[Member]:
    """The attachments of the e-mail, in order. Names that occur twice are numbered."""
    _, attached = _bodies_and_attachments(_parse_message(data))
    for name, part in zip(_attachment_names(attached), attached, strict=True):
        yield Member(name, _part_data(part))


def _parse_message(data: bytes) -> Message:
    return outlook.outlook_message(data) if data.startswith(MAGIC) else message_from_bytes(data)


def _bodies_and_attachments(message: Message) -> tuple[list[Message], list[Message]]:
    """The parts that make up the body, and the attached parts."""
    if message.get_content_type() == "multipart/alternative" and (parts := _subparts(message)):
        alternatives = [_bodies_and_attachments(part) for part in parts]
        chosen = next((bodies for bodies, _ in alternatives if bodies and _body_text(bodies[0])[0].strip()), [])
        return chosen, [part for _, attached in alternatives for part in attached]
    if message.get_content_maintype() == "multipart" and (parts := _subparts(message)):
        bodies, attached = [], []
        for part in parts:
            part_bodies, part_attached = _bodies_and_attachments(part)
            bodies += part_bodies
            attached += part_attached
        return bodies, attached
    is_body = message.get_content_maintype() == "text" and not message.get_filename()
    if is_body and message.get_content_disposition() != "attachment":
        return [message], []
    return [], [message]


def _subparts(message: Message) -> list[Message]:
    """The parts of a multipart message, or the one message inside a `message/rfc822` part."""
    payload = message.get_payload()
    return [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []


def _attachment_names(attached: list[Message]) -> list[str]:
    """The names of the attachments, each different from the others."""
    names: list[str] = []
    for number, part in enumerate(attached, start=1):
        file_name = _decode_words(part.get_filename() or "").strip()
        name = file_name or f"attachment-{number}{suffix_of(part.get_content_type())}"
        if name in names:
            stem, dot, suffix = name.rpartition(".")
            name = f"{stem}-{number}.{suffix}" if dot else f"{name}-{number}"
        names.append(name)
    return names


def _part_data(part: Message) -> Callable[[], Iterator[bytes]]:
    def data() -> Iterator[bytes]:
        enclosed = _subparts(part)
        yield enclosed[0].as_bytes() if enclosed else _payload(part)

    return data


def _payload(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _body_text(body: Message) -> tuple[str, list[Heading]]:
    """The text of one body part and its headings."""
    payload = _payload(body)
    try:
        text = payload.decode(body.get_content_charset() or "utf-8")
    except (LookupError, UnicodeDecodeError):
        try:
            text = decode_text(payload)[0]
        except (NotText, BadEncoding):
            text = payload.decode("utf-8", "replace")
    text = canonical(text)
    if body.get_content_subtype() != "html":
        return text.strip("\n"), []
    page = html_text(text)
    return page.text, page.headings


def _header(message: Message, name: str) -> str:
    """The value of a header on one line, empty if the message has no such header."""
    return " ".join(canonical(_decode_words(str(message.get(name, "")))).split())


def _decode_words(value: str) -> str:
    """`value` with encoded words such as `=?utf-8?q?Gr=C3=B6=C3=9Fe?=` decoded; unchanged if they cannot be."""
    try:
        return str(make_header(decode_header(value)))
    except (MessageError, LookupError, ValueError):
        return value


def _date(message: Message) -> str:
    """The date of the message in ISO 8601, empty if it has no valid date."""
    try:
        return parsedate_to_datetime(str(message["Date"])).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""
