"""Whether a sentence from which struck-out text is left out still says something. Pure."""

import re

from index.languages.frequent_words import FREQUENT_WORDS

_WORD = re.compile(r"\w+(?:['’]\w+)?")
_MORE = frozenset("it was were be been am its their into than about under over only".split())


def has_lost_its_answer(left: str, struck: str, *, is_last: bool, language: str) -> bool:
    """Return whether `left` is only the frame of what was struck out of it, such as "It was .".

    It is if the figures or the last words are struck out, `is_last`, and what is left has no figure, and fewer than two words
    that mean something or one that asks for more at its end.
    """
    has_figure = any(map(str.isdecimal, struck))
    if any(map(str.isdecimal, left)) or not (has_figure or (is_last and _WORD.search(struck))):
        return False
    frequent = FREQUENT_WORDS.get(language, frozenset()) | FREQUENT_WORDS["en"] | _MORE
    words = [word.lower() for word in _WORD.findall(left)]
    return sum(word not in frequent for word in words) < 2 or (is_last and words[-1] in frequent)
