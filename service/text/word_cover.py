"""Whether a unit has every word of a question that says something. Pure. English keywords, German, French and Spanish.

The reader network has learnt from questions in English. Of a question in another language it may think little of the very
sentence that repeats all its words; and whoever types a keyword looks for the places that have it.
"""

import re
from dataclasses import dataclass

from index.languages.frequent_words import FREQUENT_WORDS, likely_language
from service.text.answer_kinds import AnswerKind, asked_kind, states_kind
from service.text.terms import stem

_SMALL = {
    "de": """darf dürfen dürft kann können könnt muss müssen soll sollen sollte hat haben habe gibt es man ich wir ihr sie er
    uns unser unsere unserem unseren mein meine meinen dein ist sind war waren wird werden wurde wurden viel
    viele vielen lange oft hoch wann wo wer wem wen wessen warum wieso wie woher wohin welche welcher welches
    welchem welchen da dort hier denn noch auch schon bis ab seit an am im in ins zum zur beim vom bei nach vor
    über unter um aus durch gegen ohne oder als dem des den ob tag uhr uhrzeit jahr statt finden findet machen
    macht tun""",
    "fr": """est ce que qu il elle on je nous vous ils elles peut peuvent doit doivent faut il y a t puis où quand qui quoi quel
    quelle quels quelles combien comment pourquoi au aux du des un une le la les l d à en dans sur pour par avec ses son sa leur
    jour heure année sont ont""",
    "es": """es son está están hay se puede pueden debe deben tiene tienen qué quién quiénes cuándo dónde cómo cuál cuáles
    cuánto cuánta cuántos cuántas por para a al del el la los las un una unos unas en de con su sus mi me yo día hora año""",
}
_KEYWORDS = re.compile(r"\A(?:What about|Was ist mit)\s+(?P<words>.+)\?\Z", re.IGNORECASE)
_ARTICLES = frozenset("the a an of in for to and der die das".split())
_WORD = re.compile(r"[^\W_]+(?:[-‐‑–./][^\W_]+)*")
_LEAST = 3  # letters of a word that says something


def asks_about(question: str) -> bool:
    """Whether a question asks for all that is said of something: "What about the lock?"."""
    return _KEYWORDS.match(question.strip()) is not None


@dataclass(frozen=True, slots=True)
class WordCover:
    """The words of a question that say something, as stems, and the kind of thing that it asks for."""

    question: str
    words: frozenset[str]
    kind: AnswerKind | None
    is_keyword: bool

    @classmethod
    def of(cls, question: str) -> "WordCover | None":
        """The words of a keyword or of a question in another language than English; None for any other question."""
        keyword = _KEYWORDS.match(question.strip())
        if keyword is not None:
            words = frozenset(
                stem(word) for word in _WORD.findall(keyword["words"]) if word.casefold() not in _ARTICLES
            )
            return cls(question, words, None, True) if words else None
        language = likely_language(question, 1)
        if language not in _SMALL:
            return None
        small = FREQUENT_WORDS[language] | set(_SMALL[language].split())
        words = frozenset(
            stem(word) for word in _WORD.findall(question) if word.casefold() not in small and len(word) >= _LEAST
        )
        return cls(question, words, asked_kind(question), False) if words else None

    def is_met(self, unit: str, context: str) -> bool:
        """Whether the unit, with its context, has all the words: one of them at least itself, and what is asked for.

        A question that says only one word must ask for a time or a quantity.
        """
        own = frozenset(map(stem, _WORD.findall(unit)))
        if not self.words & own or not self.words <= own | frozenset(map(stem, _WORD.findall(context))):
            return False
        if self.is_keyword:
            return True
        return states_kind(self.kind, unit, self.question) if self.kind is not None else len(self.words) > 1
