"""What somebody else wrote, in the body of a mail: quotations, each named by the line that says who wrote it. Pure.

A quotation is what stands in `<blockquote>` or behind `>`; what follows a line such as "On 5 May 2025, Per Dahl wrote:"; and
what follows the header of another mail, as Outlook and forwarding programs write it.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from index.blocks.block import Kind
from index.formats.nodes import LINE_BREAK, Node, Part

_MAX_DEPTH = 30
_MAX_ATTRIBUTION = 300
_WROTE = re.compile(
    r"(?:\bwrote|\bwrites|\bschrieb|\bschreef|\ba écrit|\bescribió|\bescreveu|\bha scritto|\bskrev|\bkirjoitti"
    r"|\bnapisał\(?a?\)?|\bnapsala?\(?a?\)?|\bírta|\bscris|написала?\(?а?\)?|\byazdı|写道|写到|のメール|のメッセージ)\b[^:：\n]{0,80}[:：]\s*\Z",
    re.IGNORECASE,
)
_WHEN_OR_WHO = re.compile(r"\d|@")
_HEADERS = {
    "from": "from von de da van fra från od от 发件人 差出人",
    "date": "date sent datum gesendet envoyé enviado inviato verzonden sendt skickat data fecha wysłano дата отправлено "
    "发送时间 日時 送信日時",
    "to": "to an à para a aan til till do кому 收件人 宛先",
    "subject": "subject betreff objet asunto assunto oggetto onderwerp emne ämne temat тема 主题 件名",
    "other": "cc kopie copie kopia копия 抄送 attachments anlagen reply-to importance",
}
_NAMES = {word: name for name, words in _HEADERS.items() for word in words.split()}
_HEADER_LINE = re.compile(r"[*_]?([^\W\d_][\w-]{0,14})\s{0,3}[*_]?\s?[:：][*_]?\s*(\S.*)?\Z", re.DOTALL)
_DIVIDER = re.compile(r"[\s\-_=*]{3,}(?:[^\W\d_][\w ’']{3,40}[\s\-_=*:]{2,})?\Z")
_SIGNATURE_MARK = re.compile(r"--\s*\Z")
_MAX_SIGNATURE = 1_000


def with_quotations(content: Sequence[Part], depth: int = 0) -> list[Part]:
    """Return the blocks of a body, or of a quotation in it, with its quotations as such and its signature as furniture."""
    parts = list(_lone_attributions(content))
    result: list[Part] = []
    for place, part in enumerate(parts):
        if not isinstance(part, Node):
            result.append(part)
            continue
        if part.kind is Kind.QUOTATION and depth < _MAX_DEPTH:
            first = part.content[:1] if _name(part, result) else []
            part.content = [*first, *with_quotations(part.content[len(first) :], depth + 1)]
        elif part.kind is Kind.PARAGRAPH and depth < _MAX_DEPTH:
            if header := _header(parts[place:]):
                record, used, before = header
                rest = with_quotations(parts[place + used :], depth + 1)
                sender = next((part for part in record.content if isinstance(part, Node)), record)
                return [*result, *before, record, Node(Kind.QUOTATION, rest, named_by=[sender])]
            is_alone = not any(
                isinstance(later, Node) and later.kind is Kind.QUOTATION for later in parts[place + 1 :][:2]
            )
            if is_alone and is_attribution(part.plain()) and place + 1 < len(parts):
                rest = with_quotations(parts[place + 1 :], depth + 1)
                return [*result, part, Node(Kind.QUOTATION, rest, named_by=[part])]
            if _SIGNATURE_MARK.match(part.plain().partition(LINE_BREAK)[0].strip()):
                signature = _until_quotation(parts[place:])
                if sum(len(line.plain()) for line in signature) <= _MAX_SIGNATURE:
                    rest = with_quotations(parts[place + len(signature) :], depth + 1)
                    return [*result, Node(Kind.FURNITURE, list(signature)), *rest]
        result.append(part)
    return result


def is_attribution(text: str) -> bool:
    """Return whether the text says who wrote what follows: "On Mon, 5 May 2025 at 08:12, Per Dahl <per@example.org> wrote:"."""
    line = " ".join(text.split())
    return len(line) <= _MAX_ATTRIBUTION and _WROTE.search(line) is not None and _WHEN_OR_WHO.search(line) is not None


def _name(quotation: Node, before: Sequence[Part]) -> bool:
    """Name the quotation by the paragraph before it, or by its own first one. Returns whether it is its own."""
    last = before[-1] if before else None
    first = quotation.content[0] if quotation.content else None
    for part in (last, first):
        if isinstance(part, Node) and part.kind is Kind.PARAGRAPH and is_attribution(part.plain()):
            quotation.named_by = [part]
            return part is first
    return False


def _lone_attributions(content: Sequence[Part]) -> Iterator[Part]:
    """The parts, and an attribution that is the end of a paragraph as a paragraph of its own."""
    for part in content:
        lines = _lines(part) if isinstance(part, Node) and part.kind is Kind.PARAGRAPH else []
        for count in range(1, min(4, len(lines))):
            if is_attribution(" ".join(_plain(line) for line in lines[-count:])):
                assert isinstance(part, Node)
                yield Node(Kind.PARAGRAPH, _joined(lines[:-count]), part.facts)
                yield Node(Kind.PARAGRAPH, _joined(lines[-count:]))
                break
        else:
            yield part


def _header(parts: Sequence[Part]) -> tuple[Node, int, list[Part]] | None:
    """The header of a mail that the parts begin with, as a record; how many parts it takes; and what stands before it there."""
    first = parts[0]
    assert isinstance(first, Node)
    lines = _lines(first)
    begin = next((place for place, line in enumerate(lines[:4]) if _key(_plain(line)) == "from"), None)
    if begin is None:
        return None
    found: list[tuple[str, str]] = []
    rest: list[list[Part]] = []
    used = 0
    for part in parts[:8]:
        if not isinstance(part, Node) or part.kind is not Kind.PARAGRAPH:
            break
        own = lines[begin:] if not used else _lines(part)
        count = 0
        for line in own:
            match = _HEADER_LINE.match(_plain(line).strip())
            if match is None or match[1].lower() not in _NAMES:
                break
            found.append((match[1], " ".join((match[2] or "").split())))
            count += 1
        if not count:
            break
        used += 1
        if count < len(own):
            rest = own[count:]
            break
    keys = {_NAMES[name.lower()] for name, _ in found}
    if not {"from", "date"} <= keys or not keys & {"to", "subject"}:
        return None
    record = Node(Kind.RECORD)
    for name, value in found:
        record.add(Kind.FIELD, value).label = name
    before: list[Part] = [Node(Kind.PARAGRAPH, _joined(lines[:begin]))] if begin else []
    if all(_DIVIDER.match(_plain(line)) for line in lines[:begin]):
        before = [Node(Kind.FURNITURE, before)] if before else []
    if rest:
        first.content = _joined(rest)
        return record, used - 1, before
    return record, used, before


def _key(line: str) -> str:
    match = _HEADER_LINE.match(line.strip())
    return _NAMES.get(match[1].lower(), "") if match else ""


def _until_quotation(parts: Sequence[Part]) -> list[Node]:
    found: list[Node] = []
    for part in parts:
        if not isinstance(part, Node) or part.kind is Kind.QUOTATION or is_attribution(part.plain()):
            break
        found.append(part)
    return found


def _lines(paragraph: Node) -> list[list[Part]]:
    """The lines of a paragraph."""
    pieces: list[Part] = []
    for part in paragraph.content:
        if isinstance(part, str) and LINE_BREAK in part:
            for number, piece in enumerate(part.split(LINE_BREAK)):
                pieces += [LINE_BREAK, piece] if number else [piece]
        else:
            pieces.append(part)
    groups = groupby(pieces, key=lambda piece: piece == LINE_BREAK)
    return [line for is_break, group in groups if not is_break and _plain(line := list(group)).strip()]


def _plain(line: Sequence[Part]) -> str:
    return " ".join(Node(None, list(line)).plain().split())


def _joined(lines: Sequence[Sequence[Part]]) -> list[Part]:
    """The lines with breaks between them."""
    joined: list[Part] = []
    for line in lines:
        joined += [LINE_BREAK, *line] if joined else line
    return joined
