"""Compiling a network for this CPU, or taking it from the cache, where a start needs neither torch nor the weights."""

import functools
import logging
import os
import platform
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.inference.blueprint import Blueprint, Parts, code_of
from index.inference.cache import CompiledCache
from index.inference.openvino_import import openvino

Array = NDArray[Any]
STREAMS = min(os.cpu_count() or 1, 8)
_SETTINGS: Mapping[str, Any] = {
    "NUM_STREAMS": STREAMS,
    "ENABLE_CPU_PINNING": False,
    "CPU_RUNTIME_CACHE_CAPACITY": "100",
}
_PARTS: Mapping[str, Mapping[str, Any]] = {"body": _SETTINGS, "head": {**_SETTINGS, "INFERENCE_PRECISION_HINT": "f32"}}
_CONVERSION = "index.inference.conversion"
_log = logging.getLogger(__name__)


class Compiled(NamedTuple):
    """A compiled part of a network, and what it computed of the example in its trial run.

    `weights` is the mapped file that the model reads, None if it has its own copy. It must be kept as long as the model.
    """

    model: openvino.CompiledModel
    outputs: list[NDArray[np.float32]]
    weights: NDArray[np.uint8] | None = None


class Compiler:
    """Compiles the parts of one network for this CPU, or takes them from the folder `cache`.

    The network is made only if a part of it has to be compiled.
    """

    def __init__(self, blueprint: Blueprint, cache: Path | None) -> None:
        self._blueprint = blueprint
        self._cache = None if cache is None else CompiledCache(cache)
        self._core = openvino.Core()

    def compiled(self, part: Literal["body", "head"], example: Sequence[Array]) -> Compiled:
        """A part, after a trial run on the example; from the cache if it is there, undamaged, and runs.

        Raises RuntimeError if it fails or computes what is not finite, and what making the network raises.
        """
        if self._cache is None:
            return self._anew(part, example)
        key = self._key(part, example)
        content = self._cache.read(key)
        if content is not None:
            try:
                mapped = openvino.Tensor(content, shared_memory=True)
                kept = _tried(self._core.import_model(mapped, "CPU", dict(_PARTS[part])), example)
                return kept._replace(weights=content)
            except RuntimeError as error:
                _log.warning("%s does not run (%s); the network is compiled again", self._cache.path(key), error)
        anew = self._anew(part, example)
        self._cache.write(key, anew.model.export_model().getvalue())
        return anew

    def _anew(self, part: Literal["body", "head"], example: Sequence[Array]) -> Compiled:
        from index.inference.conversion import convert  # noqa: PLC0415  (imports torch: see index/inference/blueprint.py)

        module = self._modules.body if part == "body" else self._modules.head
        assert module is not None, f"{self._blueprint.name} has no head, and its signature names inputs of one"
        return _tried(self._core.compile_model(convert(module, example), "CPU", dict(_PARTS[part])), example)

    @functools.cached_property
    def _modules(self) -> Parts:
        return self._blueprint.make()

    def _key(self, part: str, example: Sequence[Array]) -> str:
        """A key of all that a compiled part depends on: weights, structure, code, inputs, settings, versions and CPU."""
        inputs = [(array.shape, array.dtype.str) for array in example]
        facts = (
            self._blueprint.fingerprint, code_of(_CONVERSION).hex(), part, repr(inputs), repr(_PARTS[part]),
            openvino.__version__, version("torch"), platform.machine(),
            self._core.get_property("CPU", "FULL_DEVICE_NAME"),
            repr(self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")),
        )  # fmt: skip
        return sha256("\0".join(facts).encode()).hexdigest()[:32]


def _tried(model: openvino.CompiledModel, example: Sequence[Array]) -> Compiled:
    request = model.create_infer_request()
    request.infer(list(example))
    outputs = outputs_of(request)
    for number, output in enumerate(outputs):
        if not np.isfinite(output).all():
            raise RuntimeError(f"output {number} of the compiled network is not finite")
    return Compiled(model, outputs)


def outputs_of(request: openvino.InferRequest) -> list[NDArray[np.float32]]:
    """Copies of what a request computed."""
    count = len(request.model_outputs)
    return [np.array(request.get_output_tensor(number).data, dtype=np.float32) for number in range(count)]
