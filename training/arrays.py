"""Examples as flat arrays: written once, read by every run, and gathered into batches on the device of the network."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.batches import Example, ReaderBatch

_POOL = 30_000  # groups that are sorted by length together


@dataclass(frozen=True)
class ExampleArrays:
    """N examples with S sentences and T tokens in all; those of one question are neighbours.

    `tokens` (T,), `lengths` (N,) in tokens, `asked` (N,) tokens of [CLS] question [SEP], `relevant` (N,) 1, 0, or -1 where no
    label is known, `groups` (N,) the number of the question, `counts` (N,) of sentences, `firsts` and `ends` (S,) the first
    token of each sentence and the one after its last, `gold` (S,) 1, 0 or -1, `spans` (N, 3) sentence, first and last token of
    the answer, or -1, `sources` (N,) into `names`.
    """

    tokens: NDArray[np.uint16]
    lengths: NDArray[np.uint16]
    asked: NDArray[np.uint8]
    relevant: NDArray[np.int8]
    groups: NDArray[np.int32]
    counts: NDArray[np.uint8]
    firsts: NDArray[np.uint16]
    ends: NDArray[np.uint16]
    gold: NDArray[np.int8]
    spans: NDArray[np.int16]
    sources: NDArray[np.int16]
    names: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.lengths)

    @classmethod
    def of(cls, groups: Iterable[Sequence[Example]]) -> "ExampleArrays":
        """The examples of the groups. Raises ValueError for none."""
        numbered = [(number, example) for number, group in enumerate(groups) for example in group]
        if not numbered:
            raise ValueError("there are no examples to keep")
        names = {name: place for place, name in enumerate(dict.fromkeys(e.source for _, e in numbered))}
        examples = [example for _, example in numbered]
        windows = [example.window for example in examples]
        gold = [np.full(len(e.window.firsts), -1) if e.gold is None else e.gold for e in examples]
        return cls(
            np.concatenate([w.input_ids for w in windows]).astype(np.uint16),
            np.array([len(w.input_ids) for w in windows], np.uint16),
            np.array([int((w.token_type_ids == 0).sum()) for w in windows], np.uint8),
            np.array([-1 if e.relevant is None else int(e.relevant) for e in examples], np.int8),
            np.array([number for number, _ in numbered], np.int32),
            np.array([len(w.firsts) for w in windows], np.uint8),
            np.array([first for w in windows for first in w.firsts], np.uint16),
            np.array([end for w in windows for end in _sentence_ends(w.sentence_ids, len(w.firsts))], np.uint16),
            np.concatenate(gold).astype(np.int8),
            np.array([e.span or (-1, -1, -1) for e in examples], np.int16),
            np.array([names[e.source] for e in examples], np.int16),
            np.array(list(names)),
        )

    def save(self, path: Path) -> None:
        """Write the arrays into one file; an interrupted write leaves nothing under that name."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez_compressed(file, **{field.name: getattr(self, field.name) for field in fields(self)})
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> "ExampleArrays":
        """The arrays of a file."""
        with np.load(path) as file:
            return cls(**{field.name: file[field.name] for field in fields(cls)})

    @classmethod
    def joined(cls, parts: Sequence["ExampleArrays"]) -> "ExampleArrays":
        """All examples of the parts, in order."""
        names = list(dict.fromkeys(str(name) for part in parts for name in part.names))
        numbers = np.cumsum([0, *(int(part.groups[-1]) + 1 for part in parts)])
        whole = {field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)}
        whole["groups"] = np.concatenate([p.groups + n for p, n in zip(parts, numbers[:-1], strict=True)]).astype(
            np.int32
        )
        own = [np.array([names.index(str(name)) for name in part.names], np.int16)[part.sources] for part in parts]
        return cls(**{**whole, "sources": np.concatenate(own), "names": np.array(names)})

    def batches(self, tokens: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
        """Every example once: rows of whole groups of similar length, at most about `tokens` padded tokens, in random order."""
        begins = np.flatnonzero(np.diff(self.groups, prepend=-1))
        ends = np.append(begins[1:], len(self))
        longest = np.maximum.reduceat(self.lengths.astype(np.int64), begins)
        order = rng.permutation(len(begins))
        cut: list[NDArray[np.int64]] = []
        for start in range(0, len(order), _POOL):
            pool = order[start : start + _POOL]
            pool = pool[np.argsort(longest[pool] + 8 * rng.random(len(pool)))]
            rows: list[NDArray[np.int64]] = []
            count = longest_row = 0
            for group in pool:
                size = int(ends[group] - begins[group])
                length = max(longest_row, int(longest[group]))
                if rows and (count + size) * length > tokens:
                    cut.append(np.concatenate(rows))
                    rows, count, length = [], 0, int(longest[group])
                rows.append(np.arange(begins[group], ends[group]))
                count, longest_row = count + size, length
            cut.append(np.concatenate(rows))
        return [cut[place] for place in rng.permutation(len(cut))]

    def in_order_of_length(self, tokens: int) -> list[NDArray[np.int64]]:
        """Every example once, shortest first, in rows of at most about `tokens` padded tokens: for a pass without training."""
        order = np.argsort(self.lengths, kind="stable").astype(np.int64)
        cut: list[NDArray[np.int64]] = []
        begin = 0
        while begin < len(order):
            end = begin + 1
            while end < len(order) and (end + 1 - begin) * int(self.lengths[order[end]]) <= tokens:
                end += 1
            cut.append(order[begin:end])
            begin = end
        return cut

    @property
    def sentence_starts(self) -> NDArray[np.int64]:
        """The place of each example's first sentence among all sentences."""
        return np.cumsum(self.counts, dtype=np.int64) - self.counts


def _sentence_ends(sentence_ids: NDArray[np.int64], count: int) -> list[int]:
    """The token after the last one of each sentence."""
    if not count:
        return []
    last = np.zeros(count + 1, np.int64)
    np.maximum.at(last, sentence_ids, np.arange(1, len(sentence_ids) + 1))
    return [int(end) for end in last[1:]]


@dataclass(frozen=True)
class Labels:
    """What a teacher says of examples, as logits: `relevance` (N,) and `sentences` (S,); NaN where it was not asked."""

    relevance: NDArray[np.float16]
    sentences: NDArray[np.float16]

    @classmethod
    def none(cls, arrays: ExampleArrays) -> "Labels":
        """No label for any example."""
        return cls(np.full(len(arrays), np.nan, np.float16), np.full(len(arrays.gold), np.nan, np.float16))

    @classmethod
    def joined(cls, parts: Sequence["Labels"]) -> "Labels":
        """The labels of all parts, in order."""
        return cls(np.concatenate([p.relevance for p in parts]), np.concatenate([p.sentences for p in parts]))


class DeviceExamples:
    """Examples with their labels on a device, where batches are gathered without a loop over examples."""

    def __init__(self, arrays: ExampleArrays, labels: Labels | None, device: torch.device) -> None:
        self.arrays = arrays
        self.device = device
        known = labels or Labels.none(arrays)
        lengths = arrays.lengths.astype(np.int64)
        self._tokens = self._on_device(arrays.tokens.astype(np.int32))
        self._lengths = self._on_device(lengths)
        self._starts = self._on_device(np.cumsum(lengths) - lengths)
        self._asked = self._on_device(arrays.asked.astype(np.int64))
        self._relevant = self._on_device(arrays.relevant.astype(np.float32))
        self._groups = self._on_device(arrays.groups.astype(np.int64))
        self._counts = self._on_device(arrays.counts.astype(np.int64))
        self._sentence_starts = self._on_device(arrays.sentence_starts)
        self._firsts = self._on_device(arrays.firsts.astype(np.int64))
        self._ends = self._on_device(arrays.ends.astype(np.int64))
        self._gold = self._on_device(arrays.gold.astype(np.float32))
        self._spans = self._on_device(arrays.spans.astype(np.int64))
        self._taught_relevance = self._on_device(known.relevance.astype(np.float32))
        self._taught_sentences = self._on_device(known.sentences.astype(np.float32))

    def _on_device(self, array: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)

    def batch(self, rows: NDArray[np.int64]) -> ReaderBatch:
        """The examples of these rows, padded."""
        chosen = self._on_device(rows)
        lengths, counts = self._lengths[chosen], self._counts[chosen]
        positions = torch.arange(int(lengths.max()), device=self.device)
        valid = positions < lengths[:, None]
        at = (self._starts[chosen][:, None] + positions).clamp_max(len(self._tokens) - 1)
        places = torch.arange(max(1, int(counts.max())), device=self.device)
        shown = places < counts[:, None]
        sentences = (self._sentence_starts[chosen][:, None] + places).clamp_max(max(0, len(self._firsts) - 1))
        row, place = shown.nonzero(as_tuple=True)
        flat = sentences[shown]
        firsts = torch.zeros_like(sentences)
        firsts[shown] = self._firsts[flat]
        _, group = torch.unique_consecutive(self._groups[chosen], return_inverse=True)
        inputs = {
            "input_ids": torch.where(valid, self._tokens[at].long(), 0),
            "attention_mask": valid.long(),
            "token_type_ids": ((positions >= self._asked[chosen][:, None]) & valid).long(),
            "sentence_ids": _sentence_ids(
                len(chosen), len(positions), row, place, self._firsts[flat], self._ends[flat]
            ),
            "firsts": firsts,
        }
        spans = self._spans[chosen]
        (answered,) = (spans[:, 0] >= 0).nonzero(as_tuple=True)
        sentence = self._sentence_starts[chosen][answered] + spans[answered, 0]
        span = torch.stack(
            [answered, self._firsts[sentence], self._ends[sentence], spans[answered, 1], spans[answered, 2]], dim=1
        )
        return ReaderBatch(
            inputs, self._relevant[chosen], group, row, place, self._gold[flat], span,
            self._taught_relevance[chosen], self._taught_sentences[flat],
        )  # fmt: skip


def _sentence_ids(count: int, length: int, row: Tensor, place: Tensor, firsts: Tensor, ends: Tensor) -> Tensor:
    """The sentence of each token from 1, 0 outside: a sentence's number is added where it begins, taken away where it ends."""
    marks = torch.zeros((count, length + 1), dtype=torch.long, device=row.device)
    marks.index_put_((row, firsts), place + 1, accumulate=True)
    marks.index_put_((row, ends), -(place + 1), accumulate=True)
    return marks.cumsum(1)[:, :-1]
