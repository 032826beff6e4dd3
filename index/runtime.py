"""Runs a small torch network fast on this machine's CPU: token-budget batches, OpenVINO first, torch as the reference.

OpenVINO picks bf16 where the CPU rewards
it and fp32 elsewhere. Both engines take the same inputs and give the same outputs within bf16's rounding.
"""

import io
import logging
import os
import platform
import sys
import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

# openvino reports every import to Google Analytics through this package unless the package cannot be imported.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

import openvino  # noqa: E402  (the line above must come first)

# The first use of this in two threads at once blocks both for good: openvino holds a C++ static guard while it waits for
# the interpreter lock (seen in a server whose first two requests came together). Used once here, it cannot.
openvino.Type.i64.to_dtype()
from openvino.frontend import GeneralFailure, NotImplementedFailure, OpConversionFailure  # noqa: E402

from index.batching import Batcher  # noqa: E402

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]
EngineName = Literal["openvino", "torch"]
MASK = "attention_mask"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Form:
    """What a network takes and gives.

    `inputs` are the names of its arguments in order, each integers (B, T). `attention_mask` is made here, never given.
    `per_token` says for each output whether it has a token axis, (B, T, ...), which is cut to the row's own length, or
    none, (B, ...).
    """

    inputs: tuple[str, ...]
    per_token: tuple[bool, ...]


class Engine(Protocol):
    """Runs one padded batch, in whatever thread; one batch at a time."""

    def __call__(self, inputs: Sequence[Ids]) -> list[Floats]:
        """Outputs, in order, of inputs (B, T), in order."""
        ...


_REFUSALS = (RuntimeError, GeneralFailure, NotImplementedFailure, OpConversionFailure)


class Network:
    """A network ready to run. Thread-safe; calls that come while it runs share the next run.

        network = Network(module, Form(("input_ids", "attention_mask"), (False,)), cache=folder)
        vectors = [row[0] for row in network.run([{"input_ids": ids}, ...])]

    `module` is a torch module in fp32 on the CPU. With `cache`, the compiled network is kept in that folder under a key
    of weights, structure, versions and CPU; a later start takes 0.3 s instead of 4 (MiniLM, 2 cores).
    `engine_name` says what runs: OpenVINO, or torch where asked for or where OpenVINO cannot take the network (logged).
    """

    def __init__(
        self,
        module: nn.Module,
        form: Form,
        *,
        cache: Path | None = None,
        engine: EngineName = "openvino",
        batch_tokens: int = 4096,
    ) -> None:
        self.form = form
        self._batch_tokens = batch_tokens
        module = module.eval()
        self._engine: Engine = _Torch(module)
        if engine == "openvino":
            try:
                self._engine = _OpenVino(_compiled(module, form, cache))
            except _REFUSALS:
                _log.warning(
                    "OpenVINO cannot run %s on this CPU; torch runs it, slower", type(module).__name__, exc_info=True
                )
        self.engine_name: EngineName = "openvino" if isinstance(self._engine, _OpenVino) else "torch"
        self._batcher: Batcher[Mapping[str, Ids], tuple[Floats, ...]] = Batcher(self._run, self._length, batch_tokens)

    def run(self, rows: Sequence[Mapping[str, Ids]]) -> Sequence[tuple[Floats, ...]]:
        """The outputs of every row, in the order given. A row maps each input but the mask to an array (T,), T from 1.

        Rows are batched by length so that little is padded; a batch holds at most about `batch_tokens` tokens. Padding
        does not change a result beyond rounding. Raises Abandoned when the caller's event in `batching.ABANDONED` is set.
        """
        return self._batcher(rows) if rows else []

    def _run(self, rows: Sequence[Mapping[str, Ids]]) -> list[tuple[Floats, ...]]:
        results: list[tuple[Floats, ...]] = [()] * len(rows)
        lengths = [self._length(row) for row in rows]
        for chosen in batches(lengths, self._batch_tokens):
            outputs = self._engine(self._padded([rows[number] for number in chosen]))
            for place, number in enumerate(chosen):
                results[number] = tuple(
                    output[place, : lengths[number]] if per_token else output[place]
                    for output, per_token in zip(outputs, self.form.per_token, strict=True)
                )
        return results

    def _length(self, row: Mapping[str, Ids]) -> int:
        return len(row[self.form.inputs[0]])

    def _padded(self, rows: Sequence[Mapping[str, Ids]]) -> list[Ids]:
        length = max(len(row[self.form.inputs[0]]) for row in rows)
        arrays = [np.zeros((len(rows), length), dtype=np.int64) for _ in self.form.inputs]
        for name, array in zip(self.form.inputs, arrays, strict=True):
            for number, row in enumerate(rows):
                values = np.ones_like(row[self.form.inputs[0]]) if name == MASK else row[name]
                array[number, : len(values)] = values
        return arrays


