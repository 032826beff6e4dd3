"""Keyword queries: "alcohol" or "notice period" is read as the question that it stands for. Pure.

The reader has learnt from questions. Of eight keywords, each with a passage about it, the lowest relevance is 1.2 when read as
"What about X?", -0.1 as "What is X?", -0.3 as "What do the documents say about X?" and -0.4 as typed. That is a small sample,
and another speaks for the query as typed: of 24 keywords of two words made from questions of SQuAD 2, the median relevance is
.94 as typed and .80 as "What is X?"; "What about X?" was not measured there. A query is one if it has at most four words, no
verb, no question word and no question mark.
"""

import re

from index.languages.frequent_words import likely_language
from index.languages.scripts import script_of
from service.followups.dependence import is_fragment, opens_as_continuation

MAX_WORDS = 4

_ASKS = re.compile(r"[?？؟¿]")
_ENDS = re.compile(r"[\s.,;:!]+\Z")
_ORDER = re.compile(
    r"\A\W*(?:list|show|explain|tell|describe|name|give|compare|summari[sz]e|define|find|count|translate|nenne|zeige|"
    r"erkläre|cite|montre|explique|lista|muestra|explica)\b",
    re.IGNORECASE,
)
_QUESTION_WORD = re.compile(
    r"\b(?:who|whom|whose|what|which|when|where|why|how|wer|was|wann|wo|warum|wie|welche[rsnm]?|qui|que|quand|où|pourquoi|"
    r"comment|quel(?:le)?s?|combien|qué|quién|cuándo|dónde|cómo|cuál|cuánto)\b",
    re.IGNORECASE,
)
_READINGS = {
    "de": "Was ist mit {}?",
    "fr": "Qu'en est-il de {} ?",
    "es": "¿Qué hay de {}?",
}


def keyword_reading(query: str) -> str | None:
    """Return the question that a keyword query stands for; None for any other text."""
    words = _ENDS.sub("", query.strip())
    if not words or len(words.split()) > MAX_WORDS or _ASKS.search(query) or script_of(words):
        return None
    if _ORDER.search(words) or _QUESTION_WORD.search(words) or opens_as_continuation(words) or not is_fragment(words):
        return None
    return _READINGS.get(likely_language(words, 1), "What about {}?").format(words)
