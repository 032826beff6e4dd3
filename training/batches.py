"""Groups of readings -> labelled windows -> padded batches of little padding."""

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

from index.chunking.sentences import Span, sentence_spans
from service.scoring.windows import Tokens, Window, windows
from training.sources import Reading

_STOPWORDS = frozenset(
    "a an the of in on at to for is are was were do does did be been by with what which who how that".split()
)


@dataclass(frozen=True)
class Example:
    """A window with its labels. `gold` is 1 for sentences that hold an answer, None where that is not known.

    `span` is (sentence place, first token, last token) of the answer, tokens counted in the window.
    """

    window: Window
    relevant: bool
    gold: NDArray[np.float32] | None
    span: tuple[int, int, int] | None


@dataclass(frozen=True)
class Batch:
    """The network's inputs for B windows padded to T tokens, and the labels of their N sentences, listed flat.

    `group` numbers the question of each window. `row` and `place` say which sentence of which window each of the N is;
    `gold` is its label, -1 where unknown. `span` rows are (window, first token of the
    sentence, its last + 1, answer start, answer end).
    """

    inputs: dict[str, Tensor]
    relevant: Tensor
    group: Tensor
    row: Tensor
    place: Tensor
    gold: Tensor
    span: Tensor


def disturbed(question: str, rng: random.Random) -> str:
    """The question as people type it: often in lower case, without its mark, now and then as keywords or misspelt."""
    if rng.random() < 0.3:
        question = question.lower()
    if rng.random() < 0.3:
        question = question.rstrip(" ?")
    words = question.split()
    if rng.random() < 0.06:
        kept = [word for word in words if word.lower() not in _STOPWORDS]
        words = kept if len(kept) > 1 else words
    if rng.random() < 0.05 and words:
        place = rng.randrange(len(words))
        word = words[place]
        if len(word) > 4 and word.isalpha():
            cut = rng.randrange(1, len(word) - 2)
            swapped = word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :]
            words[place] = rng.choice([swapped, word[:cut] + word[cut + 1 :]])
    return " ".join(words)


def gold_sentences(gold: Sequence[Span], sentences: Sequence[Span]) -> set[int]:
    """Numbers of the sentences that hold the gold ranges.

    A range inside one sentence marks that one. A range over several marks those of which it covers half or more, or else
    the one that holds most of it.
    """
    chosen: set[int] = set()
    for span in gold:
        shared = [max(0, min(span.end, s.end) - max(span.start, s.start)) for s in sentences]
        if not any(shared):
            continue
        most = max(range(len(sentences)), key=shared.__getitem__)
        covered = {n for n, s in enumerate(sentences) if 2 * shared[n] >= s.end - s.start}
        chosen |= covered | {most}
    return chosen


class Labeller:
    """Readings -> examples, with the tokens and sentences of each passage worked out once."""

    def __init__(self, tokenizer: Tokenizer, limit: int) -> None:
        self._tokenizer = tokenizer
        self._limit = limit
        self._passage = lru_cache(maxsize=None)(self._read)

    def _read(self, passage: str) -> tuple[Tokens, list[Span]]:
        encoding = self._tokenizer.encode(passage, add_special_tokens=False)
        return Tokens(encoding.ids, encoding.offsets), sentence_spans(passage)

    def all_windows(self, reading: Reading) -> list[Example]:
        """Every window of a reading, labelled: what evaluation uses."""
        tokens, sentences = self._passage(reading.passage)
        question = self._tokenizer.encode(reading.question, add_special_tokens=False).ids
        chosen = gold_sentences(reading.gold, sentences) if reading.gold is not None else None
        context = self._tokenizer.encode(reading.context, add_special_tokens=False).ids
        cut = windows(question, tokens, sentences, self._limit, context=context)
        return [_labelled(window, reading, chosen) for window in cut]

    def example(self, reading: Reading, rng: random.Random) -> Example:
        """One window of a reading: one that holds gold where that is known, else any for a negative and the first otherwise."""
        found = self.all_windows(reading)
        if reading.gold:
            found = [e for e in found if e.gold is not None and e.gold.any()] or found[:1]
        return rng.choice(found) if reading.gold or not reading.relevant else found[0]


def _labelled(window: Window, reading: Reading, chosen: set[int] | None) -> Example:
    if chosen is None:
        return Example(window, reading.relevant, None, None)
    gold = np.array([float(number in chosen) for number in window.sentences], dtype=np.float32)
    span = None
    if reading.answer is not None:
        inside = (window.offsets[:, 1] > reading.answer.start) & (window.offsets[:, 0] < reading.answer.end)
        tokens = np.flatnonzero(inside & (window.sentence_ids > 0))
        if len(tokens) and window.sentence_ids[tokens[0]] == window.sentence_ids[tokens[-1]]:
            span = (int(window.sentence_ids[tokens[0]]) - 1, int(tokens[0]), int(tokens[-1]))
    return Example(window, reading.relevant, gold, span)


class Windowed(Protocol):
    """Anything that is made of one window."""

    @property
    def window(self) -> Window:
        """The window, whose length decides the batch."""
        ...


Item = TypeVar("Item", bound=Windowed)


def batches(
    groups: Iterable[Sequence[Item]], tokens: int, rng: random.Random, pool: int = 3000
) -> Iterator[list[Sequence[Item]]]:
    """Lists of whole groups of at most about `tokens` padded tokens, of like length, in random order."""
    waiting: list[Sequence[Item]] = []
    for group in groups:
        waiting.append(group)
        if len(waiting) >= pool:
            yield from _cut(waiting, tokens, rng)
            waiting = []
    yield from _cut(waiting, tokens, rng)


def _cut(groups: list[Sequence[Item]], tokens: int, rng: random.Random) -> list[list[Sequence[Item]]]:
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


def collated(groups: Sequence[Sequence[Example]]) -> Batch:
    """The groups as one batch."""
    examples = [example for group in groups for example in group]
    length = max(len(example.window.input_ids) for example in examples)
    arrays = {
        name: np.zeros((len(examples), length), dtype=np.int64)
        for name in ("input_ids", "attention_mask", "token_type_ids", "sentence_ids")
    }
    most = max(len(example.window.firsts) for example in examples)
    arrays["firsts"] = np.zeros((len(examples), max(most, 1)), dtype=np.int64)
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
    return Batch(
        {name: torch.from_numpy(array) for name, array in arrays.items()},
        torch.tensor([float(example.relevant) for example in examples]),
        torch.tensor([number for number, group in enumerate(groups) for _ in group]),
        torch.tensor(row, dtype=torch.long),
        torch.tensor(place, dtype=torch.long),
        torch.tensor(gold),
        torch.tensor(span, dtype=torch.long).reshape(-1, 5),
    )
