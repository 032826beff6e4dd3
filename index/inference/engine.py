"""Engines that run a small network on the CPU: OpenVINO where it can, torch as the reference (reference.py).

OpenVINO chooses bf16 where the CPU is faster with it and fp32 elsewhere. Both engines take the same batches and give
the same outputs within the rounding of bf16.
"""

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from index.inference.blueprint import Blueprint
from index.inference.compiling import STREAMS, Compiler, outputs_of
from index.inference.openvino_import import openvino

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]


class PaddedBatch(NamedTuple):
    """Padded rows: the inputs of a network's body, each (B, T, ...), and those of its head besides the body's output."""

    body: Sequence[Ids | Floats]
    head: Sequence[Ids]


class Engine(Protocol):
    """Runs padded batches, in any thread, but one call at a time."""

    streams: int
    """Batches that run at the same time."""

    def __call__(self, batches: Sequence[PaddedBatch]) -> list[list[Floats]]:
        """The outputs of every batch, in order."""
        ...


class _Lane(NamedTuple):
    """The inference requests of one stream, with buffers of its own that are as large as a batch."""

    body: openvino.InferRequest
    head: openvino.InferRequest | None


class OpenVinoEngine:
    """The fast engine. It runs one batch per core, each in one thread from the first layer to the last; with more than
    eight cores, eight batches share them.

    Threads that share a batch wait for each other after every layer. That took a fifth longer, and with threads pinned
    to cores (OpenVINO's default) twice as long and a quarter more processor time (2 busy cores, 12 rows of 160 tokens).
    The head runs in fp32, so that scores are not rounded to the three digits of bf16. It is not run by torch, whose
    threads spin while they wait, in every thread that calls it.

    `example` is a batch of two rows of 16, for a trial run; a network without a head has no inputs of one. With `cache`, the
    compiled network is kept in that folder, and a later start needs neither torch nor the weights. Raises one of REFUSALS.
    """

    streams = STREAMS

    def __init__(self, blueprint: Blueprint, example: PaddedBatch, cache: Path | None) -> None:
        compiler = Compiler(blueprint, cache)
        body = compiler.compiled("body", example.body)
        head = compiler.compiled("head", [body.outputs[0], *example.head]) if example.head else None
        self._weights = [part.weights for part in (body, head) if part is not None]
        self._lanes = [
            _Lane(body.model.create_infer_request(), None if head is None else head.model.create_infer_request())
            for _ in range(self.streams)
        ]

    def __call__(self, batches: Sequence[PaddedBatch]) -> list[list[Floats]]:
        """See `Engine`."""
        results = []
        running: deque[tuple[_Lane, PaddedBatch]] = deque()
        try:
            for number, batch in enumerate(batches):
                if len(running) == self.streams:
                    results.append(_finish(*running[0]))
                    running.popleft()
                lane = self._lanes[number % self.streams]
                lane.body.start_async(list(batch.body), share_inputs=True)
                running.append((lane, batch))
            while running:
                results.append(_finish(*running[0]))
                running.popleft()
        finally:
            for lane, _ in running:
                lane.body.wait()
        return results


def _finish(lane: _Lane, batch: PaddedBatch) -> list[Floats]:
    """Wait for a batch whose body was started, run its head, and return its outputs."""
    lane.body.wait()
    last = lane.body
    if lane.head is not None:
        lane.head.infer([lane.body.get_output_tensor(0), *batch.head], share_inputs=True)
        last = lane.head
    return outputs_of(last)
