"""Texts -> vectors: the `Encoder` protocol, `SentenceEncoder` for real models, and `HashedEncoder` for tests."""

import hashlib
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from index.embedding.weights import BUNDLED_SHA256, bundled_folder, folder_hash, local_folder, read_tokeniser
from index.errors import ModelDamaged

_DEFAULT = "all-MiniLM-L6-v2"
_WORD_OR_MARK = re.compile(r"\w+|[^\w\s]")


class Encoder(Protocol):
    """What a collection needs of an encoder. Thread-safe.

    `fingerprint` identifies the weights, not just the model: vectors of two fingerprints are never mixed. Reading the
    four properties is cheap for the default model: an index that is up to date never loads it.
    """

    @property
    def name(self) -> str:
        """The usual name of the model."""
        ...

    @property
    def fingerprint(self) -> str:
        """Model and weights, as a collection records them."""
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
    """A loaded model, as `SentenceEncoder` runs it."""

    dimension: int
    max_tokens: int

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Encoder.encode`."""
        ...


class SentenceEncoder:
    """all-MiniLM-L6-v2 as installed with Quoth, or any other sentence-transformers model by folder or name.

    Nothing is downloaded: a model given by name must be in the local Hugging Face cache. The model is loaded at the
    first `encode`. The default model's weights are compared with their recorded SHA-256 and run by
    index.inference.runtime, which keeps the converted network in the folder `cache`; sentence-transformers runs other
    models. Raises `ModelMissing` or `ModelDamaged` when something missing or damaged is first used.
    """

    def __init__(self, model: str = _DEFAULT, *, cache: Path | None = None) -> None:
        self.name = model.removeprefix("sentence-transformers/")
        self._is_default = self.name == _DEFAULT
        self._requested = model
        self._cache = cache
        self._model_guard = threading.Lock()  # held while the model is loaded, which everybody who encodes waits for
        self._tokeniser_guard = threading.Lock()
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
        return 384 if self._is_default else self._loaded_model().dimension

    @property
    def max_tokens(self) -> int:
        """Tokens that the encoder reads of a text; the rest is cut off."""
        return 256 if self._is_default else self._loaded_model().max_tokens

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (n, dimension) of `texts`, each of Euclidean length 1."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return self._loaded_model().encode(texts)

    def token_offsets(self, text: str) -> NDArray[np.int64]:
        """Code-point range of every word piece of `text`, shape (pieces, 2). Needs only the tokeniser."""
        with self._tokeniser_guard:
            if self._tokeniser is None:
                self._tokeniser = read_tokeniser(self._folder())
            tokeniser = self._tokeniser
        encoding = tokeniser.encode(text, add_special_tokens=False)
        return np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)

    def _folder(self) -> Path:
        return bundled_folder() if self._is_default else local_folder(self._requested)

    def _loaded_model(self) -> Model:
        with self._model_guard:
            if self._model is None:
                self._model = self._load(self._folder())
            return self._model

    def _load(self, folder: Path) -> Model:
        # Imported here, not above: an index that is up to date needs no model, and the imports take long (measured:
        # torch 1.7 s; sentence-transformers, which the default model does not need, 8.7 s).
        if self._is_default:
            from index.embedding.minilm import MiniLM  # noqa: PLC0415

            return MiniLM(folder, self._cache)
        return PretrainedModel(folder)


class PretrainedModel:
    """Any sentence-transformers model in `folder`, run by that library on the CPU. Thread-safe.

    Raises `ModelDamaged` if the library cannot load it.
    """

    def __init__(self, folder: Path) -> None:
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 takes 8.7 s: see SentenceEncoder._load

        try:
            self._model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelDamaged(
                f"{folder}: sentence-transformers cannot load it ({error}). Restore the folder"
            ) from error
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.max_tokens = int(self._model.max_seq_length or 512)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (n, dimension) of length 1."""
        vectors = self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)


class HashedEncoder:
    """An encoder without a model, for tests and for trials without any weights: words hashed into a vector.

    Signed feature hashing of lower-cased words (Weinberger et al., ICML 2009): texts that share words are close. The
    result is the same on every machine. Thread-safe, about 20,000 texts a second. `encoded` counts the texts encoded so
    far.
    """

    name = "hashed words"
    max_tokens = 256

    def __init__(self, dimension: int = 64) -> None:
        self.dimension = dimension
        self.encoded = 0

    @property
    def fingerprint(self) -> str:
        """The dimension, on which alone the vectors depend."""
        return f"hashed-words-{self.dimension}"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (n, dimension) of length 1; a text without words becomes the first axis."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            for piece in _WORD_OR_MARK.findall(text.lower())[: self.max_tokens]:
                code = int.from_bytes(hashlib.blake2b(piece.encode(), digest_size=8).digest())
                vector[(code >> 1) % self.dimension] += 1.0 if code & 1 else -1.0
            if not vector.any():
                vector[0] = 1.0
        self.encoded += len(texts)
        lengths: NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / lengths

    def token_offsets(self, text: str) -> NDArray[np.int64]:
        """Ranges of words and punctuation marks, shape (pieces, 2)."""
        return np.array([match.span() for match in _WORD_OR_MARK.finditer(text)], dtype=np.int64).reshape(-1, 2)
