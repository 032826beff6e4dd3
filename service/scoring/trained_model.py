"""A trained model: its files (config.json, model.safetensors), checked, and the network that runs. It needs no torch."""

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from tokenizers import Tokenizer

from index.embedding.weights import bundled_folder, read_tokeniser, verify
from index.errors import ModelDamaged, ModelMissing
from index.inference.blueprint import Blueprint, Parts
from index.inference.runtime import EngineName, Network, Signature
from index.inference.shape import BertShape
from index.inference.words import word_vectors

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
_WORDS = "bert.words.weight"
_CODE = ("index.inference.bert", "service.scoring.networks", "service.scoring.weights")


@dataclass(frozen=True)
class ModelConfig:
    """The contents of config.json: the kind of network, its sizes, the longest input in tokens, the checksum of the weights.

    `temperature` and `offset` turn the support checker's logit into a probability: sigmoid(logit * temperature + offset).
    """

    kind: str
    version: str
    base: str
    shape: BertShape
    limit: int
    sha256: str
    temperature: float = 1.0
    offset: float = 0.0


class TrainedModel(ABC):
    """A model. A subclass names its kind, the network's inputs and outputs, and how the network is made.

    `make_network` prepares the network when it is first needed.
    """

    KIND: ClassVar[str]
    SIGNATURE: ClassVar[Signature]

    def __init__(self, config: ModelConfig, tokeniser: Tokenizer, make_network: Callable[[], Network]) -> None:
        self.config = config
        self._tokeniser = tokeniser
        self._make_network = make_network
        self._made: Network | None = None
        self._making = threading.Lock()

    @property
    def _network(self) -> Network:
        return self._built()

    def _built(self) -> Network:
        with self._making:
            if self._made is None:
                self._made = self._make_network()
            return self._made

    def prepare(self) -> None:
        """Build the network now if it is not in memory."""
        self._built()

    @property
    def is_ready(self) -> bool:
        """Whether its network is in memory."""
        return self._made is not None

    @property
    def version(self) -> str:
        """The model's version and the start of its checksum."""
        return f"{self.config.version} ({self.config.sha256[:12]})"

    @classmethod
    def load(
        cls, folder: Path, cache: Path | None = None, engine: EngineName = "openvino", *, when_needed: bool = False
    ) -> Self:
        """The model in `folder`, its weights compared with their checksum.

        `cache` keeps the compiled network between starts. `engine` "torch" is the fp32 reference. With `when_needed`, the
        weights are checked now and the network is built at its first use. Raises ModelMissing or ModelDamaged, naming the
        file.
        """
        config = read_config(folder / CONFIG, cls.KIND)
        verify(folder / WEIGHTS, config.sha256)
        words = word_vectors(folder / WEIGHTS, _WORDS)
        blueprint = Blueprint(
            cls.KIND, config.sha256, repr(config.shape), _CODE, lambda: cls.make(folder, config), words
        )
        model = cls(
            config,
            read_tokeniser(bundled_folder()),
            lambda: Network(blueprint, cls.SIGNATURE, cache=cache, engine=engine),
        )
        if not when_needed:
            model.prepare()
        return model

    @classmethod
    @abstractmethod
    def make(cls, folder: Path, config: ModelConfig) -> Parts:
        """The torch modules of the model in `folder`, whose config was read before. Imports torch.

        Raises ModelMissing or ModelDamaged if its weights are no longer those of the config.
        """


def read_config(path: Path, kind: str) -> ModelConfig:
    """The config of a model of the given kind. Raises ModelMissing or ModelDamaged, which name the file."""
    try:
        record = json.loads(path.read_bytes())
        config = ModelConfig(**{**record, "shape": BertShape(**record["shape"])})
    except OSError as error:
        raise ModelMissing(f"{path}: cannot be read ({error.strerror}). Reinstall quoth or restore the file") from error
    except (ValueError, TypeError, KeyError) as error:
        raise ModelDamaged(f"{path}: not a model's config ({error}). Reinstall quoth or restore the file") from error
    if config.kind != kind:
        raise ModelDamaged(f"{path}: the model is a {config.kind!r}, expected a {kind!r}. Reinstall quoth")
    return config
