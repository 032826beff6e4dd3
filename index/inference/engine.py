"""Engines that run a small torch network on the CPU: OpenVINO where it can, torch as the reference.

OpenVINO chooses bf16 where the CPU is faster with it and fp32 elsewhere. Both engines take the same batches and give
the same outputs within the rounding of bf16.
"""

import io
import logging
import os
import platform
import sys
import warnings
from collections import deque
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

# openvino reports every import to Google Analytics through this package, unless the package cannot be imported.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
# Unless this is set before its first use, oneDNN keeps what it compiled for 1,024 operations: together with what
# OpenVINO keeps (_SETTINGS), 0.65 MiB per shape of MiniLM, and shapes hardly ever repeat.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")

import openvino  # noqa: E402  (the lines above must come first)

# If two threads make the first call of this at once, both block for good: openvino holds a C++ static guard while it
# waits for the interpreter lock (seen in a server whose first two requests came together). A first call here prevents
# that.
openvino.Type.i64.to_dtype()
from openvino._offline_transformations import compress_model_transformation  # noqa: E402  (as above; no public name)
from openvino.frontend import GeneralFailure, NotImplementedFailure, OpConversionFailure  # noqa: E402

from index.inference.cache import CompiledCache  # noqa: E402

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]
REFUSALS = (RuntimeError, GeneralFailure, NotImplementedFailure, OpConversionFailure)
"""The exceptions that OpenVINO raises for a network that it cannot run."""

_STREAMS = min(os.cpu_count() or 1, 8)
_SETTINGS: Mapping[str, Any] = {
    "NUM_STREAMS": _STREAMS,
    "ENABLE_CPU_PINNING": False,
    "CPU_RUNTIME_CACHE_CAPACITY": "100",
}
_EXACT = {"INFERENCE_PRECISION_HINT": "f32"}
_log = logging.getLogger(__name__)


class PaddedBatch(NamedTuple):
    """Padded rows: the inputs of a network's body, each (B, T), and those of its head besides the body's output."""

    body: Sequence[Ids]
    head: Sequence[Ids]


class Engine(Protocol):
    """Runs padded batches, in any thread, but one call at a time."""

    streams: int
    """Batches that run at the same time."""

    def __call__(self, batches: Sequence[PaddedBatch]) -> list[list[Floats]]:
        """The outputs of every batch, in order."""
        ...


class TorchEngine:
    """The reference engine: torch, fp32, eager."""

    streams = 1

    def __init__(self, body: nn.Module, head: nn.Module | None) -> None:
        self._body = body
        self._head = head

    def __call__(self, batches: Sequence[PaddedBatch]) -> list[list[Floats]]:
        """See `Engine`."""
        with torch.inference_mode():
            return [self._run(batch) for batch in batches]

    def _run(self, batch: PaddedBatch) -> list[Floats]:
        outputs = self._body(*map(torch.from_numpy, batch.body))
        if self._head is not None:
            outputs = self._head(outputs, *map(torch.from_numpy, batch.head))
        return [output.numpy() for output in (outputs if isinstance(outputs, tuple) else (outputs,))]


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

    `inputs` and `head_inputs` are the numbers of integer inputs (B, ...) of body and head, the head's besides the
    body's output. With `cache`, the compiled network is kept in that folder under a key of weights, structure, versions
    and CPU; a later start takes 0.3 s instead of 4 s (MiniLM, 2 cores). Raises one of REFUSALS.
    """

    streams = _STREAMS

    def __init__(
        self, body: nn.Module, inputs: int, head: nn.Module | None, head_inputs: int, cache: Path | None
    ) -> None:
        core = openvino.Core()
        ids = torch.ones((2, 16), dtype=torch.long)
        compiled = _compile(core, body, [ids] * inputs, _SETTINGS, cache)
        compiled_head = None
        if head is not None:
            with torch.inference_mode():
                states = body(*[ids] * inputs)
            compiled_head = _compile(core, head, [states, *[ids] * head_inputs], {**_SETTINGS, **_EXACT}, cache)
        self._lanes = [
            _Lane(compiled.create_infer_request(), compiled_head.create_infer_request() if compiled_head else None)
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
    count = len(last.model_outputs)
    return [np.array(last.get_output_tensor(number).data, dtype=np.float32) for number in range(count)]


def _compile(
    core: openvino.Core, module: nn.Module, example: Sequence[Tensor], settings: Mapping[str, Any], cache: Path | None
) -> openvino.CompiledModel:
    """The module compiled for this CPU, after a trial run; from the cache if it is there, undamaged, and runs."""
    if cache is None:
        return _tried(core.compile_model(_convert(module, example), "CPU", dict(settings)), example)
    kept, key = CompiledCache(cache), _key(module, example, settings, core)
    content = kept.read(key)
    if content is not None:
        try:
            return _tried(core.import_model(io.BytesIO(content), "CPU", dict(settings)), example)
        except RuntimeError as error:
            _log.warning("%s does not run (%s); the network is compiled again", kept.path(key), error)
    compiled = _tried(core.compile_model(_convert(module, example), "CPU", dict(settings)), example)
    kept.write(key, compiled.export_model().getvalue())
    return compiled


def _tried(compiled: openvino.CompiledModel, example: Sequence[Tensor]) -> openvino.CompiledModel:
    """The network, after a run on the example. Raises RuntimeError if it fails or gives values that are not finite."""
    request = compiled.create_infer_request()
    request.infer([tensor.numpy() for tensor in example])
    for number in range(len(compiled.outputs)):
        if not np.isfinite(request.get_output_tensor(number).data).all():
            raise RuntimeError(f"output {number} of the compiled network is not finite")
    return compiled


def _convert(module: nn.Module, example: Sequence[Tensor]) -> openvino.Model:
    shapes = [
        openvino.PartialShape([-1] * (tensor.dim() - (tensor.dim() > 2)) + list(tensor.shape[2:])) for tensor in example
    ]
    root = logging.getLogger()
    level, filters, handlers = root.level, list(root.filters), list(root.handlers)
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            # The converter uses torch.jit.trace, which torch 2.13 calls deprecated; it has no other way.
            warnings.simplefilter("ignore")
            model = openvino.convert_model(module, example_input=tuple(example), input=shapes)
    finally:
        # A conversion that fails leaves the root logger's level and filters changed, so that warnings are lost.
        root.setLevel(level)
        root.filters, root.handlers = filters, handlers
    if _is_in_half_precision(module):
        compress_model_transformation(model)
    return model


def _is_in_half_precision(module: nn.Module) -> bool:
    """Whether every weight is a number in half precision, as those of the shipped reader and support checker are.

    Then the compiled network keeps them in half the space, 67 MB of the reader's instead of 133, and computes the same
    numbers: they were equal to the last bit for rows of 64 tokens.
    """
    weights = [tensor for tensor in module.state_dict().values() if tensor.is_floating_point()]
    return all(torch.equal(tensor.half().to(tensor.dtype), tensor) for tensor in weights)


def _key(module: nn.Module, example: Sequence[Tensor], settings: Mapping[str, Any], core: openvino.Core) -> str:
    """A key of all that the compiled network depends on: weights, structure, inputs, settings, versions and CPU."""
    digest = sha256()
    for fact in (
        repr(module), repr([tensor.shape for tensor in example]), repr(settings), openvino.__version__, torch.__version__,
        platform.machine(), core.get_property("CPU", "FULL_DEVICE_NAME"),
    ):  # fmt: skip
        digest.update(fact.encode())
    for name, tensor in module.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()[:32]
