"""Tells sentences from what programs read: JSON and calls of tools, which some models write instead of an answer. Pure."""

import re
from collections.abc import Iterable, Iterator

from service.errors import GeneratorUnavailable

_LOOK_AT = 80  # code points at the beginning of a reply that show what it is
_FENCE = r"\s*(?:(?:```|~~~)[ \t]*\w*\s*|json\b\s*)?"
_JSON = re.compile(rf"""{_FENCE}(?:\{{\s*(?:["'}}]|\w+\s*:|\Z)|\[\s*(?:[{{"]|\]?\s*\Z))""")
_TOOL_CALL = re.compile(
    rf"{_FENCE}(?:<\|?\s*(?:tool|function|invoke\b|python_tag)|<[|｜]tool|\[(?:TOOL_CALLS?|AVAILABLE_TOOLS)\])",
    re.IGNORECASE,
)
_OPENS_PROSE = re.compile(r"\s*(?!j(?:\Z|s(?:\Z|on?\b)))[^\s{\[`~<]", re.IGNORECASE)
_FIELD = re.compile(r"""(?:\A\s*|[{,]\s*)"[\w .-]{1,60}"\s*:""")


def require_prose(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces, unchanged. Raises GeneratorUnavailable if the text begins as JSON or as the call of a tool."""
    held = ""
    checked = False
    for piece in pieces:
        if checked:
            yield piece
            continue
        held += piece
        if len(held.lstrip()) >= _LOOK_AT or _OPENS_PROSE.match(held):
            _raise_unless_prose(held)
            checked = True
            yield held
    if not checked:
        _raise_unless_prose(held)
        yield held


def holds_json(text: str) -> bool:
    """Whether a field of a JSON object is in the text."""
    return _FIELD.search(text) is not None


def _raise_unless_prose(text: str) -> None:
    if _TOOL_CALL.match(text):
        raise GeneratorUnavailable("The language model called a tool instead of writing an answer.")
    if _JSON.match(text):
        raise GeneratorUnavailable("The language model wrote JSON instead of sentences.")
