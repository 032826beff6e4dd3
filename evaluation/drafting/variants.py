"""Word the questions of a test set anew, with the same gold: typing errors, keywords, paraphrases, other languages.

Typing errors and keywords follow rules. A language model words paraphrases and translations; a reply is kept only if it is a
question of the language asked for that keeps every figure and every name in capitals, code or quotes. What is not kept is
counted. The tags `variant` and `variant_of` say what was made of which case, so that a report shows the main score by variant.
"""

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from evaluation.cases import Case
from evaluation.drafting.wording import content_words
from evaluation.errors import NoReply
from evaluation.structured_replies import ReplyForm, StructuredClient
from index.languages.frequent_words import likely_language
from index.languages.scripts import script_of
from service.generators.openai_client import ModelEndpoint

NO_KEYWORDS = "questions that are keywords already"
NO_TYPO = "questions without a word to mistype"
NOT_KEPT = "rewordings that are no question, or lose a name or figure"
OTHER_LANGUAGE = "rewordings in another language than asked for"
NO_REPLY = "rewordings without a whole reply"

_LANGUAGES = {
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "it": "Italian",
    "pt": "Portuguese",
    "nl": "Dutch",
    "sv": "Swedish",
    "da": "Danish",
    "pl": "Polish",
    "cs": "Czech",
    "ru": "Russian",
    "ja": "Japanese",
    "zh": "Chinese",
    "ko": "Korean",
    "tr": "Turkish",
    "en": "English",
}
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_WORD = re.compile(r"[a-z]{5,}")
_KEPT = re.compile(r"\d+(?:[.,]\d+)*|\b[A-Z]{2,}\b|[^\W_]+(?:[-_./]+\w+)+|(?<=[\"“])[^\"”]+(?=[\"”])")
_TOKEN = re.compile(r"[^\s?¿,;:!()]+")
_QUESTION_MARKS = ("?", "？", ";")
_LONG_QUESTION = 8


class RewordedQuestion(ReplyForm):
    """The form of the model's reply."""

    question: str


@dataclass(frozen=True, slots=True)
class VariedCases:
    """The cases in other words, and how many were left out and why."""

    cases: tuple[Case, ...]
    dropped: Mapping[str, int] = field(default_factory=dict)


class Rewording:
    """Asks the language model at `server` to word questions anew."""

    def __init__(self, server: ModelEndpoint) -> None:
        self._client = StructuredClient(server, "reword", {"question", "manner"}, RewordedQuestion, max_tokens=512)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def reword(self, question: str, manner: str) -> str:
        """The question as a paraphrase, or in the language with this code; empty if the reply has another form.

        Raises NoReply and ModelUnavailable.
        """
        if manner == "paraphrase":
            how = "in other words of the same language, as somebody else would ask it"
        else:
            how = f"in {_LANGUAGES.get(manner, f'the language with the code {manner}')}"
        reply = self._client.ask(self._client.messages(question=question, manner=how))
        return reply.form.question.strip() if reply.form else ""


def varied_cases(
    cases: Sequence[Case],
    *,
    typos: bool = False,
    keywords: bool = False,
    rewording: Rewording | None = None,
    manners: Sequence[str] = (),
    seed: int = 0,
) -> VariedCases:
    """The cases in every manner asked for; those that cannot be are left out and counted. Raises ModelUnavailable."""
    rng = random.Random(seed)
    dropped: Counter[str] = Counter()
    varied: list[Case] = []
    for case in cases:
        if typos:
            varied += _kept(case, "typos", with_typos(case.question, rng), NO_TYPO, dropped)
        if keywords:
            varied += _kept(case, "keywords", as_keywords(case.question), NO_KEYWORDS, dropped)
        for manner in manners if rewording else ():
            varied += _reworded(case, manner, rewording, dropped) if rewording else []
    return VariedCases(tuple(varied), dropped)


def with_typos(question: str, rng: random.Random) -> str | None:
    """The question with a typing error in one of its words, or in two if it is long: letters swapped, left out, doubled or
    hit beside. Names, figures and short words stay; None if there is no word for it.
    """
    places = [match.span() for match in _WORD.finditer(question) if _stands_alone(question, match)]
    if not places:
        return None
    count = 2 if len(question.split()) > _LONG_QUESTION and len(places) > 1 else 1
    for start, end in sorted(rng.sample(places, count), reverse=True):
        question = question[:start] + _mistyped(question[start:end], rng) + question[end:]
    return question


def as_keywords(question: str) -> str | None:
    """The words of the question that say something, in order, without the rest; None if nothing would be left out."""
    tokens = [token.rstrip(".") for token in _TOKEN.findall(question)]
    kept = [token for token in tokens if content_words(token)]
    return " ".join(kept) if 2 <= len(kept) < len(tokens) else None


def keeps_what_matters(question: str, reworded: str) -> bool:
    """Whether a rewording is a question, another one, and holds all figures, acronyms, code and quoted words."""
    is_question = (
        reworded.endswith(_QUESTION_MARKS) and "\n" not in reworded and len(reworded) <= 3 * len(question) + 40
    )
    kept = all(found in reworded for found in _KEPT.findall(question))
    return is_question and kept and reworded.casefold() != question.casefold()


def _reworded(case: Case, manner: str, rewording: Rewording, dropped: Counter[str]) -> list[Case]:
    try:
        question = rewording.reword(case.question, manner)
    except NoReply:
        dropped[NO_REPLY] += 1
        return []
    if not keeps_what_matters(case.question, question):
        dropped[NOT_KEPT] += 1
        return []
    wanted = _language(case.question) if manner == "paraphrase" else manner
    if wanted and _language(question) not in ("", wanted):
        dropped[OTHER_LANGUAGE] += 1
        return []
    return _kept(case, manner, question, NOT_KEPT, dropped)


def _language(question: str) -> str:
    """The language of a question by its frequent words or its script; empty if they do not tell."""
    return script_of(question) or likely_language(question, 1)


def _kept(case: Case, manner: str, question: str | None, reason: str, dropped: Counter[str]) -> list[Case]:
    if question is None:
        dropped[reason] += 1
        return []
    id = f"{case.id}-{sha256(f'{manner}{question}'.encode()).hexdigest()[:6]}"
    tags = {**case.tags, "variant": manner, "variant_of": case.id}
    return [replace(case, id=id, question=question, rewrite=None, tags=tags)]


def _stands_alone(question: str, match: re.Match[str]) -> bool:
    """Whether the letters are a whole word, not a part of a path or a name with signs."""
    before, after = question[: match.start()][-1:], question[match.end() :][:1]
    return not (before.isalnum() or before in tuple("-_./") or after.isalnum() or after in tuple("-_/"))


def _mistyped(word: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(word) - 1)
    swapped = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    row = next(row for row in _KEYS if word[place] in row)
    beside = row[max(0, row.index(word[place]) - 1) : row.index(word[place]) + 2].replace(word[place], "")
    others = [
        word[:place] + word[place + 1 :],
        word[:place] + word[place] + word[place:],
        word[:place] + rng.choice(beside) + word[place + 1 :],
    ]
    return rng.choice([*([swapped] if swapped != word else []), *others])
