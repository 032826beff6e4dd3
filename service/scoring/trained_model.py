"""A trained model: its files (config.json, model.safetensors), checked, and the network that is loaded from them."""

import hashlib
import json
from collections.abc import Mapping
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
    """A model ready to run. A subclass names its kind, its network and the network's inputs and outputs."""

    KIND: ClassVar[str]
    NETWORK: ClassVar[type[ReaderNetwork] | type[SupportNetwork]]
    SIGNATURE: ClassVar[Signature]

    def __init__(self, config: ModelConfig, tokeniser: Tokenizer, network: Network) -> None:
        self.config = config
        self._tokeniser = tokeniser
        self._network = network

    @property
    def version(self) -> str:
        """The model's version and the start of its checksum."""
        return f"{self.config.version} ({self.config.sha256[:12]})"

    @classmethod
    def load(cls, folder: Path, cache: Path | None = None, engine: EngineName = "openvino") -> Self:
        """The model in `folder`, its weights compared with their checksum.

        `cache` keeps the compiled network between starts. `engine` "torch" is the fp32 reference. Raises ModelMissing or
        ModelDamaged, naming the file.
        """
        config, weights = read_model(folder, cls.KIND)
        module = cls.NETWORK(config.shape)
        module.load_state_dict(weights)
        network = Network(module.bert, cls.SIGNATURE, head=module.heads, cache=cache, engine=engine)
        return cls(config, read_tokeniser(bundled_folder()), network)


def read_model(folder: Path, kind: str) -> tuple[ModelConfig, dict[str, Tensor]]:
    """The config and the weights (fp32) of the model in `folder`, which must be of the given kind.

    Raises ModelMissing when a file is absent, and ModelDamaged when it cannot be read, is of another kind, or differs
    from its recorded checksum; both name the file.
    """
    config = _config(folder / CONFIG, kind)
    path = folder / WEIGHTS
    content = read_verified(path, config.sha256)
    try:
        weights = load_weights(content)
    except SafetensorError as error:
        raise ModelDamaged(f"{path}: not a safetensors file ({error}). Reinstall quoth or restore the file") from error
    return config, {name: tensor.float() for name, tensor in weights.items()}


def write_model(folder: Path, config: ModelConfig, weights: Mapping[str, Tensor]) -> ModelConfig:
    """Write the weights in fp16 and the config with their checksum; return that config."""
    folder.mkdir(parents=True, exist_ok=True)
    content = save({name: tensor.detach().half().contiguous() for name, tensor in weights.items()})
    (folder / WEIGHTS).write_bytes(content)
    checked = replace(config, sha256=hashlib.sha256(content).hexdigest())
    (folder / CONFIG).write_text(json.dumps(asdict(checked), indent=2) + "\n", encoding="utf-8")
    return checked


def _config(path: Path, kind: str) -> ModelConfig:
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
