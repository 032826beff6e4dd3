"""The refusal: Quoth's own sentence for it by language, and how to recognise one in a language model's words. Pure."""

import re
from collections.abc import Sequence

from index.languages.frequent_words import likely_language
from index.languages.scripts import script_of
from service.phrases.table import ANSWER_LANGUAGES, DEFAULT_LANGUAGE, texts
from service.text.question_language import question_language

_ANSWERS = {language: texts(language, "answers") for language in ANSWER_LANGUAGES}
REFUSALS = {language: said["refusal"] for language, said in _ANSWERS.items()}
"""The refusal in each language, by its ISO 639-1 code."""
REFUSAL = REFUSALS[DEFAULT_LANGUAGE]
OTHER_LANGUAGE = {language: said["other_language"] for language, said in _ANSWERS.items()}
"""What is said instead where the documents found are in another language: that they do not say is not known then."""

_FEWEST_IN_PASSAGE = 6

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


def refusal_of(question: str, passages: Sequence[str] = ()) -> str:
    """Return the refusal in the language of the question; in English where that is unknown or has none.

    `passages` are the texts that were found: if they are in another language, the refusal says so.
    """
    language = question_language(question)
    found = {script_of(text) or likely_language(text, _FEWEST_IN_PASSAGE) for text in passages} - {""}
    if language and found and language not in found:
        return OTHER_LANGUAGE[language]
    return REFUSALS.get(language, REFUSAL)


def is_own_refusal(text: str) -> bool:
    """Whether the text is one of the sentences that `refusal_of` returns."""
    return text in REFUSALS.values() or text in OTHER_LANGUAGE.values()


def is_refusal(sentence: str) -> bool:
    """Whether a model's sentence says that it has no answer, instead of giving one."""
    words = _words(sentence)
    own = (*REFUSALS.values(), *OTHER_LANGUAGE.values())
    return any(words == _words(refusal) for refusal in own) or bool(_REFUSING.search(sentence))


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]
