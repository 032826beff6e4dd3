"""The words of a question with their places, and the small words that splitting goes by. Pure. Mostly English."""

import re
from collections.abc import Sequence
from typing import NamedTuple

_WORD = re.compile(r"[^\W_]+(?:[-‐‑–./:_'’&][^\W_]+)*")
AUXILIARIES = frozenset(
    "is are was were be do does did has have had can could may might must shall should will would".split()
)
DETERMINERS = frozenset("the a an its their our my your this that these those each every".split())
PREPOSITIONS = frozenset(
    "of in for at from to by on with about during after before since under over into per as against within without".split()
)
PRONOUNS = frozenset("i you he she it we they there one this that these those he's it's".split())
QUESTION_WORDS = frozenset(
    "who whom whose what when where which why how "
    "wer wen wem wessen was wann wo welche welcher welches welchen welchem warum wieso weshalb wie wohin woher wieviel "
    "qui quand où quel quelle quels quelles pourquoi comment combien "
    "quién quiénes qué cuándo dónde cuál cuáles cómo cuánto cuánta cuántos cuántas "
    "chi quando dove quale quali perché quanto quanta quanti quante cosa "
    "quem onde qual quais quantos quantas".split()
)
"""Of English, German, French, Spanish, Italian and Portuguese; without those that mostly mean something else (que, come)."""


_NO_NAMES = QUESTION_WORDS | PRONOUNS | AUXILIARIES | DETERMINERS


class Word(NamedTuple):
    """A word and its range in the question."""

    text: str
    start: int
    end: int

    @property
    def small(self) -> str:
        """The word in lower case."""
        return self.text.casefold()

    @property
    def has_digit(self) -> bool:
        """Whether a digit is in it."""
        return any(map(str.isdecimal, self.text))


def words_of(text: str) -> list[Word]:
    """The words of a question, in order."""
    return [Word(match.group(), match.start(), match.end()) for match in _WORD.finditer(text)]


def is_named(words: Sequence[Word], place: int) -> bool:
    """Whether the word is a name: with a digit, or with a capital and not the first."""
    word = words[place]
    if word.has_digit:
        return True
    capital = word.text[0].isupper() and word.small not in _NO_NAMES
    return capital and (place > 0 or (len(word.text) > 1 and word.text[1:] != word.text[1:].lower()))


def as_question(text: str) -> str:
    """The text as a question of its own: with a capital at the start and one question mark at the end."""
    bare = " ".join(text.split()).strip(" ,;:.?!¿¡-–")
    return f"{bare[:1].upper()}{bare[1:]}?"
