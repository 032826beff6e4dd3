"""E-mails (RFC 5322 and Outlook's `.msg`) -> blocks, and attachments. Pure; the standard library's parser.

The body is the one that a person sees: HTML, unless it holds few of the words of the plain text, as one that is a picture does.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parsedate_to_datetime

from index.blocks.block import Kind
from index.formats.canonical import BadEncoding, NotText, canonical, decode_text
from index.formats.html.page import html_nodes
from index.formats.members import Damaged, Member
from index.formats.messages import outlook
from index.formats.messages.compound_file import MAGIC
from index.formats.messages.invites import add_invites
from index.formats.messages.mail_text import add_mail_text
from index.formats.messages.quotations import with_quotations
from index.formats.node_writer import write_nodes
from index.formats.nodes import Node, Part
from index.formats.parsed import Parsed, Unreadable
from index.formats.registry import suffix_of

_SHOWN_HEADERS = ("Subject", "From", "To", "Cc", "Date")
_WORD = re.compile(r"[^\W\d_]{2,}")
_MIN_SHARE_OF_HTML = 0.25
"""HTML with a smaller share of the words of the plain text does not show what the mail says."""
_STUB = re.compile(r"\bHTML\b", re.IGNORECASE)
_MAX_STUB_WORDS = 80


def read_mail(data: bytes) -> Parsed:
    """Headers, attachment names and body. Raises `Unreadable` for a broken `.msg`."""
    try:
        message = _parse_message(data)
        bodies, attached = _bodies_and_attachments(message)
    except Damaged as error:
        reason = f"it is damaged or cut short ({str(error)[:100]})"
        raise Unreadable(reason, "Open it in Outlook and save it again") from error
    root = Node()
    header = root.add(Kind.RECORD)
    for name in _SHOWN_HEADERS:
        if value := _header(message, name):
            header.add(Kind.FIELD, value).label = name
    if attached:
        header.add(Kind.FIELD, ", ".join(_attachment_names(attached))).label = "Attachments"
    for body in bodies:
        root.content += with_quotations(_body_nodes(body))
    written = write_nodes(root)
    facts = {"author": _header(message, "From"), "created": _date(message)}
    metadata = {name: fact for name, fact in facts.items() if fact}
    return Parsed(written.text, written.blocks, _header(message, "Subject"), metadata=metadata)


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
        return _chosen([bodies for bodies, _ in alternatives if bodies]), [
            part for _, attached in alternatives for part in attached
        ]
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


def _chosen(alternatives: Sequence[list[Message]]) -> list[Message]:
    """The alternative that a person sees, and invitations, which stand beside it."""
    invites = [body for bodies in alternatives for body in bodies if body.get_content_subtype() == "calendar"]
    others = [bodies for bodies in alternatives if not any(body in invites for body in bodies)]
    by_words = [(bodies, sum(_word_count(body) for body in bodies)) for bodies in others]
    most = max((words for _, words in by_words), default=0)
    for bodies, words in reversed(by_words):
        is_shown = any(body.get_content_subtype() == "html" for body in bodies)
        if words and is_shown and (words >= _MIN_SHARE_OF_HTML * most or _is_stub(others[0])):
            return [*bodies, *invites]
    return [*next((bodies for bodies, words in by_words if words), []), *invites]


def _is_stub(bodies: list[Message]) -> bool:
    """Whether the text only says that the mail is in HTML."""
    texts = [text for body in bodies for text in _texts(body)]
    return any(map(_STUB.search, texts)) and sum(len(text.split()) for text in texts) <= _MAX_STUB_WORDS


def _word_count(body: Message) -> int:
    return sum(len(_WORD.findall(text)) for text in _texts(body))


def _texts(body: Message) -> Iterator[str]:
    """The pieces of text that a body shows."""
    stack = _body_nodes(body)
    while stack:
        part = stack.pop()
        if isinstance(part, Node):
            stack.extend(part.content)
        elif isinstance(part, str):
            yield part


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


def _body_nodes(body: Message) -> list[Part]:
    """What one body part shows."""
    payload = _payload(body)
    try:
        text = payload.decode(body.get_content_charset() or "utf-8")
    except (LookupError, UnicodeDecodeError):
        try:
            text = decode_text(payload)[0]
        except (NotText, BadEncoding):
            text = payload.decode("utf-8", "replace")
    text = canonical(text)
    if body.get_content_subtype() == "html":
        return html_nodes(text).content
    nodes = Node()
    if body.get_content_subtype() == "calendar":
        add_invites(nodes, text)
    else:
        add_mail_text(nodes, text, is_flowed=str(body.get_param("format")).lower() == "flowed")
    return nodes.content


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
