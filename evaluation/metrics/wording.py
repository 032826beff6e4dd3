"""Wording metrics, the words of an answer against gold answers: SQuAD exact match and F1, containment, ROUGE-L.

Exact match and F1 follow Rajpurkar et al. 2016 (https://arxiv.org/abs/1606.05250): lower case, no punctuation, no
articles, single spaces; then equality, or the harmonic mean of token precision and recall over the bag of words; best
over alternatives. Containment (the gold answer is a run of tokens in the answer) is the measure of Kamalloo et al. 2023
(https://arxiv.org/abs/2305.06984) for long answers. ROUGE-L is Lin 2004 (https://aclanthology.org/W04-1013), beta 1.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalize(text: str) -> str:
    """Lower case, no ASCII punctuation, no English articles, single spaces: the official SQuAD rules."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(answer: str, golds: Sequence[str]) -> float | None:
    """1.0 if the answer equals a gold answer after normalisation, else 0.0. None without gold answers."""
    if not golds:
        return None
    return float(any(normalize(answer) == normalize(gold) for gold in golds))


def token_f1(answer: str, golds: Sequence[str]) -> float | None:
    """The best F1 over gold answers. Two empty texts score 1, one empty text 0. None without gold answers."""
    return max((_f1(answer, gold) for gold in golds), default=None)


def contains_gold(answer: str, golds: Sequence[str]) -> float | None:
    """1.0 if a gold answer is a run of whole tokens in the answer, else 0.0. None without gold answers."""
    if not golds:
        return None
    words = f" {normalize(answer)} "
    return float(any(f" {normalize(gold)} " in words for gold in golds if normalize(gold)))


def rouge_l(answer: str, golds: Sequence[str]) -> float | None:
    """The best ROUGE-L F1 over gold answers, on normalised tokens. None without gold answers."""
    return max((_rouge_l(normalize(answer).split(), normalize(gold).split()) for gold in golds), default=None)


def _f1(answer: str, gold: str) -> float:
    left, right = normalize(answer).split(), normalize(gold).split()
    if not left or not right:
        return float(left == right)
    common = (Counter(left) & Counter(right)).total()
    return 2 * common / (len(left) + len(right))


def _rouge_l(left: list[str], right: list[str]) -> float:
    if not left or not right:
        return float(left == right)
    row = [0] * (len(right) + 1)
    for word in left:
        diagonal = 0
        for column, other in enumerate(right, start=1):
            above = row[column]
            row[column] = diagonal + 1 if word == other else max(above, row[column - 1])
            diagonal = above
    return 2 * row[-1] / (len(left) + len(right))
