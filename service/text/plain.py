"""TODO service/text/plain.py"""

import re

_LIST_MARK = re.compile(r"^\s*(?:[-*+•▪◦‣·–>]\s+|\(?\d{1,3}[.)]\s+|#{1,6}\s+)+")


_LINK = re.compile(r"!?\[([^\]\n]+)\]\([^()\s]*\)")


_STRONG = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", re.DOTALL)


def plain(quote: str) -> str:
    """A quote as it reads in running text: one line, without list or heading marks, emphasis and link targets."""
    text = _LIST_MARK.sub("", quote)
    text = _LINK.sub(r"\1", text)
    text = _STRONG.sub(r"\2", text)
    return " ".join(text.split())
