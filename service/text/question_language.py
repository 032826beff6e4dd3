"""The language of a question, as far as Quoth can answer in it. Pure."""

import re

from index.languages.frequent_words import likely_language
from index.languages.scripts import script_of
from service.phrases.table import ANSWER_LANGUAGES

_FEWEST_FREQUENT_WORDS = 2
_NOT_RUSSIAN_OR_ARABIC = re.compile(r"[іїєґўјљњћџђәғқңөұһіپچژگکیٹڈںے]", re.IGNORECASE)


def question_language(question: str) -> str:
    """The ISO 639-1 code of the question's language; empty if it is unknown or none of ANSWER_LANGUAGES."""
    language = script_of(question) or likely_language(question, _FEWEST_FREQUENT_WORDS)
    if language in ("ru", "ar") and _NOT_RUSSIAN_OR_ARABIC.search(question):
        return ""
    return language if language in ANSWER_LANGUAGES else ""
