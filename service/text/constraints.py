"""The constraints of a question: what it names, and so what the text that answers it must name. Pure.

Identifiers (`QL-7731-C`, `3.4.1`, `B87`), years, dates, quarters of a year, the numbers of things (`step 3`), rare words, and
names: words with a capital inside a sentence. In German, whose nouns all have one, and in a question all in capitals or titled
like a book, capitals name nothing. How a text meets a constraint: `service.text.named_words`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from index.languages.frequent_words import likely_language
from service.text.calendar_words import MONTHS, WEEKDAYS
from service.text.dates import date_spans
from service.text.quarters import quarter_spans
from service.text.terms import STOP_WORDS

TOKEN = re.compile(r"[^\W_]+(?:[-‐‑–./:_+][^\W_]+)*\+{0,2}")
_SENTENCE_START = re.compile(r"(?:[.!?:]\s+|\n\s*|[\"“(]\s*)\Z")
_QUOTE_START = re.compile(r"[\"“(]\s*\Z")
_ABBREVIATION = re.compile(r"(?<![^\W_])(?P<word>(?:[^\W\d_]\.)*[^\W\d_]+)\.\s+\Z")
_YEARS = re.compile(r"((?:1[5-9]|20|21)\d\d)(?:[-‐‑–/]((?:1[5-9]|20|21)\d\d))?")
_PLAIN_NUMBER = re.compile(r"\d+(?:[.,]\d+)*\Z")
_DATE_OR_TIME = re.compile(r"\d{1,4}[-/.:]\d{1,2}(?:[-/.:]\d{1,4})?\Z")
_AMOUNT = re.compile(r"\d+(?:[.,]\d+)*[a-zµ%]{1,4}\Z", re.IGNORECASE)  # 5kg, 100mm, 3rd
TITLES = frozenset(
    """mr mrs ms miss dr prof professor sir lady lord president minister king queen saint st herr frau commissioner secretary
    chancellor director judge justice general colonel captain senator governor mayor chairman chair chief officer head manager
    pope bishop duke count prince princess emperor ambassador representative mme mlle m don dona""".split()
)
"""Words before a name that are no part of it."""
_ABBREVIATED = frozenset("mr mrs ms dr prof st sen gov gen col capt lt rev hon no vs inc corp ltd co".split())
_LABELS = frozenset(
    """section chapter table figure part clause article appendix annex page step rule item question version release form
    note error code line schedule exhibit""".split()
)
"""Nouns that a number or an identifier follows: the text may leave them out."""
_CAPITAL_WORDS = frozenset(("US", "WHO", "IT"))  # in capitals they are names
_CALENDAR = frozenset((*MONTHS, *WEEKDAYS, *"jan feb mar apr jun jul aug sep sept oct nov dec english i fy cy".split()))
_FISCAL_YEAR = re.compile(r"[FC]Y((?:20)?\d\d)\Z")  # FY24, FY2024
_NUMBERED = re.compile(
    r"(?<!\w)(?!(?:the|of|in|to|at|by|for|than|least|most|about|over|under|after|before|and|or|within|every|until|from|only"
    r"|between|around|nearly|up|last|next|first|past|are|is|were|was|have|has)[ ])"
    r"[a-zA-Z][^\W\d_]{2,}[ ](?:no\.?[ ]|number[ ])?\Z",
    re.IGNORECASE,
)  # a noun before a number
_DECIMAL = re.compile(r"\d+\.\d+")
_VERSIONED = re.compile(
    r"(?:\b[A-Z][^\W\d_]+|\b(?:version|release|section|chapter|table|figure|clause|article|part|rule|step))[ ]\Z"
)
_LABELLED = re.compile(r"[ ](?:no\.?[ ]|number[ ])?[^\W_]*\d")
_PART_NUMBER = re.compile(r"(?!(?:1[5-9]|20|21)\d\d[-/.:])\d{3,}-\d{1,2}")  # 1090-2
_RANGE = re.compile(r"\d+[‐‑–-]\d+")
_GAP = re.compile(r"\.?[ ]")
_LOOK_BACK = 24
_FEWEST_FREQUENT = 2
_DEGREE = re.compile(r"(?P<base>[a-z]{3,12})est")
_MIN_RARE = 4  # letters of a rare word


class ConstraintKind(StrEnum):
    """What a constraint is, which decides how it is compared."""

    IDENTIFIER = "identifier"
    YEAR = "year"
    DATE = "date"
    QUARTER = "quarter"  # of a year
    NUMBER = "number"  # of a thing: step 3, room 12
    NAME = "name"
    WORD = "word"  # a rare one: a program, a substance, a term of a trade


@dataclass(frozen=True, slots=True)
class Constraint:
    """Something that the question names, as it is written there."""

    kind: ConstraintKind
    text: str


def constraints(question: str, is_common: Callable[[str], bool] = lambda _: True) -> tuple[Constraint, ...]:
    """The constraints of a question, in order, each once.

    `is_common` says of a word in small letters whether it is an ordinary one of the language that the models know. If most
    words of the question are, the others are constraints too.
    """
    days, quarters = date_spans(question), quarter_spans(question)
    found = [Constraint(ConstraintKind.DATE, question[start:end]) for start, end in days]
    found += [Constraint(ConstraintKind.QUARTER, question[start:end]) for start, end in quarters]
    spans = days + quarters
    tokens = [t for t in TOKEN.finditer(question) if not any(start <= t.start() < end for start, end in spans)]
    named = _names_by_capitals(question, tokens)
    phrase: list[re.Match[str]] = []
    for token in tokens:
        if phrase and (token not in named or not _GAP.fullmatch(question, phrase[-1].end(), token.start())):
            found += _name(phrase, question)
            phrase = []
        if token in named:
            phrase.append(token)
        else:
            found += _number(token, question)
    found += _name(phrase, question)
    small = [t.group() for t in tokens if t.group().isalpha() and t.group().islower() and len(t.group()) >= _MIN_RARE]
    rare = [word for word in small if word not in STOP_WORDS and not any(map(is_common, (word, *_bases(word))))]
    if len(rare) * 2 <= len(small):
        found += [Constraint(ConstraintKind.WORD, word) for word in rare]
    return tuple(dict.fromkeys(found))


def _bases(word: str) -> list[str]:
    """The adjectives that an English superlative may be of: "cheap" for "cheapest", "big" for "biggest"."""
    found = _DEGREE.fullmatch(word)
    if found is None:
        return []
    base = found["base"]
    return (
        [f"{base[:-1]}y"] if base.endswith("i") else [base, f"{base}e", *([base[:-1]] if base[-1] == base[-2] else [])]
    )


def is_sentence_start(text: str, place: int) -> bool:
    """Whether a sentence begins at a place of the text; after `Dr.` or `U.S.` none does."""
    before = text[max(0, place - _LOOK_BACK) : place]
    if place and not _SENTENCE_START.search(before):
        return False
    abbreviation = _ABBREVIATION.search(before)
    return abbreviation is None or (
        len(abbreviation["word"]) > 1
        and "." not in abbreviation["word"]
        and abbreviation["word"].casefold() not in _ABBREVIATED
    )


def _name(phrase: list[re.Match[str]], question: str) -> Iterator[Constraint]:
    """The name that the words are, without the titles before it; none for titles alone and for `Table` before a number."""
    words = [token.group() for token in phrase]
    while words and words[0].casefold() in TITLES:
        words.pop(0)
    is_label = len(words) == 1 and words[0].casefold() in _LABELS
    if words and not (is_label and _LABELLED.match(question, phrase[-1].end())):
        yield Constraint(ConstraintKind.NAME, " ".join(words))


def _number(token: re.Match[str], question: str) -> Iterator[Constraint]:
    """The years, identifiers or number of a thing that the word is."""
    word, before = token.group(), question[: token.start()]
    years, fiscal = _YEARS.fullmatch(word), _FISCAL_YEAR.match(word)
    if fiscal is not None:
        yield Constraint(ConstraintKind.YEAR, f"20{fiscal[1][-2:]}")
    elif years is not None:
        yield from (Constraint(ConstraintKind.YEAR, year) for year in years.groups() if year)
    elif _is_identifier(word):
        yield Constraint(ConstraintKind.IDENTIFIER, word)
    elif (word.isdecimal() and _NUMBERED.search(before)) or (_DECIMAL.fullmatch(word) and _VERSIONED.search(before)):
        yield Constraint(ConstraintKind.NUMBER, word)


def _names_by_capitals(question: str, tokens: list[re.Match[str]]) -> list[re.Match[str]]:
    """The words that are names because they have a capital, but for the first word of a sentence."""
    if not any(token.group().islower() for token in tokens) or likely_language(question, _FEWEST_FREQUENT) == "de":
        return []
    names: list[re.Match[str]] = []
    titled = plain = 0
    for place, token in enumerate(tokens):
        word = token.group()
        is_start = is_sentence_start(question, token.start())
        if word.casefold() in STOP_WORDS and word not in _CAPITAL_WORDS:
            titled += word.istitle() and not is_start and len(word) > 1
            plain += word.islower()
        elif len(word) > 1 and word.casefold() not in _CALENDAR and not _is_identifier(word):
            after = tokens[place + 1].group() if place + 1 < len(tokens) else ""
            is_quoted = bool(_QUOTE_START.search(question[: token.start()])) and after[:1].isupper()
            is_inside = word[0].isupper() and (not is_start or is_quoted)
            names += [token] if is_inside or _has_inner_capital(word) else []
    return [] if titled > plain else names


def _has_inner_capital(word: str) -> bool:
    """Whether the word is written as only names are: `iPhone`, `MySQL`, `EPA`."""
    return len(word) > 2 and word[0].isalpha() and any(map(str.isupper, word[1:]))


def _is_identifier(word: str) -> bool:
    """Whether a word is one that only code, parts and versions are written as: with digits and letters, or with `_`."""
    if not any(map(str.isdecimal, word)):
        return "_" in word
    if _PLAIN_NUMBER.match(word) or _DATE_OR_TIME.match(word):
        return word.count(".") > 1 or _PART_NUMBER.fullmatch(word) is not None
    if _AMOUNT.match(word) or _RANGE.fullmatch(word):
        return False
    return any(map(str.isalpha, word)) or any(sign in word for sign in "-/:_")
