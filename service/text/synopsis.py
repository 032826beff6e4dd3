"""Whether a line is the synopsis of a command, and whether a question asks for one. Pure.

`net-reset [--soft | --hard] [-q] [<line>]` says how a command is written; it states nothing about what its options do.
"""

import re

_OPTIONAL = re.compile(r"\[(?:-|<|\.\.\.|[A-Z_]+\b)[^\[\]]*\]")
_WORD = re.compile(r"[^\W\d_]+")
_MIN_OPTIONAL = 2  # groups in brackets
_MAX_WORDS = 4  # words outside of them: the command and what it must be given
_ASKS_FOR_FORM = re.compile(
    r"\b(?:syntax|synopsis|usage|commands?|options?|arguments?|flags?|parameters?|invoked?|called?|written|run"
    r"|how (?:do|can|should|to))\b",
    re.IGNORECASE,
)


def is_synopsis(text: str) -> bool:
    """Whether a line says how a command is written: the command, and options in brackets."""
    if len(_OPTIONAL.findall(text)) < _MIN_OPTIONAL:
        return False
    return len(_WORD.findall(_OPTIONAL.sub(" ", text))) <= _MAX_WORDS


def asks_for_synopsis(question: str) -> bool:
    """Whether a question may be answered by how a command is written."""
    return _ASKS_FOR_FORM.search(question) is not None
