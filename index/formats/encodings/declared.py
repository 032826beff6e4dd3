"""The encoding that a text names itself: in its XML declaration, its HTML head, its CSS rule or a coding cookie. Pure."""

import codecs
import re

_HEAD = 4096
_XML = re.compile(rb"\s*<\?xml[^>]*?\sencoding\s*=\s*[\"']([\w.:-]+)", re.IGNORECASE)
_HTML = re.compile(rb"<meta[^>]*?\bcharset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_CSS = re.compile(rb"@charset \"([\w.:-]+)\";")
_COOKIE = re.compile(rb"[ \t\f]*(?:#|//|/\*|--|;|%|\"|<!--).*?coding[:=][ \t]*([-\w.]+)")
_AS_READ = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
}
"""What is read in place of an encoding that is a part of it: programs name the part and write the whole (WHATWG, Encoding)."""

_NOT_TEXT = frozenset(
    {"base64", "bz2", "hex", "quopri", "rot13", "uu", "zlib", "idna", "punycode", "undefined", "utf-7"}
)


def declared_encoding(data: bytes) -> str | None:
    """The encoding that the text names, as Python calls it; None if it names none, or none that there is."""
    head = data[:_HEAD]
    found = _XML.match(head) or _CSS.match(head)
    if found is None and head.lstrip()[:1] == b"<":
        found = _HTML.search(head)
    if found is None:
        found = next(filter(None, map(_COOKIE.match, head.splitlines()[:2])), None)
    if found is None:
        return None
    try:
        name = codecs.lookup(found[1].decode("ascii")).name
    except (LookupError, UnicodeDecodeError):
        return None
    if name in _NOT_TEXT or name.startswith(("utf-16", "utf-32", "unicode", "raw-unicode")):
        return None
    return _AS_READ.get(name, name)
