"""The model all-MiniLM-L6-v2, which turns sentences into vectors; run by index.inference.runtime."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load
from torch import Tensor, nn

from index.embedding.weights import BUNDLED_SHA256, read_tokeniser, read_verified
from index.inference.bert import Bert, BertShape, from_hugging_face
from index.inference.runtime import EngineName, Network, Signature

_CLS, _SEP = 101, 102


class MiniLM:
    """The model in `folder`, its weights compared with their recorded checksum. Thread-safe.

    The converted network is kept in the folder `cache` if given. `engine` "torch" is the fp32 reference.
    """

    dimension = 384
    max_tokens = 256

    def __init__(self, folder: Path, cache: Path | None = None, engine: EngineName = "openvino") -> None:
        weights = load(read_verified(folder / "model.safetensors", BUNDLED_SHA256))
        self._tokeniser = read_tokeniser(folder)
        self._network = Network(
            _MeanPooled(from_hugging_face(BertShape(), weights)),
            Signature(inputs=("input_ids", "attention_mask"), outputs=(None,)),
            cache=cache,
            engine=engine,
        )

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (n, 384) of length 1. Only the first 254 word pieces of each text count."""
        encodings = self._tokeniser.encode_batch_fast(list(texts), add_special_tokens=False)
        rows = [
            {"input_ids": np.array([_CLS, *encoding.ids[: self.max_tokens - 2], _SEP], dtype=np.int64)}
            for encoding in encodings
        ]
        vectors = np.stack([output[0] for output in self._network.run(rows)])
        lengths: NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / lengths


class _MeanPooled(nn.Module):
    """The mean of the token states where the mask is 1, which is the pooling that the model was trained with."""

    def __init__(self, bert: Bert) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        states = self.bert(input_ids, attention_mask, torch.zeros_like(input_ids))
        weights = attention_mask[:, :, None].to(states.dtype)
        pooled: Tensor = (states * weights).sum(dim=1) / weights.sum(dim=1)
        return pooled
