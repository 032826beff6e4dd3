"""Words of the same kind, by the encoder's word embeddings: what a near miss of a question says in a word's place."""

from collections.abc import Iterable

import torch
from tokenizers import Tokenizer
from torch import Tensor

_ENDINGS = ("ing", "ed", "ly", "s")
_STEM = 4


class Substitutes:
    """Words that are like a word and not the same: cosine of the centred word embeddings from `low` to below `high`.

    At .5 and more are inflections and synonyms ("built", "constructed"), below .28 what has nothing in common. Words that
    begin alike or end differently ("price", "prices") are no substitutes.
    """

    def __init__(self, vectors: Tensor, tokenizer: Tokenizer, low: float = 0.28, high: float = 0.48) -> None:
        known = {word: number for word, number in tokenizer.get_vocab().items() if _plain(word)}
        rows = vectors.detach()[torch.tensor(list(known.values()))].float()
        centred = rows - rows.mean(0)
        self._vectors = centred / centred.norm(dim=1, keepdim=True)
        self._words = list(known)
        self._place = {word: place for place, word in enumerate(self._words)}
        self._low, self._high = low, high

    def among(self, word: str, others: Iterable[str]) -> list[str]:
        """Those of `others` that can stand in the word's place; lower case."""
        places = sorted({self._place[other] for other in others if other in self._place})
        return self._fitting(word, torch.tensor(places, dtype=torch.long))

    def nearest(self, word: str, count: int) -> list[str]:
        """At most `count` of the whole vocabulary that can stand in the word's place, closest first."""
        return self._fitting(word, torch.arange(len(self._words)))[:count]

    def _fitting(self, word: str, places: Tensor) -> list[str]:
        if word not in self._place or not len(places):
            return []
        cosines = self._vectors[places] @ self._vectors[self._place[word]]
        near = (cosines >= self._low) & (cosines < self._high)
        order = cosines[near].argsort(descending=True)
        found = [self._words[place] for place in places[near][order].tolist()]
        return [other for other in found if other[:_STEM] != word[:_STEM] and _ending(other) == _ending(word)]


def _plain(word: str) -> bool:
    return len(word) > 2 and word.isascii() and word.isalpha()


def _ending(word: str) -> str:
    return next((ending for ending in _ENDINGS if word.endswith(ending)), "")
