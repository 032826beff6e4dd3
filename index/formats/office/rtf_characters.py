"""The characters of an RTF file: control words that stand for one, and bytes in the code page of their font. Pure."""

import codecs

SIGNS = {
    "emdash": "—", "endash": "–", "bullet": "•", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”",
    "emspace": " ", "enspace": " ", "qmspace": " ", "tab": "\t", "zwj": "\u200d", "zwnj": "\u200c", "ltrmark": "\u200e",
    "rtlmark": "\u200f",
}  # fmt: skip
SIGN_ESCAPES = {"~": "\xa0", "_": "\u2011", "\\": "\\", "{": "{", "}": "}", "\t": "\t"}
_CHARSETS = {
    0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "cp950", 161: "cp1253",
    162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
    254: "cp437", 255: "cp850",
}  # fmt: skip
_SYMBOL_CHARSET = 2
_SYMBOLS = {0xB7: "•", 0xA7: "▪", 0xFC: "✓", 0xA8: "□", 0xD8: "➢", 0xB0: "°", 0xB1: "±"}
SYMBOL = "symbol"
"""The code page of a font of symbols: only its usual signs for list items are known."""


def code_page(number: int) -> str:
    """Return the name of Python's codec for a Windows code page; Western European if there is none."""
    name = {10000: "mac_roman", 936: "gbk", 65001: "utf-8"}.get(number, f"cp{number}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"


def code_page_of_charset(charset: int) -> str:
    """Return the codec of a font's character set."""
    return SYMBOL if charset == _SYMBOL_CHARSET else _CHARSETS.get(charset, "")


def decoded(data: bytes, page: str) -> str:
    """Return the bytes as text; a byte that the code page lacks becomes U+FFFD."""
    if page == SYMBOL:
        return "".join(_SYMBOLS.get(byte, chr(byte) if byte < 0x80 else "") for byte in data)
    return data.decode(page, "replace")
