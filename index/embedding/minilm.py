"""The model all-MiniLM-L6-v2, which turns sentences into vectors; run by index.inference.runtime."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.embedding.weights import BUNDLED_SHA256, read_tokeniser, verify
from index.inference.blueprint import Blueprint, Parts
from index.inference.runtime import EngineName, Network, Signature
from index.inference.shape import BertShape
from index.inference.words import word_vectors

_CLS, _SEP = 101, 102
_WORDS = "embeddings.word_embeddings.weight"
_CODE = ("index.inference.bert", "index.embedding.minilm_network")


class MiniLM:
    """The model in `folder`, its weights compared with their recorded checksum. Thread-safe.

    The converted network is kept in the folder `cache` if given. `engine` "torch" is the fp32 reference.
    """

    dimension = 384
    max_tokens = 256

    def __init__(self, folder: Path, cache: Path | None = None, engine: EngineName = "openvino") -> None:
        weights, shape = folder / "model.safetensors", BertShape()
        verify(weights, BUNDLED_SHA256)
        self._tokeniser = read_tokeniser(folder)

        def make() -> Parts:
            from index.embedding.minilm_network import make_minilm  # noqa: PLC0415  (imports torch: see index/inference/blueprint.py)

            return make_minilm(weights, BUNDLED_SHA256, shape)

        self._network = Network(
            Blueprint("all-MiniLM-L6-v2", BUNDLED_SHA256, repr(shape), _CODE, make, word_vectors(weights, _WORDS)),
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
