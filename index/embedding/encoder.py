"""Texts -> vectors. The `Encoder` protocol, and the one real encoder."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from index.embedding.weights import BUNDLED_SHA256, bundled_folder, folder_hash, local_folder, read_tokeniser

_DEFAULT = "all-MiniLM-L6-v2"


class Encoder(Protocol):
    """What a collection needs of an encoder. Thread-safe.

    `fingerprint` names the weights, not just the model: vectors of two fingerprints are never mixed. Reading the four
    facts is cheap for the default model: an index that is up to date never loads it.
    """

    @property
    def name(self) -> str:
        """What people call the model."""
        ...

    @property
    def fingerprint(self) -> str:
        """What a collection records."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Tokens that the encoder reads of a text, its own marks included; the rest is cut off."""
        ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (n, dimension) of `texts`, each of Euclidean length 1, so that an inner product is a cosine."""
        ...

    def token_offsets(self, text: str) -> NDArray[np.int64]:
        """Code-point range of every word piece of `text`, shape (pieces, 2), in order, nothing cut off."""
        ...


class Model(Protocol):
    """A loaded model, behind `SentenceEncoder`."""

    dimension: int
    max_tokens: int

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Encoder.encode`."""
        ...


class SentenceEncoder:
    """all-MiniLM-L6-v2 as installed with Quoth, or any other sentence-transformers model by folder or name.

    Nothing is downloaded: a name must be in the local Hugging Face cache. The model is loaded at the first `encode`. The
    default model's weights are compared with their recorded SHA-256 and run by index.inference.runtime, which keeps the
    converted network in the folder `cache`; other models are run by sentence-transformers. Raises `ModelMissing` or
    `ModelDamaged` at the first use of what is missing or damaged.
    """

    def __init__(self, model: str = _DEFAULT, *, cache: Path | None = None) -> None:
        self.name = model.removeprefix("sentence-transformers/")
        self._is_default = self.name == _DEFAULT
        self._wanted = model
        self._cache = cache
        self._guard = threading.Lock()
        self._model: Model | None = None
        self._tokeniser: Tokenizer | None = None

    @property
    def fingerprint(self) -> str:
        """Model and weights, as a collection records them."""
        if self._is_default:
            return f"{self.name}@{BUNDLED_SHA256[:16]}"
        return f"{self.name}@{folder_hash(self._folder())[:16]}"

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return 384 if self._is_default else self._loaded().dimension

    @property
    def max_tokens(self) -> int:
        """Tokens that the encoder reads of a text; the rest is cut off."""
        return 256 if self._is_default else self._loaded().max_tokens

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (n, dimension) of `texts`, each of Euclidean length 1."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return self._loaded().encode(texts)

    def token_offsets(self, text: str) -> NDArray[np.int64]:
        """Code-point range of every word piece of `text`, shape (pieces, 2). Needs the tokeniser only, not the model."""
        with self._guard:
            if self._tokeniser is None:
                self._tokeniser = read_tokeniser(self._folder())
            tokeniser = self._tokeniser
        encoding = tokeniser.encode(text, add_special_tokens=False)
        return np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)

    def _folder(self) -> Path:
        return bundled_folder() if self._is_default else local_folder(self._wanted)

    def _loaded(self) -> Model:
        with self._guard:
            if self._model is None:
                self._model = self._load(self._folder())
            return self._model

    def _load(self, folder: Path) -> Model:
        # An index that is up to date never needs a model, and the imports take long (measured: torch 1.7 s,
        # sentence-transformers 8.7 s, which the default model does without): so here, not above.
        if self._is_default:
            from index.embedding.minilm import MiniLM  # noqa: PLC0415

            return MiniLM(folder, self._cache)
        from index.embedding.sentence_transformers import Pretrained  # noqa: PLC0415

        return Pretrained(folder)
