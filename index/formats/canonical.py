"""Bytes or raw text -> canonical text: the one string per document version that every offset refers to. Pure.

The rules, in order:

1. A byte order mark (UTF-8, UTF-16, UTF-32) decides the encoding. Without one, UTF-16 is recognised by its NUL bytes,
   ISO-2022 by its escapes, and strict UTF-8 is tried.
2. Bytes that are not UTF-8 are in the encoding that the text names itself (`index.formats.encodings.declared`), if they
   fit it. Else, if most accented letters are UTF-8, they come from a damaged UTF-8 file. It is rejected, and the message
   names the position: a guessed encoding would turn every accented letter into two wrong ones.
3. Other bytes with a NUL among them are not text. The rest are in an older encoding, if only one is possible
   (`index.formats.encodings.legacy`); otherwise they are rejected, because a wrong guess would spoil the words unnoticed.
4. CR LF and lone CR become LF: the platform that wrote the file does not matter to a quote.
5. NUL and the other C0 and C1 controls, except tab, line feed, form feed and next line (U+0085), each become a space:
   they are invisible, and they break C strings, terminals and JSON parsers.
6. Byte order marks inside the text and soft hyphens (U+00AD) are removed: they are invisible, and they split words.
7. Lone surrogates and the non-characters U+FFFE and U+FFFF become U+FFFD: they cannot be stored as UTF-8.

Nothing else changes. There is no Unicode normalisation, so a quote from a text file can be found in that file as it is.
The result encodes as UTF-8, and SQLite and JSON return it unchanged.
"""

import codecs
import re
import unicodedata

from index.formats.encodings.declared import declared_encoding
from index.formats.encodings.legacy import legacy_encoding

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MULTI_BYTE = re.compile(rb"[\xc3-\xf4][\x80-\xbf]+")
_SAMPLE = 200_000
_ESCAPES = ((b"\x1b$B", "iso2022_jp"), (b"\x1b$@", "iso2022_jp"), (b"\x1b$)C", "iso2022_kr"))
_OUTSIDE_TEXT = frozenset({"Cc", "Cn", "Co", "Cs"})
_NEWLINE = re.compile(r"\r\n?")
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]")
_INVISIBLE = re.compile("[\ufeff\u00ad]")
_UNSTORABLE = re.compile("[\ud800-\udfff\ufffe\uffff]")


class NotText(ValueError):
    """The bytes are not text in any encoding: an image or a program, for example."""


class BadEncoding(ValueError):
    """The bytes are text, but damaged or in an unknown encoding. The message says where."""


def decode_text(data: bytes) -> tuple[str, str]:
    """The text of `data` and the name of its encoding. Raises `NotText` or `BadEncoding`."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding), encoding.removesuffix("-sig")
            except UnicodeDecodeError as error:
                raise BadEncoding(f"it claims to be {encoding} but is damaged at byte {error.start}") from error
    for encoding in _by_their_bytes(data):
        try:
            return _require_text(data.decode(encoding)), encoding
        except UnicodeDecodeError:
            continue
    try:
        return _require_text(data.decode("utf-8")), "utf-8"
    except UnicodeDecodeError as error:
        return _decode_legacy(data, error)


def canonical(text: str) -> str:
    """`text` after rules 4 to 7 above. Applying it twice changes nothing."""
    if text.isascii() and text.isprintable():
        return text
    text = _NEWLINE.sub("\n", text)
    text = _UNSTORABLE.sub("\ufffd", text)
    return _CONTROL.sub(" ", _INVISIBLE.sub("", text))


def _require_text(text: str) -> str:
    """`text` itself. Raises `NotText` if more than a tenth is controls: not all ASCII bytes are text."""
    sample = text[:_SAMPLE]
    if len(_CONTROL.findall(sample)) > len(sample) // 10:
        raise NotText("more than a tenth of it is control characters")
    return text


def _by_their_bytes(data: bytes) -> list[str]:
    """The encodings whose bytes look like no others: UTF-16 without a mark, and ISO-2022."""
    if b"\0" in data[:_SAMPLE] and len(data) % 2 == 0:
        fitting = [encoding for encoding in ("utf-16-le", "utf-16-be") if _is_text_in(data[:_SAMPLE], encoding)]
        return fitting if len(fitting) == 1 else []
    return [encoding for escape, encoding in _ESCAPES if escape in data[:_SAMPLE]][:1]


def _is_text_in(sample: bytes, encoding: str) -> bool:
    """Whether the sample is text in an UTF-16 encoding: real letters, and blanks that are those of the right byte order."""
    text = sample.decode(encoding, "replace")
    blanks = text.count(" ") + text.count("\n")
    swapped = sum(text.count(blank) for blank in "\u2000\u0a00\u0d00\u0900")
    strange = sum(
        unicodedata.category(letter) in _OUTSIDE_TEXT and letter not in "\t\n\r\f\x85" for letter in set(text)
    )
    return blanks > 0 and not swapped and not strange and "\ufffd" not in text


def _decode_legacy(data: bytes, error: UnicodeDecodeError) -> tuple[str, str]:
    """The text of bytes that are not UTF-8, as `error` says, and its encoding: rules 2 and 3."""
    if b"\0" in data[:_SAMPLE]:
        raise NotText("it holds NUL bytes and is not Unicode") from error
    declared = declared_encoding(data)
    if declared is not None:
        try:
            text = data.decode(declared)
        except UnicodeDecodeError:
            declared = None  # it names an encoding that it is not in
        else:
            if not _CONTROL.search(text):
                return text, declared
    around = data[max(0, error.start - _SAMPLE) : error.start + _SAMPLE]
    valid = sum(len(match) for match in _MULTI_BYTE.findall(around) if _is_utf8(match))
    if 2 * valid > sum(byte >= 0x80 for byte in around):
        line = data.count(b"\n", 0, error.start) + 1
        value = data[error.start]
        raise BadEncoding(f"it is not valid UTF-8: byte {error.start} (line {line}) is 0x{value:02X}") from error
    encoding = legacy_encoding(around)
    if encoding is None:
        raise BadEncoding(
            f"its encoding is not UTF-8 (byte {error.start}), and which older encoding it is in is not certain"
        ) from error
    for start in range(0, len(data) if len(data) > len(around) else 0, _SAMPLE):
        part = data[start : start + _SAMPLE]
        other = None if part.isascii() else legacy_encoding(part)
        if other is not None and part.decode(other, "replace") != part.decode(encoding, "replace"):
            raise BadEncoding(
                f"its encoding is not certain: near byte {start} it looks like {other}, elsewhere like {encoding}"
            )
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError as later:
        raise BadEncoding(f"its encoding looks like {encoding}, but byte {later.start} does not fit") from later


def _is_utf8(piece: bytes) -> bool:
    try:
        piece.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
