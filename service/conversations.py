"""A follow-up and its history -> a question that stands alone. Pure, without a language model.

"What about Seoul?" after "Which city hosted the talks in May?" cannot be searched for. When a question leans on what went
before (a pronoun, "what about", hardly a word of its own), the topic of the earlier turns is carried into it: names
first, else the content words of the last question. A question that stands alone is left as it is.
"""

import re
from collections.abc import Sequence

from service.records import Turn

_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_LEANS = re.compile(
    r"\b(?:it|its|itself|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those|there|then|"
    r"one|ones|both|former|latter|same|such)\b",
    re.IGNORECASE,
)
_OPENS = re.compile(
    r"\W*(?:(?:and|but|so|or|also|then)\b|(?:what|how) about\b|why(?: not)?\W*$|when\W*$|where\W*$|who\W*$|"
    r"how(?: so| come)?\W*$|"
    r"which(?: ones?)?\W*$|any(?:thing)? else\b|what else\b|tell me more\b|more\b|go on\b|really\b)",
    re.IGNORECASE,
)
_NAME = re.compile(r"\b[A-Z][\w&’'.-]*(?:\s+(?:of|the|and|for|de|van|von|al)\s+(?=[A-Z])|\s+(?=[A-Z0-9])|[\w&’'.-])*")
_STOP = frozenset(
    """
    a about above after again all also am an and any are aren't as at be because been before being below between
    both but by can can't could did didn't do does doesn't doing don't done during each else every few for from
    further get gets give given go had has have having how i if in into is isn't just know let like list make many
    may me might more most much must my name no nor not of off on once only or other our out over own people please
    said same say says shall should so some such take tell than that the their them then there these they this those
    through to too under until up us use used very want was wasn't we were weren't what when where whether which
    while who whom whose why will with would you your explain describe show find happen happened thing things it its
    he him his she her hers one ones both former latter
    """.split()
)
FEWEST_WORDS = 2  # a question with fewer content words than this does not stand alone
MOST_CARRIED = (
    2  # CANARD dev: words carried that the human rewrite has too: precision .49, recall .38 (1: .53, .28; 4: .46, .42)
)


def standalone(question: str, history: Sequence[Turn]) -> str:
    """The question to search for: `question`, with the topic of `history` (oldest turn first) where it leans on it.

    Measured on CANARD's development part (3,430 follow-ups): the content words carried are also in the human rewrite for .49
    (precision), and .38 of the words a person added are carried (recall); shared content words over all, against the
    rewrite, rise from .45 (the question as it is) to .56.
    """
    if not history or not _leans(question):
        return question
    carried = _topic(question, history)
    if not carried:
        return question
    return f"{question.rstrip()} ({', '.join(carried)})"


def content_words(text: str) -> list[str]:
    """The words of `text` that carry meaning, as they stand there, in order."""
    return [word for word in _WORD.findall(text) if word.casefold() not in _STOP]


def _leans(question: str) -> bool:
    return bool(_OPENS.match(question) or _LEANS.search(question)) or len(content_words(question)) < FEWEST_WORDS


def _topic(question: str, history: Sequence[Turn]) -> list[str]:
    """Names in the earlier questions, latest first; without any, the last question's content words.

    What `question` has itself is never carried.
    """
    present = {word.casefold() for word in content_words(question)}
    carried: list[str] = []

    def carry(phrase: str) -> None:
        words = {word.casefold() for word in content_words(phrase)}
        if words and not words <= present and len(carried) < MOST_CARRIED:
            carried.append(phrase)
            present.update(words)

    for turn in reversed(history):
        for name in _names(turn.question):
            carry(name)
    if not carried:
        for word in content_words(history[-1].question):
            carry(word)
    return carried


def _names(text: str) -> list[str]:
    """Runs of capitalised words, without the capital that only opens a sentence."""
    names = []
    for match in _NAME.finditer(text):
        words = match.group().split()
        while words and words[0].casefold() in _STOP:
            words = words[1:]
        name = " ".join(words).strip(" .'’-")
        if name:
            names.append(name)
    return names
