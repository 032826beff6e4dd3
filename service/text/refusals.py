"""The refusal: Quoth's own sentence for it, and how to recognise one in a language model's words. Pure."""

import re

REFUSAL = "The documents do not say."

_SOURCE = r"(?:passages?|documents?|sources?|texts?|context|information|excerpts?|materials?|briefing|article)"
_NEGATED = r"(?:do(?:es)?[ ]not|don['’]t|doesn['’]t|did[ ]not|cannot|can['’]t|never|fails?[ ]to)"
_SAYING = (
    r"(?:say|state|mention|contain|provide|specify|include|give|hold|indicate|address|discuss|answer|cover|tell|reveal"
    r"|name|have)"
)
_REFUSING = re.compile(
    rf"""
      \b{_SOURCE}\b[^.;]{{0,60}}?\b{_NEGATED}\s+(?:\w+\s+){{0,2}}?{_SAYING}\b
    | \b(?:is|are|was|were)\s+(?:not|never)\s+(?:\w+\s+)?
      (?:mentioned|stated|specified|given|provided|available|contained|included|answered|discussed)\b
      [^.;]{{0,40}}\b{_SOURCE}\b
    | \bthere\s+is\s+no\s+(?:\w+\s+){{0,2}}?(?:information|mention|answer|evidence|indication)\b
    | \bno\s+(?:\w+\s+)?(?:information|answer|mention)\b[^.;]{{0,60}}
      \b(?:is|was|can\s+be)\s+(?:given|found|provided|available)\b
    | \bI\s+(?:do\s+not|don['’]t|cannot|can['’]t|am\s+(?:unable|not\s+able)\s+to|could\s+not|couldn['’]t)\s+
      (?:\w+\s+)?(?:know|answer|find|determine|provide|tell|say|have)\b
    | \b(?:cannot|can['’]t)\s+be\s+(?:answered|determined)\b
    | \bnot\s+enough\s+information\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_WORD = re.compile(r"\w+")


def is_refusal(sentence: str) -> bool:
    """Whether a model's sentence says that it has no answer, instead of giving one."""
    return _words(REFUSAL) == _words(sentence) or bool(_REFUSING.search(sentence))


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]
