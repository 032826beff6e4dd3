"""What a sentence is about: whether it names its subject, and what it says with that of the sentence before. Pure.

The rules know English best, and the pronouns and auxiliaries of German and French. Where they find no subject, a sentence is
left as it is.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from service.text.terms import STOP_WORDS, stems

_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_LINKS = r"(?:(?:however|also|moreover|in addition|additionally|furthermore|finally|then|and|but|besides|yes|no),?[ ])?"
_PRONOUN = re.compile(
    rf"{_LINKS}(?P<pronoun>it|he|she|they|both|the latter|the former|er|sie|es|il|elle|ils|elles)"
    r"(?P<rest>[ ]\w.*|['’]s[ ].*)\Z",
    re.IGNORECASE | re.DOTALL,
)
_OWNER = re.compile(rf"{_LINKS}(?P<pronoun>its|his|her|their)(?P<rest>[ ]\w.*)\Z", re.IGNORECASE | re.DOTALL)
_POINTS = re.compile(
    rf"{_LINKS}(?P<pronoun>(?:this|these|that|those|dieser?|dieses)[ ](?:[a-z-]+[ ]){{1,2}}?)"
    r"(?P<rest>(?:is|are|was|were|has|have|had|can|may|must|will|[a-z]+s|ist|sind|hat|wiegt)[ ].*)\Z",
    re.IGNORECASE | re.DOTALL,
)
_IMPERSONAL = re.compile(
    r"it[ ](?:is|was|will[ ]be|should[ ]be|must[ ]be|can[ ]be|may[ ]be|has[ ]been)[ ](?:\w+[ ]){1,3}?"
    r"(?:to|that|for|when|if)\b|es[ ]gibt\b",
    re.IGNORECASE,
)
_AUXILIARIES = frozenset(
    """is are was were be been has have had can could may might must shall should will would do does did cannot isn't aren't
    wasn't weren't hasn't haven't can't won't ist sind war waren hat haben hatte kann können muss müssen darf dürfen wird
    werden wurde wiegt kostet gilt est sont était a ont peut doit""".split()
) - {"a"}
_PLURAL_VERBS = frozenset(
    """weigh cost deliver work apply need require include expire last run open close offer hold take start end pay get
    cover contain use lead lie stand serve live produce carry make give show mean say state allow receive come go""".split()
)
_BEFORE_NOUN = frozenset(
    "the a an of for in on at by with from to and or its his her their this that these those each every all some any no".split()
)
_OPENS_CLAUSE = re.compile(
    r"(?:in|on|at|under|for|from|with|after|before|since|according|as|if|when|while|by|during|yes|no|also|however)\b",
    re.IGNORECASE,
)
_COMPLEMENT = re.compile(r"\b(?:of|for|by|in|at)[ ](?P<named>(?:the[ ]|a[ ])?\S*[A-Z0-9]\S*(?:[ ][A-Z0-9]\S*)*)\Z")
_PERSON = re.compile(r"\b(?!The\b)[A-Z][^\W\d_]+(?:[ ][A-Z][^\W\d_]+)+")
_ANSWERS_NOTHING = re.compile(
    r"\W*(?:yes|no|sure|ok|okay|certainly|of course|true|false|correct|incorrect|right|wrong|none|unknown|maybe|n/?a"
    r"|ja|nein|oui|non|sí|si|here (?:is|are) (?:the|my|your) \w+)\W*",
    re.IGNORECASE,
)
_FUNCTION_WORDS = frozenset(
    "a an the of from in and or to by at on for with as until since per no vs de la le du der die das".split()
)
_ASKS_WHAT = re.compile(r"\W*(?:\w+[ ]){0,2}?(?:who|whom|whose|what|which|when|where|how|why)\b", re.IGNORECASE)
_MAX_SUBJECT = 12  # words


def lacks_subject(text: str) -> bool:
    """Whether the sentence begins with a pronoun, a verb or a figure, so that another sentence says what it is about."""
    if _IMPERSONAL.match(text):
        return False
    return _first_pronoun(text) is not None or _begins_within(text)


def _begins_within(text: str) -> bool:
    """Whether it begins with its verb, or with a figure or small letter and has no verb."""
    words = _WORD.findall(text)
    if not words or not text[:1].isalnum():
        return False
    first = words[0]
    if first.casefold() in _AUXILIARIES or (len(words) > 1 and _is_verb(first.casefold(), "", words[1])):
        return (
            first[0].isupper()
            and first.casefold() not in STOP_WORDS
            and first.endswith("s")
            and words[1][0].isdecimal()
        )
    return (first[0].isdecimal() or first[0].islower()) and _verb_at(words) is None


def subjects(sentence: str) -> tuple[str, ...]:
    """What a whole sentence is about, the likeliest first: "The weight of the PX-40", "the PX-40". Empty if unclear."""
    verb = _verb_at(_WORD.findall(sentence))
    if verb is None:
        return ()
    matches = list(_WORD.finditer(sentence))
    parts = [part.strip() for part in sentence[: matches[verb].start()].split(",")]
    parts = [part for part in parts if part]
    while len(parts) > 1 and _OPENS_CLAUSE.match(parts[0]):
        parts.pop(0)
    if not parts or len(parts[0].split()) > _MAX_SUBJECT:
        return ()
    subject = re.sub(rf"\A{_LINKS}", "", parts[0], flags=re.IGNORECASE)
    if not subject or subject.split()[0].casefold() in ("there", "here", "this", "that", "what", "it"):
        return ()
    named = _COMPLEMENT.search(subject)
    return (subject, named["named"]) if named else (subject,)


class Reading(NamedTuple):
    """A sentence with the `subject` of another in place of its pronoun."""

    subject: str
    text: str


def readings(sentence: str, before: str) -> tuple[Reading, ...]:
    """The sentence with the subject of the sentence before it, the likeliest first; empty if that has none."""
    found = subjects(before)
    match = None if _IMPERSONAL.match(sentence) else _first_pronoun(sentence)
    if match is None:
        return tuple(Reading(subject, f"{subject} {sentence[:1].lower()}{sentence[1:]}") for subject in found)
    pronoun = match["pronoun"].lower()
    if pronoun in ("he", "she", "his", "her", "er"):
        found = tuple(dict.fromkeys((*_PERSON.findall(before)[-1:], *found)))
    owner = "'s" if pronoun in ("its", "his", "her", "their") else ""
    rest = match["rest"] if match["rest"][:1] in " '’" else f" {match['rest']}"
    return tuple(Reading(subject, f"{subject}{owner}{rest}") for subject in found)


def _first_pronoun(sentence: str) -> re.Match[str] | None:
    return _PRONOUN.match(sentence) or _OWNER.match(sentence) or _POINTS.match(sentence)


def names(text: str, common: frozenset[str]) -> frozenset[str]:
    """The names in a text, in lower case: words with a capital or a digit that are not `common` words of the documents."""
    found = []
    for word in _WORD.findall(text):
        is_name = word[0].isupper() or (any(map(str.isdecimal, word)) and any(map(str.isalpha, word)))
        if is_name and word.casefold() not in common and word.casefold() not in STOP_WORDS:
            found.append(word.casefold().removesuffix("'s").removesuffix("’s"))
    return frozenset(found)


def common_words(texts: Iterable[str]) -> frozenset[str]:
    """The words that the texts write in small letters."""
    return frozenset(word for text in texts for word in _WORD.findall(text) if word.islower())


def states_nothing(text: str) -> bool:
    """Whether a line is no statement: "1", "Yes.", "Version of 1 January 2023." In scripts without capitals, only figures."""
    words = _WORD.findall(text)
    if not any(any(map(str.isalpha, word)) for word in words) or _ANSWERS_NOTHING.fullmatch(text):
        return True
    in_capitals = len(words) > 3 and not any(word.islower() for word in words)
    if ":" in text or in_capitals:
        return False
    return all(word[0].isdecimal() or word[0].isupper() or word.casefold() in _FUNCTION_WORDS for word in words)


def answers_nothing(question: str, sentence: str, quotes: str) -> bool:
    """Whether a sentence only says a question for a name, place or number over again, with a word or two of its own."""
    if not _ASKS_WHAT.match(question):
        return False
    asked, quoted = stems(question), stems(quotes)
    added = stems(sentence) - asked
    return len(added) <= 2 and not added & quoted


def _verb_at(words: list[str]) -> int | None:
    """The place of the first word that is likely the verb, after at least one other word."""
    for at in range(1, len(words)):
        following = words[at + 1] if at + 1 < len(words) else ""
        if words[at] in _AUXILIARIES or _is_verb(words[at], words[at - 1], following):
            return at
    return None


def _is_verb(word: str, before: str, following: str) -> bool:
    if (
        before.casefold() in _BEFORE_NOUN
        or before[:1].isdecimal()
        or following.casefold() in ("of", "and", "or")
        or not word.islower()
    ):
        return False
    if word in _AUXILIARIES or word in _PLURAL_VERBS:
        return True
    return (
        len(word) > 3
        and word.endswith(("s", "ed"))
        and not word.endswith(("ss", "us", "is"))
        and following not in _AUXILIARIES
    )
