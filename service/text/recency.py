"""Whether a question asks for what holds now ("the latest", "currently"), and which of two statements is the later. Pure.

The time of a statement is the last date or year that it states, in its own words or in the headings of its cells; without any,
that of the title and headings above it; without that, the number of the version there.
"""

import re

from service.text.contradictions import Evidence
from service.text.dates import dates_in
from service.text.times import Time, years_of

_LATEST = re.compile(
    r"\b(?:(?<!at the )(?<!at )latest(?!\s+(?:date|time|day|by|possible|that|i|you|we|one)\b)|newest|most\s+recent(?:ly)?|"
    r"currently|current(?!\s+(?:assets?|liabilit|account|ratio|portion|maturit|consumption|draw|flow))(?=\s+(?!(?:of|in|at|for|from|"
    r"to|through|when|is|was|does|can|may|and|or)\b)\w)|nowadays|now(?=\W*\Z)|right\s+now|"
    r"today(?!['’])|at\s+present|presently|as\s+it\s+stands|aktuell\w*|derzeit\w*|gegenwärtig\w*|neueste[nrms]?|heute|jetzt|"
    r"zurzeit|actuel\w*|(?:el|la|los|las)\s+\w+\s+actual(?:es)?|actualmente|derni[eè]r\w*|más\s+reciente)\b",
    re.IGNORECASE,
)
_VERSION = re.compile(
    r"\b(?:version|release|edition|revision|rev\.?|v\.?|ausgabe|fassung)\s*(?P<number>\d+(?:\.\d+)*)", re.IGNORECASE
)
_YEAR = r"(?:19|20)\d\d\b"
_PAST = re.compile(
    r"\b(?i:until|before|prior\s+to|up\s+to|through|bis(?:\s+zum)?|vor\s+dem|jusqu['’]au|hasta)\s+(?:the\s+end\s+of\s+)?"
    rf"(?=(?:\d{{1,2}}\.?\s|[A-Z]\w+\s\d)[^.;]{{0,16}}{_YEAR}|{_YEAR})"
)
_PRESENT = re.compile(r"\b(?:is|are|applies|apply|remains?|valid|gilt|gelten|gültig|ist|sind|est|sont|es|son)\b")
_FORMER = re.compile(
    r"\b(?:earlier|previous|former|formerly|past|old|older|superseded|obsolete|outdated|archived?|history|frühere?r?n?|"
    r"bisherige?r?n?|ehemalige?r?n?|anciens?|anterior(?:es)?)\b",
    re.IGNORECASE,
)


def asks_for_latest(question: str) -> bool:
    """Whether the question asks for what holds now, or is said last."""
    return _LATEST.search(question) is not None


def is_former(evidence: Evidence, heading: str) -> bool:
    """Whether a statement says, not in the present tense, that it held until a time, or stands under "Earlier prices"."""
    is_over = _PAST.search(evidence.quote) is not None and _PRESENT.search(evidence.quote) is None
    return is_over or _FORMER.search(heading) is not None


def is_later(one: Evidence, other: Evidence) -> bool:
    """Whether the first statement is of a later time, or of a later version, than the second; not if one has neither."""
    for of in (_time, _version):
        first, second = of(one), of(other)
        if first and second:
            return first > second
    return False


def _time(evidence: Evidence) -> tuple[int, ...]:
    for text in (evidence.quote, evidence.context):
        times = [
            Time(date.year, date.month, date.day or 0) for _, found in dates_in(text) for date in found if date.year
        ]
        times += [Time(year) for year in years_of(text)]
        if times:
            last = max(times)
            return (last.year, last.month, last.day)
    return ()


def _version(evidence: Evidence) -> tuple[int, ...]:
    found = _VERSION.search(evidence.context) or _VERSION.search(evidence.quote)
    return tuple(map(int, found["number"].split("."))) if found else ()
