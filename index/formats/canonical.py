"""Bytes and raw text -> canonical text: the one string per document version that every offset refers to. Pure.

The rules, in order:

1. A byte order mark (UTF-8, UTF-16, UTF-32) decides the encoding. Without one, strict UTF-8 is tried.
2. Bytes that are not UTF-8 but whose accents mostly are come from a damaged UTF-8 file: rejected, naming the place.
   A guess would turn every accented letter into two wrong ones.
3. Other bytes with a NUL among them are not text. What remains is a legacy encoding: Windows-1252 if few of its letters
   are accented and all of them are Western European, else what charset-normalizer detects; when nothing fits, rejected.
4. CR LF and lone CR become LF: the platform that wrote the file does not matter to a quote.
5. NUL and the other C0 and C1 controls, but tab, line feed, form feed and next line (U+0085), become a space each: they are
   invisible, and break C strings, terminals and JSON readers.
6. Byte order marks inside the text and soft hyphens (U+00AD) go: invisible, and they split words.
7. Lone surrogates and the non-characters U+FFFE and U+FFFF become U+FFFD: they cannot be stored as UTF-8.

Nothing else changes. There is no Unicode normalisation: a quote from a text file is found in that file as it stands.
The result encodes as UTF-8, and SQLite and JSON give it back unchanged.
"""

import codecs
import re

from charset_normalizer import from_bytes

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MULTI_BYTE = re.compile(rb"[\xc3-\xf4][\x80-\xbf]+")
_SAMPLE = 200_000
_WESTERN = frozenset("àáâãäåæçèéêëìíîïñòóôõöøùúûüÿœßÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜŒ¡¿«»‹›“”„‘’‚–—…•·€£§©®™°º\xa0")
_NEWLINE = re.compile(r"\r\n?")
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]")
_INVISIBLE = re.compile("[\ufeff\u00ad]")
_UNSTORABLE = re.compile("[\ud800-\udfff\ufffe\uffff]")


class NotText(ValueError):
    """The bytes hold something that is not text in any encoding, such as an image or a program."""


class BadEncoding(ValueError):
    """The bytes are text, but damaged or in an encoding that could not be told. The message says where."""


def decoded(data: bytes) -> tuple[str, str]:
    """The text of `data` and the name of its encoding. `NotText` or `BadEncoding` where there is none."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding), encoding.removesuffix("-sig")
            except UnicodeDecodeError as error:
                raise BadEncoding(f"it claims to be {encoding} but is damaged at byte {error.start}") from error
    try:
        return _without_binary(data.decode("utf-8")), "utf-8"
    except UnicodeDecodeError as error:
        return _legacy(data, error)


def canonical(text: str) -> str:
    """`text` by rules 4 to 7 above. Doing it twice changes nothing."""
    text = _NEWLINE.sub("\n", text)
    text = _UNSTORABLE.sub("\ufffd", text)
    return _CONTROL.sub(" ", _INVISIBLE.sub("", text))


def _without_binary(text: str) -> str:
    """`text` unless it is mostly NULs and controls: ASCII bytes alone do not make a text."""
    sample = text[:_SAMPLE]
    if len(_CONTROL.findall(sample)) > len(sample) // 10:
        raise NotText("more than a tenth of it is control characters")
    return text


def _legacy(data: bytes, error: UnicodeDecodeError) -> tuple[str, str]:
    if b"\0" in data[:_SAMPLE]:
        raise NotText("it holds NUL bytes and is not Unicode") from error
    around = data[max(0, error.start - _SAMPLE) : error.start + _SAMPLE]
    proper = sum(len(match) for match in _MULTI_BYTE.findall(around) if _is_utf8(match))
    if 2 * proper > sum(byte >= 0x80 for byte in around):
        line = data.count(b"\n", 0, error.start) + 1
        value = data[error.start]
        raise BadEncoding(f"it is not valid UTF-8: byte {error.start} (line {line}) is 0x{value:02X}") from error
    encoding = _legacy_encoding(data[:_SAMPLE], around)
    if encoding is None:
        raise BadEncoding(f"it is not UTF-8 (byte {error.start}), and no other encoding fits") from error
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError as later:
        raise BadEncoding(f"it looks like {encoding} but does not decode at byte {later.start}") from later


def _legacy_encoding(beginning: bytes, around: bytes) -> str | None:
    western = around.decode("cp1252", "replace")
    accented = [letter for letter in western if letter > "\x7f"]
    if len(accented) < len(around) / 5 and _WESTERN.issuperset(accented):
        return "cp1252"
    best = from_bytes(beginning).best()
    return None if best is None else best.encoding


def _is_utf8(piece: bytes) -> bool:
    try:
        piece.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
