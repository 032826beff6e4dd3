"""The bytes of an RTF file -> its tokens, one after the other. Pure."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?|\\'(?P<byte>[0-9a-fA-F]{2})|\\(?P<sign>[^a-zA-Z])"
    r"|(?P<brace>[{}])|(?P<text>[^\\{}\r\n]+)|[\r\n]+|.",
    re.DOTALL,
)


class Token(NamedTuple):
    """A token: "word" (a control word with its number), "byte", "sign", "brace" or "text"."""

    kind: str
    text: str
    number: int | None = None


def tokens(data: bytes) -> Iterator[Token]:
    """Yield the tokens. Raw data after the word `bin` is left out."""
    text = data.decode("latin-1")
    place = 0
    while match := _TOKEN.match(text, place):
        place = match.end()
        kind = match.lastgroup or ""
        if kind == "number":
            kind = "word"
        if kind == "word":
            number = match.group("number")
            if match.group("word") == "bin":
                place += max(0, int(number or 0))
                continue
            yield Token("word", match.group("word"), int(number) if number else None)
        elif kind:
            yield Token(kind, match.group(kind))
