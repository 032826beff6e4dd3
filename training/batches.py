"""Pairs of question and passage -> labelled windows; and a batch of them as tensors."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from index.blocks.block import Span
from index.chunking.sentences import sentence_spans
from service.scoring.windows import Tokens, Window, windows
from training.sources import PassagePair


@dataclass(frozen=True)
class Example:
    """A window with its labels. `gold` is 1 for sentences that hold an answer, None where that is unknown.

    `relevant` is whether the passage answers (a premise supports), None where only a teacher can say. `span` is (sentence
    number, first token, last token) of the answer, all counted within the window.
    """

    window: Window
    relevant: bool | None
    gold: NDArray[np.float32] | None
    span: tuple[int, int, int] | None
    source: str


@dataclass(frozen=True)
class ReaderBatch:
    """The network's inputs for B windows padded to T tokens, and the labels of their N sentences in one flat list.

    `relevant` (B,) is 1 for answering windows, -1 where that is unknown, `group` (B,) the number of each window's question.
    For each of the N sentences, `row` is its window, `place` its number there and `gold` its label, -1 where unknown. Rows of
    `span` are (window, first token of the sentence, its last + 1, answer start, answer end). `taught_relevance` (B,) and
    `taught_sentences` (N,) are a teacher's logits, NaN where it was not asked.
    """

    inputs: dict[str, Tensor]
    relevant: Tensor
    group: Tensor
    row: Tensor
    place: Tensor
    gold: Tensor
    span: Tensor
    taught_relevance: Tensor
    taught_sentences: Tensor


def gold_sentences(gold: Sequence[Span], sentences: Sequence[Span]) -> set[int]:
    """Numbers of the sentences that hold the gold ranges.

    A range inside one sentence selects that sentence. A range over several sentences selects those of which it covers half
    or more, and the one that holds most of it.
    """
    chosen: set[int] = set()
    for span in gold:
        shared = [max(0, min(span.end, s.end) - max(span.start, s.start)) for s in sentences]
        if not any(shared):
            continue
        largest = max(range(len(sentences)), key=shared.__getitem__)
        covered = {n for n, s in enumerate(sentences) if 2 * shared[n] >= s.end - s.start}
        chosen |= covered | {largest}
    return chosen


class Labeller:
    """Makes examples of pairs. Tokens and sentences of each passage are computed once."""

    def __init__(self, tokenizer: Tokenizer, limit: int) -> None:
        self._tokenizer = tokenizer
        self._limit = limit
        self._tokens = lru_cache(maxsize=None)(self._read)
        self._prose_sentences = lru_cache(maxsize=None)(sentence_spans)

    def _read(self, passage: str) -> Tokens:
        encoding = self._tokenizer.encode(passage, add_special_tokens=False)
        return Tokens(encoding.ids, encoding.offsets)

    def all_windows(self, pair: PassagePair) -> list[Example]:
        """Every window of a pair, labelled, as evaluation needs them."""
        tokens = self._tokens(pair.passage)
        sentences = pair.sentences if pair.rendering else self._prose_sentences(pair.passage)
        question = self._tokenizer.encode(pair.question, add_special_tokens=False).ids
        chosen = gold_sentences(pair.gold, sentences) if pair.gold is not None else None
        context = self._tokenizer.encode(pair.context, add_special_tokens=False).ids
        parts = windows(question, tokens, sentences, self._limit, context=context)
        return [_label_window(window, pair, chosen) for window in parts]

    def example(self, pair: PassagePair, rng: random.Random) -> Example:
        """One window of a pair, for training.

        A pair with gold ranges gives a random window with a gold sentence; a negative, any window; another positive, the first.
        """
        usable = self.all_windows(pair)
        if pair.gold:
            usable = [e for e in usable if e.gold is not None and e.gold.any()] or usable[:1]
        return rng.choice(usable) if pair.gold or not pair.relevant else usable[0]


def _label_window(window: Window, pair: PassagePair, chosen: set[int] | None) -> Example:
    if chosen is None:
        return Example(window, pair.relevant, None, None, pair.source)
    gold = np.array([float(number in chosen) for number in window.sentences], dtype=np.float32)
    span = None
    if pair.answer is not None:
        inside = (window.offsets[:, 1] > pair.answer.start) & (window.offsets[:, 0] < pair.answer.end)
        tokens = np.flatnonzero(inside & (window.sentence_ids > 0))
        if len(tokens) and window.sentence_ids[tokens[0]] == window.sentence_ids[tokens[-1]]:
            span = (int(window.sentence_ids[tokens[0]]) - 1, int(tokens[0]), int(tokens[-1]))
    return Example(window, pair.relevant, gold, span, pair.source)
