"""The words of questions: what they are about, and what they may not lean on. Pure."""

import re
from collections.abc import Callable

from index.lexicon.analysis import ANALYZERS

_STOP = frozenset(
    "a an and are as at be been but by can could did do does for from had has have how i if in into is it its many may "
    "me might much must my not of on or our shall should so that the their them then there these they this those to up "
    "was we were what when where which who whom whose why will with would you your".split()
)
_STOP_STEMS = frozenset(
    stem for word in _STOP for stem in ANALYZERS["words"].analyze(word)
)  # "does" and "this" have stems of their own
DEIXIS = re.compile(
    r"(?i)\b(?:it|its|itself|they|them|their|theirs|this|these|those|he|she|his|her|hers|him|such|above|below|here|"
    r"following|previous(?:ly)?|former|latter|preceding|aforementioned|another|else|therefore|then|also|instead|we|us|our|so)\b"
    r"|\bthe (?:company|registrant|document|manual|guide|section|chapter|page|table|faq|author|term|article)\b"
)
"""Words that point at something outside of the sentence."""


_AFTER_HEAD = re.compile(
    r",| (?:of|from|for|in|to|on|by|with|per|at|under|before|after|over|used|provided|generated|paid|received|related|"
    r"outstanding|issued|sold|and)\b"
)


def content_words(text: str) -> frozenset[str]:
    """The stems that search finds a text by, without those of words that say nothing alone."""
    return frozenset(ANALYZERS["words"].analyze(text)) - _STOP_STEMS


def one_line(text: str) -> str:
    """The text with single blanks."""
    return " ".join(text.split())


def sentence_inner(text: str, keeps_capital: bool) -> str:
    """A phrase as it reads inside a sentence: its first word loses its capital, unless it is a name or an acronym."""
    first, gap, rest = text.partition(" ")
    is_plain = first[:1].isupper() and first[1:].islower()
    return f"{first.lower()}{gap}{rest}" if (is_plain or first in {"A", "I"}) and not keeps_capital else text


def in_small_letters(text: str, is_name: Callable[[str], bool]) -> str:
    """A phrase in title case as it reads inside a sentence: words that are no names lose their capitals."""
    return " ".join(
        word.lower() if word.istitle() and len(word) > 1 and not is_name(word) else word for word in text.split()
    )


def head_noun(noun_phrase: str) -> str:
    """The last word of a noun phrase before a preposition, a participle or a comma, in small letters."""
    head = _AFTER_HEAD.split(noun_phrase, maxsplit=1)[0]
    return head.split()[-1].casefold() if head.split() else ""


def is_plural(noun_phrase: str) -> bool:
    """Whether the head of a noun phrase looks like a plural."""
    word = head_noun(noun_phrase)
    return len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is", "ous"))
