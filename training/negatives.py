"""Negatives that matter: passages that nearly answer (BM25) and questions that nearly fit (rules)."""

import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from training.substitutes import Substitutes

_WORD = re.compile(r"\w+")


class Search(Protocol):
    """Finds texts for a query."""

    def best(self, query: str, count: int) -> list[int]:
        """Numbers of at most `count` texts, best first."""
        ...


Searching = Callable[[Sequence[str]], Search]
"""What makes a search over some texts."""


class Bm25:
    """Okapi BM25 (Robertson and Zaragoza 2009; k1 1.2, b 0.75) over texts in memory."""

    def __init__(self, texts: Sequence[str]) -> None:
        counts = [Counter(words(text)) for text in texts]
        lengths = np.array([sum(count.values()) for count in counts], dtype=np.float64)
        self._norm = 1.2 * (0.25 + 0.75 * lengths / max(lengths.mean(), 1.0))
        postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, count in enumerate(counts):
            for word, times in count.items():
                postings[word].append((number, times))
        self._postings = {
            word: (np.array([n for n, _ in entries]), np.array([t for _, t in entries], dtype=np.float64))
            for word, entries in postings.items()
        }

    def scores(self, query: str) -> NDArray[np.float64]:
        """One score per text, in the order given; 0 where no word is shared."""
        total = np.zeros(len(self._norm))
        for word in set(words(query)):
            if word in self._postings:
                numbers, times = self._postings[word]
                idf = math.log(1 + (len(self._norm) - len(numbers) + 0.5) / (len(numbers) + 0.5))
                total[numbers] += idf * 2.2 * times / (times + self._norm[numbers])
        return total

    def best(self, query: str, count: int) -> list[int]:
        """Numbers of the `count` best texts with a score above 0, best first."""
        scores = self.scores(query)
        order = np.argsort(-scores, kind="stable")[:count]
        return [int(number) for number in order if scores[number] > 0]


def words(text: str) -> list[str]:
    """Lower-case words and numbers."""
    return _WORD.findall(text.lower())


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
    """Capitalised runs of words that do not open the text."""
    return _NAME.findall(text)


def changed_number(number: str, rng: random.Random) -> str:
    """A different number of the same form: a near year stays a year, a count stays of the same size."""
    digits = [place for place, sign in enumerate(number) if sign.isdigit()]
    place = rng.choice(digits[1:] or digits)
    other = rng.choice([digit for digit in "123456789" if digit != number[place]])
    return number[:place] + other + number[place + 1 :]


def impossible_question(question: str, passage: str, other_names: Sequence[str], rng: random.Random) -> str | None:
    """A question like this one that the passage no longer answers, or None where no rule applies.

    The rules follow the kinds of SQuAD 2's human-written unanswerable questions (Rajpurkar et al. 2018, table 2): entity
    swap, number swap, antonym and negation. `other_names` are names from elsewhere; only one that the passage lacks is used.
    """
    options: list[str] = []
    lower = passage.lower()
    for name in names(question):
        fresh = [other for other in other_names if other.lower() not in lower and other not in question]
        if fresh:
            options += [question.replace(name, rng.choice(fresh), 1)] * 3
    for match in _NUMBER.finditer(question):
        number = changed_number(match.group(), rng)
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


DULL = frozenset(
    "a an the of in on at to for is are was were do does did be been by with what which who whom whose when where why how "
    "that this it its and or from as has have had can could will would much many there".split()
)
"""Words that name nothing."""
_KEPT = DULL | frozenset("being into than their them then these they those".split())


def exchanged_question(
    question: str, passage: str, answers: Sequence[str], rng: random.Random, substitutes: Substitutes
) -> str | None:
    """A question with one thing exchanged for another of its kind that the passage has, or None where nothing fits.

    A name, a number or a word gives way to another one of the passage, or a word to a similar one that the passage lacks:
    what is asked about is mostly there, and not said to be so. Nothing of `answers` is put in.
    """
    options: list[str] = []
    barred = f"{question} {' '.join(answers)}".lower()

    def put(place: re.Match[str], others: Sequence[str], times: int) -> None:
        usable = [other for other in others if other.lower() not in barred]
        if usable:
            options.extend([question[: place.start()] + rng.choice(usable) + question[place.end() :]] * times)

    there = sorted(set(names(passage)))
    for place in _NAME.finditer(question):
        size = len(place.group().split())
        put(place, [name for name in there if abs(len(name.split()) - size) < 2], 3)
    numbers = sorted(set(_NUMBER.findall(passage)))
    for place in _NUMBER.finditer(question):
        put(place, [number for number in numbers if len(number) == len(place.group())], 3)
    present = set(words(passage))
    for place in _WORD.finditer(question):
        word = place.group()
        if word.islower() and len(word) > 3 and word not in _KEPT:
            put(place, substitutes.among(word, present)[:3], 2)
            if word in present:
                put(place, [other for other in substitutes.nearest(word, 12) if other not in present], 1)
    return rng.choice(options) if options else None