def batches(lengths: Sequence[int], tokens: int) -> list[list[int]]:
    """Row numbers in batches, longest first; rows times longest length is at most `tokens`, unless it is one row."""
    order = sorted(range(len(lengths)), key=lambda number: -lengths[number])
    cut: list[list[int]] = []
    for number in order:
        if not cut or (len(cut[-1]) + 1) * lengths[cut[-1][0]] > tokens:
            cut.append([])
        cut[-1].append(number)
    return cut


class _Torch:
    """The reference: fp32, eager."""

    def __init__(self, module: nn.Module) -> None:
        self._module = module

    def __call__(self, inputs: Sequence[Ids]) -> list[Floats]:
        with torch.inference_mode():
            outputs = self._module(*(torch.from_numpy(array) for array in inputs))
        return [output.numpy() for output in (outputs if isinstance(outputs, tuple) else (outputs,))]


class _OpenVino:
    """The fast path. One inference request serves all threads: each has buffers of its own, as large as a batch."""

    def __init__(self, compiled: openvino.CompiledModel) -> None:
        self._outputs = len(compiled.outputs)
        self._request = compiled.create_infer_request()

    def __call__(self, inputs: Sequence[Ids]) -> list[Floats]:
        found = self._request.infer(list(inputs), share_inputs=True)
        return [np.array(found[number], dtype=np.float32) for number in range(self._outputs)]


def _compiled(module: nn.Module, form: Form, cache: Path | None) -> openvino.CompiledModel:
    """The module compiled for this CPU, from the cache where it is there and whole."""
    core = openvino.Core()
    settings = {"PERFORMANCE_HINT": "LATENCY"}
    if cache is None:
        return core.compile_model(_converted(module, form), "CPU", settings)
    path = cache / f"{_key(module, form, core)}.blob"
    if path.exists():
        try:
            return core.import_model(io.BytesIO(path.read_bytes()), "CPU", settings)
        except RuntimeError:
            _log.warning("%s is damaged; the network is compiled again", path, exc_info=True)
    compiled = core.compile_model(_converted(module, form), "CPU", settings)
    cache.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
    part.write_bytes(compiled.export_model().getvalue())
    part.replace(path)
    return compiled


def _converted(module: nn.Module, form: Form) -> openvino.Model:
    example = tuple(torch.ones((2, 16), dtype=torch.long) for _ in form.inputs)
    shapes = [openvino.PartialShape([-1, -1])] * len(example)
    root = logging.getLogger()
    level, filters, handlers = root.level, list(root.filters), list(root.handlers)
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            # The converter uses torch.jit.trace, which torch 2.13 calls deprecated; it has no other way.
            warnings.simplefilter("ignore")
            return openvino.convert_model(module, example_input=example, input=shapes)
    finally:
        # A conversion that fails leaves the root logger deaf to warnings.
        root.setLevel(level)
        root.filters, root.handlers = filters, handlers


def _key(module: nn.Module, form: Form, core: openvino.Core) -> str:
    """Changes with anything that the converted network depends on: weights, structure, inputs, versions and CPU."""
    digest = sha256()
    for fact in (
        repr(module), repr(form), openvino.__version__, torch.__version__, platform.machine(),
        core.get_property("CPU", "FULL_DEVICE_NAME"),
    ):  # fmt: skip
        digest.update(fact.encode())
    for name, tensor in module.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()[:32]
