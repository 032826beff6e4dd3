"""Groups of pairs -> labelled windows -> batches of similar length, padded as tensors."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeVar

import numpy as np
import torch
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

    `span` is (sentence number, first token, last token) of the answer, all counted within the window.
    """

    window: Window
    relevant: bool
    gold: NDArray[np.float32] | None
    span: tuple[int, int, int] | None


@dataclass(frozen=True)
class ReaderBatch:
    """The network's inputs for B windows padded to T tokens, and the labels of their N sentences in one flat list.

    `relevant` (B,) is 1 for answering windows, `group` (B,) the number of each window's question. For each of the N
    sentences, `row` is its window, `place` its number there and `gold` its label, -1 where unknown. Rows of `span` are
    (window, first token of the sentence, its last + 1, answer start, answer end).
    """

    inputs: dict[str, Tensor]
    relevant: Tensor
    group: Tensor
    row: Tensor
    place: Tensor
    gold: Tensor
    span: Tensor


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
        self._tokens_and_sentences = lru_cache(maxsize=None)(self._read)

    def _read(self, passage: str) -> tuple[Tokens, list[Span]]:
        encoding = self._tokenizer.encode(passage, add_special_tokens=False)
        return Tokens(encoding.ids, encoding.offsets), sentence_spans(passage)

    def all_windows(self, pair: PassagePair) -> list[Example]:
        """Every window of a pair, labelled, as evaluation needs them."""
        tokens, sentences = self._tokens_and_sentences(pair.passage)
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
        return Example(window, pair.relevant, None, None)
    gold = np.array([float(number in chosen) for number in window.sentences], dtype=np.float32)
    span = None
    if pair.answer is not None:
        inside = (window.offsets[:, 1] > pair.answer.start) & (window.offsets[:, 0] < pair.answer.end)
        tokens = np.flatnonzero(inside & (window.sentence_ids > 0))
        if len(tokens) and window.sentence_ids[tokens[0]] == window.sentence_ids[tokens[-1]]:
            span = (int(window.sentence_ids[tokens[0]]) - 1, int(tokens[0]), int(tokens[-1]))
    return Example(window, pair.relevant, gold, span)


class HasWindow(Protocol):
    """An object with a window."""

    @property
    def window(self) -> Window:
        """The window; its length decides the batch."""
        ...


Item = TypeVar("Item", bound=HasWindow)


def batches(
    groups: Iterable[Sequence[Item]], tokens: int, rng: random.Random, pool: int = 3000
) -> Iterator[list[Sequence[Item]]]:
    """Lists of whole groups of similar length, of at most about `tokens` padded tokens, in random order within a pool."""
    waiting: list[Sequence[Item]] = []
    for group in groups:
        waiting.append(group)
        if len(waiting) >= pool:
            yield from _cut_batches(waiting, tokens, rng)
            waiting = []
    yield from _cut_batches(waiting, tokens, rng)


def _cut_batches(groups: list[Sequence[Item]], tokens: int, rng: random.Random) -> list[list[Sequence[Item]]]:
    groups.sort(key=lambda group: max(len(example.window.input_ids) for example in group) + rng.random() * 8)
    cut: list[list[Sequence[Item]]] = []
    count = longest = 0
    for group in groups:
        length = max(len(example.window.input_ids) for example in group)
        if not cut or (count + len(group)) * max(longest, length) > tokens:
            cut.append([])
            count = longest = 0
        cut[-1].append(group)
        count, longest = count + len(group), max(longest, length)
    rng.shuffle(cut)
    return cut


def collate(groups: Sequence[Sequence[Example]]) -> ReaderBatch:
    """The groups as one padded batch."""
    examples = [example for group in groups for example in group]
    length = max(len(example.window.input_ids) for example in examples)
    arrays = {
        name: np.zeros((len(examples), length), dtype=np.int64)
        for name in ("input_ids", "attention_mask", "token_type_ids", "sentence_ids")
    }
    max_sentences = max(len(example.window.firsts) for example in examples)
    arrays["firsts"] = np.zeros((len(examples), max(max_sentences, 1)), dtype=np.int64)
    row: list[int] = []
    place: list[int] = []
    gold: list[float] = []
    span: list[tuple[int, int, int, int, int]] = []
    for number, example in enumerate(examples):
        window = example.window
        size = len(window.input_ids)
        arrays["input_ids"][number, :size] = window.input_ids
        arrays["attention_mask"][number, :size] = 1
        arrays["token_type_ids"][number, :size] = window.token_type_ids
        arrays["sentence_ids"][number, :size] = window.sentence_ids
        row += [number] * len(window.firsts)
        place += range(len(window.firsts))
        arrays["firsts"][number, : len(window.firsts)] = window.firsts
        gold += [-1.0] * len(window.firsts) if example.gold is None else example.gold.tolist()
        if example.span is not None:
            sentence, start, end = example.span
            tokens = np.flatnonzero(window.sentence_ids == sentence + 1)
            span.append((number, int(tokens[0]), int(tokens[-1]) + 1, start, end))
    return ReaderBatch(
        {name: torch.from_numpy(array) for name, array in arrays.items()},
        torch.tensor([float(example.relevant) for example in examples]),
        torch.tensor([number for number, group in enumerate(groups) for _ in group]),
        torch.tensor(row, dtype=torch.long),
        torch.tensor(place, dtype=torch.long),
        torch.tensor(gold),
        torch.tensor(span, dtype=torch.long).reshape(-1, 5),
    )
