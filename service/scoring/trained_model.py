"""A trained model: its files (config.json, model.safetensors), checked, and the network that is loaded from them."""

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

from safetensors import SafetensorError
from safetensors.torch import load as load_weights
from safetensors.torch import save
from tokenizers import Tokenizer
from torch import Tensor

from index.embedding.weights import bundled_folder, read_tokeniser, read_verified
from index.errors import ModelDamaged, ModelMissing
from index.inference.bert import BertShape
from index.inference.runtime import EngineName, Network, Signature
from service.scoring.networks import ReaderNetwork, SupportNetwork

WEIGHTS = "model.safetensors"
CONFIG = "config.json"


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


class TrainedModel:
    """A model. A subclass names its kind, its network and the network's inputs and outputs.

    `make_network` builds the network when it is first needed.
    """

    KIND: ClassVar[str]
    NETWORK: ClassVar[type[ReaderNetwork] | type[SupportNetwork]]
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
        model = cls(
            read_config(folder / CONFIG, cls.KIND),
            read_tokeniser(bundled_folder()),
            lambda: cls._build(folder, cache, engine),
        )
        if when_needed:
            read_verified(folder / WEIGHTS, model.config.sha256)
        else:
            model.prepare()
        return model

    @classmethod
    def _build(cls, folder: Path, cache: Path | None, engine: EngineName) -> Network:
        config, weights = read_model(folder, cls.KIND)
        module = cls.NETWORK(config.shape)
        module.load_state_dict(weights)
        return Network(module.bert, cls.SIGNATURE, head=module.heads, cache=cache, engine=engine)


def read_model(folder: Path, kind: str) -> tuple[ModelConfig, dict[str, Tensor]]:
    """The config and the weights (fp32) of the model in `folder`, which must be of the given kind.

    Raises ModelMissing when a file is absent, and ModelDamaged when it cannot be read, is of another kind, or differs
    from its recorded checksum; both name the file.
    """
    config = read_config(folder / CONFIG, kind)
    path = folder / WEIGHTS
    return config, _weights(path, read_verified(path, config.sha256))


def _weights(path: Path, content: bytes) -> dict[str, Tensor]:
    try:
        weights = load_weights(content)
    except SafetensorError as error:
        raise ModelDamaged(f"{path}: not a safetensors file ({error}). Reinstall quoth or restore the file") from error
    return {name: tensor.float() for name, tensor in weights.items()}


def write_model(folder: Path, config: ModelConfig, weights: Mapping[str, Tensor]) -> ModelConfig:
    """Write the weights in fp16 and the config with their checksum; return that config."""
    folder.mkdir(parents=True, exist_ok=True)
    content = save({name: tensor.detach().half().contiguous() for name, tensor in weights.items()})
    (folder / WEIGHTS).write_bytes(content)
    checked = replace(config, sha256=hashlib.sha256(content).hexdigest())
    (folder / CONFIG).write_text(json.dumps(asdict(checked), indent=2) + "\n", encoding="utf-8")
    return checked


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
