"""The common noun that a question is about, and whether a text has it: "When does the museum close?" is about a museum. Pure.

A text without the noun may use another word for the same thing, so that its absence is weak evidence against the text: the
reader network knows a cabin from a museum where a text speaks of a hut. Nothing is taken of "What is the depth of
the lock?": an answer seldom repeats "depth". In English.
"""

import re

from service.text.alignment import Token, says_the_same, tokens

_DOES = re.compile(
    r"\b(?:do|does|did|can|may|must|will|should)\s+(?:the|a|an)\s+(?P<phrase>[a-z]+(?:[ ][a-z]+){1,4})", re.IGNORECASE
)
_IS = re.compile(
    r"\b(?:when|where)\s+(?:is|are|was|were)\s+(?:the|a|an)\s+(?P<phrase>[a-z]+(?:[ ][a-z]+){0,4})", re.IGNORECASE
)
_AFTER_NOUN = re.compile(
    r"\b(?:in|at|of|for|from|to|by|with|near|on|before|after|during|under|over|into|as|the|a|an|and|or|that|which|who|when)\b"
)

_PLACES = frozenset(("in", "at", "on", "near", "by"))


def asked_subject(question: str) -> Token | None:
    """The noun; None if the question has no such form, or a name in its place."""
    for pattern, has_verb in ((_DOES, True), (_IS, False)):
        match = pattern.search(question)
        if match is None:
            continue
        phrase = match["phrase"]
        end = _AFTER_NOUN.search(phrase)
        is_open = end is None and match.end() >= len(question.rstrip(" ?.!"))
        words = [token for token in tokens(phrase if end is None else phrase[: end.start()]) if token.content]
        is_placed = end is not None and end.group() in _PLACES  # "does the shop at the pier open"
        if (has_verb and not is_placed) or (is_open and len(words) > 1):
            words = words[:-1]  # the verb ("does the museum close"), or what is said of the noun ("is the museum open")
        if words and words[-1].kind is None:
            return words[-1]
    return None


def has_subject(text: str, subject: Token) -> bool:
    """Whether the text has the noun, in any form or in a word that is known to say the same."""
    return any(says_the_same(subject, token) for token in tokens(text))
