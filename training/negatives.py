"""Unanswerable questions by rule: an answerable question with one thing changed, so that its passage no longer answers it."""

import random
import re
from collections.abc import Iterable, Sequence

import torch
from tokenizers import Tokenizer
from torch import Tensor

from training.search import words

_WORD = re.compile(r"\w+")

_OPPOSITES = [
    ("first", "last"), ("largest", "smallest"), ("oldest", "newest"), ("highest", "lowest"), ("most", "least"),
    ("before", "after"), ("more", "less"), ("increase", "decrease"), ("increased", "decreased"), ("north", "south"),
    ("east", "west"), ("northern", "southern"), ("eastern", "western"), ("best", "worst"), ("early", "late"),
    ("earliest", "latest"), ("began", "ended"), ("start", "end"), ("started", "ended"), ("won", "lost"),
    ("win", "lose"), ("rise", "fall"), ("rose", "fell"), ("men", "women"), ("male", "female"), ("father", "mother"),
    ("king", "queen"), ("minimum", "maximum"), ("above", "below"), ("positive", "negative"), ("support", "oppose"),
    ("supported", "opposed"), ("accepted", "rejected"), ("allowed", "prohibited"), ("always", "never"),
    ("public", "private"), ("longest", "shortest"), ("greater", "smaller"), ("higher", "lower"), ("gained", "lost"),
    ("export", "import"), ("inside", "outside"), ("majority", "minority"), ("founded", "abolished"),
    ("all", "none"), ("bought", "sold"), ("upper", "lower"), ("internal", "external"), ("strong", "weak"),
]  # fmt: skip
OPPOSITE = {a: b for pair in _OPPOSITES for a, b in (pair, pair[::-1])}
_NUMBER = re.compile(r"\b\d[\d,.]*\d\b|\b\d\b")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w'-]+(?: [A-Z][\w'-]+)*")
_VERB = re.compile(r"\b(did|does|do|was|were|is|are|can|could|has|have|will|would)\b")


def names(text: str) -> list[str]:
    """Capitalised runs of words, except at the start of the text."""
    return _NAME.findall(text)


def change_number(number: str, rng: random.Random) -> str:
    """The number with one digit changed, mostly not the first: a year stays a near year, a count keeps its size."""
    digits = [place for place, sign in enumerate(number) if sign.isdigit()]
    place = rng.choice(digits[1:] or digits)
    other = rng.choice([digit for digit in "123456789" if digit != number[place]])
    return number[:place] + other + number[place + 1 :]


def impossible_question(question: str, passage: str, other_names: Sequence[str], rng: random.Random) -> str | None:
    """A version of the question that the passage does not answer, or None where no rule applies.

    The rules follow the kinds of SQuAD 2's human-written unanswerable questions (Rajpurkar et al. 2018, table 2): entity
    swap, number swap, antonym and negation. `other_names` are names from elsewhere; only names that the passage lacks are used.
    """
    options: list[str] = []
    lower = passage.lower()
    for name in names(question):
        fresh = [other for other in other_names if other.lower() not in lower and other not in question]
        if fresh:
            options += [question.replace(name, rng.choice(fresh), 1)] * 3
    for match in _NUMBER.finditer(question):
        number = change_number(match.group(), rng)
        if number not in passage:
            options += [question[: match.start()] + number + question[match.end() :]] * 2
    for match in _WORD.finditer(question):
        word = match.group()
        opposite = OPPOSITE.get(word)
        if opposite and opposite not in words(passage):
            options += [question[: match.start()] + opposite + question[match.end() :]] * 3
    verb = _VERB.search(question)
    if verb and not options:
        options.append(question[: verb.end()] + " not" + question[verb.end() :])
    return rng.choice(options) if options else None


_ENDINGS = ("ing", "ed", "ly", "s")
_STEM = 4


class Substitutes:
    """Words of the same kind as a word, by the encoder's embeddings: cosine (centred) from `low` to below `high`.

    A cosine of .5 or more means an inflection or synonym ("built", "constructed"), one below .28 an unrelated word. Words
    that begin alike or end differently ("price", "prices") are not substitutes.
    """

    def __init__(self, vectors: Tensor, tokenizer: Tokenizer, low: float = 0.28, high: float = 0.48) -> None:
        known = {word: number for word, number in tokenizer.get_vocab().items() if _is_word(word)}
        rows = vectors.detach()[torch.tensor(list(known.values()))].float()
        centred = rows - rows.mean(0)
        self._vectors = centred / centred.norm(dim=1, keepdim=True)
        self._words = list(known)
        self._place = {word: place for place, word in enumerate(self._words)}
        self._low, self._high = low, high

    def among(self, word: str, others: Iterable[str]) -> list[str]:
        """Those of `others` (lower case) that can replace the word, closest first."""
        places = sorted({self._place[other] for other in others if other in self._place})
        return self._substitutes(word, torch.tensor(places, dtype=torch.long))

    def nearest(self, word: str, count: int) -> list[str]:
        """At most `count` words of the whole vocabulary that can replace the word, closest first."""
        return self._substitutes(word, torch.arange(len(self._words)))[:count]

    def _substitutes(self, word: str, places: Tensor) -> list[str]:
        if word not in self._place or not len(places):
            return []
        cosines = self._vectors[places] @ self._vectors[self._place[word]]
        near = (cosines >= self._low) & (cosines < self._high)
        order = cosines[near].argsort(descending=True)
        similar = [self._words[place] for place in places[near][order].tolist()]
        return [other for other in similar if other[:_STEM] != word[:_STEM] and _ending(other) == _ending(word)]


def _is_word(word: str) -> bool:
    return len(word) > 2 and word.isascii() and word.isalpha()


def _ending(word: str) -> str:
    return next((ending for ending in _ENDINGS if word.endswith(ending)), "")


FUNCTION_WORDS = frozenset(
    "a an the of in on at to for is are was were do does did be been by with what which who whom whose when where why how "
    "that this it its and or from as has have had can could will would much many there".split()
)
"""Words without content of their own."""
_UNEXCHANGED_WORDS = FUNCTION_WORDS | frozenset("being into than their them then these they those".split())


def exchanged_question(
    question: str, passage: str, answers: Sequence[str], rng: random.Random, substitutes: Substitutes
) -> str | None:
    """The question with one part exchanged for another of its kind, or None where nothing fits.

    A name, a number or a word is exchanged for another one of the passage, or a word for a similar one that the passage
    lacks. The passage then names most of what is asked about but does not answer. Nothing of `answers` is inserted.
    """
    options: list[str] = []
    excluded = f"{question} {' '.join(answers)}".lower()

    def add_options(place: re.Match[str], others: Sequence[str], weight: int) -> None:
        usable = [other for other in others if other.lower() not in excluded]
        if usable:
            options.extend([question[: place.start()] + rng.choice(usable) + question[place.end() :]] * weight)

    passage_names = sorted(set(names(passage)))
    for place in _NAME.finditer(question):
        size = len(place.group().split())
        add_options(place, [name for name in passage_names if abs(len(name.split()) - size) < 2], 3)
    numbers = sorted(set(_NUMBER.findall(passage)))
    for place in _NUMBER.finditer(question):
        add_options(place, [number for number in numbers if len(number) == len(place.group())], 3)
    present = set(words(passage))
    for place in _WORD.finditer(question):
        word = place.group()
        if word.islower() and len(word) > 3 and word not in _UNEXCHANGED_WORDS:
            add_options(place, substitutes.among(word, present)[:3], 2)
            if word in present:
                add_options(place, [other for other in substitutes.nearest(word, 12) if other not in present], 1)
    return rng.choice(options) if options else None
