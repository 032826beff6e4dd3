"""Phrases as they read inside a question: small letters, head nouns, and words that lean on what stands elsewhere. Pure.

Suggested questions (service/suggestions) and drafted ones (evaluation/drafting) are worded with these.
"""

import re
from collections.abc import Callable

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
_QUANTITY = re.compile(
    r"(?:amounts?|numbers?|prices?|costs?|rates?|shares|income|revenues?|sales|margin|expenses?|assets|liabilities|equity|"
    r"cash|debt|tax(?:es)?|earnings|profit|loss|losses|value|payments|purchases|proceeds|repayments|depreciation|amortization|"
    r"inventories|receivables?|payables?|balance|dividends|repurchases|compensation|gains?|securities|investments|deposits|"
    r"obligations|charges|interest|goodwill|equipment|earned|adjustments?|size|weight|length|width|height|age|speed|duration|fee|"
    r"fees|salary|budget|population|count|capacity|distance|temperature|percentage|share|score|quantity|volume|limit)"
)


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


def is_quantity(phrase: str) -> bool:
    """Whether the head of a noun phrase is a noun that names something measured."""
    return _QUANTITY.fullmatch(head_noun(phrase)) is not None
