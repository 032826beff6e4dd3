"""Checks a language model's rewriting of a follow-up before it is used, by rules over its words. Pure.

The conversation quotes documents, and a document may hold an instruction to the model. So the rewriting must be one
question, about what the follow-up asks, in words of the conversation; otherwise it is not used.
"""

import re
from collections.abc import Iterator, Sequence

from service.records import Turn
from service.text.refusals import is_refusal
from service.text.terms import content_words

MAX_ADDED_CHARACTERS = 300  # more than the follow-up has
MIN_KEPT = 0.5  # share of the follow-up's own words that must be kept
MAX_NEW = 0.25  # share of words that are nowhere in the conversation
MAX_COMMON = 0.5  # share of words that are only in an earlier answer, and not as a name
ALWAYS_ALLOWED = 2  # this many words of either kind are always allowed

_AROUND = "\"'“”„‘’«»`*_ \t\r\n"
_ASKS = re.compile(r"[?？؟;።]\s*\Z")
_MARKUP = re.compile(r"https?:|www\.|[<>{}\\`|]|\]\(|\[\d")
_FIRST = re.compile(r"\w+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")  # scripts without blanks between words
_SAME_LETTERS = 6  # two words with the same first letters, this many, count as one


def strip_quotation(text: str) -> str:
    """The text without the quotation marks and emphasis around it."""
    return text.strip(_AROUND)


def rejection_reason(rewritten: str, question: str, history: Sequence[Turn]) -> str | None:
    """Why `rewritten` may not replace `question`, which follows `history`; None if it may.

    Measured on the half of CANARD's development part that was not used to make the rules, 1,421 follow-ups. People's
    rewritings pass in .961 of the cases. Of wrong rewritings these pass: the answer to the follow-up in .001, the rewriting
    of another question in .005, the same planted in the last answer in .014; a planted instruction of BIPIA never, nor the
    right rewriting with the code word that the instruction asks for.
    """
    return next(_rejection_reasons(rewritten, question, history), None)


def _rejection_reasons(rewritten: str, question: str, history: Sequence[Turn]) -> Iterator[str]:
    if not rewritten:
        yield "it wrote nothing"
        return
    if not rewritten.isprintable():
        yield "it wrote more than one line"
    if len(rewritten) > len(question) + MAX_ADDED_CHARACTERS:
        yield "it wrote too much"
    if _MARKUP.search(rewritten) and not _MARKUP.search(question):
        yield "it wrote more than words"
    if is_refusal(rewritten) or not _is_question(rewritten, question):
        yield "it wrote no question"
    yield from _strange_words(rewritten, question, history)


def _is_question(rewritten: str, question: str) -> bool:
    """Whether it ends like a question; if the follow-up does not ("List them."), whether both begin with the same word."""
    if _ASKS.search(rewritten):
        return True
    one, other = _FIRST.search(rewritten), _FIRST.search(question)
    return not _ASKS.search(question) and bool(one and other and one[0].casefold() == other[0].casefold())


def _strange_words(rewritten: str, question: str, history: Sequence[Turn]) -> Iterator[str]:
    own, asked = _words(question), [word for turn in history for word in _words(turn.question)]
    answered = [word for turn in history for word in _words(turn.answer)]
    written = _words(rewritten)
    kept = sum(_contains(word, written) for word in own)
    if kept < MIN_KEPT * len(own) or not (kept or any(_contains(word, asked) for word in written)):
        yield "it asked something else"
    rest = [word for word in written if not _contains(word, [*own, *asked])]
    new = [word for word in rest if not _contains(word, answered)]
    common = [word for word in rest if word not in new and not _is_name(word, answered)]
    if any(map(_is_mixed, new + common)) or any(word.isdecimal() for word in new):
        yield "it added a figure or a code"
    if len(new) > max(ALWAYS_ALLOWED, MAX_NEW * len(written)) or len(common) > max(
        ALWAYS_ALLOWED, MAX_COMMON * len(written)
    ):
        yield "it added what was not asked"


def _words(text: str) -> list[str]:
    """The content words; in scripts without blanks, the characters."""
    words = []
    for word in content_words(text):
        words += list(word) if _UNSPACED.search(word) else [word]
    return words


def _contains(word: str, words: Sequence[str]) -> bool:
    return any(_begin_alike(word.casefold(), other.casefold()) for other in words)


def _begin_alike(one: str, other: str) -> bool:
    """Whether two words have the same beginning: "city" and "cities", "Acme" and "Acme's"."""
    shorter = min(len(one), len(other))
    need = shorter if shorter <= 3 else min(shorter - 1, _SAME_LETTERS)
    return one[:need] == other[:need]


def _is_name(word: str, answered: Sequence[str]) -> bool:
    """Whether the word is a name or a year in an earlier answer: a capital, a script without capitals, or digits."""
    return any(_begin_alike(word.casefold(), other.casefold()) and not other[0].islower() for other in answered)


def _is_mixed(word: str) -> bool:
    return any(map(str.isdecimal, word)) and any(map(str.isalpha, word))
