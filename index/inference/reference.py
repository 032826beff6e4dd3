"""The reference engine: torch. It also runs what OpenVINO cannot run."""

from collections.abc import Sequence

import torch

from index.inference.blueprint import Parts
from index.inference.engine import Floats, PaddedBatch


class TorchEngine:
    """The reference engine: torch, fp32, eager."""

    streams = 1

    def __init__(self, parts: Parts) -> None:
        self._body = parts.body.eval()
        self._head = None if parts.head is None else parts.head.eval()

    def __call__(self, batches: Sequence[PaddedBatch]) -> list[list[Floats]]:
        """See `Engine`."""
        with torch.inference_mode():
            return [self._run(batch) for batch in batches]

    def _run(self, batch: PaddedBatch) -> list[Floats]:
        outputs = self._body(*map(torch.from_numpy, batch.body))
        if self._head is not None:
            outputs = self._head(outputs, *map(torch.from_numpy, batch.head))
        return [output.numpy() for output in (outputs if isinstance(outputs, tuple) else (outputs,))]
