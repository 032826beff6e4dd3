"""Runs a small torch network fast on this machine's CPU: rows of any length in, batches of about equal length inside."""

import logging
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from torch import nn

from index.inference.batching import Batcher
from index.inference.engine import REFUSALS, PaddedBatch, Engine, Floats, Ids, OpenVinoEngine, TorchEngine

EngineName = Literal["openvino", "torch"]
MASK = "attention_mask"
_STEP = 16
_RUNS = 2
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Signature:
    """What a network takes and gives.

    `inputs` are the names of its arguments in order, each integers (B, T). `head` are those of its head after the first one,
    which is what the network gives; each has a length of its own. `attention_mask` is made here, never given. `outputs` names
    for each output the input whose axis it has, (B, T, ...), and to whose length it is cut; None where it has none, (B, ...).
    """

    inputs: tuple[str, ...]
    outputs: tuple[str | None, ...]
    head: tuple[str, ...] = ()


class Network:
    """A network ready to run. Thread-safe; calls that come while it runs share the next run.

        network = Network(module, Signature(("input_ids", "attention_mask"), (None,)), cache=folder)
        vectors = [row[0] for row in network.run([{"input_ids": ids}, ...])]

    `module` and `head`, which takes what it gives, are torch modules in fp32 on the CPU. `cache` keeps what was compiled.
    `engine_name` says what runs: OpenVINO, or torch where asked for or where OpenVINO cannot take the network (logged).
    """

    def __init__(
        self,
        module: nn.Module,
        form: Signature,
        *,
        head: nn.Module | None = None,
        cache: Path | None = None,
        engine: EngineName = "openvino",
        batch_tokens: int = 1024,
    ) -> None:
        self.form = form
        self._batch_tokens = batch_tokens
        module = module.eval()
        head = None if head is None else head.eval()
        self._engine: Engine = TorchEngine(module, head)
        if engine == "openvino":
            try:
                self._engine = OpenVinoEngine(module, len(form.inputs), head, len(form.head), cache)
            except REFUSALS:
                _log.warning(
                    "OpenVINO cannot run %s on this CPU; torch runs it, slower", type(module).__name__, exc_info=True
                )
        self.engine_name: EngineName = "openvino" if isinstance(self._engine, OpenVinoEngine) else "torch"
        self._batcher: Batcher[Mapping[str, Ids], tuple[Floats, ...]] = Batcher(
            self._run, self._length, _RUNS * self._engine.streams * batch_tokens
        )

    def run(self, rows: Sequence[Mapping[str, Ids]]) -> Sequence[tuple[Floats, ...]]:
        """The outputs of every row, in the order given. A row maps each input but the mask to an array (T,), T from 1.

        Rows are batched by length so that little is padded; a batch holds at most `batch_tokens` tokens or one row. Padding
        does not change a result beyond rounding. Raises Abandoned when the caller's event in `batching.ABANDONED` is set.
        """
        return self._batcher(rows) if rows else []

    def _run(self, rows: Sequence[Mapping[str, Ids]]) -> list[tuple[Floats, ...]]:
        results: list[tuple[Floats, ...]] = [()] * len(rows)
        chosen = batches([_stepped(self._length(row)) for row in rows], self._batch_tokens, self._engine.streams)
        found = self._engine([self._padded([rows[number] for number in numbers]) for numbers in chosen])
        for numbers, outputs in zip(chosen, found, strict=True):
            for place, number in enumerate(numbers):
                results[number] = tuple(
                    output[place] if axis is None else output[place, : len(rows[number][axis])]
                    for output, axis in zip(outputs, self.form.outputs, strict=True)
                )
        return results

    def _length(self, row: Mapping[str, Ids]) -> int:
        return len(row[self.form.inputs[0]])

    def _padded(self, rows: Sequence[Mapping[str, Ids]]) -> PaddedBatch:
        return PaddedBatch(
            [self._array(rows, name) for name in self.form.inputs], [self._array(rows, name) for name in self.form.head]
        )

    def _array(self, rows: Sequence[Mapping[str, Ids]], name: str) -> Ids:
        values = [np.ones_like(row[self.form.inputs[0]]) if name == MASK else row[name] for row in rows]
        array = np.zeros((len(rows), _stepped(max(map(len, values)))), dtype=np.int64)
        for number, value in enumerate(values):
            array[number, : len(value)] = value
        return array


def batches(lengths: Sequence[int], tokens: int, streams: int = 1) -> list[list[int]]:
    """Row numbers in batches, longest first; rows times longest length is at most `tokens`, unless it is one row.

    There are as many batches as that takes, or a few more so that every stream has as many as the next, and as large.
    """
    order = sorted(range(len(lengths)), key=lambda number: -lengths[number])
    fewest = len(_cut(order, lengths, tokens))
    most = -(-fewest // streams) * streams
    budgets = range(min(lengths[order[0]], tokens), tokens)
    least = bisect_left(budgets, True, key=lambda budget: len(_cut(order, lengths, budget)) <= most)
    return _cut(order, lengths, budgets[least] if least < len(budgets) else tokens)


def _cut(order: Sequence[int], lengths: Sequence[int], budget: int) -> list[list[int]]:
    cut: list[list[int]] = []
    for number in order:
        if not cut or (len(cut[-1]) + 1) * lengths[cut[-1][0]] > budget:
            cut.append([])
        cut[-1].append(number)
    return cut


def _stepped(length: int) -> int:
    """Lengths go in steps, so that there are few shapes to compile for.

    An incomplete block of 16 is also the one place where OpenVINO's attention in bf16 rounds otherwise (measured): in whole
    blocks a row has the same result in any company.
    """
    return max(-(-length // _STEP), 1) * _STEP
