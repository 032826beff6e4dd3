"""The Network: runs a small network fast on the CPU, with rows of any length batched by length."""

import logging
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from index.inference.batching import Batcher
from index.inference.blueprint import Blueprint
from index.inference.engine import Engine, Floats, Ids, OpenVinoEngine, PaddedBatch
from index.inference.openvino_import import REFUSALS

EngineName = Literal["openvino", "torch"]
IDS, MASK = "input_ids", "attention_mask"
_STEP = 16
_RUNS = 2
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Signature:
    """The inputs and outputs of a network.

    `inputs` are the names of its arguments in order, each integers (B, T). `head` are the names of the head's arguments
    after the first, which is the network's output; each has its own length. Without any, the network has no head.
    `attention_mask` is made here and never passed in. `outputs` names for each output the input whose axis it has,
    (B, T, ...), and to whose length it is cut; None for an output without such an axis, (B, ...).
    """

    inputs: tuple[str, ...]
    outputs: tuple[str | None, ...]
    head: tuple[str, ...] = ()


class Network:
    """A network ready to run. Thread-safe; calls that arrive during a run share the next run.

        network = Network(blueprint, Signature(("input_ids", "attention_mask"), (None,)), cache=folder)
        vectors = [row[0] for row in network.run([{"input_ids": ids}, ...])]

    `cache` is a folder for the compiled network; while it is there, the network is not made from its blueprint.
    `engine_name` is the engine in use: OpenVINO, or torch if requested or if OpenVINO cannot run the network (logged).
    Raises what making the network raises.
    """

    def __init__(
        self,
        blueprint: Blueprint,
        signature: Signature,
        *,
        cache: Path | None = None,
        engine: EngineName = "openvino",
        batch_tokens: int = 1024,
    ) -> None:
        self.signature = signature
        self._batch_tokens = batch_tokens
        self._words = blueprint.words
        self._engine = self._openvino(blueprint, cache) if engine == "openvino" else _torch_engine(blueprint)
        self.engine_name: EngineName = "openvino" if isinstance(self._engine, OpenVinoEngine) else "torch"
        self._batcher: Batcher[Mapping[str, Ids], tuple[Floats, ...]] = Batcher(
            self._run, self._length, _RUNS * self._engine.streams * batch_tokens
        )

    def _openvino(self, blueprint: Blueprint, cache: Path | None) -> Engine:
        """OpenVINO's engine, or torch's if OpenVINO cannot run the network."""
        ids = np.ones(_STEP, dtype=np.int64)
        example = self._pad([dict.fromkeys((*self.signature.inputs, *self.signature.head), ids)] * 2)
        try:
            return OpenVinoEngine(blueprint, example, cache)
        except REFUSALS as error:
            _log.warning("OpenVINO cannot run %s on this CPU (%s); torch runs it, slower", blueprint.name, error)
            return _torch_engine(blueprint)

    def run(self, rows: Sequence[Mapping[str, Ids]]) -> Sequence[tuple[Floats, ...]]:
        """The outputs of every row, in the order given. A row maps each input except the mask to an array (T,), T >= 1.

        Rows are batched by length so that little is padded; a batch holds at most `batch_tokens` tokens or one row.
        Padding does not change a result beyond rounding. Raises `Abandoned` if the caller's event in
        `batching.ABANDONED` is set.
        """
        return self._batcher(rows) if rows else []

    def _run(self, rows: Sequence[Mapping[str, Ids]]) -> list[tuple[Floats, ...]]:
        results: list[tuple[Floats, ...]] = [()] * len(rows)
        batches = length_batches(
            [_round_up(self._length(row)) for row in rows], self._batch_tokens, self._engine.streams
        )
        batch_outputs = self._engine([self._pad([rows[number] for number in numbers]) for numbers in batches])
        for numbers, outputs in zip(batches, batch_outputs, strict=True):
            for position, number in enumerate(numbers):
                results[number] = tuple(
                    output[position] if axis is None else output[position, : len(rows[number][axis])]
                    for output, axis in zip(outputs, self.signature.outputs, strict=True)
                )
        return results

    def _length(self, row: Mapping[str, Ids]) -> int:
        return len(row[self.signature.inputs[0]])

    def _pad(self, rows: Sequence[Mapping[str, Ids]]) -> PaddedBatch:
        return PaddedBatch(
            [self._body_array(rows, name) for name in self.signature.inputs],
            [self._array(rows, name) for name in self.signature.head],
        )

    def _body_array(self, rows: Sequence[Mapping[str, Ids]], name: str) -> Ids | Floats:
        array = self._array(rows, name)
        if name != IDS or self._words is None:
            return array
        return self._words[array].astype(np.float32, copy=False)

    def _array(self, rows: Sequence[Mapping[str, Ids]], name: str) -> Ids:
        values = [np.ones_like(row[self.signature.inputs[0]]) if name == MASK else row[name] for row in rows]
        array = np.zeros((len(rows), _round_up(max(map(len, values)))), dtype=np.int64)
        for number, value in enumerate(values):
            array[number, : len(value)] = value
        return array


def _torch_engine(blueprint: Blueprint) -> Engine:
    from index.inference.reference import TorchEngine  # noqa: PLC0415  (imports torch: see index/inference/blueprint.py)

    return TorchEngine(blueprint.make())


def length_batches(lengths: Sequence[int], tokens: int, streams: int = 1) -> list[list[int]]:
    """Row numbers in batches, longest row first; rows times longest length is at most `tokens`, or it is one row.

    There are as few batches as that allows, or a few more, so that every stream gets as many batches as the others, of
    about equal size.
    """
    order = sorted(range(len(lengths)), key=lambda number: -lengths[number])
    min_count = len(_split(order, lengths, tokens))
    max_count = -(-min_count // streams) * streams
    budgets = range(min(lengths[order[0]], tokens), tokens)
    index = bisect_left(budgets, True, key=lambda budget: len(_split(order, lengths, budget)) <= max_count)
    return _split(order, lengths, budgets[index] if index < len(budgets) else tokens)


def _split(order: Sequence[int], lengths: Sequence[int], budget: int) -> list[list[int]]:
    batches: list[list[int]] = []
    for number in order:
        if not batches or (len(batches[-1]) + 1) * lengths[batches[-1][0]] > budget:
            batches.append([])
        batches[-1].append(number)
    return batches


def _round_up(length: int) -> int:
    """The length rounded up to a multiple of 16, so that there are few shapes to compile for.

    In an incomplete block of 16, OpenVINO's attention in bf16 rounds differently (measured); in whole blocks, a row's
    result does not depend on the other rows.
    """
    return max(-(-length // _STEP), 1) * _STEP
